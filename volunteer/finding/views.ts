// One text as several programs may have coded it. Each takes a time that grows no faster than the text.

/** Those that stand within a line; any other tag of HTML ends it. */
const INLINE_TAG = /<\/?(?:a|abbr|b|big|code|em|font|i|ins|mark|s|small|span|strong|tt|u|wbr)\b[^<>]*>/gi;
/** What armor has, and what comes between, of the characters that some programs write by name. */
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

/** Enough of HTML for armor; not for showing it. */
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

/** As in an address: `%20` for a blank. */
export function percentText(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

/** As within quotation marks of JSON and of many programs. */
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

/** The text as it is, and as it reads in each coding that it may have. */
export function viewsOf(text: string): string[] {
  return [text, ...VIEWS.filter(({ isLikely }) => isLikely.test(text)).map(({ read }) => read(text))];
}
