// Several letters in one text, and letters in the body of a mail.
import { beforeAll, expect, test } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { findLetters as findAll } from '../../volunteer/finding/find.ts';
import { unopenableLetter } from '../support/unopenable-letter.ts';

beforeAll(() => ready);

const some = (count: number): Uint8Array[] => Array.from({ length: count }, unopenableLetter);
/** Letters as hex, problems as their codes. */
const findLetters = async (bytes: Uint8Array): Promise<string[]> =>
  (await findAll(bytes)).map((each) => (each.kind === 'letter' ? hex(each.bytes) : each.error.code));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (letters: readonly Uint8Array[]): string => letters.map(armor).join('\n');

test.each([
  ['as many letters as are read', 64, []],
  ['one more, which is said', 65, ['LETTERS_TOO_MANY']],
] as const)('%s', async (_how, count, problems) => {
  const letters = some(count);
  const found = await findLetters(utf8(text([...letters, ...letters])));
  expect(found).toEqual([...letters.slice(0, 64).map(hex), ...problems]);
});

test.each(['From: Anna\n', 'Saved:\n\n', 'Two letters\n'])('all letters below some words: %j', async (words) => {
  const letters = some(2);
  const found = await findLetters(utf8(words + text(letters)));
  expect(found).toHaveLength(2);
  expect(found).toEqual(expect.arrayContaining(letters.map(hex)));
});

test('a letter that breaks off is reported, and the one after it is read', async () => {
  const [broken, whole] = some(2) as [Uint8Array, Uint8Array];
  const found = await findLetters(utf8(`${armor(broken).slice(0, -1000)}\n${armor(whole)}`));
  expect(found).toEqual(['AGE_ARMOR', hex(whole)]);
});

const base64 = (content: string): string =>
  Buffer.from(content)
    .toString('base64')
    .replace(/(.{76})/g, '$1\r\n');
const part = (type: string, encoding: string, body: string): string =>
  `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n`;
const mail = (rest: string): Uint8Array => utf8(`From: a@example.org\r\nMIME-Version: 1.0\r\n${rest}`);

test.each([
  ['quoted-printable', (html: string) => html.replace(/.{40}/g, '$&\0').replaceAll('=', '=3D').replaceAll('\0', '=\r\n')],
  ['base64', base64],
])('in a mail that has nothing but HTML, %s', async (encoding, encode) => {
  const [plain, quoted, cells] = some(3) as [Uint8Array, Uint8Array, Uint8Array];
  const divisions = armor(plain)
    .trim()
    .replaceAll('\n', '</div>\n<div>')
    .replace('BEGIN AGE', 'BEGIN\n  AGE')
    .replaceAll('=', '<span style="x">=</span>');
  const html = `<div>Hello</div><div>${divisions}</div>
    <p><pre>${armor(quoted).trim().replace(/^/gm, '&gt;&nbsp;').replaceAll('+', '&#43;').replaceAll('/', '&#x2F;')}</pre>
    <table><td>${armor(cells).trim().replaceAll('\n', '</td><td>').replaceAll('+', '&plus;')}</td></table>`;
  expect(await findLetters(mail(part('text/html', encoding, encode(html))))).toEqual([plain, quoted, cells].map(hex));
});

test.each(['', 'This mail is best read as HTML.'])('in the HTML of a mail whose text %j has none', async (plain) => {
  const [letter] = some(1) as [Uint8Array];
  const parts = [part('text/plain', '7bit', plain), part('text/html', 'base64', base64(`<pre>${armor(letter)}</pre>`))];
  const body = `Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n${parts.join('--b\r\n')}--b--\r\n`;
  expect(await findLetters(mail(body))).toEqual([hex(letter)]);
});

test('in the body of a mail that another letter is attached to', async () => {
  const [attached, inline] = some(2) as [Uint8Array, Uint8Array];
  const parts = [part('text/plain', 'base64', base64(armor(inline))), part('text/plain; name=x.age', 'base64', base64(armor(attached)))];
  const joined = parts.join('--b\r\nContent-Disposition: attachment; filename=x.age\r\n');
  const body = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${joined}--b--\r\n`;
  expect(await findLetters(mail(body))).toEqual([inline, attached].map(hex));
});

// With a quadratic pattern this would take minutes, and the test would time out.
test.each(['<', '<br', ' ', '-----BEGIN ', '&#4', '<a '])('none in a megabyte of %j, found out quickly', async (piece) => {
  expect(await findLetters(mail(part('text/html', '7bit', piece.repeat(1_000_000 / piece.length))))).toEqual([]);
});

test('an empty file is not an ordinary message', async () => {
  expect(await findLetters(new Uint8Array())).toEqual(['LETTER_STRUCTURE']);
});
