// Making keys that broke off, after each file: refused, and it says what to do.
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { Season, SEASON_BEGIN } from '../support/season.ts';

const NOW = { now: new Date(SEASON_BEGIN) };
/** The order in which they are created; the card is written last, the others in the order of WRITTEN. */
const CREATED = ['season-2026-11-30.card', 'signer.age', 'signer.pub', 'storage.age', 'week-2026-11-30.age', 'week-2026-12-07.age'];
const WRITTEN = ['storage.age', 'signer.age', 'week-2026-11-30.age', 'week-2026-12-07.age', 'signer.pub', 'season-2026-11-30.card'];
let season: Season;
beforeEach(async () => {
  season = await Season.start(2);
});
afterEach(() => season.remove());

const again = () => season.run(['volunteer', 'keys', '--weeks', '1'], NOW);
const contents = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all((await readdir(season.keys)).map(async (name) => [name, await readFile(join(season.keys, name), 'hex')] as const)),
  );

async function insistOnRefusal(): Promise<void> {
  const before = await contents();
  const { code, err } = await again();
  expect([code, err]).toEqual([EXIT.input, expect.stringContaining(`delete the folder (root.pub and keyrings can be put there again)`)]);
  expect(err).toContain('(KEYS_HALF)');
  const opened = await season.run(['inbox', season.keys], NOW);
  expect([opened.code, opened.err]).toEqual([EXIT.input, expect.stringContaining('(KEYS_HALF)')]);
  expect(await contents()).toEqual(before);
  await rm(season.keys, { recursive: true });
  expect((await again()).code).toBe(EXIT.ok);
}

describe('the first folder, broken off', () => {
  test('is made of the files that these tests cut', async () => {
    expect((await readdir(season.keys)).toSorted()).toEqual(CREATED);
  });

  test.each(CREATED.map((name, at) => [name, at + 1] as const))('when %s had just been created', async (_name, count) => {
    await rm(season.keys, { recursive: true });
    await mkdir(season.keys);
    for (const name of CREATED.slice(0, count)) await writeFile(join(season.keys, name), '');
    await insistOnRefusal();
  });

  test.each(WRITTEN.map((name, at) => [name, at] as const))('before %s was written', async (_name, at) => {
    for (const name of WRITTEN.slice(at)) await truncate(join(season.keys, name));
    await insistOnRefusal();
  });

  test.each(WRITTEN.map((name, at) => [name, at] as const))('in the middle of %s', async (name, at) => {
    const path = join(season.keys, name);
    await truncate(path, Math.floor((await readFile(path)).length / 2));
    for (const later of WRITTEN.slice(at + 1)) await truncate(join(season.keys, later));
    await insistOnRefusal();
  });
});

test('a later season, broken off, is named file by file; the weeks before it still open', async () => {
  const keyring = await season.sign(1, 0);
  await season.install(keyring);
  const letter = await season.letter(0, keyring, 'Hello');
  expect((await again()).code).toBe(EXIT.ok);
  for (const name of ['season-2026-12-14.card', 'week-2026-12-14.age']) await truncate(join(season.keys, name));
  const { code, err } = await again();
  expect([code, err]).toEqual([EXIT.input, expect.stringContaining('season-2026-12-14.card is not whole')]);
  expect(err).toContain('delete it and week-2026-12-14.age, and run this once more (KEYS_HALF)');
  const opened = await season.run(['open', letter], NOW);
  expect([opened.code, opened.text]).toEqual([EXIT.ok, expect.stringContaining('Hello')]);
  for (const name of ['season-2026-12-14.card', 'week-2026-12-14.age']) await rm(join(season.keys, name));
  expect((await again()).code).toBe(EXIT.ok);
});

test('a card that was deleted once the administrator had it stops nothing', async () => {
  await rm(join(season.keys, 'season-2026-11-30.card'));
  expect((await again()).code).toBe(EXIT.ok);
});
