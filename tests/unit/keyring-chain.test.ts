// Keyrings of one root key that cannot both be right, as the relay and the worker meet them in their folder.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyringDigest } from '../../crypto/keyring.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { log } from '../../runtime/log.ts';
import { type KeyringDirectory, makeKeyrings } from '../support/keyrings.ts';

const START = Date.parse('2030-01-07T00:00:00Z');

let dir: string;
let keyrings: KeyringDirectory;
let shelf: KeyringShelf;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'chain-test-'));
  keyrings = await makeKeyrings(dir, () => START);
  shelf = new KeyringShelf({ ...keyrings, now: () => new Date(START) });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

const copyTo = (serial: number, from: string): Promise<unknown> =>
  Promise.all(
    ['.json', '.json.minisig'].map((end) =>
      copyFile(join(from, `keyring-${String(serial)}${end}`), join(keyrings.directory, `keyring-${String(serial)}${end}`)),
    ),
  );
/** Two keyrings of serial 1 under one root key, by rising digest, each in a folder of its own. */
const twins = async (): Promise<{ folder: string; digest: string }[]> => {
  const made: { folder: string; digest: string }[] = [];
  for (const name of ['a', 'b']) {
    const folder = join(dir, name);
    await mkdir(folder);
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    for (const end of ['.json', '.json.minisig']) {
      await rename(join(keyrings.directory, `keyring-1${end}`), join(folder, `keyring-1${end}`));
    }
    made.push({ folder, digest: keyringDigest(await readFile(join(folder, 'keyring-1.json'))) });
  }
  return made.sort((a, b) => (a.digest < b.digest ? -1 : 1));
};

describe('keyrings that do not fit together', () => {
  it('one that does not name the one before it is ignored; the next that names it is taken', async () => {
    await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
    await keyrings.add({ serial: 3, fromHours: 0, toHours: 168 });
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await shelf.load();
    expect(shelf.all().map(({ serial }) => serial)).toEqual([1, 3]);
    expect(shelf.current()?.serial).toBe(3);
  });

  it('of two with one serial the lower digest counts, whichever was here first', async () => {
    const [lower, higher] = await twins();
    await copyTo(1, higher?.folder ?? '');
    await shelf.load();
    expect(shelf.current()?.digest).toBe(higher?.digest);
    await copyTo(1, lower?.folder ?? '');
    await shelf.load();
    expect(shelf.current()?.digest).toBe(lower?.digest);
    await copyTo(1, higher?.folder ?? '');
    await shelf.load();
    expect(shelf.current()?.digest).toBe(lower?.digest);
  });

  it('each is complained about once, by its code', async () => {
    const [lower, higher] = await twins();
    await copyTo(1, lower?.folder ?? '');
    await shelf.load();
    const said: unknown[] = [];
    vi.spyOn(log, 'error').mockImplementation((_event, fields) => void said.push(fields));
    await copyTo(1, higher?.folder ?? '');
    await shelf.load();
    await shelf.load();
    expect(said).toEqual([{ file: 'keyring-1.json', code: 'KEYRING_TWICE' }]);
    await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
    await shelf.load();
    await shelf.load();
    // It names the higher one, which lies in the folder and does not count.
    expect(said.slice(1)).toEqual([{ file: 'keyring-2.json', code: 'KEYRING_CHAIN' }]);
  });
});
