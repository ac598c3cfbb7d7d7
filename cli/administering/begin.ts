// Making the administrator's folder.
import { join } from 'node:path';
import { encodePublicKey, type SigningKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { readInputText } from '../files.ts';
import { makeRootKey, readRootKey } from '../keys/root-key.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase, newPassphrase } from '../terminal/passphrase.ts';
import { PROTECTING, withProgress } from '../terminal/progress.ts';
import { ROOT_PUBLIC } from '../keys/keyring-folder.ts';
import { insistOnNoRemains, publicLineOf, ROOT_KEY, STATE } from './folder.ts';
import { secretKeyOf, sheetOf } from './sheet.ts';
import { encodeState, firstState } from './state.ts';
import { exists, store } from './store.ts';

export const SHEET = 'sheet.txt';

export type BeginWish = { readonly sheet: string | undefined; readonly passphraseFile: string | undefined; readonly unprotected: boolean };

/**
 * Makes the folder in `dir`: a new root key, that of a recovery sheet, or one that lies there as root.key; then root.pub, the sheet, and
 * the state, by which it becomes a folder. What broke off is finished by doing it again. Throws PASSPHRASE_*, SHEET_FORMAT, INPUT_*,
 * OUTPUT_*, FOLDER_DAMAGED when cards or keyrings are there.
 */
export async function beginFolder(dir: string, wish: BeginWish, io: Io): Promise<SigningKey> {
  await ready;
  await insistOnNoRemains(dir);
  const path = join(dir, ROOT_KEY);
  const open = (): Promise<SigningKey> => readRootKey(path, () => existingPassphrase(io, path, wish.passphraseFile), io);
  let key: SigningKey;
  if (await exists(path)) {
    io.err('There is a root.key already: the folder is made with it.\n');
    key = await open();
  } else if (wish.sheet === undefined) {
    const protection = wish.unprotected ? {} : { passphrase: await newPassphrase(io, ROOT_KEY, wish.passphraseFile), logN: io.logN };
    const made = await withProgress(io, PROTECTING, (onProgress) => makeRootKey({ ...protection, onProgress }));
    key = made.key;
    await store(path, made.text, true);
  } else {
    await store(path, secretKeyOf(await readInputText(wish.sheet, 'the recovery sheet')), true);
    key = await open();
  }
  await store(join(dir, ROOT_PUBLIC), encodePublicKey(key));
  await store(join(dir, SHEET), sheetOf(await readInputText(path, 'the root key'), key, dayOf(io.now().getTime())), true);
  await store(join(dir, STATE), encodeState(firstState(publicLineOf(key))), true);
  return key;
}
