// Servers that a sender takes for the relay.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseAnswer } from '../../crypto/answer.ts';
import { http } from './http.ts';

export type Way = { url: string; stop: () => void };

/** A proxy to the relay. `onParcel` gets the relay's answer to each parcel in turn, and a function that forwards it. */
export async function wayToRelay(
  relay: string,
  onParcel: (nth: number, taken: boolean, response: ServerResponse, pass: () => void) => unknown,
): Promise<Way> {
  let count = 0;
  return listening(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = new Uint8Array(Buffer.concat(chunks));
        const headers = { 'content-type': 'application/octet-stream' };
        void http(new URL(request.url ?? '', relay).href, request.method === 'POST' ? { method: 'POST', headers, body } : {}).then(
          (answered) => {
            const pass = (): void => void response.end(answered.body);
            if (request.method === 'POST') onParcel((count += 1), parseAnswer(answered.body).result === 'accepted', response, pass);
            else pass();
          },
        );
      });
    }),
  );
}

/** Accepts connections and never answers. */
export function startSilent(onRequest: () => void): Promise<Way> {
  return listening(createServer(onRequest));
}

async function listening(server: ReturnType<typeof createServer>): Promise<Way> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, stop };
}
