// Keyrings that are built into a page: given one by one, or as the folder that holds a season's.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chained, type VerifiedKeyring } from '../../crypto/keyring.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import type { SignedKeyring } from '../../web/build/single-file.ts';
import { CliError } from '../errors.ts';
import { readInputText, reason } from '../files.ts';
import { readKeyring } from './keyring.ts';

export const KEYRING_FILE = /^keyring-[1-9]\d{0,9}\.json$/;

/** A keyring as everybody reads it, and as it was signed. */
export type KeyringFile = VerifiedKeyring & { readonly signed: SignedKeyring };

/**
 * Reads keyrings with FILE.minisig beside each; of a folder all `keyring-<serial>.json` in it. Verified before anything is built, so that
 * a failure names the file. By rising serial. Throws INPUT_MISSING for a folder without any, KEYRING_CHAIN or KEYRING_TWICE when they do
 * not fit together, and what `readKeyring` throws.
 */
export async function readKeyringFiles(paths: readonly string[], root: PublicKey): Promise<KeyringFile[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const keyrings: KeyringFile[] = [];
  // One after the other: a folder may hold more of them than files may be open.
  for (const file of files) {
    const signed = {
      json: await readInputText(file, 'the keyring'),
      signature: await readInputText(`${file}.minisig`, "the keyring's signature"),
    };
    keyrings.push({ ...(await readKeyring(file, root)), signed });
  }
  const [unfit] = chained(keyrings).refused;
  if (unfit !== undefined) throw unfit.error;
  return keyrings.toSorted((a, b) => a.keyring.serial - b.keyring.serial);
}

async function filesAt(path: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (!isFolder) return [path];
  const names = await readdir(path).catch((error: unknown) => {
    throw new CliError('INPUT_MISSING', `cannot read ${path}: ${reason(error)}`, 'check the name and the permissions');
  });
  const files = names.filter((name) => KEYRING_FILE.test(name)).map((name) => join(path, name));
  if (files.length > 0) return files;
  throw new CliError('INPUT_MISSING', `no keyring is in ${path}`, 'give the folder that holds keyring-<serial>.json and its .minisig');
}
