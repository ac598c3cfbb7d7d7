// Whom a backup is sealed to: the recipient that the administrator signed with the root key. docs/protocol.md, § Backup.
import { checkRecipient } from '../../crypto/age/age.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { sign, verify, type PublicKey, type SigningKey } from '../../crypto/minisign.ts';
import { CliError } from '../errors.ts';
import { readInputText } from '../files.ts';
import { readRootPublicKey } from '../keys/root-key.ts';

/** Beside root.pub: in the administrator's folder, in out/, and in the relay's folder of keyrings. */
export const BACKUP_RECIPIENT = 'backup.recipient';
/** Of a `.minisig` file: two comments, two signatures. */
const SIGNATURE_LINES = 4;

/** The text of the file: the signature, with the file's name as its trusted comment, and the recipient as its last line. */
export function encodeBackupRecipient(recipient: string, root: SigningKey): string {
  const line = `${recipient}\n`;
  return sign(utf8(line), root, BACKUP_RECIPIENT) + line;
}

/** The recipient in such a text. Throws MINISIGN_* unless the root key signed it for this purpose, RECIPIENT_FORMAT when it is unfit. */
export function parseBackupRecipient(text: string, root: PublicKey): string {
  const lines = text.split('\n');
  const recipient = lines.slice(SIGNATURE_LINES).join('\n');
  const purpose = verify(utf8(recipient), `${lines.slice(0, SIGNATURE_LINES).join('\n')}\n`, root);
  if (purpose !== BACKUP_RECIPIENT) throw new CodedError('MINISIGN_FORMAT', 'it was signed for another purpose');
  checkRecipient(recipient.trim());
  return recipient.trim();
}

/** Reads such a file. Throws BACKUP_RECIPIENT when it is missing, or root.pub, in a file of its own, has not signed it. */
export async function readBackupRecipient(path: string, rootPublic: string): Promise<{ text: string; recipient: string }> {
  const root = await readRootPublicKey(rootPublic);
  const text = await readInputText(path, 'the recipient of backups').catch(() => null);
  if (text === null) {
    throw new CliError('BACKUP_RECIPIENT', `${path} is missing`, "copy it there from the folder relay of the administrator's out");
  }
  try {
    return { text, recipient: parseBackupRecipient(text, root) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const what = `${path} does not hold with ${rootPublic}: ${error.message}`;
    throw new CliError('BACKUP_RECIPIENT', what, 'get it from the administrator again; nothing was written');
  }
}
