// Text files with several letters.
import { beforeAll, expect, test } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { randomBytes, utf8 } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { ready } from '../../crypto/sodium.ts';
import { findLetters } from '../../letters/find.ts';

beforeAll(() => ready);

const some = (count: number): Uint8Array[] => Array.from({ length: count }, () => randomBytes(40));
const text = (letters: readonly Uint8Array[]): string => letters.map(armor).join('\n');

test.each([
  ['as many letters as are read', 64, []],
  ['one more, which is said', 65, ['LETTERS_TOO_MANY']],
] as const)('%s', async (_how, count, problems) => {
  const letters = some(count);
  const found = await findLetters(utf8(text([...letters, ...letters])));
  expect(found.filter((each) => each instanceof Uint8Array)).toEqual(letters.slice(0, 64));
  expect(found.flatMap((each) => (each instanceof CodedError ? [each.code] : []))).toEqual(problems);
});

test.each(['From: Anna\n', 'Saved:\n\n', 'Two letters\n'])('all that stand below some words: %j', async (words) => {
  const letters = some(2);
  const found = await findLetters(utf8(words + text(letters)));
  expect(found).toHaveLength(2);
  expect(found).toEqual(expect.arrayContaining(letters));
});

test('one that breaks off is reported, and the one after it is read', async () => {
  const [broken, whole] = some(2) as [Uint8Array, Uint8Array];
  const found = await findLetters(utf8(`${armor(broken).slice(0, -40)}\n${armor(whole)}`));
  expect(found).toEqual([expect.any(CodedError), whole]);
});

test.each([
  ['quoted-printable', (html: string) => html.replace(/.{40}/g, '$&\0').replaceAll('=', '=3D').replaceAll('\0', '=\r\n')],
  ['base64', (html: string) => Buffer.from(html).toString('base64').replace(/(.{76})/g, '$1\r\n')],
])('in a mail that has nothing but HTML, %s', async (encoding, encode) => {
  const [plain, quoted] = some(2) as [Uint8Array, Uint8Array];
  const html = `<div>Hello</div><div>${armor(plain).trim().replaceAll('\n', '</div>\n<div>')}</div><p><pre>${armor(quoted).trim().replace(/^/gm, '&gt;&nbsp;').replaceAll('+', '&#43;')}</pre>`;
  const mail = `From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${encode(html)}\r\n`;
  expect(await findLetters(utf8(mail))).toEqual([plain, quoted]);
});
