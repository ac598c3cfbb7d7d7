import { findLetters as findAny, type Found } from '../../volunteer/finding/find.ts';
import { CliError } from '../errors.ts';

export type { Found };

/** As volunteer/finding/find.ts, but a file without any letter is a failure. Throws LETTER_MISSING when there is none. */
export async function insistOnLetters(bytes: Uint8Array, name: string): Promise<Found[]> {
  const letters = await findAny(bytes, name);
  if (letters.length === 0) throw new CliError('LETTER_MISSING', 'there is no letter in it, only ordinary words', 'move it out of the way');
  return letters;
}
