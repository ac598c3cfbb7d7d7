// Wrong codes: mistyped, guessed, nearly right; and codes as people write them down. docs/protocol.md, § Access code.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../crypto/bytes.ts';
import { CODE_WORDS, codeRoot, makeCode, RANDOM_WORDS, readCode, wordsOf, type Code } from '../../crypto/code.ts';
import { sealReply, openReply } from '../../crypto/reply.ts';
import { signingKeyPair } from '../../crypto/sign.ts';
import { ready, sodium } from '../../crypto/sodium.ts';
import { mailboxOf, threadOf } from '../../crypto/thread.ts';
import { normalizeWord, typedWords, WORD_LIST_LENGTH } from '../../crypto/words.ts';

const TRIES = 10_000;
const LIST = Array.from(
  { length: WORD_LIST_LENGTH },
  (_, i) => `${String.fromCharCode(97 + (i % 26), 97 + (Math.floor(i / 26) % 26), 97 + Math.floor(i / 676))}xyz`,
);

beforeAll(() => ready);

const any = (below: number): number => sodium.randombytes_uniform(below);
const otherThan = (place: number): number => (place + 1 + any(WORD_LIST_LENGTH - 1)) % WORD_LIST_LENGTH;
const changed = (code: Code, at: number): Code => code.with(at, otherThan(code[at] ?? 0));
function swapped(code: Code): Code {
  const [one, more] = [any(CODE_WORDS), 1 + any(CODE_WORDS - 1)];
  const two = (one + more) % CODE_WORDS;
  return code.with(one, code[two] ?? 0).with(two, code[one] ?? 0);
}

const outcome = (code: Code): 'code' | 'check' | 'another' => {
  const read = readCode(wordsOf(code, LIST).join(' '), LIST);
  if ('code' in read) return String(read.code) === String(code) ? 'code' : 'another';
  return read.problem.kind === 'check' ? 'check' : 'another';
};
/** The root of eleven words, without the check word. */
const rootOf = (code: Code): string => toHex(codeRoot('ru', code));

type Kind = readonly [string, (code: Code) => Code];
const KINDS: readonly Kind[] = [
  ['random words', () => Array.from({ length: CODE_WORDS }, () => any(WORD_LIST_LENGTH))],
  ['one of the eleven changed', (code) => changed(code, any(RANDOM_WORDS))],
  ['two swapped', swapped],
];

describe('ten thousand wrong codes', () => {
  it.each(KINDS)('lead elsewhere, and nothing but the check word tells them from mistyped ones: %s', (_what, make) => {
    let code = makeCode();
    let own = rootOf(code);
    let passed = 0;
    let tried = 0;
    while (tried < TRIES) {
      // A new code every few tries: each has only 45 swaps, and one that fits by chance would be drawn again and again.
      if (tried % 10 === 0) {
        code = makeCode();
        own = rootOf(code);
      }
      const near = make(code);
      if (String(near) === String(code)) continue;
      tried += 1;
      const found = outcome(near);
      expect(found).not.toBe('another');
      if (String(near.slice(0, RANDOM_WORDS)) !== String(code.slice(0, RANDOM_WORDS))) expect(rootOf(near)).not.toBe(own);
      if (found === 'code') {
        passed += 1;
        expect(rootOf(near)).not.toBe(own);
      }
    }
    // One in 1,296 has a check word that fits by chance; 45 or more of 10,000 would occur once in 10 ** 19 runs.
    expect(passed).toBeLessThan(45);
  });

  it('have exactly one check word for any eleven words', () => {
    const code = makeCode();
    const fitting = Array.from({ length: WORD_LIST_LENGTH }, (_, place) => outcome(code.with(RANDOM_WORDS, place))).filter(
      (found) => found === 'code',
    );
    expect(fitting).toHaveLength(1);
  });

  it('are accepted when their check word fits, like a real code: nothing reveals whether a conversation exists', () => {
    const mine = makeCode();
    const random = makeCode();
    expect([outcome(mine), outcome(random)]).toEqual(['code', 'code']);
    const [one, two] = [threadOf(codeRoot('ru', mine)), threadOf(codeRoot('ru', random))];
    expect(toHex(mailboxOf(two.address))).not.toBe(toHex(mailboxOf(one.address)));
    const signer = signingKeyPair(new Uint8Array(32).fill(7));
    const { reply } = sealReply({ team: 'a1b2c3d4e5f60718', text: 'x' }, one.address, signer);
    expect(() => openReply(reply, two.identity, one.signing.key, new Set([toHex(signer.key)]))).toThrow(
      expect.objectContaining({ code: 'AGE_NO_MATCH' }),
    );
  });

  it('share no derived value, even when only one word or the list’s language differs', () => {
    const code = makeCode();
    const threads = [
      threadOf(codeRoot('ru', code)),
      threadOf(codeRoot('en', code)),
      ...Array.from({ length: RANDOM_WORDS }, (_, i) => threadOf(codeRoot('ru', changed(code, i)))),
    ];
    const secrets = threads.flatMap(({ signing, identity, mailboxKey, address }) => [
      toHex(signing.secret),
      identity,
      toHex(mailboxKey),
      address.key,
      address.lock,
      address.recipient,
      toHex(mailboxOf(address)),
    ]);
    expect(new Set(secrets).size).toBe(secrets.length);
  });
});

/** The real lists. */
const listOf = (language: string): string[] =>
  readFileSync(new URL(`../../locales/${language}/words.txt`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
const LISTS = { ru: listOf('ru'), en: listOf('en') };
const LATIN = 'abcehikmoptxyjs';
const CYRILLIC = 'авсенікмортхујѕ';
const swap = (text: string, from: string, to: string): string =>
  [...text].map((letter) => (from.includes(letter) ? (to[from.indexOf(letter)] ?? '') : letter)).join('');
const numbered = (words: readonly string[], before: (place: number) => string): string =>
  words.map((word, i) => `${before(i + 1)}${word}`).join('\n');
const letter = (language: string, place: number): string => ({ ru: 'абвгдежзиклм', en: 'abcdefghijkl' })[language]?.[place - 1] ?? '';
const nth = (place: number): string => `${String(place)}${['th', 'st', 'nd', 'rd'][place % 20 > 3 ? 0 : place % 20] ?? 'th'}`;

type Way = readonly [string, (words: readonly string[], language: string) => string];
const WAYS: readonly Way[] = [
  ['capitals and commas', (words) => words.join(', ').toUpperCase()],
  ['semicolons', (words) => words.join(';')],
  ['lines with numbers and dots', (words) => numbered(words, (place) => `${String(place)}. `)],
  ['numbers without a space', (words) => numbered(words, (place) => `${String(place)}-`)],
  ['№', (words) => numbered(words, (place) => `№${String(place)} `)],
  ['№ and a space', (words) => numbered(words, (place) => `№ ${String(place)}: `)],
  ['a label', (words, language) => numbered(words, (place) => `${language === 'ru' ? 'Слово' : 'word'} ${String(place)}: `)],
  ['a label and №', (words, language) => numbered(words, (place) => `${language === 'ru' ? 'СЛОВО' : 'Word'} №${String(place)} — `)],
  [
    'a label in the other language',
    (words, language) => numbered(words, (place) => `${language === 'ru' ? 'Word' : 'слово'} ${String(place)}: `),
  ],
  ['No.', (words) => numbered(words, (place) => `No. ${String(place)} `)],
  ['#', (words) => numbered(words, (place) => `#${String(place)} `)],
  ['ordinals', (words, language) => numbered(words, (place) => `${language === 'ru' ? `${String(place)}-е` : nth(place)} `)],
  ['ordinals without a hyphen', (words) => numbered(words, (place) => `${String(place)}ое — `)],
  ['letters and brackets', (words, language) => numbered(words, (place) => `${letter(language, place)}) `)],
  ['letters and dots', (words, language) => numbered(words, (place) => `${letter(language, place)}. `)],
  ['numbers after the words', (words) => words.map((word, i) => `${word} (${String(i + 1)})`).join(' ')],
  ['numbers at the words', (words) => words.map((word, i) => `${word}${String(i + 1)}`).join(' ')],
  [
    'unseen characters inside',
    (words) => words.map((word) => `\u200e${word.slice(0, 2)}\u200b${word.slice(2, 3)}\u2060\u00ad${word.slice(3)}\ufeff`).join(' '),
  ],
  ['accents', (words) => words.map((word) => `${word.slice(0, 3)}\u0301${word.slice(3)}`).join(' ')],
  ['hyphens at line ends', (words) => words.map((word) => `${word.slice(0, 3)}-\n${word.slice(3)}`).join(' ')],
  [
    'hyphens at line ends, of which only spaces are left',
    (words) => words.map((word) => `${word.slice(0, 4)}\u2010  ${word.slice(4)}`).join(', '),
  ],
  ['hyphens between whole words at line ends', (words) => words.join('-\r\n')],
  ['first letters', (words) => words.map((word) => word.slice(0, 4)).join('-')],
  [
    'look-alikes',
    (words, language) => (language === 'ru' ? swap(words.join(' '), CYRILLIC, LATIN) : swap(words.join(' '), LATIN, CYRILLIC)),
  ],
  [
    'look-alikes in capitals',
    (words, language) =>
      (language === 'ru' ? swap(words.join(' '), CYRILLIC, LATIN) : swap(words.join(' '), LATIN, CYRILLIC)).toUpperCase(),
  ],
  [
    'letters of full width',
    (words) => words.join(' ').replaceAll(/[a-z]/g, (ascii) => String.fromCodePoint((ascii.codePointAt(0) ?? 0) + 0xfee0)),
  ],
];

describe.each(['ru', 'en'] as const)('a code of the list "%s" as people write it down', (language) => {
  const list = LISTS[language];
  // Words with every look-alike, and random others, which differ from run to run.
  const codes = (): Code[] => Array.from({ length: 20 }, makeCode);

  it.each(WAYS)('with %s is understood', (_what, write) => {
    for (const code of codes()) expect(readCode(write(wordsOf(code, list), language), list)).toEqual({ code });
  });

  it.each(WAYS)('with %s has a wrong word named by its place', (_what, write) => {
    const words = wordsOf(codes()[0] ?? [], list).with(6, 'zzжжqq');
    const text = write(words, language);
    expect(readCode(text, list)).toEqual({ problem: { kind: 'word', position: 7 } });
    const { start, end } = typedWords(text, list)[6] ?? { start: 0, end: 0 };
    expect(
      text
        .slice(start, end)
        .toLowerCase()
        .normalize('NFKC')
        .replaceAll(/[^zжq]/g, ''),
    ).toMatch(/^(zzжж?q?q?|zzж)/);
  });
});

describe('words as people type them', () => {
  const words = ['абажур', 'ёлочка', 'йогурт', 'звезда'];
  const list = [...words.map((word) => word.replaceAll('ё', 'е')), ...LIST].slice(0, WORD_LIST_LENGTH);
  const problemOf = (text: string): unknown => readCode(text, list);

  it.each([
    ['ё for е and е for ё', 'абажур ЁЛОЧКА елочка ЗВЁЗДА'],
    ['decomposed letters', 'абажур ёлочка йогурт звезда'.normalize('NFD')],
    ['digits, dots and lines', '1. абажур\n2. елочка\r\n3) йогурт\t— звезда!'],
    ['a single letter between', 'абажур, елочка, йогурт и звезда'],
  ])('%s are understood', (_what, text) => {
    expect(problemOf(text)).toEqual({ problem: { kind: 'count', count: 4 } });
  });

  it.each<[string, string, number]>([
    ['in the letters of another script', 'абажур window', 2],
    ['of three letters', 'абажур баб', 2],
    ['mistyped before a number', '1 абажру\n2 елочка', 1],
    ['that a hyphen parts in the middle of a line', 'абажур ело-чка', 2],
    ['that says only once what follows', 'Код: абажур елочка', 1],
  ])('a word %s is not accepted', (_what, text, position) => {
    expect(problemOf(text)).toEqual({ problem: { kind: 'word', position } });
  });

  it('letters are lowercased independently of language', () => {
    expect(normalizeWord('İSTANBUL Iı', LISTS.en)).toBe('istanbul iı');
  });
});
