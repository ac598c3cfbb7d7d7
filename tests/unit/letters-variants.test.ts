// A letter in every form of its text and file, in every container, at every place in it: it is found, to the byte.
import { gzipSync, deflateSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { ready } from '../../crypto/sodium.ts';
import { spoiledCopies, type Copy } from '../../volunteer/finding/copies.ts';
import { findLetters, type Found } from '../../volunteer/finding/find.ts';
import { ARMOR_FORMS, FILE_FORMS, armorIn, fileIn, wordsAround } from '../support/armor-forms.ts';
import {
  base64Lines,
  bytesOf,
  compound,
  latin1,
  mailOf,
  multipart,
  part,
  smime,
  tar,
  tnef,
  tnefAttachment,
  utf16,
  utf32,
  uuencode,
  zip,
} from '../support/containers.ts';
import { looseLetter } from '../support/loose-letters.ts';

beforeAll(() => ready);

const letter = looseLetter();
const other = looseLetter();
const bytes = (found: readonly Found[]): Uint8Array[] => found.flatMap((each) => (each.kind === 'letter' ? [each.bytes] : []));
const codes = (found: readonly Found[]): string[] =>
  found.flatMap((each) => (each.kind === 'letter' ? [] : [`${each.error.code} ${each.error.message}`]));
const hex = (all: readonly Uint8Array[]): string[] => all.map((each) => Buffer.from(each).toString('hex'));

async function opens(content: Uint8Array, name = '', letters: readonly Uint8Array[] = [letter]): Promise<void> {
  const found = withoutSpoiled(await findLetters(content, name), letters);
  expect(codes(found)).toEqual([]);
  expect(hex(bytes(found)).sort()).toEqual(hex(letters).sort());
}

/** As whoever opens them goes on: what does not open and is a copy of what does, is passed over. */
function withoutSpoiled(found: readonly Found[], letters: readonly Uint8Array[]): Found[] {
  const copies = new Map<Found, Copy>();
  for (const each of found) {
    if (each.kind !== 'unread')
      copies.set(each, {
        bytes: each.bytes,
        via: each.via,
        rank: letters.some((known) => Buffer.compare(known, each.bytes) === 0) ? 2 : 0,
      });
  }
  const spoiled = spoiledCopies([...copies.values()]);
  return found.filter((each) => !spoiled.has(copies.get(each) as Copy));
}

const hello = part({ type: 'text/plain; charset=utf-8', body: 'Привет, посмотри.' });
const file = (content: Uint8Array, type = 'application/octet-stream', name: string | undefined = 'letter.age'): string =>
  part({ type, body: content, ...(name === undefined ? {} : { name }) });
const mixed = (...parts: string[]): Uint8Array => mailOf(multipart('mixed', parts));

/** A text within something. */
const TEXTS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  'a file': bytesOf,
  'a file with words around': (text) => bytesOf(wordsAround(text)),
  'a mail, 8bit': (text) =>
    mailOf(
      `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${Buffer.from(wordsAround(text)).toString('latin1')}`,
    ),
  'a mail, base64': (text) => mailOf(part({ type: 'text/plain; charset=utf-8', body: wordsAround(text) })),
  'a mail, quoted-printable': (text) =>
    mailOf(part({ type: 'text/plain; charset=utf-8', encoding: 'quoted-printable', body: wordsAround(text) })),
  'an attached text with words before': (text) => mixed(hello, file(bytesOf(wordsAround(text)), 'text/plain', 'letter.txt')),
  'UTF-16 with a mark': (text) => utf16(wordsAround(text)),
};

describe.each(Object.keys(TEXTS))('armor in %s', (container) => {
  test.each(ARMOR_FORMS)('%s', async (form) => {
    await opens((TEXTS[container] as (text: string) => Uint8Array)(armorIn(form, letter)));
  });
});

describe('the file', () => {
  test.each(FILE_FORMS)('%s', async (form) => {
    const content = fileIn(form, letter);
    for (const [name, given] of [
      ['x.age', content],
      ['x', mixed(hello, file(content))],
      ['x.zip', zip([{ name: 'letter.age', content }])],
    ] as const)
      await opens(given, name);
  });
});

/** Anything within something; most programs say little of what they attach. */
const CONTAINERS: Readonly<Record<string, (content: Uint8Array, name: string) => Uint8Array>> = {
  gzip: (content) => new Uint8Array(gzipSync(content)),
  zlib: (content) => new Uint8Array(deflateSync(content)),
  'zip, stored': (content, name) =>
    zip([
      { name: 'folder/', content: new Uint8Array(), method: 'stored' },
      { name: `folder/${name}`, content, method: 'stored' },
    ]),
  'zip, deflated': (content, name) =>
    zip([
      { name: '__MACOSX/._letter.age', content: latin1(`\0\x05\x16\x07${'\0'.repeat(200)}`) },
      { name, content },
    ]),
  tar: (content, name) =>
    tar([
      { name: 'readme.txt', content: bytesOf('x') },
      { name, content },
    ]),
  'a mail, attached under its name': (content, name) => mixed(hello, file(content, 'application/octet-stream', name)),
  'a mail, attached as text': (content) => mixed(hello, file(content, 'text/plain', 'ATT00001.txt')),
  'a mail, attached without a name': (content) => mixed(hello, file(content, 'application/octet-stream', undefined)),
  'a mail, attached as a picture': (content) => mixed(hello, file(content, 'image/png', 'image001.png')),
  'a mail, attached in line': (content, name) =>
    mixed(
      hello,
      part({ type: 'application/octet-stream', disposition: `Content-Disposition: inline; filename="${name}"\r\n`, body: content }),
    ),
  'a mail, under a coded name': (content) =>
    mixed(
      hello,
      part({
        type: 'application/octet-stream',
        disposition:
          "Content-Disposition: attachment;\r\n filename*0*=UTF-8''%D0%BF%D0%B8%D1%81%D1%8C;\r\n filename*1*=%D0%BC%D0%BE.age\r\n",
        body: content,
      }),
    ),
  'a mail that is nothing else': (content, name) => mailOf(file(content, 'application/octet-stream', name)),
  'parts within parts': (content) =>
    mailOf(multipart('mixed', [multipart('related', [multipart('alternative', [hello], 'c'), file(content)], 'bb'), hello], 'b')),
  'a signed mail': (content) =>
    mailOf(
      multipart('signed; protocol="application/pgp-signature"', [
        multipart('mixed', [hello, file(content)], 'inner'),
        part({
          type: 'application/pgp-signature',
          encoding: '7bit',
          name: 'signature.asc',
          body: '-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----',
        }),
      ]),
    ),
  'a part whose header says 7bit of base64': (content) =>
    mixed(hello, `Content-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${base64Lines(content)}`),
  'a part without a header, base64': (content) => mixed(hello, `\r\n${base64Lines(content)}`),
  'after the last part': (content) => latin1(`${Buffer.from(mixed(hello)).toString('latin1')}\r\n${base64Lines(content)}\r\n`),
  'the source of a mail, pasted into one': (content) =>
    mailOf(part({ type: 'text/plain', body: `Here is all of it:\n\n${Buffer.from(mixed(hello, file(content))).toString('latin1')}` })),
  'uuencode in a mail': (content, name) =>
    mailOf(part({ type: 'text/plain', encoding: '7bit', body: `See below.\n\n${uuencode(name, content)}` })),
  'winmail.dat': (content, name) =>
    mixed(
      hello,
      file(
        tnef([
          { id: 0x00089006, value: latin1('\x01\x00\x01\x00') },
          ...tnefAttachment('note.txt', bytesOf('hi')),
          ...tnefAttachment(name, content),
        ]),
        'application/ms-tnef',
        'winmail.dat',
      ),
    ),
  '.msg': (content) =>
    compound([
      { name: '__properties_version1.0', content: new Uint8Array(64) },
      { name: '__substg1.0_1000001F', content: utf16('Hello, see this', true, false) },
      { name: '__substg1.0_37010102', content },
    ]),
  'Apple Mail’s .emlx': (content) => {
    const mail = Buffer.from(mixed(hello, file(content)));
    return new Uint8Array(
      Buffer.concat([
        Buffer.from(`${String(mail.length)}      \n`),
        mail,
        Buffer.from('<?xml version="1.0"?><plist version="1.0"><dict><key>flags</key><integer>1</integer></dict></plist>\n'),
      ]),
    );
  },
  '.mbox': (content) =>
    Buffer.concat([
      latin1('From a@example.org Sat Nov 28 00:00:00 2026\n'),
      mixed(hello),
      latin1('\n\nFrom b@example.org Sat Nov 28 00:00:01 2026\n'),
      mixed(hello, file(content)),
      latin1('\n'),
    ]),
};

const NESTED: readonly (readonly string[])[] = Object.keys(CONTAINERS).flatMap((outer) =>
  Object.keys(CONTAINERS).map((inner) => [outer, inner] as const),
);

describe('in a container', () => {
  const nameOf = (container: string): string =>
    ({
      gzip: 'letter.eml.gz',
      'zip, stored': 'a.zip',
      'zip, deflated': 'a.zip',
      tar: 'a.tar',
      'winmail.dat': 'winmail.dat',
      '.msg': 'message.msg',
      '.mbox': 'a.mbox',
    })[container] ?? 'Message.eml';
  const into = (container: string, content: Uint8Array, name: string): Uint8Array =>
    (CONTAINERS[container] as (content: Uint8Array, name: string) => Uint8Array)(content, name);

  test.each(Object.keys(CONTAINERS))('%s: the file, its armor, and a mail with both', async (container) => {
    const mail = mixed(part({ type: 'text/plain', encoding: '7bit', body: armor(letter) }), file(letter));
    for (const [content, name] of [
      [letter, 'letter.age'],
      [bytesOf(wordsAround(armor(letter))), 'letter.txt'],
      [mail, 'Message.eml'],
      [utf16(armor(letter)), 'letter.txt'],
    ] as const)
      await opens(into(container, content, name));
  });

  test.each(NESTED)('%s, in it %s', async (outer, inner) => {
    await opens(into(outer, into(inner, letter, 'letter.age'), nameOf(inner)));
  });

  test('eight mails deep, each under another type', async () => {
    const types = [
      'message/rfc822',
      'application/octet-stream',
      'text/plain',
      'application/x-message',
      'message/global',
      'text/rfc822',
      'application/eml',
      'message/rfc822',
    ];
    const deep = types.reduce(
      (content, type, index) => mixed(hello, file(content, type, index % 2 === 0 ? 'm.eml' : undefined)),
      mixed(file(letter)),
    );
    await opens(deep);
  });
});

describe('in a coding', () => {
  const text = wordsAround(armor(letter));
  test.each<readonly [string, Uint8Array]>([
    ['UTF-16, little end first', utf16(text)],
    ['UTF-16, big end first', utf16(text, false)],
    ['UTF-16 without a mark', utf16(text, true, false)],
    ['UTF-16, big end first, without a mark', utf16(text, false, false)],
    ['UTF-16, a byte lost before it', utf16(text).subarray(1)],
    ['UTF-32', utf32(text)],
    ['UTF-32, big end first', utf32(text, false)],
    ['UTF-8 with a mark', bytesOf(`\ufeff${text}`)],
    ['windows-1251', Buffer.concat([Buffer.from([0xcf, 0xf0, 0xe8, 0x0d, 0x0a]), latin1(armor(letter))])],
    ['windows-1252, dashes made smart', latin1(armor(letter).replaceAll('-----', '\x97\x96'))],
    ['a mail in UTF-16', utf16(Buffer.from(mixed(hello, file(letter))).toString('latin1'))],
    ['a part in UTF-16, said to be so', mailOf(part({ type: 'text/plain; charset=utf-16le', body: utf16(text, true, false) }))],
    ['a part in KOI8-R', mailOf(part({ type: 'text/plain; charset=koi8-r', encoding: '7bit', body: armor(letter) }))],
    [
      'a part in a coding that nobody knows, all ASCII',
      mailOf(part({ type: 'text/plain; charset=x-unknown', encoding: '7bit', body: armor(letter) })),
    ],
    [
      'format=flowed with delsp',
      mailOf(`Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n${armor(letter).replaceAll(/^([A-Za-z0-9+/]{64})$/gm, '$1 ')}`),
    ],
  ])('%s', (_what, content) => opens(content));

  test('signed with S/MIME, in one run and in several', async () => {
    const mail = mixed(hello, file(letter));
    for (const options of [[], ['-stream']]) {
      const signed = smime(mail, 'signed', options);
      await opens(
        mailOf(part({ type: 'application/pkcs7-mime; smime-type=signed-data; name=smime.p7m', name: 'smime.p7m', body: signed })),
      );
    }
  });

  test('the text of an Outlook message, plain, as HTML and as rich text', async () => {
    const html = `<html><body>${armor(letter).replaceAll('\n', '<br>')}</body></html>`;
    const rich = Buffer.from(armorIn('rich text', letter));
    const head = Buffer.alloc(16);
    head.writeUInt32LE(rich.length + 12, 0);
    head.writeUInt32LE(rich.length, 4);
    head.write('MELA', 8);
    for (const [name, content] of [
      ['1000001F', utf16(text, true, false)],
      ['1000001E', bytesOf(text)],
      ['10130102', bytesOf(html)],
      ['10090102', new Uint8Array(Buffer.concat([head, rich]))],
    ] as const) {
      await opens(
        compound([
          { name: '__properties_version1.0', content: new Uint8Array(64) },
          { name: `__substg1.0_${name}`, content },
        ]),
        'x.msg',
      );
    }
  });

  test('a page as browsers save it, in one file', async () => {
    const page = `From: <Saved by Blink>\r\nSnapshot-Content-Location: https://mail.example.org/\r\nSubject: Inbox\r\nMIME-Version: 1.0\r\n${multipart('related; type="text/html"', [part({ type: 'text/html', encoding: 'quoted-printable', body: armorIn('HTML, a <div> a line', letter) })])}`;
    await opens(latin1(page), 'Inbox.mhtml');
  });
});

describe('two letters', () => {
  const [a, b] = [letter, other];
  test.each<readonly [string, Uint8Array]>([
    [
      'one attached, the other below, re-wrapped',
      mixed(part({ type: 'text/plain', encoding: '7bit', body: armorIn('60 columns', a) }), file(b)),
    ],
    ['both in one text, quoted in other ways', bytesOf(armorIn('quoted', a) + armorIn('numbered lines', b))],
    [
      'one in the text, the other in the HTML',
      mailOf(
        multipart('alternative', [
          part({ type: 'text/plain', body: armor(a) }),
          part({ type: 'text/html', body: armorIn('HTML, <br>', b) }),
        ]),
      ),
    ],
    [
      'one before the parts, the other after them',
      latin1(
        `From: a@example.org\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${armor(a)}\r\n--b\r\n${hello}\r\n--b--\r\n${armor(b)}`,
      ),
    ],
    [
      'in one archive',
      zip([
        { name: '1/letter.age', content: a },
        { name: '2/letter.age', content: b },
      ]),
    ],
    ['as files, one behind the other', new Uint8Array(Buffer.concat([a, b]))],
    [
      'an .mbox of two with attachments',
      Buffer.concat([
        latin1('From a Sat Nov 28 00:00:00 2026\n'),
        mixed(hello, file(a)),
        latin1('\nFrom b Sat Nov 28 00:00:00 2026\n'),
        mixed(hello, file(b)),
      ]),
    ],
    [
      'a digest',
      mailOf(
        multipart(
          'digest',
          [a, b].map((each) => `\r\n${Buffer.from(mixed(hello, file(each))).toString('latin1')}`),
          'd',
        ),
      ),
    ],
  ])('%s', (_what, content) => opens(content, '', [a, b]));
});
