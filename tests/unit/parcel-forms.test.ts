// A parcel's text as people and their programs pass it on. Each form is made here from an intact parcel.
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parcelsIn } from '../../cli/sending/parcels.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { parseParcel, sealParcel } from '../../crypto/parcel.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { ready } from '../../crypto/sodium.ts';

let parcel: Uint8Array;
let text: string;
beforeAll(async () => {
  await ready;
  const worker = identityToRecipient(generateIdentity());
  // Programs turn hyphens in a row into dashes.
  do {
    parcel = sealParcel({ kind: 'decoy' }, { serial: 5, worker });
    text = encodeParcelText(parcel);
  } while (!/[^-]--[^-]/.test(text));
});

const lines = (width: number, before = '', after = ''): string =>
  (text.match(new RegExp(`.{1,${String(width)}}`, 'g')) ?? []).map((line) => before + line + after).join('\n');
const pieces = (): string[] => text.match(/.{4096}/g) ?? [];
const base64 = (content: string | Uint8Array): string =>
  (
    Buffer.from(content)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n');
const mail = (fields: string, body: string): string =>
  `From: a@example.org\r\nTo: b@example.org\r\nSubject: text\r\nMIME-Version: 1.0\r\n${fields}\r\n\r\n${body}\r\n`;
const attached = (type: string, content: string | Uint8Array): string =>
  mail(
    'Content-Type: multipart/mixed; boundary="b"',
    [
      '--b\r\nContent-Type: text/plain\r\n\r\nHere it is.',
      `--b\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: base64`,
      `Content-Disposition: attachment; filename="request"\r\n\r\n${base64(content)}`,
      '--b--',
    ].join('\r\n'),
  );
/** A soft line break every 70 characters. */
const quotedPrintable = (): string => lines(70, '', '=').replace(/=$/, '').replaceAll('\n', '\r\n');
const utf16 = (bytes: Buffer): Buffer => bytes.swap16();

async function reading(form: string | Uint8Array): Promise<string[]> {
  const found = await parcelsIn(typeof form === 'string' ? Buffer.from(form) : form);
  return found.map((each) =>
    'parcel' in each ? toHex(parseParcel(each.parcel).id) : each.problem instanceof CodedError ? each.problem.code : String(each.problem),
  );
}

const TAKEN: readonly (readonly [string, () => string | Uint8Array])[] = [
  ['UTF-16 with a mark', () => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16 without one', () => Buffer.from(text, 'utf16le')],
  ['UTF-16 the other way round', () => utf16(Buffer.from(`\ufeff${text}\r\n`, 'utf16le'))],
  ['UTF-8 with a mark', () => `\ufeff${text}\r\n`],
  ['long dashes for two hyphens', () => text.replaceAll('--', '—')],
  ['short dashes for one hyphen', () => text.replaceAll('-', '–')],
  ['short dashes for two', () => text.replaceAll('--', '–')],
  ['hyphens that do not break', () => text.replaceAll('-', '\u2011')],
  ['invisible characters', () => (text.match(/.{1,50}/g) ?? []).join('\u200b').replace(/^/, '\u2066')],
  ['soft hyphens', () => (text.match(/.{1,500}/g) ?? []).join('\u00ad')],
  [
    'pieces with names, times and numbers',
    () =>
      pieces()
        .map((piece, index) => `Anna, [28.11.2026 22:1${String(index)}]\n(${String(index + 1)}/8) ${piece}\n`)
        .join('\n'),
  ],
  [
    'pieces with numbers right before them',
    () =>
      pieces()
        .map((piece, index) => `${String(index + 1)}/8:${piece}`)
        .join('\n'),
  ],
  ['pieces of which the last is short', () => `${text.slice(0, 32_750)}\nAnna, 22:11\n${text.slice(32_750)}\nthat is all`],
  ['quoting with >', () => `Anna wrote:\n${lines(72, '> ')}\n> that is all`],
  ['quoting with |', () => lines(76, '| ')],
  ['quoting twice', () => lines(76, '> > ')],
  ['narrow lines', () => lines(20)],
  ['a block of code', () => `\`\`\`\n${text}\n\`\`\``],
  ['bold', () => `**${text}**`],
  ['quotation marks', () => `«${text}»`],
  ['a text attached to a mail', () => attached('text/plain; charset=utf-8; name="request.txt"', `${text}\r\n`)],
  ['its bytes attached to a mail', () => attached('application/octet-stream', parcel)],
  ['a mail in quoted-printable', () => mail('Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable', quotedPrintable())],
  ['a mail in base64', () => mail('Content-Type: text/plain\r\nContent-Transfer-Encoding: base64', base64(`Hello,\n${text}\nAnna\n`))],
  ['a mail that is HTML', () => mail('Content-Type: text/html', `<p>Hello</p><p>${lines(900, '', '<br>')}</p>`)],
  ['a body in quoted-printable without its headers', () => quotedPrintable()],
  ['a body in base64 without its headers', () => base64(text)],
  ['its bytes in base64', () => base64(parcel)],
  ['a page', () => `<html><body><pre>${lines(100, '', '<wbr>')}</pre></body></html>`],
];

describe('one parcel', () => {
  it.each(TAKEN)('%s', async (_what, make) => {
    expect(await reading(make())).toEqual([toHex(parseParcel(parcel).id)]);
  });
});

describe('one clear error', () => {
  it.each<readonly [string, () => string, string]>([
    ['pieces in another order', () => pieces().reverse().join('\n'), 'PARCEL_CHECK'],
    ['two pieces swapped', () => [pieces()[0], pieces()[2], pieces()[1], ...pieces().slice(3)].join('\n'), 'PARCEL_CHECK'],
    ['a piece missing', () => pieces().slice(0, 7).join('\nAnna\n'), 'PARCEL_TEXT'],
    [
      'the first piece missing',
      () =>
        pieces()
          .slice(1)
          .map((piece) => `Anna, 22:10\n${piece}`)
          .join('\n'),
      'PARCEL_TEXT',
    ],
    ['underscores taken for marks of italics', () => text.replace(/_([^_]+)_/g, '$1'), 'PARCEL_TEXT'],
    ['one character changed', () => text.slice(0, -9) + (text.at(-9) === 'A' ? 'B' : 'A') + text.slice(-8), 'PARCEL_CHECK'],
  ])('%s', async (_what, make, code) => {
    expect(await reading(make())).toEqual([code]);
  });

  it('no parcel in ordinary words, however long', async () => {
    expect(await reading('Hello, how are you? '.repeat(5_000))).toEqual([]);
  });
});

it('two parcels in one text are both found, and what lies between is skipped', async () => {
  const id = toHex(parseParcel(parcel).id);
  expect(await reading(`${text}\n\nAnna, 22:10\n${lines(76)}\n`)).toEqual([id, id]);
});

it.each([
  ['p2.txt', 'taken'],
  ['1-utf16le.txt', 'taken'],
  ['6-emdash.txt', 'taken'],
  ['7a-named.txt', 'taken'],
  ['7g-zwsp.txt', 'taken'],
  ['7k-pipe.txt', 'taken'],
  ['7p-att.eml', 'taken'],
  ['7c-swapped.txt', 'PARCEL_CHECK'],
  ['flipped.txt', 'PARCEL_CHECK'],
])('among texts as people have passed them on, %s is %s', async (file, expected) => {
  const found = await reading(await readFile(`tests/cases/parcel/${file}`));
  expect(found.map((each) => (/^[0-9a-f]{64}$/.test(each) ? 'taken' : each))).toEqual([expected]);
});
