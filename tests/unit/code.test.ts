// Codes that are not one's own: mistyped, guessed, nearly right. docs/protocol.md, § Access code.
import { beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../crypto/bytes.ts';
import { CODE_WORDS, codeRoot, makeCode, RANDOM_WORDS, readCode, wordsOf, type Code } from '../../crypto/code.ts';
import { sealReply, openReply } from '../../crypto/reply.ts';
import { signingKeyPair } from '../../crypto/sign.ts';
import { ready, sodium } from '../../crypto/sodium.ts';
import { mailboxOf, threadOf } from '../../crypto/thread.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';

const TRIES = 10_000;
const LIST = Array.from({ length: WORD_LIST_LENGTH }, (_, i) => `${String.fromCharCode(97 + (i % 26), 97 + (Math.floor(i / 26) % 26), 97 + Math.floor(i / 676))}xyz`);

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
/** What the nine words lead to: the check word has no part in it. */
const rootOf = (code: Code): string => toHex(codeRoot('ru', code));

type Kind = readonly [string, (code: Code) => Code];
const KINDS: readonly Kind[] = [
  ['random words', () => Array.from({ length: CODE_WORDS }, () => any(WORD_LIST_LENGTH))],
  ['one of the nine changed', (code) => changed(code, any(RANDOM_WORDS))],
  ['two swapped', swapped],
];

describe('ten thousand codes that are not the right one', () => {
  it.each(KINDS)('lead elsewhere, and nothing but the check word tells them from mistyped ones: %s', (_what, make) => {
    let code = makeCode();
    let own = rootOf(code);
    let passed = 0;
    let tried = 0;
    while (tried < TRIES) {
      // Another code every few tries: one has 45 swaps only, and one of them that fits by chance would be drawn again and again.
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
    // One in 1,296 has a check word that fits by chance; 45 and more of 10,000 would come once in 10 ** 19 runs.
    expect(passed).toBeLessThan(45);
  });

  it('have one check word that fits each nine words, whichever they are', () => {
    const code = makeCode();
    const fitting = Array.from({ length: WORD_LIST_LENGTH }, (_, place) => outcome(code.with(RANDOM_WORDS, place))).filter((found) => found === 'code');
    expect(fitting).toHaveLength(1);
  });

  it('are taken when their check word fits, as a code would be: whether there is anything is not to be seen', () => {
    const mine = makeCode();
    const random = makeCode();
    expect([outcome(mine), outcome(random)]).toEqual(['code', 'code']);
    const [one, two] = [threadOf(codeRoot('ru', mine)), threadOf(codeRoot('ru', random))];
    expect(toHex(mailboxOf(two.address))).not.toBe(toHex(mailboxOf(one.address)));
    const signer = signingKeyPair(new Uint8Array(32).fill(7));
    const { reply } = sealReply({ team: 'a1b2c3d4e5f60718', text: 'x' }, one.address, signer);
    expect(() => openReply(reply, two.identity, one.signing.key, new Set([toHex(signer.key)]))).toThrow(expect.objectContaining({ code: 'AGE_NO_MATCH' }));
  });

  it('share nothing of what is derived, not even when they differ in one word or in the list’s language only', () => {
    const code = makeCode();
    const threads = [threadOf(codeRoot('ru', code)), threadOf(codeRoot('en', code)), ...Array.from({ length: 20 }, (_, i) => threadOf(codeRoot('ru', changed(code, i % RANDOM_WORDS))))];
    const secrets = threads.flatMap(({ signing, identity, mailboxKey, address }) =>
      [toHex(signing.secret), identity, toHex(mailboxKey), address.key, address.lock, address.recipient, toHex(mailboxOf(address))]);
    expect(new Set(secrets).size).toBe(secrets.length);
  });
});

describe('words as people type them', () => {
  const words = ['абажур', 'ёлочка', 'йогурт', 'звезда'];
  const list = [...words.map((word) => word.replaceAll('ё', 'е')), ...LIST].slice(0, WORD_LIST_LENGTH);
  const problemOf = (text: string): unknown => readCode(text, list);

  it.each([
    ['ё for е and е for ё', 'абажур ЁЛОЧКА елочка ЗВЁЗДА'], ['decomposed letters', 'абажур ёлочка йогурт звезда'.normalize('NFD')],
    ['capitals', 'АБАЖУР ЕЛОЧКА ЙОГУРТ ЗВЕЗДА'], ['digits, dots and lines', '1. абажур\n2. елочка\r\n3) йогурт\t— звезда!'], ['first letters', 'абаж елоч йогу звез'],
    ['accents and soft hyphens', 'абажу\u0301р елоч\u00adка йо\u0301гурт зве\u00adзда'],
  ])('%s are understood', (_what, text) => {
    expect(problemOf(text)).toEqual({ problem: { kind: 'count', count: 4 } });
  });

  it('a word in the letters of another script is none', () => {
    expect(problemOf('абажур eлочка')).toEqual({ problem: { kind: 'word', position: 2 } });
  });
});
