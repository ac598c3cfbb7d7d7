// `admin add` and `admin team`: whose card it is, and every card that does not fit.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bech32 } from '@scure/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { generateIdentity, identityToRecipient, PUBLIC_KEY_BYTES } from '../../crypto/age/identity.ts';
import { cardWords, verifyCard } from '../../crypto/card.ts';
import { generateKeyPair, type SigningKey } from '../../crypto/minisign.ts';
import { readWordList } from '../../runtime/locales.ts';
import { AdminFolder } from '../support/admin-folder.ts';
import { temporaryDirectory, writeTo } from '../support/cli.ts';

const NOW = new Date('2026-12-02T10:00:00Z');
const NEXT_SEASON = new Date('2027-03-01T00:00:00Z');
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
/** With Maple in the team `psych`, and a team `legal` that nobody is in. Tests leave it as it is. */
let folder: AdminFolder;
let maple: SigningKey;

beforeAll(async () => {
  dir = await temporaryDirectory();
  folder = new AdminFolder(dir.path, 'folder', NOW);
  maple = await folder.furnish();
  await folder.done('team', 'legal', '--name', 'en=Lawyers', '--topic', 'legal:en=Legal help');
});
afterAll(() => dir.remove());

let others = 0;

async function anotherFolder(): Promise<AdminFolder> {
  others += 1;
  const another = new AdminFolder(dir.path, `another-${String(others)}`, NOW);
  await another.done('init', '--no-passphrase');
  await another.done('team', 'psych', '--name', 'en=Psychologists', '--topic', 'psychological:en=Psychological help');
  return another;
}

const wordsOf = async (card: string, language: string): Promise<string> =>
  cardWords(verifyCard(await readFile(card, 'utf8')), readWordList(language).trim().split('\n')).join(' ');

describe('admin add', () => {
  test('shows whose card it is and its words in the language that is asked for, and waits for a yes', async () => {
    const card = await folder.card('volunteer');
    const argv = ['add', card, '--team', 'legal', '--alias', 'Oak', '--language', 'ru'];
    const { code, err, asked } = await folder.run(argv, { terminal: { answers: ['n'] } });
    expect([code, err]).toEqual([EXIT.interrupted, expect.stringContaining('(NOT_CONFIRMED)')]);
    expect(err).toContain('The card of Oak (team legal), for 13 weeks, from 2026-11-30 to 2027-02-28. Its words:');
    expect(err).toContain(`\n    ${await wordsOf(card, 'ru')}\n`);
    expect(asked).toEqual(['Does Oak read the same 8 words to you, by voice? [y/N] ']);
    expect((await folder.run(['status'])).text).not.toContain('Oak');
  });

  test('takes the words that a script heard, in any language, and no others', async () => {
    const another = await anotherFolder();
    const card = await another.card('volunteer');
    const argv = ['add', card, '--team', 'psych', '--alias', 'Oak', '--words'];
    const words = await wordsOf(card, 'ru');
    const wrong = await another.run([...argv, words.split(' ').toReversed().join(' ')]);
    expect([wrong.code, wrong.err]).toEqual([EXIT.notAuthentic, expect.stringContaining('(CARD_WORDS)')]);
    await another.done(...argv, ` ${words.toUpperCase()} `);
  });

  test('finds whose the next card is by its signer, several at once; twice there is nothing to do', async () => {
    const another = await anotherFolder();
    const [oak, birch] = [generateKeyPair(), generateKeyPair()];
    for (const [alias, signer] of [['Oak', oak] as const, ['Birch', birch] as const]) {
      await another.done('add', await another.card('volunteer', { signer }), '--team', 'psych', '--alias', alias, '--yes');
    }
    const cards = [
      await another.card('volunteer', { signer: birch, from: NEXT_SEASON }),
      await another.card('worker'),
      await another.card('volunteer', { signer: oak, from: NEXT_SEASON }),
    ];
    const { text } = await another.done('add', ...cards, '--yes', '--json');
    const whose = (JSON.parse(text) as { cards: { whose: string; added: boolean }[] }).cards.map((card) => [card.whose, card.added]);
    expect(whose).toEqual([
      ['Birch', true],
      ['the worker', true],
      ['Oak', true],
    ]);
    const before = await readFile(join(another.dir, 'folder.json'));
    const again = await another.done('add', ...cards);
    expect(again.err.match(/it is there already, nothing to do/g)).toHaveLength(3);
    expect(await readFile(join(another.dir, 'folder.json'))).toEqual(before);
  });

  test('names the card of several that it refuses', async () => {
    const card = await folder.card('volunteer');
    const { code, err } = await folder.run(['add', card, await folder.card('volunteer'), '--yes']);
    expect([code, err]).toEqual([EXIT.usage, expect.stringContaining(`${card}: --alias is missing`)]);
  });

  test('moves somebody to another team', async () => {
    const another = await anotherFolder();
    await another.done('team', 'legal', '--name', 'en=Lawyers', '--topic', 'legal:en=Legal help');
    const card = await another.card('volunteer');
    await another.done('add', card, '--team', 'psych', '--alias', 'Oak', '--yes');
    await another.done('add', card, '--team', 'legal', '--yes');
    expect((await another.run(['status'])).text).toContain('Oak (team legal)');
  });

  test('takes eight into a team for a week, and no ninth', async () => {
    const another = await anotherFolder();
    for (let number = 1; number <= 8; number += 1) {
      await another.done('add', await another.card('volunteer', { weeks: 1 }), '--team', 'psych', '--alias', `V${String(number)}`, '--yes');
    }
    const ninth = await another.run(['add', await another.card('volunteer'), '--team', 'psych', '--alias', 'V9', '--yes']);
    expect([ninth.code, ninth.err]).toEqual([
      EXIT.input,
      expect.stringMatching(/team psych has 8 volunteers in the week from 2026-11-30 already; .*\(TEAM_FULL\)/),
    ]);
    const later = await another.card('volunteer', { from: new Date('2026-12-07T00:00:00Z') });
    await another.done('add', later, '--team', 'psych', '--alias', 'V9', '--yes');
  });
});

/** Well-formed as a recipient, but with coefficients outside the range of ML-KEM. */
const UNUSABLE = bech32.encode('age1pq', bech32.toWords(new Uint8Array(PUBLIC_KEY_BYTES).fill(0xff)), false);
type Bad = readonly [what: string, argv: () => Promise<readonly string[]>, code: string];

describe('admin add refuses, and the folder stays as it is:', () => {
  const oak = ['--team', 'legal', '--alias', 'Oak'];
  const mapleAgain = async (from: string, weeks = 13): Promise<readonly string[]> => [
    await folder.card('volunteer', { from: new Date(from), weeks, signer: maple }),
  ];

  test.each<Bad>([
    [
      'a known alias with another signer',
      async () => [await folder.card('volunteer'), '--team', 'psych', '--alias', 'maple'],
      'CARD_SIGNER',
    ],
    ['a known signer with another alias', async () => [...(await mapleAgain('2027-03-01')), '--alias', 'Oak'], 'CARD_TAKEN'],
    ['a week that the last card has too', () => mapleAgain('2027-02-22'), 'CARD_OVERLAP'],
    ['a week that no card has', () => mapleAgain('2027-03-08'), 'CARD_GAP'],
    ["the worker's next card with a week too many", async () => [await folder.card('worker')], 'CARD_OVERLAP'],
    [
      "the worker's next card with a week too few",
      async () => [await folder.card('worker', { from: new Date('2027-03-15T00:00:00Z') })],
      'CARD_GAP',
    ],
    [
      'a card whose weeks are over',
      async () => [await folder.card('volunteer', { from: new Date('2026-08-03T00:00:00Z') }), ...oak],
      'CARD_ENDED',
    ],
    [
      'a recipient of somebody else',
      async () => {
        const [file = ''] = (await readdir(join(folder.dir, 'cards'))).sort();
        const { weeks } = verifyCard(await readFile(join(folder.dir, 'cards', file), 'utf8')).card;
        return [await folder.card('volunteer', { recipients: [weeks[3]?.recipient ?? ''], from: NEXT_SEASON }), ...oak];
      },
      'CARD_TAKEN',
    ],
    [
      'a recipient twice',
      async () => {
        const twice = identityToRecipient(generateIdentity());
        const text = await readFile(await folder.card('volunteer', { weeks: 2 }), 'utf8');
        const [, first = '', second = ''] = /"recipient":"(\w+)".*"recipient":"(\w+)"/.exec(text) ?? [];
        return [await writeTo(dir.path('twice.card'), text.replace(first, twice).replace(second, twice)), ...oak];
      },
      'CARD_WEEKS',
    ],
    [
      'a recipient that nothing can be sealed to',
      async () => [await folder.card('volunteer', { recipients: [UNUSABLE] }), ...oak],
      'RECIPIENT_FORMAT',
    ],
    [
      'a card that was changed',
      async () => {
        const text = await readFile(await folder.card('volunteer'), 'utf8');
        return [await writeTo(dir.path('changed.card'), text.replace('"volunteer"', '"worker"')), ...oak];
      },
      'MINISIGN_SIGNATURE',
    ],
    ['something that is no card', async () => [await writeTo(dir.path('text.card'), 'Hello'), ...oak], 'CARD_FORMAT'],
    ["a volunteer's card for the worker", async () => [await folder.card('volunteer'), '--worker'], 'CARD_HOLDER'],
    ["the worker's card for a volunteer", async () => [await folder.card('worker'), ...oak], 'CARD_HOLDER'],
    ['a team that there is not', async () => [await folder.card('volunteer'), '--team', 'nobody', '--alias', 'Oak'], 'TEAM_UNKNOWN'],
    ['somebody new without an alias', async () => [await folder.card('volunteer'), '--team', 'psych'], 'USAGE'],
    ['somebody new without a team', async () => [await folder.card('volunteer'), '--alias', 'Oak'], 'USAGE'],
    [
      'an alias that does not show',
      async () => [await folder.card('volunteer'), '--team', 'psych', '--alias', 'O\u202eak'],
      'ALIAS_FORMAT',
    ],
    ['a file that is not there', () => Promise.resolve([dir.path('nowhere.card')]), 'INPUT_MISSING'],
  ])('%s', async (_what, argv, code) => {
    const before = await readFile(join(folder.dir, 'folder.json'));
    const { code: exit, err } = await folder.run(['add', ...(await argv()), '--yes']);
    expect(exit).not.toBe(EXIT.ok);
    expect(err).toMatch(new RegExp(`^support-relay: .+; .+ \\(${code}\\)\n$`));
    expect(await readFile(join(folder.dir, 'folder.json'))).toEqual(before);
  });
});

describe('admin team', () => {
  test('makes and changes a team by flags, and keeps its id; twice there is nothing to do', async () => {
    const another = await anotherFolder();
    const argv = ['team', 'psych', '--name', 'ru=Психологи', '--topic', 'other:en=Something else', '--without-topic', 'psychological'];
    const first = JSON.parse((await another.done('team', '--json')).text) as { teams: { id: string }[] };
    const changed = JSON.parse((await another.done(...argv, '--json')).text) as unknown;
    expect(changed).toMatchObject({
      changed: true,
      teams: [
        {
          name: 'psych',
          id: first.teams[0]?.id,
          names: { en: 'Psychologists', ru: 'Психологи' },
          topics: [{ id: 'other', names: { en: 'Something else' } }],
        },
      ],
    });
    expect((await another.done(...argv)).err).toContain('nothing to do');
  });

  test('sets the usual time of an answer, which stands in the next keyring', async () => {
    const another = await anotherFolder();
    await another.done('team', '--answer-time', 'ru=два-три дня', '--answer-time', 'en=two or three days');
    await another.done('add', await another.card('volunteer'), '--team', 'psych', '--alias', 'Oak', '--yes');
    await another.done('add', await another.card('worker'), '--yes');
    await another.done('season', '--weeks', '1', '--yes');
    expect((await another.keyrings())[0]?.answerTime).toEqual({ ru: 'два-три дня', en: 'two or three days' });
    const { text } = await another.done('team');
    expect(text).toContain('volunteers: Oak');
    expect(text).toContain('answers: два-три дня (ru), two or three days (en)');
  });

  test('takes a team away in which nobody is; twice there is nothing to do', async () => {
    const another = await anotherFolder();
    const { text } = await another.done('team', 'psych', '--remove', '--json');
    expect(JSON.parse(text)).toMatchObject({ changed: true, teams: [] });
    expect((await another.done('team', 'psych', '--remove')).err).toContain('nothing to do');
    const busy = await folder.run(['team', 'psych', '--remove']);
    expect([busy.code, busy.err]).toEqual([EXIT.input, expect.stringContaining('Maple is in team psych: remove them first')]);
  });

  test.each([
    ['a new team without a name', ['team', 'x', '--topic', 'a:en=A'], 'it needs a name in at least one language'],
    ['a new team without a topic', ['team', 'x', '--name', 'en=X'], 'a team takes at least one topic'],
    ['a language that is none', ['team', 'legal', '--name', 'English=X'], 'a language is a code such as "ru"'],
    ['a name that is too long', ['team', 'legal', '--name', `en=${'x'.repeat(81)}`], 'a name is longer than 80 characters'],
    ['a name without a language', ['team', 'legal', '--name', 'Lawyers'], '--name needs LANGUAGE=NAME'],
    ['a topic without a name', ['team', 'legal', '--topic', 'legal'], '--topic is written ID:LANGUAGE=NAME'],
    ['a topic id that is none', ['team', 'legal', '--topic', 'Право:ru=Право'], 'the id of a topic is'],
    ['a team name that is none', ['team', 'Психологи', '--name', 'ru=Психологи', '--topic', 'a:ru=А'], 'a team is called by'],
  ])('refuses %s in plain words', async (_what, argv, message) => {
    const { code, err } = await folder.run(argv);
    expect([code, err]).toEqual([EXIT.input, expect.stringContaining(message)]);
    expect(err).toContain('(TEAM_FORMAT)');
  });
});
