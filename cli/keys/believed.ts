// Which keyrings a command believes: those that are given, and those in the folder of keys.
import { stat } from 'node:fs/promises';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { UsageError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { hasKeys, KEY_FOLDER } from './key-folder.ts';
import { fitting, foundIn, rootKeyIn, verifiedByOneOf, type FoundKeyring } from './keyring-folder.ts';
import { readRootPublicKey } from './root-key.ts';

/** `keyrings`: null when there was no root key to check any against. `roots`: the root keys given, and that of the folder. */
export type Believed = { readonly roots: readonly PublicKey[]; readonly keyrings: readonly VerifiedKeyring[] | null };

type KeyringValues = { keyring?: string[] | undefined; 'root-key'?: string[] | undefined };

/** The folder of keys: that of `--keys`, or `keys` where it is here and no `--identity` is given. Throws USAGE when `--keys` is empty. */
export async function folderFrom(
  { keys, identity }: { keys?: string | undefined; identity?: string[] | undefined },
  command: string,
): Promise<string | undefined> {
  if (keys === '') throw new UsageError('--keys is missing its folder', command);
  if (keys !== undefined || identity !== undefined) return keys;
  return (await hasKeys(KEY_FOLDER)) ? KEY_FOLDER : undefined;
}

/**
 * The keyrings given, each of which has to verify and to fit to the others, and those in the folder that do. Throws USAGE when a keyring
 * is given and no root key, INPUT_FORMAT when a root key is none, MINISIGN_*, KEYRING_* for a keyring that is given.
 */
export async function believedBy(values: KeyringValues, folder: string | undefined, io: Io, command: string): Promise<Believed> {
  const { keyring: files = [], 'root-key': rootKeys = [] } = values;
  if (folder === undefined && files.length === 0 && rootKeys.length > 0) {
    throw new UsageError('--root-key checks a --keyring, but none is given', command);
  }
  const own = folder === undefined ? null : await rootKeyIn(folder);
  const roots = [...(await Promise.all(rootKeys.map(readRootPublicKey))), ...(own === null ? [] : [own])];
  if (files.length > 0 && roots.length === 0) throw new UsageError('--keyring needs --root-key', command);
  if (roots.length === 0) return { roots, keyrings: null };
  const found: FoundKeyring[] = [];
  for (const file of files) found.push(...((await isFolder(file)) ? await foundIn(file, roots, io) : [await verifiedByOneOf(file, roots)]));
  if (folder !== undefined) found.push(...(await foundIn(folder, roots, io)));
  return { roots, keyrings: fitting(found, io, files) };
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
