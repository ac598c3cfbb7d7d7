// Making the administrator's folder.
import { join } from 'node:path';
import { encodePublicKey, type SigningKey } from '../../crypto/minisign.ts';
import { passphraseFrom } from '../../crypto/passphrase-forms.ts';
import { ready } from '../../crypto/sodium.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { readInputText } from '../files.ts';
import { makeRootKey, readRootKey } from '../keys/root-key.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase, newPassphrase } from '../terminal/passphrase.ts';
import { PROTECTING, withProgress } from '../terminal/progress.ts';
import { ROOT_PUBLIC } from '../keys/keyring-folder.ts';
import { hasBackupKey, makeBackupKey } from './backup-key.ts';
import { insistOnNoRemains, insistOnRootKey, publicLineOf, ROOT_KEY, STATE, type Folder } from './folder.ts';
import { secretKeyOf, sheetOf } from './sheet.ts';
import { encodeState, firstState } from './state.ts';
import { exists, store } from './store.ts';

export const SHEET = 'sheet.txt';

export type BeginWish = { readonly sheet: string | undefined; readonly passphraseFile: string | undefined; readonly unprotected: boolean };

/** `passphrase`: undefined where the key has none. */
type OpenRootKey = { readonly key: SigningKey; readonly passphrase: string | undefined };

/**
 * Makes the folder in `dir`: a new root key, that of a recovery sheet, or one that lies there as root.key; then root.pub, the key to
 * backups, the sheet, and the state, by which it becomes a folder. What broke off is finished by doing it again. Throws PASSPHRASE_*,
 * SHEET_FORMAT, INPUT_*, OUTPUT_*, FOLDER_DAMAGED when cards or keyrings are there.
 */
export async function beginFolder(dir: string, wish: BeginWish, io: Io): Promise<void> {
  await ready;
  await insistOnNoRemains(dir);
  const path = join(dir, ROOT_KEY);
  const root = await rootKeyFor(path, wish, io);
  await store(join(dir, ROOT_PUBLIC), encodePublicKey(root.key));
  if (!(await hasBackupKey(dir))) await makeBackupKey(dir, root.key, root.passphrase, io);
  await store(join(dir, SHEET), sheetOf(await readInputText(path, 'the root key'), root.key, dayOf(io.now().getTime())), true);
  await store(join(dir, STATE), encodeState(firstState(publicLineOf(root.key))), true);
}

/** Makes the key to backups in a folder that was made before there was one. Throws PASSPHRASE_*, FOLDER_DAMAGED, OUTPUT_FAILED. */
export async function addBackupKey(folder: Folder, passphraseFile: string | undefined, io: Io): Promise<void> {
  const { key, passphrase } = await openedRootKey(join(folder.dir, ROOT_KEY), passphraseFile, io);
  insistOnRootKey(folder, key);
  await makeBackupKey(folder.dir, key, passphrase, io);
}

async function rootKeyFor(path: string, { sheet, passphraseFile, unprotected }: BeginWish, io: Io): Promise<OpenRootKey> {
  if (await exists(path)) {
    io.err('There is a root.key already: the folder is made with it.\n');
    return openedRootKey(path, passphraseFile, io);
  }
  if (sheet !== undefined) {
    await store(path, secretKeyOf(await readInputText(sheet, 'the recovery sheet')), true);
    return openedRootKey(path, passphraseFile, io);
  }
  const passphrase = unprotected ? undefined : await newPassphrase(io, ROOT_KEY, passphraseFile);
  const protection = passphrase === undefined ? {} : { passphrase, logN: io.logN };
  const { key, text } = await withProgress(io, PROTECTING, (onProgress) => makeRootKey({ ...protection, onProgress }));
  await store(path, text, true);
  return { key, passphrase };
}

async function openedRootKey(path: string, passphraseFile: string | undefined, io: Io): Promise<OpenRootKey> {
  let passphrase: string | undefined;
  const ask = async (): Promise<string> => {
    const typed = await existingPassphrase(io, path, passphraseFile);
    passphrase = passphraseFrom(typed);
    return typed;
  };
  const key = await readRootKey(path, ask, io);
  return { key, passphrase };
}
