// out/: what is carried to the relay, to the worker and to the volunteers.
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { encodePublicKey } from '../../crypto/minisign.ts';
import { ROOT_PUBLIC } from '../keys/keyring-folder.ts';
import { BACKUP_RECIPIENT } from '../operating/backup-recipient.ts';
import { diverged, keyringName, readHeldKeyring, serialOf, storeKeyring, type Folder } from './folder.ts';
import { namesIn, store } from './store.ts';
import { stretchesOf } from './weeks.ts';

export const OUT = 'out';
export const PLACES = ['relay', 'worker', 'volunteers'] as const;

/**
 * Throws FOLDER_DIVERGED when `out` holds a keyring of this root key that the folder does not know: another stick has signed since, and the
 * same serial must never be signed twice.
 */
export async function checkOut({ root, keyrings }: Folder, out: string): Promise<void> {
  const known = new Set(keyrings.map(({ digest }) => digest));
  for (const path of await keyringsIn(out)) {
    const keyring = await readHeldKeyring(path, root).catch(() => null);
    if (keyring !== null && !known.has(keyring.digest)) throw diverged(`${path} is a keyring that this folder does not know`);
  }
}

/**
 * Puts the keyrings that count from `now` on (Unix time, ms) into each place, with root.pub, and for the operator the recipient of backups;
 * takes away every other keyring that lies there. Returns their serials. Throws as `checkOut`, OUTPUT_FAILED.
 */
export async function writeOut(folder: Folder, out: string, now: number): Promise<number[]> {
  await checkOut(folder, out);
  const counting = stretchesOf(folder.keyrings).filter(({ until }) => until > now);
  const wanted = new Set(counting.map(({ signed }) => keyringName(signed.keyring.serial)));
  for (const place of PLACES) {
    const path = join(out, place);
    await store(join(path, ROOT_PUBLIC), encodePublicKey(folder.root));
    for (const { signed } of counting) await storeKeyring(path, signed);
    if (place !== 'volunteers' && folder.backupRecipient !== null) await store(join(path, BACKUP_RECIPIENT), folder.backupRecipient);
    for (const name of await namesIn(path)) {
      const keyring = name.replace(/\.minisig(?:\.part)?$|\.part$/, '');
      const isLeft = serialOf(keyring) !== null && (!wanted.has(keyring) || name.endsWith('.part'));
      if (isLeft) await rm(join(path, name), { force: true });
    }
  }
  return counting.map(({ signed }) => signed.keyring.serial);
}

async function keyringsIn(out: string): Promise<string[]> {
  const paths: string[] = [];
  for (const place of PLACES) {
    for (const name of await namesIn(join(out, place))) if (serialOf(name) !== null) paths.push(join(out, place, basename(name)));
  }
  return paths;
}
