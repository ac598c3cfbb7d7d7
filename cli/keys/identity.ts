import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import type { OnProgress } from '../../volunteer/keys/key-files.ts';
import { writeNewFiles } from '../files.ts';

export type NewIdentity = { file: string; recipient: string };

/**
 * Writes a new age identity to a file (mode 0600; an existing one is never overwritten) and returns its recipient, the public
 * half. With a passphrase the file is like one by `age -p`: `age -d` and `age -i` open it.
 */
export async function createIdentityFile(options: {
  file: string;
  passphrase?: string;
  logN?: number | undefined;
  now?: Date;
  onProgress?: OnProgress;
}): Promise<NewIdentity> {
  await ready;
  const identity = generateIdentity();
  const recipient = identityToRecipient(identity);
  // Only the day: a seized file should not say at what hour somebody sat down to make it.
  const day = (options.now ?? new Date()).toISOString().slice(0, 10);
  const text = `# created: ${day}\n# public key: ${recipient}\n${identity}\n`;
  const { file, passphrase, logN, onProgress } = options;
  const content = passphrase === undefined ? text : await encryptWithPassphrase(utf8(text), passphrase, logN, onProgress);
  await writeNewFiles([{ path: file, content, secret: true }]);
  return { file, recipient };
}
