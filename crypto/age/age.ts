// age v1 files with hybrid recipients: c2sp.org/age.
import { concat, randomBytes } from '../bytes.ts';
import { CodedError } from '../errors.ts';
import { finish, type Steps } from '../steps.ts';
import {
  FILE_KEY_BYTES,
  MAC_LINE_BYTES,
  VERSION_LINE_BYTES,
  encodeHeader,
  parseHeader,
  verifyMac,
  type Header,
  type Stanza,
} from './header.ts';
import { HYBRID, HYBRID_STANZA_BYTES, unwrapHybrid, wrapHybrid } from './hybrid.ts';
import { decodeIdentity, decodeRecipient } from './identity.ts';
import { decryptPayload, encryptPayload, payloadLength } from './stream.ts';

/** Length of a file to `recipients` hybrid recipients with a plaintext of `plaintext` bytes. */
export const fileLength = (recipients: number, plaintext: number): number =>
  VERSION_LINE_BYTES + recipients * HYBRID_STANZA_BYTES + MAC_LINE_BYTES + payloadLength(plaintext);

/**
 * `encrypt` in steps, one per recipient, since encapsulating is the slow part. `publicKeys`: 1,216 bytes each. Throws
 * RECIPIENT_FORMAT when X-Wing refuses one.
 */
export function* encryptSteps(plaintext: Uint8Array, publicKeys: readonly Uint8Array[]): Steps<Uint8Array> {
  const fileKey = randomBytes(FILE_KEY_BYTES);
  const stanzas: Stanza[] = [];
  for (const publicKey of publicKeys) yield stanzas.push(wrapHybrid(fileKey, publicKey));
  return concat(encodeHeader(stanzas, fileKey), encryptPayload(plaintext, fileKey));
}

/**
 * Seals `plaintext` to recipients `age1pq1…`, in their order. Throws RECIPIENT_FORMAT when there is none, one is malformed, or
 * X-Wing refuses its key.
 */
export function encrypt(plaintext: Uint8Array, recipients: readonly string[]): Uint8Array {
  if (recipients.length === 0) throw new CodedError('RECIPIENT_FORMAT', 'no recipient');
  return finish(encryptSteps(plaintext, recipients.map(decodeRecipient)));
}

/** Throws RECIPIENT_FORMAT unless something can be sealed to the recipient: X-Wing refuses some well-formed keys. */
export function checkRecipient(recipient: string): void {
  encrypt(new Uint8Array(), [recipient]);
}

/**
 * Opens a file with identities `AGE-SECRET-KEY-PQ-1…`. Throws IDENTITY_FORMAT when one of them is malformed, AGE_HEADER when the
 * header is malformed, AGE_NO_MATCH when no identity opens the file, AGE_MAC when the header was changed, AGE_PAYLOAD when the
 * payload was.
 */
export function decrypt(file: Uint8Array, identities: readonly string[]): Uint8Array {
  const header = parseHeader(file);
  const fileKey = fileKeyOf(header, identities.map(decodeIdentity));
  verifyMac(header, fileKey);
  return decryptPayload(file.subarray(header.length), fileKey);
}

/** Looks past invalid stanzas: the order of stanzas is random, and must not decide whether a letter opens. */
function fileKeyOf({ stanzas }: Header, identities: readonly Uint8Array[]): Uint8Array {
  let allValid = true;
  for (const stanza of stanzas.filter(({ type }) => type === HYBRID)) {
    for (const identity of identities) {
      const unwrapped = unwrapHybrid(stanza, identity);
      if (typeof unwrapped !== 'string') return unwrapped;
      allValid &&= unwrapped !== 'invalid';
    }
  }
  if (!allValid) throw new CodedError('AGE_HEADER', 'an encapsulated key is invalid');
  throw new CodedError('AGE_NO_MATCH', 'none of the identities opens this file');
}
