import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ready } from '../../crypto/sodium.ts';
import { newCircuit, socksConnect } from '../../runtime/socks.ts';

const TRICKLE_MS = 20;

/** Lets everybody in, and gives the address in its last reply a byte at a time. */
async function trickle(client: Socket): Promise<void> {
  for (const answer of [
    [5, 2],
    [1, 0],
    [5, 0, 0, 3, 255],
  ]) {
    await once(client, 'data');
    client.write(Buffer.from(answer));
  }
  for (let sent = 0; sent < 257 && !client.destroyed; sent += 1) {
    client.write(Buffer.from([0x61]));
    await sleep(TRICKLE_MS);
  }
}

it('a proxy that gives a byte now and then does not hold anybody up for longer than one that gives none', async () => {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client.on('error', () => undefined));
    void trickle(client).catch(() => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await ready;
  try {
    const { port } = server.address() as AddressInfo;
    const connecting = socksConnect({ host: '127.0.0.1', port }, { host: 'mail.example', port: 465, circuit: newCircuit() }, 500);
    await expect(connecting).rejects.toMatchObject({ code: 'tor-slow' });
  } finally {
    for (const client of clients) client.destroy();
    server.close();
  }
});
