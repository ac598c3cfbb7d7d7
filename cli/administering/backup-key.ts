// The key to backups of the relay: its identity stays in the administrator's folder, its recipient goes to the operator, signed.
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { utf8 } from '../../crypto/bytes.ts';
import type { SigningKey } from '../../crypto/minisign.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { BACKUP_RECIPIENT, encodeBackupRecipient } from '../operating/backup-recipient.ts';
import type { OnProgress } from '../../volunteer/keys/key-files.ts';
import { readIdentities } from '../keys/identities.ts';
import type { Io } from '../terminal/io.ts';
import { PROTECTING, withProgress } from '../terminal/progress.ts';
import { exists, store } from './store.ts';

export const BACKUP_IDENTITY = 'backup.identity';

/** True when the folder has both halves. */
export async function hasBackupKey(dir: string): Promise<boolean> {
  return (await exists(join(dir, BACKUP_IDENTITY))) && (await exists(join(dir, BACKUP_RECIPIENT)));
}

/**
 * Makes what is missing of it, the identity first: no recipient is there whose identity is not, and an identity is never made twice.
 * Throws OUTPUT_FAILED, and as `readIdentities`. @param passphrase that of root.key, so that there is one to remember; undefined where
 * that has none
 */
export async function makeBackupKey(dir: string, root: SigningKey, passphrase: string | undefined, io: Io): Promise<void> {
  const path = join(dir, BACKUP_IDENTITY);
  const identity = (await exists(path)) ? await identityIn(path, io) : await newIdentity(path, passphrase, io);
  await store(join(dir, BACKUP_RECIPIENT), encodeBackupRecipient(identityToRecipient(identity), root));
}

async function identityIn(path: string, io: Io): Promise<string> {
  const [identity = ''] = await readIdentities([path], io);
  return identity;
}

async function newIdentity(path: string, passphrase: string | undefined, io: Io): Promise<string> {
  const identity = generateIdentity();
  const text = utf8(`# created: ${dayOf(io.now().getTime())}\n# opens backups of the relay\n${identity}\n`);
  const work = (onProgress: OnProgress): Promise<Uint8Array> => encryptWithPassphrase(text, passphrase ?? '', io.logN, onProgress);
  await store(path, passphrase === undefined ? text : await withProgress(io, PROTECTING, work), true);
  return identity;
}
