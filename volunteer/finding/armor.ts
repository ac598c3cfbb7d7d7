// Reads armor as mail programs and people leave it: quoted, re-wrapped, joined, its dashes made typographic. Everything between the
// markers that is not base64 is dropped; whether the letter is intact, its MAC decides when it is opened. crypto/age/armor.ts is the
// strict reader.
import { CodedError } from '../../crypto/errors.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { fromAscii } from './coding.ts';
import { damaged, letterAt, structureOf, type Found, type FoundLetter } from './found.ts';
import { jsonText, quotedPrintableText } from './views.ts';

/** How many base64 characters hold a letter; what follows them is padding. */
const LETTER_CHARACTERS = Math.ceil((LETTER_BYTES * 8) / 6);
/** How much text may stand for one letter, with whatever was put around each of its characters. */
const BLOCK_CHARACTERS_MAX = 12 * LETTER_CHARACTERS;
/** Attempts in one text; more than the letters that are read at all. */
const BLOCKS_MAX = 200;

/** What may stand between the words of a marker: blanks, line breaks, quoting marks. Bounded, so that the search stays linear. */
const GAP = '[^A-Za-z0-9]{0,40}';
const MARKER = new RegExp(['(BEGIN|END)', 'AGE', 'ENCRYPTED', 'FILE'].join(GAP), 'gi');
/** Hyphens, dashes, minus signs, box-drawing lines, and the low bytes of en and em dash in UTF-16. */
const DASH = /[-_=~*\u2010-\u2015\u2043\u2212\u2500\u2501\u2e3a\u2e3b\ufe58\ufe63\uff0d\u0013\u0014]/;
const DASH_REACH = 6;
/** A longer beginning of a line is not the name of somebody who is quoted. */
const QUOTING_CHARACTERS_MAX = 100;
const UNSEEN = /[\0\u00ad\u200b-\u200f\u2060\ufeff]/g;
/** "age-encryption.org", with which an age file begins, in base64. */
const BASE64_MAGIC = 'YWdlLWVuY3J5cHRpb24ub3Jn';
const BASE64_RUN = /[A-Za-z0-9+/]{24}/;
/** What stands between the markers in "Copy from -----BEGIN AGE ENCRYPTED FILE----- to -----END …": text about letters, not a letter. */
const PROSE = /^[^\n\r]{1,80}$/;

type Region = { readonly start: number; readonly end: number };
type Marker = { readonly isBegin: boolean; readonly start: number; readonly end: number; readonly hasDashes: boolean };

/** Every armored letter of a text, also one without its markers, and as damaged what begins as one and is not whole. In linear time. */
export function armoredLetters(given: string): { found: Found[]; isCutShort: boolean } {
  const text = given.replace(UNSEEN, '');
  const all = markersOf(text);
  const markers = all.slice(0, 2 * BLOCKS_MAX);
  const found: Found[] = [];
  const read: Region[] = [];
  const ends: number[] = [];
  for (const [index, marker] of markers.entries()) {
    const next = markers[index + 1];
    if (!marker.isBegin) {
      if (markers[index - 1]?.isBegin !== true && marker.hasDashes && endsLetter(text, marker)) ends.push(marker.start);
      continue;
    }
    const end = Math.min(next?.start ?? text.length, marker.end + BLOCK_CHARACTERS_MAX);
    const block = text.slice(marker.end, end);
    const isClosed = next !== undefined && !next.isBegin;
    const letter = readBlock(block, quotingAt(text, marker.start));
    if (letter !== null) found.push(letter);
    else if (marker.hasDashes && !(isClosed && isProse(block))) found.push(broken(block, isClosed));
    else continue;
    read.push({ start: marker.start, end });
  }
  const bare = bareLetters(text, read);
  // A letter with only its end marker may still have been read whole, as bare base64.
  const lost = ends.filter((end) => !bare.read.some((region) => region.start < end && end <= region.end));
  found.push(...lost.map(() => damaged(new Uint8Array(), 'text', malformed('its beginning is missing'))));
  return { found: [...found, ...bare.found], isCutShort: all.length > markers.length || bare.isCutShort };
}

function isProse(block: string): boolean {
  return PROSE.test(block.trim()) && !BASE64_RUN.test(block);
}

function markersOf(text: string): Marker[] {
  const markers: Marker[] = [];
  for (const { 0: word, 1: which = '', index } of text.matchAll(MARKER)) {
    const end = index + word.length;
    const around = text.slice(Math.max(0, index - DASH_REACH), index) + text.slice(end, end + DASH_REACH);
    markers.push({ isBegin: which.toUpperCase() === 'BEGIN', start: index, end, hasDashes: DASH.test(around) });
    if (markers.length > 2 * BLOCKS_MAX) break;
  }
  return markers;
}

/** Whether base64 stands before an end marker, as it does not where a text only mentions one. */
function endsLetter(text: string, { start }: Marker): boolean {
  return BASE64_RUN.test(text.slice(Math.max(0, start - 200), start));
}

/** Letters in base64 outside of markers, as in the source of a mail that was copied into another. */
function bareLetters(text: string, read: readonly Region[]): { found: Found[]; read: Region[]; isCutShort: boolean } {
  const [found, tried]: [Found[], Region[]] = [[], []];
  let attempts = 0;
  let block = 0;
  for (let at = text.indexOf(BASE64_MAGIC); at !== -1; at = text.indexOf(BASE64_MAGIC, at + 1)) {
    while ((read[block]?.end ?? Infinity) <= at) block += 1;
    if ((read[block]?.start ?? Infinity) <= at) continue;
    attempts += 1;
    if (attempts > BLOCKS_MAX) return { found, read: tried, isCutShort: true };
    const end = text.indexOf(BASE64_MAGIC, at + 1);
    const piece = text.slice(at, Math.min(end === -1 ? text.length : end, at + BLOCK_CHARACTERS_MAX));
    tried.push({ start: at, end: at + piece.length });
    const letter = readBlock(piece, quotingAt(text, at));
    found.push(letter ?? broken(piece, false));
  }
  return { found, read: tried, isCutShort: false };
}

/** The quoting before a marker or a letter's first line, such as `> ` or a name. */
function quotingAt(text: string, at: number): string {
  const line = text.slice(Math.max(at - QUOTING_CHARACTERS_MAX, text.lastIndexOf('\n', at) + 1), at);
  return line.replace(/[^A-Za-z0-9>|:)\].]+$/, '');
}

/** `quoting`: what stands before the marker on its line, and so perhaps before every other line. */
function readBlock(block: string, quoting: string): FoundLetter | null {
  let guess: FoundLetter | null = null;
  for (const reading of READINGS) {
    const characters = reading(block, quoting)?.replace(/[^A-Za-z0-9+/]+/g, '') ?? '';
    const letter = characters.length < LETTER_CHARACTERS ? null : letterAt(bytesOf(characters.slice(0, LETTER_CHARACTERS)));
    if (letter === null) continue;
    if (characters.length === LETTER_CHARACTERS) return { kind: 'letter', bytes: letter, via: 'text' };
    // Its header is intact, but what follows may contain something that is not the letter's.
    guess ??= { kind: 'letter', bytes: letter, via: 'text', isGuess: true };
  }
  return guess;
}

/** Ways to read a block, the most common first; null where one does not apply. Only a result with a letter's structure is taken. */
const READINGS: readonly ((block: string, quoting: string) => string | null)[] = [
  (block) => block,
  (block, quoting) =>
    /[A-Za-z0-9+/]/.test(quoting)
      ? block
          .split('\n')
          .map((line) => (line.startsWith(quoting) ? line.slice(quoting.length) : line))
          .join('\n')
      : null,
  (block) => (block.includes('=') ? quotedPrintableText(block) : null),
  (block) => (block.includes('\\') ? jsonText(block) : null),
  // Numbered lines, then initials of whoever is quoted, then the time and name that a messenger puts before each piece.
  (block) => block.replace(/^[^\S\n]{0,9}\d{1,5}[^\S\n]{0,4}[:.)|\]]?[^\S\n]{1,9}/gm, ''),
  (block) => block.replace(/^[^\n>|]{0,40}[>|]+/gm, ''),
  (block) =>
    block
      .split(/\r\n?|\n/)
      .filter((line) => /^[\s>|]*[A-Za-z0-9+/]+=*[\s\\]*$/.test(line))
      .join('\n'),
];

/** Keeps what can be read, which tells whether it is a copy of a letter that is whole. */
function broken(block: string, isClosed: boolean): Found {
  const bytes = bytesOf(block.replace(/[^A-Za-z0-9+/]+/g, '').slice(0, LETTER_CHARACTERS));
  if (isClosed && bytes.length > 0) return damaged(bytes, 'text', structureOf(bytes) ?? malformed('it is another'));
  return damaged(bytes, 'text', malformed(bytes.length === 0 ? 'it is empty' : 'it breaks off'));
}

const malformed = (what: string): CodedError => new CodedError('AGE_ARMOR', `not a whole armored letter: ${what}`);

/** The whole bytes that characters of base64 give. */
export function bytesOf(characters: string): Uint8Array {
  // A single leftover character holds no whole byte.
  const whole = characters.length % 4 === 1 ? characters.slice(0, -1) : characters;
  return fromAscii(atob(whole));
}
