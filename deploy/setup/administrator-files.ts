// The administrator's files: root.pub and keyrings, made elsewhere. Nothing is taken that does not verify.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../../cli/errors.ts';
import { KEYRING_FILE, readKeyringFiles, type KeyringFile } from '../../cli/keys/keyring-files.ts';
import { readRootPublicKey } from '../../cli/keys/root-key.ts';
import { BACKUP_RECIPIENT, readBackupRecipient } from '../../cli/operating/backup-recipient.ts';
import { toHex } from '../../crypto/bytes.ts';
import { chained } from '../../crypto/keyring.ts';
import { encodePublicKey, type PublicKey } from '../../crypto/minisign.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { replaceFile } from '../state/folders.ts';
import type { Layout } from '../state/layout.ts';

/** A relay that runs as another user than root, whose the folder is, has to read them. */
const PUBLIC = 0o644;

/** As `support-relay show root.pub` has it. */
export const fingerprintOf = (root: PublicKey): string => fingerprint(toHex(root.key));

/** The root key that is there, or null. Throws INPUT_FORMAT when it is anything else. */
export async function rootOf(layout: Layout): Promise<PublicKey | null> {
  return existsSync(layout.rootKey) ? readRootPublicKey(layout.rootKey) : null;
}

/** Takes a root.pub. Throws ROOT_KEY_DIFFERS when there is another one: whoever could exchange it would decide who the volunteers are. */
export async function installRoot(layout: Layout, file: string): Promise<PublicKey> {
  const [given, before] = [await readRootPublicKey(file), await rootOf(layout)];
  if (before !== null && toHex(before.key) !== toHex(given.key)) {
    throw new CliError(
      'ROOT_KEY_DIFFERS',
      `${file} is another root key (${fingerprintOf(given)}) than the one here (${fingerprintOf(before)})`,
      `ask the administrator which is right. If it was made anew, empty ${layout.keyrings} first; nothing was changed`,
    );
  }
  if (before === null) await replaceFile(layout.rootKey, encodePublicKey(given), PUBLIC);
  return given;
}

/**
 * Takes the recipient of backups from a folder that has one. Throws BACKUP_RECIPIENT unless the root key signed it.
 * @returns whether it was not here already
 */
async function installBackupRecipient(layout: Layout, folder: string): Promise<boolean> {
  if (!existsSync(join(folder, BACKUP_RECIPIENT))) return false;
  const { text } = await readBackupRecipient(join(folder, BACKUP_RECIPIENT), layout.rootKey);
  return replaceFile(join(layout.keyrings, BACKUP_RECIPIENT), text, PUBLIC);
}

/** The keyrings that are there. Throws what is wrong with one of them. */
export async function keyringsOf(layout: Layout, root: PublicKey): Promise<KeyringFile[]> {
  const names = await readdir(layout.keyrings);
  return names.some((name) => KEYRING_FILE.test(name)) ? readKeyringFiles([layout.keyrings], root) : [];
}

/** `added`: the keyrings that were not here yet. `hasNewRecipient`: backups are from now on sealed to another recipient than before. */
export type InstalledKeyrings = { readonly added: readonly KeyringFile[]; readonly hasNewRecipient: boolean };

/** Takes what is in a folder of keyrings. Throws what is wrong with one, or with all of them together, before any is taken. */
export async function installKeyrings(layout: Layout, folder: string, root: PublicKey): Promise<InstalledKeyrings> {
  const [given, before] = [await readKeyringFiles([folder], root), await keyringsOf(layout, root)];
  const added = given.filter(({ digest }) => !before.some((each) => each.digest === digest));
  const [unfit] = chained([...before, ...added]).refused;
  if (unfit !== undefined) throw unfit.error;
  const hasNewRecipient = await installBackupRecipient(layout, folder);
  for (const { keyring, signed } of added) {
    const file = layout.keyringFile(keyring.serial);
    await replaceFile(`${file}.minisig`, signed.signature, PUBLIC);
    await replaceFile(file, signed.json, PUBLIC);
  }
  return { added, hasNewRecipient };
}
