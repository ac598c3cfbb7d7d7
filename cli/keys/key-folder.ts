// A volunteer's folder of keys: storage.age, which a passphrase protects, opens signer.age and a file for each week. Beside them lie the
// cards of each season and what the administrator sent, root.pub and keyrings (keyring-folder.ts).
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decrypt } from '../../crypto/age/age.ts';
import { identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { fromUtf8 } from '../../crypto/bytes.ts';
import { parseSigner, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { identityFile, isWrongPassphrase, openIdentityFile } from '../../volunteer/keys/key-files.ts';
import { openWeekFile, weekFileName, weekOfFile } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { readInput } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase, wrongPassphrase } from '../terminal/passphrase.ts';
import { OPENING, withProgress } from '../terminal/progress.ts';
import { visibleLine } from '../terminal/terminal.ts';
import { oddness } from './keyring-folder.ts';
import { named, notThat } from './named.ts';
import { insistOnWholeKeys } from './whole-seasons.ts';

export const STORAGE = 'storage.age';
export const SIGNER = 'signer.age';
export const SIGNER_PUBLIC = 'signer.pub';
/** Where a volunteer's keys are when nothing else is said. */
export const KEY_FOLDER = 'keys';
/** Far above the size of any file in it. */
const KEY_BYTES_MAX = 65_536;
const EXPECTED = { what: 'not a key of this folder', advice: 'give the folder that support-relay volunteer keys made' };

export type Keys = { readonly storage: string; readonly signer: SigningKey };
/** `begin`: the first moment of the week, Unix time, ms. `recipient`: the identity's public half. */
export type OwnWeek = { readonly begin: number; readonly identity: string; readonly recipient: string };
export type OwnKeys = {
  readonly folder: string;
  readonly weeks: readonly OwnWeek[];
  readonly signer: SigningKey;
  readonly signerFile: string;
};

/** The first moments (Unix time, ms) of the weeks that the folder has a file for, in their order. None where there is no folder. */
export async function weeksIn(folder: string): Promise<number[]> {
  const names = await namesIn(folder);
  return names.flatMap((name) => weekOfFile(name) ?? []).sort((a, b) => a - b);
}

export const hasKeys = async (folder: string): Promise<boolean> => (await namesIn(folder)).includes(STORAGE);

/** None where the folder cannot be read: whoever then reads or writes a file in it says why. */
const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch((): string[] => []);

/**
 * Opens everything in the folder with one passphrase. A week file that is not as it should be is named on standard error and passed over.
 * Throws PASSPHRASE_WRONG, INPUT_FORMAT where storage identity or signer are not what their names say, KEYS_HALF.
 */
export async function openKeyFolder(folder: string, io: Io, passphraseFile?: string): Promise<OwnKeys> {
  const { storage, signer } = await openKeys(folder, io, passphraseFile);
  const weeks: OwnWeek[] = [];
  for (const begin of await weeksIn(folder)) {
    const path = join(folder, weekFileName(begin));
    try {
      const identity = await weekIdentity(path, storage);
      weeks.push({ begin, identity, recipient: identityToRecipient(identity) });
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      io.err(`support-relay: ! ${visibleLine(error.message)}; passed over, letters of this week do not open\n`);
    }
  }
  return { folder, weeks, signer, signerFile: join(folder, SIGNER) };
}

async function weekIdentity(path: string, storage: string): Promise<string> {
  const odd = await oddness(path, KEY_BYTES_MAX);
  if (odd !== null) throw notThat(path, EXPECTED, odd);
  const bytes = await readInput(path, 'the week file');
  return named(path, EXPECTED, () => openWeekFile(bytes, storage));
}

/** Opens the storage identity and the signer. Throws as `openKeyFolder`. */
export async function openKeys(folder: string, io: Io, passphraseFile?: string): Promise<Keys> {
  await ready;
  await insistOnWholeKeys(folder, await weeksIn(folder));
  const path = join(folder, STORAGE);
  const file = await readInput(path, 'the storage identity');
  const { bytes, needsPassphrase } = named(path, EXPECTED, () => identityFile(file));
  if (!needsPassphrase) throw notThat(path, EXPECTED, 'it is not protected by a passphrase');
  const passphrase = await existingPassphrase(io, path, passphraseFile);
  const text = await withProgress(io, OPENING, (onProgress) => openIdentityFile(bytes, passphrase, onProgress)).catch((error: unknown) => {
    throw isWrongPassphrase(error) ? wrongPassphrase(path) : error;
  });
  const [storage = ''] = named(path, EXPECTED, () => parseIdentityFile(fromUtf8(text)));
  const signerPath = join(folder, SIGNER);
  const sealed = await readInput(signerPath, 'the signer');
  const signerText = named(signerPath, EXPECTED, () => fromUtf8(decrypt(sealed, [storage])));
  return { storage, signer: await parseSigner(signerText) };
}
