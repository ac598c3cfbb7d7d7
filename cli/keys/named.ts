import { CodedError } from '../../crypto/errors.ts';
import { CliError } from '../errors.ts';

/** What a file should be, and what to give in its place: "no identity file". */
export type FileMeant = { readonly what: string; readonly advice: string };

/** Throws INPUT_FORMAT, with the file's name, for any CodedError of `read`: several files may have been given. */
export function named<T>(path: string, expected: FileMeant, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw notThat(path, expected, error.message);
  }
}

export function notThat(path: string, { what, advice }: FileMeant, why: string): CliError {
  return new CliError('INPUT_FORMAT', `${path} is ${what}: ${why}`, advice);
}
