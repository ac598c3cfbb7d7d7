// Signatures of threads and signers: Ed25519 over a context and framed parts. docs/protocol.md, § Signatures.
import { concat, uint32, utf8 } from './bytes.ts';
import { sodium } from './sodium.ts';

export const SIGNING_SEED_BYTES = 32;
export const SIGNING_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** What is signed, and what for: a signature of one context never passes for another's. */
export type Context = 'letter' | 'note' | 'reply' | 'delivery' | 'delete';
type Part = Uint8Array | string;

/** `key`: 32 bytes; `secret`: 64 bytes in libsodium's layout (seed, public key). */
export type SigningKeyPair = { readonly key: Uint8Array; readonly secret: Uint8Array };

/** The Ed25519 key pair of a seed of 32 bytes. */
export function signingKeyPair(seed: Uint8Array): SigningKeyPair {
  const { publicKey, privateKey } = sodium.crypto_sign_seed_keypair(seed);
  return { key: publicKey, secret: privateKey };
}

/** `support-relay CONTEXT 1` LF, then each part after its length as u32. Text is UTF-8. */
function message(context: Context, parts: readonly Part[]): Uint8Array {
  const framed = parts.flatMap((part) => {
    const bytes = typeof part === 'string' ? utf8(part) : part;
    return [uint32(bytes.length), bytes];
  });
  return concat(utf8(`support-relay ${context} 1\n`), ...framed);
}

/** Signs the parts in the given order. Returns 64 bytes. */
export function signParts(context: Context, parts: readonly Part[], { secret }: SigningKeyPair): Uint8Array {
  return sodium.crypto_sign_detached(message(context, parts), secret);
}

/** True when `signature` (64 bytes) by `key` (32 bytes) is over exactly these parts; false for other lengths too. */
export function signatureHolds(context: Context, parts: readonly Part[], signature: Uint8Array, key: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || key.length !== SIGNING_KEY_BYTES) return false;
  return sodium.crypto_sign_verify_detached(signature, message(context, parts), key);
}
