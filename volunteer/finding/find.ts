// Finds letters in whatever a volunteer was sent. Shared by the command line and the desk.
import { CodedError } from '../../crypto/errors.ts';
import { damaged, type Found } from './found.ts';
import { Search } from './search.ts';

export type { Found };

/** More than any message of ours holds. A message that was made to keep a volunteer busy is read no further. */
const LETTERS_MAX = 64;

/**
 * The letters that a file or a message holds, each once; damaged ones; and what could not be read (see search.ts). Of more than 64 letters
 * it gives the first 64, and LETTERS_TOO_MANY. An empty list means that all of it was read and there is no letter in it. `name`: the
 * name of the file.
 */
export async function findLetters(bytes: Uint8Array, name = ''): Promise<Found[]> {
  // No message is empty: saving it broke off, and nobody knows what was in it.
  if (bytes.length === 0) return [damaged(bytes, 'file', new CodedError('LETTER_STRUCTURE', 'the file is empty'))];
  const search = new Search();
  await search.read({ name: name.replace(/^.*[/\\]/s, ''), bytes, isGiven: true });
  const letters = search.found.filter(({ kind }) => kind === 'letter');
  const others = search.found.filter(({ kind }) => kind !== 'letter');
  if (Math.max(letters.length, others.length) <= LETTERS_MAX) return search.found;
  const error = new CodedError('LETTERS_TOO_MANY', `more than ${String(LETTERS_MAX)} letters`);
  return [...letters.slice(0, LETTERS_MAX), ...others.slice(0, LETTERS_MAX), damaged(new Uint8Array(), 'file', error)];
}
