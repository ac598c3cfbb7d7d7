// A letter's armor and its file, as programs and people leave them.
import { armor } from '../../crypto/age/armor.ts';

const BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----';
const END = '-----END AGE ENCRYPTED FILE-----';
const PGP_SIGNATURE = '-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----\n';
const columns = (text: string, width: number): string => {
  const base64 = text
    .split('\n')
    .filter((line) => !line.startsWith('-'))
    .join('');
  return `${BEGIN}\n${(base64.match(new RegExp(`.{1,${String(width)}}`, 'g')) ?? []).join('\n')}\n${END}\n`;
};
const dashes =
  (begin: string, end = begin) =>
  (text: string): string =>
    text.replaceAll(/-----(BEGIN|END)/g, `${begin}$1`).replaceAll('FILE-----', `FILE${end}`);
const lines =
  (change: (line: string, index: number) => string) =>
  (text: string): string =>
    text.trimEnd().split('\n').map(change).join('\n');
const html = (text: string): string => text.trimEnd().replaceAll('\n', '<br>\r\n');

const FORMS: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'without its last line end': (text) => text.trimEnd(),
  CRLF: (text) => text.replaceAll('\n', '\r\n'),
  'CR alone': (text) => text.replaceAll('\n', '\r'),
  CRCRLF: (text) => text.replaceAll('\n', '\r\r\n'),
  'form feeds and vertical tabs': lines((line, i) => (i % 9 === 0 ? `${line}\f` : `${line}\v`)),
  'U+2028 for line ends': (text) => text.replaceAll('\n', '\u2028'),
  'blank lines': (text) => text.replaceAll('\n', '\n\n'),
  'blanks for line ends': (text) => text.replaceAll('\n', ' '),
  'on one line': (text) => columns(text, 40_000).replaceAll('\n', ' '),
  'on one line without any blank': (text) => columns(text, 40_000).replaceAll('\n', ''),
  '60 columns': (text) => columns(text, 60),
  '76 columns': (text) => columns(text, 76),
  '998 columns': (text) => columns(text, 998),
  'wrapped at 40, then 24': (text) => columns(text, 64).replaceAll(/^(.{40})(.{24})$/gm, '$1\n$2'),
  'trailing blanks': lines((line) => `${line}  \t`),
  'no-break spaces before': lines((line) => `\u00a0 ${line}`),
  'ideographic and thin spaces': lines((line) => `\u3000\u2009${line}\u202f`),
  indented: lines((line) => `\t    ${line}`),
  quoted: lines((line) => `> ${line}`),
  'quoted three times': lines((line) => `> >> ${line}`),
  'quoted in part': lines((line, i) => (i % 3 === 0 ? line : `> ${line}`)),
  'quoted with |': lines((line) => `| ${line}`),
  'quoted with initials': lines((line) => `AB> ${line}`),
  'quoted with a name': lines((line) => `Anna: ${line}`),
  'quoted with # and *': lines((line) => `# * ${line}`),
  'numbered lines': lines((line, i) => `${String(i + 1).padStart(4)}: ${line}`),
  'numbered lines with a tab': lines((line, i) => `${String(i + 1)}\t${line}`),
  'zero-width spaces': lines((line) => `\u200b${line.slice(0, 9)}\u200b${line.slice(9)}\ufeff`),
  'soft hyphens': lines((line) => `${line.slice(0, 20)}\u00ad${line.slice(20)}`),
  'direction marks': lines((line) => `\u200e${line}\u202c`),
  'em and en dash': dashes('\u2014\u2013'),
  'em dashes': dashes('\u2014\u2014-'),
  'en dashes': dashes('\u2013\u2013\u2013\u2013\u2013'),
  'minus signs': dashes('\u2212\u2212\u2212\u2212\u2212'),
  'non-breaking hyphens': dashes('\u2011\u2011\u2011\u2011\u2011'),
  'horizontal bars and box lines': dashes('\u2015\u2015', '\u2500\u2500\u2500'),
  'full-width hyphens': dashes('\uff0d\uff0d'),
  'fewer dashes': dashes('---'),
  'more dashes': dashes('--------'),
  'blanks between dashes': dashes('- - - - - ', ' - - - - -'),
  'escaped dashes': (text) => text.replaceAll(/-----/g, '\\-\\-\\-\\-\\-'),
  'no dashes': dashes(''),
  'two blanks in the markers': (text) => text.replaceAll('AGE ENCRYPTED ', 'AGE  ENCRYPTED  '),
  'no-break spaces in the markers': (text) => text.replaceAll('AGE ENCRYPTED ', 'AGE\u00a0ENCRYPTED\u00a0'),
  'no blanks in the markers': (text) => text.replaceAll(' AGE ENCRYPTED ', 'AGEENCRYPTED'),
  'markers in two lines': (text) => text.replaceAll('AGE ENCRYPTED', 'AGE\r\nENCRYPTED'),
  'markers in two quoted lines': (text) => lines((line) => `> ${line}`)(text.replaceAll('AGE ENCRYPTED', 'AGE\nENCRYPTED')),
  'markers in small letters': (text) => text.replaceAll(/-----.*?-----/g, (marker) => marker.toLowerCase()),
  'markers in bold': (text) => text.replaceAll(/^-----.*-----$/gm, '**$&**'),
  'words on the lines of the markers': (text) => text.replace(BEGIN, `See: ${BEGIN}`).replace(END, `${END} Thanks`),
  'without the end': (text) => text.replace(END, ''),
  'without the end, and words after it': (text) => text.replace(END, '\nBest regards, Anna'),
  'without the beginning': (text) => text.replace(BEGIN, ''),
  'without the markers': (text) => text.replace(BEGIN, '').replace(END, ''),
  'without padding': (text) => text.replaceAll('=', ''),
  'signed by OpenPGP, dashes escaped': (text) =>
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${text.replaceAll(/^-/gm, '- -')}\n${PGP_SIGNATURE}`,
  'in a fence': (text) => `\`\`\`\n${text}\`\`\`\n`,
  'HTML, <br>': (text) => `<html><body><p>${html(text)}</p></body></html>`,
  'HTML, a <div> a line': (text) => lines((line) => `<div dir="ltr">${line}</div>`)(text),
  'HTML, table cells': (text) => `<table>${lines((line) => `<tr><td class="a">${line}</td></tr>`)(text)}</table>`,
  'HTML, entities': (text) =>
    html(text)
      .replaceAll('+', '&#43;')
      .replaceAll('/', '&#x2F;')
      .replaceAll('=', '&#61;')
      .replaceAll('-', '&#45;')
      .replaceAll(' ', '&nbsp;'),
  'HTML, smart dashes by name': (text) => html(dashes('&mdash;&ndash;')(text)),
  'HTML, <wbr> and spans': (text) =>
    html(text.replaceAll(/([A-Za-z0-9+/]{30})(?=[A-Za-z0-9+/])/g, '$1<wbr>').replaceAll('=', '<span style="color: red">=</span>')),
  'HTML, quoted': (text) => `<blockquote type="cite">${lines((line) => `&gt; ${line}<br />`)(text)}</blockquote>`,
  'quoted-printable that nothing says': (text) => text.replaceAll('=', '=3D').replaceAll(/(.{50})/g, '$1=\r\n'),
  'as in an address': (text) => `mailto:a@example.org?body=${encodeURIComponent(text)}`,
  'in JSON': (text) => JSON.stringify({ id: 1, text: `Hello\n${text}`, ok: true }),
  'in JSON with coded characters': (text) =>
    JSON.stringify({ text }).replaceAll('+', '\\u002b').replaceAll('/', '\\/').replaceAll('=', '\\u003d'),
  'rich text': (text) => `{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Arial;}}\\f0\\fs20 ${text.trimEnd().replaceAll('\n', '\\par\r\n')}\\par}`,
  'rich text of HTML': (text) => {
    const rows = text.trimEnd().replaceAll('\n', '{\\*\\htmltag84 <br>}\\htmlrtf \\line\\htmlrtf0 \r\n');
    return `{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p>}${rows}}`;
  },
  'base64 that nothing says': (text) =>
    (
      Buffer.from(`Hello, see this.\n\n${text}`)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\n'),
  'in pieces with a messenger’s line before each': (text) =>
    (text.match(/(?:.*\n){1,60}/g) ?? []).map((each) => `Анна Иванова, [28.11.2026 12:30]\n${each}`).join('\n'),
};
export const ARMOR_FORMS: readonly string[] = Object.keys(FORMS);
export const armorIn = (form: string, letter: Uint8Array): string => (FORMS[form] ?? ((text: string) => text))(armor(letter));

const FILES: Readonly<Record<string, (letter: Buffer) => Buffer>> = {
  'as it is': (letter) => letter,
  'a byte order mark before': (letter) => Buffer.concat([Buffer.from('\ufeff'), letter]),
  'blank lines before': (letter) => Buffer.concat([Buffer.from('\r\n \n'), letter]),
  'a line feed behind': (letter) => Buffer.concat([letter, Buffer.from('\n')]),
  'CRLF behind': (letter) => Buffer.concat([letter, Buffer.from('\r\n')]),
  'zeros behind': (letter) => Buffer.concat([letter, Buffer.alloc(90)]),
  'words behind': (letter) => Buffer.concat([letter, Buffer.from('\n-- \nsent by a phone')]),
  'line ends made CRLF': (letter) => Buffer.from(letter.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
  'bytes taken for characters': (letter) => Buffer.from(letter.toString('latin1')),
};
export const FILE_FORMS: readonly string[] = Object.keys(FILES);
export const fileIn = (form: string, letter: Uint8Array): Uint8Array =>
  new Uint8Array((FILES[form] ?? ((file: Buffer) => file))(Buffer.from(letter)));
export const wordsAround = (text: string): string => `Привет! Посмотри:\n\n${text}\n\nСпасибо, Анна\n`;
