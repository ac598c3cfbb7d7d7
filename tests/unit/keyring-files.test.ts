import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyringDigest } from '../../crypto/keyring.ts';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { KeyringShelf } from '../../runtime/keyrings.ts';
import { log } from '../../runtime/log.ts';
import { type KeyringDirectory, makeKeyrings } from '../support/keyrings.ts';

const START = Date.parse('2030-01-07T00:00:00Z');
const HOUR_MS = 3_600_000;

let dir: string;
let keyrings: KeyringDirectory;
let shelf: KeyringShelf;
let nowMs: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shelf-test-'));
  nowMs = START;
  keyrings = await makeKeyrings(dir, () => START);
  shelf = new KeyringShelf({ ...keyrings, now: () => new Date(nowMs) });
});
afterEach(() => rm(dir, { recursive: true }));

const at = (hours: number) => {
  nowMs = START + hours * HOUR_MS;
  return { current: shelf.current()?.serial ?? null, live: shelf.live().map(({ serial }) => serial), condition: shelf.condition() };
};

describe('files in the directory', () => {
  it('the shelf returns the signed bytes and their digest', async () => {
    const keyring = await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await shelf.load();
    const json = await readFile(join(keyrings.directory, 'keyring-1.json'));
    expect(shelf.current()).toMatchObject({ serial: 1, keyring, digest: keyringDigest(json) });
    expect(Buffer.from(shelf.current()?.json ?? []).equals(json)).toBe(true);
  });

  const spoilt: [string, () => Promise<unknown>][] = [
    ['signed by somebody else', () => keyrings.add({ serial: 2, fromHours: 0, toHours: 168, signer: generateKeyPair() })],
    [
      'unsigned',
      async () => {
        await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
        await unlink(join(keyrings.directory, 'keyring-2.json.minisig'));
      },
    ],
    [
      'changed by a byte',
      async () => {
        await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
        const path = join(keyrings.directory, 'keyring-2.json');
        await writeFile(path, (await readFile(path, 'utf8')).replace('"Help"', '"Hemp"'));
      },
    ],
    [
      'with the signature of another',
      async () => {
        await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
        await writeFile(
          join(keyrings.directory, 'keyring-2.json.minisig'),
          await readFile(join(keyrings.directory, 'keyring-1.json.minisig')),
        );
      },
    ],
    [
      'that is a link',
      async () => {
        await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
        await rename(join(keyrings.directory, 'keyring-2.json'), join(dir, 'elsewhere.json'));
        await symlink(join(dir, 'elsewhere.json'), join(keyrings.directory, 'keyring-2.json'));
      },
    ],
    [
      'too long',
      async () => {
        await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
        await writeFile(join(keyrings.directory, 'keyring-2.json'), Buffer.alloc(2_000_000));
      },
    ],
    ['empty', () => writeFile(join(keyrings.directory, 'keyring-2.json'), '')],
    ['a file of another name', () => writeFile(join(keyrings.directory, 'keyring-2.json.bak'), '{}')],
  ];
  it('files that are not used are named, each with its reason, and logged once', async () => {
    const said = vi.spyOn(log, 'error');
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    const copyAs = async (name: string) => {
      for (const end of ['', '.minisig']) {
        await copyFile(join(keyrings.directory, `keyring-1.json${end}`), join(keyrings.directory, `${name}${end}`));
      }
    };
    await copyAs('keyring-1 (1).json');
    await writeFile(join(keyrings.directory, 'keyring-2.json'), '{"ver');
    await symlink(join(keyrings.directory, 'keyring-1.json'), join(keyrings.directory, 'keyring-3.json'));
    await writeFile(join(keyrings.directory, 'keyring-4.json'), Buffer.alloc(2_000_000));
    await mkdir(join(keyrings.directory, 'keyring-5.json'));
    for (let times = 0; times < 2; times += 1) await shelf.load();
    const expected = [
      { file: 'keyring-2.json', code: 'ENOENT' },
      { file: 'keyring-3.json', code: 'FILE_LINK' },
      { file: 'keyring-4.json', code: 'FILE_TOO_LARGE' },
      { file: 'keyring-5.json', code: 'FILE_KIND' },
      { file: 'keyring-1.json', code: 'KEYRING_COPY' },
    ];
    expect(shelf.passedOver).toEqual(expected);
    expect(said.mock.calls).toEqual(expected.map((fields) => ['keyring ignored', fields]));
    said.mockRestore();
    expect(shelf.all().map(({ serial }) => serial)).toEqual([1]);
    // The other file of the two holds the keyring still.
    await rm(join(keyrings.directory, 'keyring-1.json'));
    await shelf.load();
    expect(shelf.all().map(({ serial }) => serial)).toEqual([1]);
  });

  it.each(spoilt)('a keyring %s is ignored', async (_what, spoil) => {
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await spoil();
    await shelf.load();
    expect(shelf.all().map(({ serial }) => serial)).toEqual([1]);
  });
});

describe('changes on disk', () => {
  it('are seen at the next load', async () => {
    await shelf.load();
    expect(shelf.all()).toEqual([]);
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await shelf.load();
    expect(at(1).current).toBe(1);
    await rm(join(keyrings.directory, 'keyring-1.json'));
    await shelf.load();
    expect(at(1).current).toBe(null);
  });

  it('a directory that is briefly missing removes nothing', async () => {
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await shelf.load();
    await rm(keyrings.directory, { recursive: true });
    await writeFile(keyrings.directory, '');
    await shelf.load();
    expect(at(1).current).toBe(1);
  });

  it('a keyring that is briefly half written stays as it was', async () => {
    await keyrings.add({ serial: 1, fromHours: 0, toHours: 168 });
    await keyrings.add({ serial: 2, fromHours: 0, toHours: 168 });
    await shelf.load();
    const path = join(keyrings.directory, 'keyring-2.json.minisig');
    const signature = await readFile(path);
    for (const bytes of [signature.subarray(0, 10), Buffer.alloc(0), signature]) {
      await writeFile(path, bytes);
      await shelf.load();
      expect(at(1).current).toBe(2);
    }
    await rm(path);
    await shelf.load();
    expect(at(1).current).toBe(2);
    await keyrings.add({ serial: 3, fromHours: 0, toHours: 10 });
    await shelf.load();
    expect(at(11).current).toBe(null);
  });

  describe('the root key', () => {
    it('may come later, and then the keyrings count', async () => {
      const rootKeyFile = join(dir, 'later.pub');
      const waiting = new KeyringShelf({ ...keyrings, rootKeyFile, now: () => new Date(nowMs) });
      await keyrings.add({ serial: 1, fromHours: -1, toHours: 10 });
      await waiting.load();
      expect([waiting.rootState, waiting.current()]).toEqual(['missing', null]);
      await writeFile(rootKeyFile, 'half of i');
      await waiting.load();
      expect([waiting.rootState, waiting.current()]).toEqual(['unusable', null]);
      await copyFile(keyrings.rootKeyFile, rootKeyFile);
      await waiting.load();
      expect([waiting.rootState, waiting.current()?.serial]).toEqual(['ok', 1]);
    });

    it('that was read first counts until the end: another in its place is told of, and verifies nothing', async () => {
      await keyrings.add({ serial: 1, fromHours: -1, toHours: 10 });
      await shelf.load();
      const other = generateKeyPair();
      await writeFile(keyrings.rootKeyFile, encodePublicKey(other));
      await keyrings.add({ serial: 3, fromHours: -1, toHours: 10, signer: other });
      await shelf.load();
      expect([shelf.rootState, shelf.current()?.serial]).toEqual(['replaced', 1]);
      await keyrings.add({ serial: 2, fromHours: -1, toHours: 10 });
      await shelf.load();
      expect(shelf.current()?.serial).toBe(2);
      await rm(keyrings.rootKeyFile);
      await shelf.load();
      expect([shelf.rootState, shelf.current()?.serial]).toEqual(['missing', 2]);
    });
  });
});
