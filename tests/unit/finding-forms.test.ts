// A letter is found to the byte in every form of its text and of its file, and in every coding; and two letters in one message.
import { beforeAll, describe, test } from 'vitest';
import { armor } from '../../crypto/age/armor.ts';
import { ready } from '../../crypto/sodium.ts';
import { ARMOR_FORMS, FILE_FORMS, armorIn, fileIn, wordsAround } from '../support/armor-forms.ts';
import { compound } from '../support/compound-file.ts';
import { attachment, bytesOf, HELLO, latin1, mailOf, mixed, multipart, part, smime, utf16, utf32, zip } from '../support/containers.ts';
import { expectLetters } from '../support/found-letters.ts';
import { unopenableLetter } from '../support/unopenable-letter.ts';

beforeAll(() => ready);

const letter = unopenableLetter();
const opens = (content: Uint8Array, name?: string): Promise<void> => expectLetters(content, [letter], name);

/** Containers for a text. */
const TEXTS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  'a file': bytesOf,
  'a file with words around': (text) => bytesOf(wordsAround(text)),
  'a mail, 8bit': (text) => {
    const body = Buffer.from(wordsAround(text)).toString('latin1');
    return mailOf(`Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${body}`);
  },
  'a mail, base64': (text) => mailOf(part({ type: 'text/plain; charset=utf-8', body: wordsAround(text) })),
  'a mail, quoted-printable': (text) =>
    mailOf(part({ type: 'text/plain; charset=utf-8', encoding: 'quoted-printable', body: wordsAround(text) })),
  'an attached text with words before': (text) => mixed(HELLO, attachment(bytesOf(wordsAround(text)), 'letter.txt', 'text/plain')),
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
      ['x', mixed(HELLO, attachment(content))],
      ['x.zip', zip([{ name: 'letter.age', content }])],
    ] as const)
      await opens(given, name);
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
    ['a mail in UTF-16', utf16(Buffer.from(mixed(HELLO, attachment(letter))).toString('latin1'))],
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
    const mail = mixed(HELLO, attachment(letter));
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
    const html = part({ type: 'text/html', encoding: 'quoted-printable', body: armorIn('HTML, a <div> a line', letter) });
    const header = 'From: <Saved by Blink>\r\nSnapshot-Content-Location: https://mail.example.org/\r\nSubject: Inbox\r\n';
    const page = `${header}MIME-Version: 1.0\r\n${multipart('related; type="text/html"', [html])}`;
    await opens(latin1(page), 'Inbox.mhtml');
  });
});

describe('two letters', () => {
  const [a, b] = [letter, unopenableLetter()];
  test.each<readonly [string, Uint8Array]>([
    [
      'one attached, the other below, re-wrapped',
      mixed(part({ type: 'text/plain', encoding: '7bit', body: armorIn('60 columns', a) }), attachment(b)),
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
        'From: a@example.org\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
          `${armor(a)}\r\n--b\r\n${HELLO}\r\n--b--\r\n${armor(b)}`,
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
        mixed(HELLO, attachment(a)),
        latin1('\nFrom b Sat Nov 28 00:00:00 2026\n'),
        mixed(HELLO, attachment(b)),
      ]),
    ],
    [
      'a digest',
      mailOf(
        multipart(
          'digest',
          [a, b].map((each) => `\r\n${Buffer.from(mixed(HELLO, attachment(each))).toString('latin1')}`),
          'd',
        ),
      ),
    ],
  ])('%s', (_what, content) => expectLetters(content, [a, b]));
});
