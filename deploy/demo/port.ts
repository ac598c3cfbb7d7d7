import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

const USUAL_PORT = 8080;

/** Returns `wanted`, throwing when it cannot be used; for null, 8080 or, if that is taken, any free port. */
export async function choosePort(wanted: number | null): Promise<number> {
  if (wanted === null) {
    return tryPort(USUAL_PORT).catch(() => tryPort(0));
  }
  try {
    return await tryPort(wanted);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      throw new Error(`Port ${String(wanted)} on 127.0.0.1 is in use. Choose another with --port, or leave it out.`);
    }
    if (code === 'EACCES') throw new Error(`Port ${String(wanted)} needs privileges that this user does not have. Choose one above 1023.`);
    throw error;
  }
}

async function tryPort(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return address.port;
}
