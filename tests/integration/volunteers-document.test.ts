// A volunteer's season by docs/volunteers.md: every command of the folder's way, read out of the document and run as it stands there.
import { cp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { cli, type CliResult } from '../support/cli.ts';
import { commandsByHeading } from '../support/documents.ts';
import { Season, SEASON_BEGIN } from '../support/season.ts';

const PASSPHRASE = 'correct horse ёжик';
const NOW = new Date(SEASON_BEGIN + 3_600_000);
let season: Season;
let home: string;
let sections: Map<string, string[]>;

/** Runs a command of the document in the volunteer's home, at a terminal. */
async function typed(command: string, answers: readonly string[] = []): Promise<CliResult> {
  const words = command.split(' ').slice(1);
  const argv = words.map((word) => (word === 'PATH' || word === '~/Maildir' ? season.maildir : word));
  const before = process.cwd();
  process.chdir(home);
  try {
    return await cli(argv, { terminal: { answers }, now: NOW, logN: 12 });
  } finally {
    process.chdir(before);
  }
}

const commandsOf = (heading: string): string[] => (sections.get(heading) ?? []).filter((line) => line.startsWith('support-relay '));

beforeAll(async () => {
  season = await Season.start(1);
  home = season.path('.');
  await rm(season.keys, { recursive: true });
  sections = await commandsByHeading('docs/volunteers.md');
});
afterAll(() => season.remove());

test('two commands make the keys and take the keyrings; then a path is all that reading needs', async () => {
  const [make = '', show = ''] = [...commandsOf('Make your keys, and send the card')];
  const made = await typed(make, [PASSPHRASE, PASSPHRASE]);
  expect([made.code, make], made.err).toEqual([EXIT.ok, 'support-relay volunteer keys']);
  expect((await typed(show)).text).toContain(made.text);

  await season.readCard();
  const signed = await season.signWeeks(0, 12);
  await cp(season.path('out'), season.path('from-admin'), { recursive: true });
  await cp(season.rootPublicKey, season.path('from-admin', 'root.pub'));
  const takes = commandsOf('Take the keyrings that come back');
  expect(takes).toHaveLength(2);
  for (const take of takes) {
    const { code, err } = await typed(take);
    expect([code, err]).toEqual([EXIT.ok, expect.not.stringContaining('!')]);
  }

  const [first] = signed;
  if (first === undefined) throw new Error('signed');
  await season.letter(0, first, 'Please help me');
  const reads = [...commandsOf('Opening requests'), ...commandsOf('Conversations')];
  expect(reads).toEqual(['support-relay open PATH', 'support-relay inbox PATH']);
  for (const read of reads) {
    const { code, text, err } = await typed(read, [PASSPHRASE]);
    expect([code, text], err).toEqual([EXIT.ok, expect.stringContaining('Please help me')]);
  }
  for (const keep of commandsOf('When a week is over')) expect((await typed(keep)).code).toBe(EXIT.ok);
});
