// What is around the parts, and not in Redis. The operator's service looks at it once a round, and tells the status in a terminal, which
// may run where there is neither tor nor the disk.
import { request } from 'node:http';
import * as z from 'zod';
import type { ListenAddress } from '../runtime/env.ts';
import { FREE_SHARES, readDisk, type DiskState } from './disk.ts';
import { ONION_STATES, type OnionCheck } from './onion.ts';

/** Null: not looked at. */
export type Surroundings = z.output<typeof surroundings>;
/** Where they are looked at. */
export type Places = { readonly onion: OnionCheck | null; readonly disk: string | null };

const surroundings = z.strictObject({
  disk: z.strictObject({ free: z.enum(FREE_SHARES) }).nullable(),
  onion: z.enum(ONION_STATES).nullable(),
});

/** As the service serves it. `round`: the beginning of the round in which it looked. `isVisiting`: `onion` is of the look before. */
const served = z.strictObject({ round: z.iso.datetime(), isVisiting: z.boolean(), ...surroundings.shape });
export type ServedSurroundings = z.output<typeof served>;

export const SURROUNDINGS_PATH = '/surroundings.json';
const ASK_MS = 3_000;
const MAX_ANSWER_CHARACTERS = 4_096;

/** A file system that cannot be asked is one that nothing is known of. */
export const lookAtDisk = async (path: string | null): Promise<DiskState | null> =>
  path === null ? null : readDisk(path).catch(() => null);

/** What the operator's service saw last; null: it does not answer, or has not looked yet. */
export async function askService(address: ListenAddress): Promise<ServedSurroundings | null> {
  try {
    return served.parse(JSON.parse(await get(address)));
  } catch {
    return null;
  }
}

function get(address: ListenAddress): Promise<string> {
  const way = address.kind === 'unix' ? { socketPath: address.path } : { host: '127.0.0.1', port: address.port };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ASK_MS);
    const asked = request({ ...way, path: SURROUNDINGS_PATH, headers: { host: 'localhost' }, signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER_CHARACTERS) response.destroy(new Error('too long'));
      });
      response.on('error', reject).on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error('not ready'))));
    });
    // An answer that goes over to another protocol is neither a response nor an error.
    asked.on('upgrade', (_answer, socket) => (socket.destroy(), reject(new Error('not ours'))));
    asked.on('error', reject).end();
  });
}
