// Messages without a letter, and messages that may hold one and cannot be read.
import { randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { ready } from '../../crypto/sodium.ts';
import { mayHideNote } from '../../volunteer/conversations/cautions.ts';
import { findLetters } from '../../volunteer/finding/find.ts';
import { compound } from '../support/compound-file.ts';
import {
  attachment,
  bytesOf,
  HELLO,
  latin1,
  mailOf,
  mixed,
  multipart,
  part,
  smime,
  tar,
  tnef,
  tnefAttachment,
  utf16,
  zip,
} from '../support/containers.ts';
import { codesFound } from '../support/found-letters.ts';
import { unopenableLetter } from '../support/unopenable-letter.ts';

beforeAll(() => ready);

const letter = unopenableLetter();
const attached = (content: Uint8Array | string, name: string, type?: string): Uint8Array => mixed(HELLO, attachment(content, name, type));
const random = (start: string, count = 24_000): Uint8Array => new Uint8Array(Buffer.concat([latin1(start), randomBytes(count)]));

describe('an ordinary message has no problem', () => {
  const picture = new Uint8Array(Buffer.concat([latin1('\x89PNG\r\n\x1a\n'), randomBytes(40_000)]));
  test.each<[string, Uint8Array, string?]>([
    ['words', bytesOf('Как дела?\n')],
    ['words in UTF-16', utf16('Привет! Завтра собрание, как всегда.\n')],
    ['words in UTF-16, all Cyrillic, without a mark', utf16('Привет', true, false)],
    ['words in windows-1251', new Uint8Array([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x0a])],
    ['one line feed', bytesOf('\n')],
    ['a mail', bytesOf('Subject: x\n\nordinary\n'), 'x.eml'],
    ['a mail without words', bytesOf('From: a@example.org\nSubject: x\n\n'), 'x.eml'],
    ['a mail with a picture', attached(picture, 'image001.png', 'image/png')],
    ['a mail whose picture is empty', attached('', 'image001.png', 'image/png')],
    [
      'a mail in HTML with a picture within',
      mailOf(part({ type: 'text/html', body: `<p>Hi</p><img src="data:image/png;base64,${Buffer.from(picture).toString('base64')}">` })),
    ],
    [
      'a mail with a signature of OpenPGP',
      mailOf(
        multipart('signed', [
          HELLO,
          part({
            type: 'application/pgp-signature',
            encoding: '7bit',
            name: 'signature.asc',
            body: '-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----',
          }),
        ]),
      ),
    ],
    [
      'a mail with a signature of S/MIME',
      mailOf(
        multipart('signed', [
          HELLO,
          part({
            type: 'application/pkcs7-signature',
            name: 'smime.p7s',
            body: new Uint8Array([0x30, 0x82, 0x04, 0x00, ...randomBytes(1024)]),
          }),
        ]),
      ),
    ],
    ['a mail signed with S/MIME as a whole', attached(smime(mixed(HELLO), 'signed'), 'smime.p7m', 'application/pkcs7-mime')],
    [
      'an address card and a date',
      mixed(
        HELLO,
        attachment('BEGIN:VCARD\nFN:Anna\nEND:VCARD\n', 'anna.vcf', 'text/vcard'),
        attachment('BEGIN:VCALENDAR\nEND:VCALENDAR\n', 'x.ics', 'text/calendar'),
      ),
    ],
    [
      'a mail that came back',
      mailOf(
        multipart('report', [
          HELLO,
          part({ type: 'message/delivery-status', encoding: '7bit', body: 'Final-Recipient: rfc822; x@example.org\nAction: failed\n' }),
          part({ type: 'message/rfc822', encoding: '7bit', body: Buffer.from(mailOf(HELLO)).toString('latin1') }),
        ]),
      ),
    ],
    ['a winmail.dat of words', attached(tnef(tnefAttachment('x.txt', bytesOf('hi'))), 'winmail.dat', 'application/ms-tnef')],
    [
      'an Outlook message of words',
      compound([
        { name: '__properties_version1.0', content: new Uint8Array(64) },
        { name: '__substg1.0_1000001F', content: utf16('Hello', true, false) },
      ]),
      'x.msg',
    ],
    [
      'an archive of words',
      zip([
        { name: 'a.txt', content: bytesOf('hello') },
        { name: '[Content_Types].xml', content: bytesOf('<?xml version="1.0"?><Types/>') },
      ]),
    ],
    ['a mail, compressed', new Uint8Array(gzipSync(mixed(HELLO)))],
    [
      'an .mbox',
      Buffer.concat([
        latin1('From a Sat Nov 28 00:00:00 2026\n'),
        mixed(HELLO),
        latin1('\nFrom b Sat Nov 28 00:00:00 2026\n'),
        mixed(HELLO),
      ]),
      'x.mbox',
    ],
    [
      'words about letters',
      mixed(
        part({
          type: 'text/plain',
          body:
            'Copy from -----BEGIN AGE ENCRYPTED FILE----- to -----END AGE ENCRYPTED FILE----- ' +
            'and see https://age-encryption.org/v1 for more.',
        }),
      ),
    ],
    [
      'a group of parts without its last line, in a message that is whole',
      mailOf(multipart('mixed', [multipart('alternative', [HELLO, HELLO], 'inner').replace('--inner--\r\n', '')])),
    ],
  ])('%s', async (_what, content, name?: string) => {
    expect(await codesFound(content, name)).toEqual([]);
  });
});

/** Each holds a letter, or may: none is found, and the reason is reported. */
describe('what cannot be read is reported', () => {
  const text = armor(letter);
  const hexDump = Buffer.from(letter).toString('hex');
  const whole = mixed(part({ type: 'text/plain', encoding: '7bit', body: 'hi' }), attachment(letter, 'letter.age'));
  const packed = new Uint8Array(gzipSync(letter));
  test.each<[string, string, Uint8Array, string?]>([
    ['bzip2', 'UNREAD_COMPRESSED', random('BZh91AY&SY')],
    ['xz', 'UNREAD_COMPRESSED', random('\xfd7zXZ\x00')],
    ['zstd', 'UNREAD_COMPRESSED', random('\x28\xb5\x2f\xfd')],
    ['lz4', 'UNREAD_COMPRESSED', random('\x04\x22\x4d\x18')],
    ['lz4 as Dovecot writes it', 'UNREAD_COMPRESSED', random('Dovecot-LZ4\r*\x9b\xc5')],
    ['gzip that breaks off', 'UNREAD_COMPRESSED', packed.subarray(0, 9000)],
    ['zlib that breaks off', 'UNREAD_COMPRESSED', new Uint8Array(deflateSync(letter)).subarray(0, 9000)],
    ['7z', 'UNREAD_ARCHIVE', random('7z\xbc\xaf\x27\x1c')],
    ['RAR', 'UNREAD_ARCHIVE', random('Rar!\x1a\x07\x01\x00')],
    ['RAR, attached', 'UNREAD_ARCHIVE', attached(random('Rar!\x1a\x07\x01\x00'), 'letter.rar')],
    ['a zip with a password', 'UNREAD_ENCRYPTED', zip([{ name: 'letter.age', content: letter, flags: 1 }])],
    ['a zip, compressed in another way', 'UNREAD_ARCHIVE', zip([{ name: 'letter.age', content: letter, methodNumber: 93 }])],
    ['a zip without its end', 'UNREAD_ARCHIVE', zip([{ name: 'letter.age', content: letter }]).subarray(0, 15_000)],
    [
      'a tar that breaks off',
      'UNREAD_ARCHIVE',
      tar([{ name: 'x', content: new Uint8Array(gzipSync(new Uint8Array(randomBytes(30_000)))) }]).subarray(0, 9000),
    ],
    ['OpenPGP, in the text', 'UNREAD_ENCRYPTED', bytesOf('Hi\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n')],
    [
      'OpenPGP, as parts',
      'UNREAD_ENCRYPTED',
      mailOf(
        multipart('encrypted', [
          part({ type: 'application/pgp-encrypted', encoding: '7bit', body: 'Version: 1' }),
          attachment('-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n', 'encrypted.asc'),
        ]),
      ),
    ],
    ['S/MIME, encrypted', 'UNREAD_ENCRYPTED', attached(smime(whole, 'sealed'), 'smime.p7m', 'application/pkcs7-mime')],
    ['a message that the server encrypts', 'UNREAD_ENCRYPTED', random('CRYPTED\x03\x07')],
    ['a mailbox of Outlook', 'UNREAD_OUTLOOK', random('!BDN')],
    ['winmail.dat that breaks off', 'UNREAD_OUTLOOK', tnef(tnefAttachment('x.bin', random(''))).subarray(0, 9000)],
    ['a .msg that breaks off', 'UNREAD_OUTLOOK', compound([{ name: '__substg1.0_37010102', content: letter }]).subarray(0, 9000)],
    ['a document of Word', 'UNREAD_DOCUMENT', compound([{ name: 'WordDocument', content: random('') }])],
    ['a PDF', 'UNREAD_DOCUMENT', attached(random('%PDF-1.7\n'), 'letter.pdf', 'application/pdf')],
    ['a page of Safari', 'UNREAD_DOCUMENT', random('bplist00')],
    ['something that nobody knows', 'UNREAD_UNKNOWN', random('')],
    ['something that nobody knows, attached', 'UNREAD_UNKNOWN', attached(random(''), 'ATT00001.bin')],
    ['text in EBCDIC', 'UNREAD_UNKNOWN', Uint8Array.from(text, (c) => (c === '\n' ? 0x15 : (c.charCodeAt(0) + 0x80) & 0xff))],
    ['hexadecimal', 'UNREAD_CODING', bytesOf(hexDump)],
    ['a dump in hexadecimal', 'UNREAD_CODING', bytesOf(hexDump.replaceAll(/(..)(..)/g, '$1$2 '))],
    ['bytes as numbers', 'UNREAD_CODING', bytesOf(`[${[...letter].join(', ')}]`)],
    [
      'a coding of text that nothing reads',
      'UNREAD_CODING',
      mailOf(part({ type: 'text/plain; charset=x-klingon', body: latin1('\xb5\xc1\xd9\x0a') })),
    ],
    [
      'a coding of parts that nothing reads',
      'UNREAD_CODING',
      mailOf('Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: x-binhex\r\n\r\n:$f*TEQKPH#'),
    ],
    ['a mail in name only', 'UNREAD_MAIL', bytesOf('hello'), 'letter.eml'],
    ['an attached mail in name only', 'UNREAD_MAIL', attached('hello', 'letter.msg')],
    ['parts that nothing divides', 'UNREAD_MAIL', mailOf('Content-Type: multipart/mixed\r\n\r\nsomething')],
    ['a mail cut within its last part', 'UNREAD_CUT', mixed(HELLO, HELLO).subarray(0, -12)],
    ['a mail cut after its header', 'UNREAD_CUT', latin1('From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n')],
    ['an attached mail that is empty', 'UNREAD_CUT', attached('', 'm.eml')],
    ['a mail in pieces', 'UNREAD_CUT', mailOf('Content-Type: message/partial; id=x; number=1; total=3\r\n\r\nhello')],
    [
      'a part that is kept elsewhere',
      'UNREAD_CUT',
      mixed(
        HELLO,
        'Content-Type: message/external-body; access-type=URL; URL="https://example.org/x"\r\n\r\n' +
          'Content-Type: application/octet-stream\r\n\r\n',
      ),
    ],
    ['a file called .age that is none', 'LETTER_STRUCTURE', bytesOf('hello'), 'letter.age'],
    ['an attachment called .age that is none', 'LETTER_STRUCTURE', attached('removed by the scanner', 'letter.age')],
    ['an attachment called .age that is empty', 'LETTER_STRUCTURE', attached('', 'letter.age')],
    ['an attachment without a promise that is empty', 'LETTER_STRUCTURE', attached('', 'ATT00001.bin')],
    ['an empty file', 'LETTER_STRUCTURE', new Uint8Array()],
    ['half a letter', 'LETTER_STRUCTURE', letter.subarray(0, 11_000)],
    ['half a letter, attached without a name that says so', 'LETTER_STRUCTURE', attached(letter.subarray(0, 11_000), 'x.bin')],
    ['armor that is empty', 'AGE_ARMOR', bytesOf('-----BEGIN AGE ENCRYPTED FILE-----\n-----END AGE ENCRYPTED FILE-----\n')],
    ['armor that breaks off', 'AGE_ARMOR', bytesOf(text.slice(0, 9000))],
    ['armor without its first half', 'AGE_ARMOR', bytesOf(text.slice(9000))],
    [
      'armor that lost some lines',
      'LETTER_STRUCTURE',
      bytesOf(
        text
          .split('\n')
          .filter((_, index) => index % 50 !== 7)
          .join('\n'),
      ),
    ],
  ])('%s', async (_what, code, content, name?: string) => {
    const codes = await codesFound(content, name);
    expect(codes).toContain(code);
    expect(codes).not.toContain('letter');
    expect(mayHideNote(code)).toBe(true);
  });

  test('the whole letters in a mail that breaks off are found', async () => {
    const mail = mixed(part({ type: 'text/plain', encoding: '7bit', body: text }), attachment(unopenableLetter(), 'letter.age'));
    expect(await codesFound(mail.subarray(0, mail.length - 9000))).toEqual(['letter', 'LETTER_STRUCTURE', 'UNREAD_CUT']);
  });

  test('a name inside a mail is shown with the reason, but not that of the given file', async () => {
    const [found] = await findLetters(attached(random('Rar!\x1a\x07'), 'letter.rar'), '/home/anna/x.eml');
    expect(found).toMatchObject({ kind: 'unread', error: { message: 'letter.rar: it is a RAR archive' } });
  });
});
