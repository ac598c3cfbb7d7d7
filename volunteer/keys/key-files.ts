// Opens a volunteer's key files as keygen, `age -p` and minisign make them. Shared by the command line and the desk.
import { dearmor, isArmored } from '../../crypto/age/armor.ts';
import { decryptWithPassphrase, isPassphraseFile } from '../../crypto/age/passphrase.ts';
import { CodedError } from '../../crypto/errors.ts';
import { needsPassphrase } from '../../crypto/minisign.ts';
import { openWithForms } from '../../crypto/passphrase-forms.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { textOf } from '../../crypto/text-file.ts';

/** Called with the share of the work that is done, 0 to 1. */
export type OnProgress = (share: number) => void;

/** Gives the passphrase when one is needed: asks for it, or returns what was typed already. */
type Passphrase = () => string | Promise<string>;

/** The bytes of an identity file without its armor. Throws AGE_ARMOR when the armor is malformed. */
export function identityFile(bytes: Uint8Array): { bytes: Uint8Array; needsPassphrase: boolean } {
  const text = textOf(bytes, 'lenient');
  const plain = isArmored(text) ? dearmor(text) : bytes;
  return { bytes: plain, needsPassphrase: isPassphraseFile(plain) };
}

/** The decrypted file. Tries the passphrase in each form that a keyboard may give it; throws AGE_NO_MATCH when none opens the file. */
export function openIdentityFile(bytes: Uint8Array, passphrase: string, onProgress?: OnProgress): Promise<Uint8Array> {
  return openWithForms(passphrase, (form) => decryptWithPassphrase(bytes, form, onProgress), isWrongPassphrase);
}

type Parse<Key> = (text: string, passphrase?: string, onProgress?: OnProgress) => Promise<Key>;

/**
 * A secret key in minisign's format, such as a signer. `passphrase` is called only when the key is encrypted. Throws what `parse` throws:
 * MINISIGN_PASSPHRASE when the passphrase is wrong in every form.
 */
export async function openKeyFile<Key extends SigningKeyPair>(
  text: string,
  parse: Parse<Key>,
  passphrase: Passphrase,
  onProgress?: OnProgress,
): Promise<Key> {
  if (!needsPassphrase(text)) return parse(text);
  const typed = await passphrase();
  return openWithForms(typed, (form) => parse(text, form, onProgress), isWrongPassphrase);
}

/** True of the errors that say that a passphrase does not open a file, an identity's or a signer's. */
export function isWrongPassphrase(error: unknown): boolean {
  return error instanceof CodedError && (error.code === 'AGE_NO_MATCH' || error.code === 'MINISIGN_PASSPHRASE');
}
