// Files made to keep a volunteer's computer busy: the search ends soon, and says that it stopped.
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { ready } from '../../crypto/sodium.ts';
import { findLetters } from '../../volunteer/finding/find.ts';
import { bytesOf, HELLO, latin1, mailOf, mixed, part, zip } from '../support/containers.ts';
import { codesFound } from '../support/found-letters.ts';

beforeAll(() => ready);

describe('files made to keep a computer busy', () => {
  const MANY = 4 * 1024 * 1024;
  const boundaries = latin1(`From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n'.repeat(MANY / 8)}`);
  const nested = Array.from(
    { length: 60 },
    (_, index) => `Content-Type: multipart/mixed; boundary="n${String(index)}"\r\n\r\n--n${String(index)}\r\n`,
  ).join('');
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(40 * 1024 * 1024)));
  let forwards: Uint8Array = mixed(HELLO);
  for (let depth = 0; depth < 30; depth += 1)
    forwards = mailOf(part({ type: 'message/rfc822', encoding: '7bit', body: Buffer.from(forwards).toString('latin1') }));

  // Each would take minutes, or more memory than there is, if it were read to its end or with a backtracking pattern.
  test.each<readonly [string, Uint8Array, readonly string[]]>([
    ['a mail of two million parts', boundaries, ['UNREAD_LIMIT', 'UNREAD_CUT']],
    ['parts nested without end', latin1(`From: a@example.org\r\n${nested}x`), ['UNREAD_LIMIT', 'UNREAD_CUT']],
    ['mails within mails', forwards, ['UNREAD_LIMIT']],
    ['a file that unpacks to any size', bomb, ['UNREAD_LIMIT']],
    [
      'such files in an archive',
      zip(Array.from({ length: 20 }, (_, index) => ({ name: `${String(index)}.gz`, content: bomb }))),
      ['UNREAD_LIMIT'],
    ],
    [
      'an archive of many files',
      zip(Array.from({ length: 5000 }, (_, index) => ({ name: String(index), content: bytesOf('x'), method: 'stored' as const }))),
      ['UNREAD_LIMIT'],
    ],
    [
      'beginnings of armor',
      bytesOf('-----BEGIN AGE ENCRYPTED FILE-----\n'.repeat(MANY / 36)),
      ['LETTERS_TOO_MANY', 'AGE_ARMOR', 'UNREAD_LIMIT'],
    ],
    [
      'beginnings of letters in base64',
      bytesOf('YWdlLWVuY3J5cHRpb24ub3Jn\n'.repeat(MANY / 26)),
      ['UNREAD_LIMIT', 'AGE_ARMOR', 'LETTERS_TOO_MANY'],
    ],
    [
      'beginnings of age files',
      latin1('age-encryption.org/v1\n-> x\n\0'.repeat(MANY / 30)),
      ['LETTER_STRUCTURE', 'LETTERS_TOO_MANY', 'UNREAD_LIMIT'],
    ],
    ['beginnings of uuencode', bytesOf('begin 644 x\n'.repeat(MANY / 12)), ['UNREAD_LIMIT', 'LETTER_STRUCTURE']],
    ['messages of an .mbox', bytesOf('From a 2026\nA:b\n\n'.repeat(MANY / 18)), ['UNREAD_LIMIT']],
    ['armor without an end', bytesOf(`-----BEGIN AGE ENCRYPTED FILE-----\n${'Anna: YWdl= \\n %20\n'.repeat(MANY / 20)}`), ['AGE_ARMOR']],
  ])('%s', async (_what, content, codes) => {
    const found = await codesFound(content);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(66);
    for (const code of found) expect(codes).toContain(code);
    expect(found.some((code) => code === 'UNREAD_LIMIT' || code === 'LETTERS_TOO_MANY') || codes.length === 1).toBe(true);
  });

  test.each([
    '<',
    '<br',
    ' ',
    '-----BEGIN ',
    '&#4',
    '<a ',
    '=\n',
    '\\u00',
    '{\\rtf1',
    '%20AGE%20',
    'BEGIN\n',
    'A',
    '> ',
    '\r',
    '"',
    '--b\n',
    '1 ',
    '\\',
    'From \n',
    'a:\n',
  ])('megabytes of %j', async (piece) => {
    for (const head of ['', 'From: a@example.org\nContent-Type: text/html\n\n', '-----BEGIN AGE ENCRYPTED FILE-----\n']) {
      await findLetters(bytesOf(head + piece.repeat(1_000_000 / piece.length)));
    }
  });
});
