// Decodes a text in each way in which a program may have coded it. Every one takes linear time.

/** Tags that stand within a line; any other tag of HTML ends the line. */
const INLINE_TAG = /<\/?(?:a|abbr|b|big|code|em|font|i|ins|mark|s|small|span|strong|tt|u|wbr)\b[^<>]*>/gi;
/** Characters that some programs write by name, as far as they occur in armor or between its lines. */
const NAMED_CHARACTERS: Readonly<Record<string, string>> = {
  amp: '&',
  gt: '>',
  lt: '<',
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  plus: '+',
  sol: '/',
  equals: '=',
  newline: '\n',
  tab: '\t',
  hyphen: '-',
  dash: '-',
  minus: '-',
  ndash: '-',
  mdash: '-',
  horbar: '-',
  shy: '',
  zwj: '',
  zwnj: '',
};

/** The text of HTML, well enough for finding armor, not for showing it. */
export function htmlText(html: string): string {
  return entityText(html.replace(INLINE_TAG, '').replace(/<[^<>]*>/g, '\n'));
}

function entityText(text: string): string {
  return text
    .replace(/&#(\d{2,7});?/g, (_, code: string) => character(Number(code)))
    .replace(/&#x([\da-f]{2,6});?/gi, (_, code: string) => character(parseInt(code, 16)))
    .replace(/&(\w{2,7});/g, (entity, name: string) => NAMED_CHARACTERS[name.toLowerCase()] ?? entity);
}

export function quotedPrintableText(text: string): string {
  return text.replace(/=[ \t]*\r?\n/g, '').replace(/=([\dA-F]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

/** Percent-encoding, as in a URL: `%20` for a blank. */
export function percentText(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

/** Backslash escapes, as in a string of JSON or of a program. */
export function jsonText(text: string): string {
  return text
    .replace(/\\u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replace(/\\[nrt]/g, '\n')
    .replace(/\\(.)/g, '$1');
}

/** Rich text: control words, groups and coded characters left out. */
export function richText(text: string): string {
  return text
    .replace(/\\u(-?\d{1,5}) ?\??/g, (_, code: string) => character(Number(code) & 0xffff))
    .replace(/\\'([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replace(/\\(?:emdash|endash|_) ?/g, '-')
    .replace(/\\[a-z]{1,32}(?:-?\d{1,10})? ?/gi, '\n')
    .replace(/\\[^a-z\d]/gi, '')
    .replace(/[{}]/g, '');
}

function character(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}

type View = { readonly isLikely: RegExp; readonly read: (text: string) => string };

const VIEWS: readonly View[] = [
  { isLikely: /<[a-z!/]|&#|&\w{2,7};/i, read: htmlText },
  { isLikely: /=\r?\n|=[0-9A-F]{2}/i, read: (text) => htmlText(quotedPrintableText(text)) },
  { isLikely: /(?:%2d|%20|\+)AGE(?:%20|\+)/i, read: percentText },
  { isLikely: /\\[nrt"/]|\\u00/, read: (text) => htmlText(jsonText(text)) },
  { isLikely: /\{\\rtf\d/, read: (text) => htmlText(richText(text)) },
];

/** The text as it is, and decoded in each way that it may be coded. */
export function viewsOf(text: string): string[] {
  return [text, ...VIEWS.filter(({ isLikely }) => isLikely.test(text)).map(({ read }) => read(text))];
}
