// A volunteer's key files as keygen, `age -p` and minisign make them. The same on a command line and in a browser.
import { dearmor, isArmored } from '../../crypto/age/armor.ts';
import { decryptWithPassphrase, isPassphraseFile } from '../../crypto/age/passphrase.ts';
import { CodedError } from '../../crypto/errors.ts';
import { needsPassphrase } from '../../crypto/minisign.ts';
import { openWithForms } from '../../crypto/passphrase-forms.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { textOf } from '../../crypto/text-file.ts';

/** Hears which share (0 to 1) of the work is done. */
export type OnProgress = (share: number) => void;

/** How a passphrase is had, when one is needed: asked, or typed already. */
type Passphrase = () => string | Promise<string>;

/** An identity file without its armor. Throws AGE_ARMOR. */
export function identityFile(bytes: Uint8Array): { bytes: Uint8Array; needsPassphrase: boolean } {
  const text = textOf(bytes, 'lenient');
  const plain = isArmored(text) ? dearmor(text) : bytes;
  return { bytes: plain, needsPassphrase: isPassphraseFile(plain) };
}

/** The bytes inside; a passphrase is tried in each form that a keyboard may give it. Throws AGE_NO_MATCH where none opens it. */
export function openIdentityFile(bytes: Uint8Array, passphrase: string, onProgress?: OnProgress): Promise<Uint8Array> {
  return openWithForms(passphrase, (form) => decryptWithPassphrase(bytes, form, onProgress), isWrongPassphrase);
}

type Parse<Key> = (text: string, passphrase?: string, onProgress?: OnProgress) => Promise<Key>;

/**
 * A secret key in minisign's format, such as a signer; `passphrase` is called only when it is encrypted.
 * Throws what `parse` throws: MINISIGN_PASSPHRASE where the passphrase is wrong in every form.
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

/** Whatever the kind of the file. */
export function isWrongPassphrase(error: unknown): boolean {
  return error instanceof CodedError && (error.code === 'AGE_NO_MATCH' || error.code === 'MINISIGN_PASSPHRASE');
}
