// The card and the week files of a season, also by the tools of others.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Decrypter } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { cardWords, encodeCard, verifyCard, weekStart, type Card } from '../../crypto/card.ts';
import { encodePublicKey, generateKeyPair, sign, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { readWordList } from '../../runtime/locales.ts';
import { makeSeason, openWeekFile, weekOfFile } from '../../volunteer/keys/season.ts';

const run = promisify(execFile);
const FROM = Date.parse('2026-12-02T10:00:00Z');
let storage: string;
let signer: SigningKey;
let season: ReturnType<typeof makeSeason>;
let dir: string;

beforeAll(async () => {
  await ready;
  dir = await mkdtemp(join(tmpdir(), 'card-'));
  storage = generateIdentity();
  signer = generateKeyPair();
  season = makeSeason(identityToRecipient(storage), signer, FROM, 3);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const jsonOf = (text: string): string => `${text.trimEnd().split('\n').at(-1) ?? ''}\n`;
/** A card whose fields are changed and whose signature holds. */
function resigned(change: (card: Card) => void, key = signer): string {
  const card = JSON.parse(jsonOf(season.card)) as Card;
  change(card);
  const json = `${JSON.stringify(card)}\n`;
  return sign(utf8(json), key, 'card') + json;
}

describe('a season', () => {
  it('is whole weeks from the Monday on, each in a file that the storage identity opens', () => {
    expect(season.weeks.map(({ name }) => name)).toEqual(['week-2026-11-30.age', 'week-2026-12-07.age', 'week-2026-12-14.age']);
    const { card } = verifyCard(season.card);
    expect(card.holder).toBe('volunteer');
    expect(card.weeks.map(({ notBefore, notAfter }) => [notBefore, notAfter])).toEqual([
      ['2026-11-30T00:00:00Z', '2026-12-07T00:00:00Z'],
      ['2026-12-07T00:00:00Z', '2026-12-14T00:00:00Z'],
      ['2026-12-14T00:00:00Z', '2026-12-21T00:00:00Z'],
    ]);
    const recipients = season.weeks.map(({ bytes }) => identityToRecipient(openWeekFile(bytes, storage)));
    expect(recipients).toEqual(card.weeks.map(({ recipient }) => recipient));
    expect(new Set(recipients).size).toBe(3);
  });

  it('opens with age-encryption', async () => {
    const decrypter = new Decrypter();
    decrypter.addIdentity(storage);
    const [first] = season.weeks;
    const text = await decrypter.decrypt(first?.bytes ?? new Uint8Array(), 'text');
    expect(text.split('\n')[2]).toBe(openWeekFile(first?.bytes ?? new Uint8Array(), storage));
  });

  it('does not open with another identity', () => {
    expect(() => openWeekFile(season.weeks[0]?.bytes ?? new Uint8Array(), generateIdentity())).toThrow(
      expect.objectContaining({ code: 'AGE_NO_MATCH' }),
    );
  });

  it.each([
    ['1970-01-01T00:00:00Z', '1969-12-29'],
    ['2026-11-29T23:59:59Z', '2026-11-23'],
    ['2026-11-30T00:00:00Z', '2026-11-30'],
    ['2027-01-03T12:00:00Z', '2026-12-28'],
  ])('the week of %s begins on %s', (moment, day) => {
    expect(new Date(weekStart(Date.parse(moment))).toISOString()).toBe(`${day}T00:00:00.000Z`);
    expect(weekOfFile(`week-${day}.age`)).toBe(weekStart(Date.parse(moment)));
  });
});

it.each(['week-2026-13-01.age', 'week-2026-02-30.age', 'week-2026-11-30.age.bak', 'week-.age'])('%s is no week file', (name) => {
  expect(weekOfFile(name)).toBeNull();
});

describe('a card', () => {
  it('verifies with minisign', async () => {
    const lines = season.card.split('\n');
    await writeFile(join(dir, 'card.json'), jsonOf(season.card));
    await writeFile(join(dir, 'card.json.minisig'), `${lines.slice(0, 4).join('\n')}\n`);
    const [, key = ''] = encodePublicKey(signer).split('\n');
    const { stdout } = await run('minisign', ['-V', '-P', key, '-m', join(dir, 'card.json')]);
    expect(stdout).toContain('Trusted comment: volunteer card 2026-11-30T00:00:00Z 2026-12-21T00:00:00Z');
  });

  it('has eight words, of whichever list, that any change of it changes', () => {
    const verified = verifyCard(season.card);
    const [ru, en] = ['ru', 'en'].map((language) => cardWords(verified, readWordList(language).trim().split('\n')));
    expect([ru?.length, en?.length]).toEqual([8, 8]);
    expect(new Set([...(ru ?? []), ...(en ?? [])]).size).toBeGreaterThan(8);
    const other = verifyCard(resigned((card) => card.weeks.pop()));
    expect(cardWords(other, readWordList('en').trim().split('\n'))).not.toEqual(en);
  });

  it('survives what mail programs do to a text', () => {
    const { digest } = verifyCard(season.card);
    expect(verifyCard(`\ufeff${season.card.replaceAll('\n', ' \r\n')}\r\n`).digest).toEqual(digest);
  });

  it.each<[string, string, () => string]>([
    ['one changed character', 'MINISIGN_SIGNATURE', () => season.card.replace('"volunteer"', '"worker"')],
    ['another key than it names', 'MINISIGN_KEY', () => resigned(() => undefined, generateKeyPair())],
    ['another text', 'CARD_FORMAT', () => 'hello'],
    ['a field too few', 'CARD_FORMAT', () => resigned((card) => Reflect.deleteProperty(card, 'holder'))],
    ['a key that is none', 'MINISIGN_FORMAT', () => resigned((card) => (card.key = 'RW'))],
    ['no week', 'CARD_FORMAT', () => resigned((card) => (card.weeks = []))],
    ['a missing week', 'CARD_WEEKS', () => resigned((card) => card.weeks.splice(1, 1))],
    ['an overlapping week', 'CARD_WEEKS', () => resigned(({ weeks: [, second] }) => second && (second.notBefore = '2026-12-06T00:00:00Z'))],
    ['the same week twice', 'CARD_WEEKS', () => resigned((card) => card.weeks.splice(1, 0, ...card.weeks.slice(0, 1)))],
    [
      'a week that is none',
      'CARD_WEEKS',
      () => resigned((card) => (card.weeks = card.weeks.slice(0, 1).map((week) => ({ ...week, notAfter: '2026-12-06T00:00:00Z' })))),
    ],
    ['weeks from a Tuesday', 'CARD_WEEKS', () => encodeTuesday()],
    [
      'one recipient twice',
      'CARD_WEEKS',
      () => resigned(({ weeks: [first, second] }) => first && second && (second.recipient = first.recipient)),
    ],
    ['more than it may have', 'CARD_FORMAT', () => season.card + ' '.repeat(200_000)],
  ])('of %s is refused: %s', (_what, code, text) => {
    expect(() => verifyCard(text())).toThrow(expect.objectContaining({ code }));
  });

  function encodeTuesday(): string {
    return resigned((card) => {
      const [first] = card.weeks;
      card.weeks = first ? [{ ...first, notBefore: '2026-12-01T00:00:00Z', notAfter: '2026-12-08T00:00:00Z' }] : [];
    });
  }

  it('is not made of weeks that do not follow one another', () => {
    const { card } = verifyCard(season.card);
    expect(() => encodeCard({ holder: 'worker', weeks: card.weeks.toReversed() }, signer)).toThrow(
      expect.objectContaining({ code: 'CARD_WEEKS' }),
    );
  });
});
