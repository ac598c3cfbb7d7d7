// A letter is found to the byte in every container, and in every container within another.
import { gzipSync, deflateSync } from 'node:zlib';
import { beforeAll, describe, test } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { ready } from '../../crypto/sodium.ts';
import { wordsAround } from '../support/armor-forms.ts';
import { compound } from '../support/compound-file.ts';
import {
  attachment,
  base64Lines,
  bytesOf,
  HELLO,
  latin1,
  mailOf,
  mixed,
  multipart,
  part,
  tar,
  tnef,
  tnefAttachment,
  utf16,
  uuencode,
  zip,
} from '../support/containers.ts';
import { expectLetters } from '../support/found-letters.ts';
import { unopenableLetter } from '../support/unopenable-letter.ts';

beforeAll(() => ready);

const letter = unopenableLetter();
const opens = (content: Uint8Array, name?: string): Promise<void> => expectLetters(content, [letter], name);

/** Containers for any content; most programs say little about what they attach. */
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
  'a mail, attached under its name': (content, name) => mixed(HELLO, attachment(content, name)),
  'a mail, attached as text': (content) => mixed(HELLO, attachment(content, 'ATT00001.txt', 'text/plain')),
  'a mail, attached without a name': (content) => mixed(HELLO, attachment(content, null)),
  'a mail, attached as a picture': (content) => mixed(HELLO, attachment(content, 'image001.png', 'image/png')),
  'a mail, attached in line': (content, name) =>
    mixed(
      HELLO,
      part({ type: 'application/octet-stream', disposition: `Content-Disposition: inline; filename="${name}"\r\n`, body: content }),
    ),
  'a mail, under a coded name': (content) =>
    mixed(
      HELLO,
      part({
        type: 'application/octet-stream',
        disposition:
          "Content-Disposition: attachment;\r\n filename*0*=UTF-8''%D0%BF%D0%B8%D1%81%D1%8C;\r\n filename*1*=%D0%BC%D0%BE.age\r\n",
        body: content,
      }),
    ),
  'a mail that is nothing else': (content, name) => mailOf(attachment(content, name)),
  'parts within parts': (content) =>
    mailOf(multipart('mixed', [multipart('related', [multipart('alternative', [HELLO], 'c'), attachment(content)], 'bb'), HELLO], 'b')),
  'a signed mail': (content) =>
    mailOf(
      multipart('signed; protocol="application/pgp-signature"', [
        multipart('mixed', [HELLO, attachment(content)], 'inner'),
        part({
          type: 'application/pgp-signature',
          encoding: '7bit',
          name: 'signature.asc',
          body: '-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----',
        }),
      ]),
    ),
  'a part whose header says 7bit of base64': (content) =>
    mixed(HELLO, `Content-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${base64Lines(content)}`),
  'a part without a header, base64': (content) => mixed(HELLO, `\r\n${base64Lines(content)}`),
  'after the last part': (content) => latin1(`${Buffer.from(mixed(HELLO)).toString('latin1')}\r\n${base64Lines(content)}\r\n`),
  'the source of a mail, pasted into one': (content) =>
    mailOf(
      part({ type: 'text/plain', body: `Here is all of it:\n\n${Buffer.from(mixed(HELLO, attachment(content))).toString('latin1')}` }),
    ),
  'uuencode in a mail': (content, name) =>
    mailOf(part({ type: 'text/plain', encoding: '7bit', body: `See below.\n\n${uuencode(name, content)}` })),
  'winmail.dat': (content, name) =>
    mixed(
      HELLO,
      attachment(
        tnef([
          { id: 0x00089006, value: latin1('\x01\x00\x01\x00') },
          ...tnefAttachment('note.txt', bytesOf('hi')),
          ...tnefAttachment(name, content),
        ]),
        'winmail.dat',
        'application/ms-tnef',
      ),
    ),
  '.msg': (content) =>
    compound([
      { name: '__properties_version1.0', content: new Uint8Array(64) },
      { name: '__substg1.0_1000001F', content: utf16('Hello, see this', true, false) },
      { name: '__substg1.0_37010102', content },
    ]),
  'Apple Mail’s .emlx': (content) => {
    const mail = Buffer.from(mixed(HELLO, attachment(content)));
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
      mixed(HELLO),
      latin1('\n\nFrom b@example.org Sat Nov 28 00:00:01 2026\n'),
      mixed(HELLO, attachment(content)),
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
    const mail = mixed(part({ type: 'text/plain', encoding: '7bit', body: armor(letter) }), attachment(letter));
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
      (content, type, index) => mixed(HELLO, attachment(content, index % 2 === 0 ? 'm.eml' : null, type)),
      mixed(attachment(letter)),
    );
    await opens(deep);
  });
});
