// Mail servers that answer in ways no library would.
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** The reply at each stage; `end` is the end of DATA. */
export type Script = { banner?: string; EHLO?: string; HELO?: string; MAIL?: string; RCPT?: string; DATA?: string; end?: string };

/** A mail server that answers each command as `script` says, and positively where it says nothing. */
export async function scripted(script: Script) {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let inData = false;
    let rest = '';
    const say = (reply: string) => socket.write(`${reply}\r\n`);
    sockets.add(socket);
    socket.on('error', () => undefined);
    say(script.banner ?? '220 hello');
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (inData && line !== '.') continue;
        heard.push(line);
        const verb = (line === '.' ? 'end' : line.slice(0, 4)) as keyof Script;
        inData = verb === 'DATA' && script.DATA === undefined;
        say(script[verb] ?? (inData ? '354 go on' : '250 ok'));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers MAIL with an endless multi-line reply. */
export async function dripAtMail() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.write('220 hello\r\n');
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (!bytes.toString('latin1').startsWith('MAIL')) return void socket.write('250 ok\r\n');
      const drip = setInterval(() => socket.write('250-more\r\n'), 100);
      socket.on('close', () => clearInterval(drip));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.length,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
