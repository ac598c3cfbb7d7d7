// The files of an answer that is kept: they do not tell which is which, and never hold the note alone.
import { open, readdir, readFile, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parcelsIn } from '../../cli/sending/parcels.ts';
import { writeParcels } from '../../cli/sending/write-parcels.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { decodeParcelText } from '../../crypto/parcel-text.ts';
import { parseParcel } from '../../crypto/parcel.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { temporaryDirectory, writeTo } from '../support/cli.ts';
import { DIFFICULTY } from '../support/deployment.ts';
import { copyPrepared } from '../support/prepared.ts';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let keyring: VerifiedKeyring;
beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  ({ keyring } = await copyPrepared(dir.path('prepared')));
});
afterAll(() => dir.remove());

const seal = (message: string): Uint8Array =>
  stampParcel(sealRequest({ topic: 'psychological', language: 'ru', message }, keyring), DIFFICULTY);
const namesIn = (folder: string): Promise<string[]> => readdir(folder).then((names) => names.sort());

test('law: a file’s number does not tell which parcel it holds', async () => {
  const parcels = [seal('a'), seal('b')];
  const first = new Set<string>();
  for (let time = 0; time < 40; time += 1) {
    const files = await writeParcels(dir.path('law', String(time)), parcels);
    const [ids, expected] = [
      await Promise.all(files.map(async (file) => idOf(decodeParcelText((await readFile(file, 'utf8')).trimEnd())))),
      parcels.map(idOf),
    ];
    expect(ids).toEqual(expected);
    first.add(files[0]?.slice(-'01.txt'.length) ?? '');
    expect(new Set(await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs))).size).toBe(1);
  }
  expect([...first].sort()).toEqual(['01.txt', '02.txt']);
});

test('law: wherever writing breaks off, what can be sent is never the note alone; and a failure leaves nothing', async () => {
  const [reply, note] = [seal('reply'), seal('note')];
  const probe = await open(await writeTo(dir.path('probe'), ''));
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  const { writeFile } = handles;
  await probe.close();
  for (let time = 0; time < 20; time += 1) {
    const folder = dir.path('broken off', String(time));
    const sendable: string[][] = [];
    const write = vi.spyOn(handles, 'writeFile').mockImplementation(async function (this: FileHandle, ...data) {
      const there = await Promise.all((await namesIn(folder)).map((name) => readFile(join(folder, name))));
      sendable.push((await Promise.all(there.map(parcelsIn))).flat().flatMap((found) => ('parcel' in found ? [idOf(found.parcel)] : [])));
      if (sendable.length === 2) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      await Reflect.apply(writeFile, this, data);
    });
    await expect(writeParcels(folder, [reply, note])).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
    write.mockRestore();
    expect(sendable).toEqual([[], [idOf(reply)]]);
    expect(await namesIn(folder)).toEqual([]);
  }
});

function idOf(parcel: Uint8Array): string {
  return Buffer.from(parseParcel(parcel).id).toString('hex');
}
