import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { RelayAddress } from '../../cli/sending/relay-address.ts';
import { handIn } from '../../cli/sending/visit.ts';
import { PARCEL_BYTES } from '../../crypto/parcel.ts';

const parcel = new Uint8Array(PARCEL_BYTES);

const drip = (respond: (socket: Socket) => void): Promise<{ port: number; closed: Promise<unknown>; stop: () => void }> =>
  new Promise((resolve) => {
    let close: () => void = () => undefined;
    const closed = new Promise<void>((end) => (close = end));
    const server = createServer((socket) => {
      const timer = setInterval(() => socket.write('x'), 20);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          clearInterval(timer);
          close();
        });
      respond(socket);
    }).listen(0, '127.0.0.1', () => {
      resolve({ port: (server.address() as AddressInfo).port, closed, stop: () => server.close() });
    });
  });

describe('a relay that trickles bytes for ever', () => {
  test.each<readonly [string, (socket: Socket) => void, (port: number) => RelayAddress]>([
    ['its body', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'), (port) => ({ port })],
    ['its headers', (socket) => socket.write('HTTP/1.1 200 OK\r\nX: '), (port) => ({ port })],
    [
      'its certificate',
      (socket) => socket.write(Buffer.of(22, 3, 3, 64, 0)),
      (port) => ({ url: new URL(`https://127.0.0.1:${String(port)}`), socks: null }),
    ],
    [
      'the name by way of a proxy',
      (socket) => socket.write(Buffer.of(5, 2, 1, 0, 5, 0, 0, 3, 255)),
      (port) => ({ url: new URL('http://relay.onion'), socks: { host: '127.0.0.1', port } }),
    ],
  ])('%s: the deadline ends the attempt and the connection', async (_what, respond, address) => {
    const server = await drip(respond);
    await expect(handIn(parcel, address(server.port), { deadlineMs: 400 })).rejects.toMatchObject({
      code: 'RELAY_AWAY',
      message: 'the relay does not answer: it takes too long',
    });
    await server.closed;
    server.stop();
  });

  test('a stopped command does not wait for the relay', async () => {
    const stopping = new AbortController();
    const server = await drip((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      stopping.abort();
    });
    await expect(handIn(parcel, { port: server.port }, { stop: stopping.signal })).rejects.toMatchObject({
      code: 'RELAY_AWAY',
      message: 'the relay does not answer: stopped',
    });
    await server.closed;
    server.stop();
  });
});
