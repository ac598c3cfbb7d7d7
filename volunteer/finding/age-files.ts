// Finds letters that are files, also with something before or after them, or after a program took them for text.
import { CodedError } from '../../crypto/errors.ts';
import { LETTER_BYTES } from '../../crypto/letter.ts';
import { asciiOf, fromAscii } from './coding.ts';
import { damaged, letterAt, structureOf, type Found } from './found.ts';

const MAGIC = 'age-encryption.org/v1';
/** A header's first line and the beginning of its second: a text that only mentions the format does not have both. */
const HEADER = /age-encryption\.org\/v1\r?\n-> /g;
/** What an editor may put before a file. */
const BEFORE = /^(?:\u00ef\u00bb\u00bf|[\s\0]){0,16}/;
const FILES_MAX = 200;
const LINE_END_BYTES_MAX = 2;

/** Whether it begins as an age file does, after a byte order mark or blanks if there are any. */
export function beginsAsAgeFile(bytes: Uint8Array): boolean {
  const start = asciiOf(bytes.subarray(0, 64));
  return start.slice(BEFORE.exec(start)?.[0].length ?? 0).startsWith(MAGIC);
}

/** Every age file that is stored contiguously within `bytes`, as a letter or as damaged. */
export function ageFilesIn(bytes: Uint8Array): { found: Found[]; isCutShort: boolean } {
  const found: Found[] = [];
  const text = asciiOf(bytes);
  const starts: number[] = [];
  for (const { index } of text.matchAll(HEADER)) {
    starts.push(index);
    if (starts.length > FILES_MAX) break;
  }
  for (const [order, start] of starts.slice(0, FILES_MAX).entries()) {
    const file = bytes.subarray(start, starts[order + 1] ?? bytes.length);
    const isExact = file.length === LETTER_BYTES;
    const letter = isExact ? letterAt(file) : (mended(file) ?? letterAt(file));
    found.push(
      letter === null
        ? damaged(file, 'file', structureOf(file) ?? new CodedError('LETTER_STRUCTURE', 'it is damaged'))
        : { kind: 'letter', bytes: letter, via: 'file', isGuess: !isExact },
    );
  }
  return { found, isCutShort: starts.length > FILES_MAX };
}

/**
 * The letter as it was before a program converted its line ends, or took its bytes for characters; null unless that gives a letter, of a
 * letter's length.
 */
function mended(file: Uint8Array): Uint8Array | null {
  const hasReturns = asciiOf(file.subarray(0, MAGIC.length + 1)).endsWith('\r');
  const bytes = hasReturns ? withoutReturns(file) : fromCharacters(file);
  return bytes !== null && bytes.length <= LETTER_BYTES + LINE_END_BYTES_MAX ? letterAt(bytes) : null;
}

function withoutReturns(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, at) => byte !== 0x0d || bytes[at + 1] !== 0x0a);
}

/** Undoes a conversion of each byte to the character U+0000 to U+00FF, in UTF-8; null when there was none. */
function fromCharacters(bytes: Uint8Array): Uint8Array | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.length < bytes.length ? fromAscii(text) : null;
  } catch {
    return null;
  }
}
