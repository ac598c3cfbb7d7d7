// Reads files that somebody gives to a build; our own sources need none of this.
import { MAX_KEYRING_BYTES } from '../../crypto/keyring.ts';
import { textOf } from '../../crypto/text-file.ts';
import { FileError, readRegularFile } from '../../runtime/files.ts';

/** At most as many bytes as a keyring may have. Throws FileError with the file's name and what the system says. */
export async function readGiven(file: string): Promise<Buffer> {
  return readRegularFile(file, MAX_KEYRING_BYTES).catch((error: unknown) => {
    throw error instanceof FileError ? new FileError(error.code, `${file}: ${error.message}`) : error;
  });
}

/** A text that people and their editors may have touched. */
export async function readGivenText(file: string): Promise<string> {
  return textOf(await readGiven(file));
}
