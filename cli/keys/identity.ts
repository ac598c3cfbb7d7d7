import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import type { OnProgress } from '../../volunteer/keys/opening.ts';
import { writeNewFiles } from '../files.ts';

export type NewIdentity = { file: string; recipient: string };

/**
 * Makes an age identity file (mode 0600, never over another one) and returns its recipient, the public half.
 * With a passphrase the file is what `age -p` makes of it: `age -d` and `age -i` open it.
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
  // The day and no finer: a seized file should not say at what hour somebody sat down to make it.
  const day = (options.now ?? new Date()).toISOString().slice(0, 10);
  const text = `# created: ${day}\n# public key: ${recipient}\n${identity}\n`;
  const content =
    options.passphrase === undefined ? text : await encryptWithPassphrase(utf8(text), options.passphrase, options.logN, options.onProgress);
  await writeNewFiles([{ path: options.file, content, secret: true }]);
  return { file: options.file, recipient };
}
