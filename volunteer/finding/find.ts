// Finds letters in whatever a volunteer was sent. The same on a command line and in a browser.
import { CodedError } from '../../crypto/errors.ts';
import { damaged, type Found } from './found.ts';
import { Search } from './search.ts';

export type { Found };

/** More than any message of ours holds; a message made to keep a volunteer busy stops here. */
const LETTERS_MAX = 64;

/**
 * The letters that a file or a message holds, each once, what in it is a letter no more, and what could not be read (see
 * search.ts). Of more than 64 the first, and LETTERS_TOO_MANY. Nothing: it was read to its end and there is no letter in it.
 * `name`: what the file is called.
 */
export async function findLetters(bytes: Uint8Array, name = ''): Promise<Found[]> {
  // No message is empty: saving it broke off, and nobody knows what stood in it.
  if (bytes.length === 0) return [damaged(bytes, 'file', new CodedError('LETTER_STRUCTURE', 'the file is empty'))];
  const search = new Search();
  await search.read({ name: name.replace(/^.*[/\\]/s, ''), bytes, isGiven: true });
  const letters = search.found.filter(({ kind }) => kind === 'letter');
  const others = search.found.filter(({ kind }) => kind !== 'letter');
  if (Math.max(letters.length, others.length) <= LETTERS_MAX) return search.found;
  const error = new CodedError('LETTERS_TOO_MANY', `more than ${String(LETTERS_MAX)} letters`);
  return [...letters.slice(0, LETTERS_MAX), ...others.slice(0, LETTERS_MAX), damaged(new Uint8Array(), 'file', error)];
}
