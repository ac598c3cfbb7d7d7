import { findLetters, type Found } from '../../volunteer/finding/find.ts';
import { CliError } from '../errors.ts';

export type { Found };

/** The letters in a file (volunteer/finding/find.ts). Throws LETTER_MISSING when there is none. */
export async function insistOnLetters(bytes: Uint8Array, name: string): Promise<Found[]> {
  const letters = await findLetters(bytes, name);
  if (letters.length > 0) return letters;
  throw new CliError('LETTER_MISSING', 'there is no letter in it, only ordinary text', 'move it out of the way');
}
