// Sealing a backup and opening it. What is in it is never on a disk but in its own place.
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { encryptWithPassphrase, isPassphraseFile } from '../../crypto/age/passphrase.ts';
import { CodedError } from '../../crypto/errors.ts';
import { ready } from '../../crypto/sodium.ts';
import { openIdentityFile, type OnProgress } from '../../volunteer/keys/key-files.ts';
import { CliError, UsageError } from '../errors.ts';
import { readIdentities } from '../keys/identities.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase, wrongPassphrase } from '../terminal/passphrase.ts';
import { OPENING, PROTECTING, withProgress } from '../terminal/progress.ts';
import { packFiles, unpackFiles, type BackupFiles } from './backup-files.ts';

/** Seals a backup to the administrator's recipient. Throws RECIPIENT_FORMAT. */
export async function sealBackup(files: BackupFiles, recipient: string): Promise<Uint8Array> {
  await ready;
  return encrypt(packFiles(files), [recipient]);
}

/** Seals a backup with a passphrase, as `age -p` does. */
export async function protectBackup(files: BackupFiles, passphrase: string, io: Io): Promise<Uint8Array> {
  await ready;
  return withProgress(io, PROTECTING, (onProgress) => encryptWithPassphrase(packFiles(files), passphrase, io.logN, onProgress));
}

export type BackupOpener = {
  /** A file with the identity of backups; undefined where only a passphrase protects the backup. */
  readonly identity: string | undefined;
  readonly passphraseFile: string | undefined;
};

/**
 * Opens a sealed backup. Throws USAGE when an identity is needed and not given, BACKUP_KEY when it is another's, PASSPHRASE_*,
 * BACKUP_FORMAT for what is cut, changed, or no backup. @param name the file's, for messages @param command whose usage it is
 */
export async function openBackup(
  sealed: Uint8Array,
  name: string,
  { identity, passphraseFile }: BackupOpener,
  io: Io,
  command: string,
): Promise<BackupFiles> {
  await ready;
  if (isPassphraseFile(sealed)) {
    const passphrase = await existingPassphrase(io, name, passphraseFile);
    const open = (onProgress: OnProgress): Promise<Uint8Array> => openIdentityFile(sealed, passphrase, onProgress);
    return unpackFiles(await withProgress(io, OPENING, open).catch(rethrow(name, wrongPassphrase(name))), name);
  }
  if (identity === undefined) throw new UsageError(`${name} is sealed to the administrator: --identity is missing`, command);
  const identities = await readIdentities([identity], io, passphraseFile);
  const another = new CliError('BACKUP_KEY', `${identity} does not open ${name}`, 'take the identity to whose recipient it was sealed');
  const open = async (): Promise<Uint8Array> => decrypt(sealed, identities);
  return unpackFiles(await open().catch(rethrow(name, another)), name);
}

/** Says of an error of age what it means for the backup in `name`. @param noMatch where nothing that was given opens it */
function rethrow(name: string, noMatch: CliError): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof CodedError)) throw error;
    if (error.code === 'AGE_NO_MATCH') throw noMatch;
    throw new CliError('BACKUP_FORMAT', `${name} is cut or was changed: ${error.message}`, 'take another copy of it; nothing was written');
  };
}
