// Passphrase-protected files, as `age -p` makes them: c2sp.org/age, § The scrypt recipient type.
import { base64nopad } from '@scure/base';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { concat, randomBytes, utf8 } from '../bytes.ts';
import { CodedError } from '../errors.ts';
import { sodium } from '../sodium.ts';
import { FILE_KEY_BYTES, decodeBase64, encodeHeader, parseHeader, verifyMac, type Stanza } from './header.ts';
import { TAG_BYTES, decryptPayload, encryptPayload } from './stream.ts';

const SCRYPT = 'scrypt';
const SALT_BYTES = 16;
const BODY_BYTES = FILE_KEY_BYTES + TAG_BYTES;
/** age's default: about a second on a desktop, 256 MiB. */
const DEFAULT_LOG_N = 18;
/** age's maximum. Beyond it, a file could keep a machine busy for hours. */
const MAX_LOG_N = 22;
const ZERO_NONCE = new Uint8Array(12);

/** Called with the fraction of the work done (0 to 1). */
type OnProgress = (fraction: number) => void;

async function wrapKey(passphrase: string, salt: Uint8Array, logN: number, onProgress?: OnProgress): Promise<Uint8Array> {
  const N = 2 ** logN;
  return scryptAsync(utf8(passphrase), concat(utf8('age-encryption.org/v1/scrypt'), salt), {
    N,
    r: 8,
    p: 1,
    dkLen: 32,
    maxmem: N * 8 * 128 + 2 ** 20,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** True when a file is protected by a passphrase, false also for anything that is not an age file. */
export function isPassphraseFile(file: Uint8Array): boolean {
  try {
    return parseHeader(file).stanzas[0]?.type === SCRYPT;
  } catch {
    return false;
  }
}

/** Seals `plaintext` with a passphrase at work factor 2^`logN`. */
export async function encryptWithPassphrase(
  plaintext: Uint8Array,
  passphrase: string,
  logN: number = DEFAULT_LOG_N,
  onProgress?: OnProgress,
): Promise<Uint8Array> {
  const fileKey = randomBytes(FILE_KEY_BYTES);
  const salt = randomBytes(SALT_BYTES);
  const key = await wrapKey(passphrase, salt, logN, onProgress);
  const body = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(fileKey, null, null, ZERO_NONCE, key);
  const stanza = { type: SCRYPT, args: [base64nopad.encode(salt), String(logN)], body };
  return concat(encodeHeader([stanza], fileKey), encryptPayload(plaintext, fileKey));
}

function parseStanza({ args, body }: Stanza): { salt: Uint8Array; logN: number } {
  const [saltText, factor, ...more] = args;
  if (saltText === undefined || factor === undefined || more.length > 0) {
    throw new CodedError('AGE_HEADER', 'a scrypt stanza needs two arguments');
  }
  const salt = decodeBase64(saltText);
  if (salt.length !== SALT_BYTES) {
    throw new CodedError('AGE_HEADER', `a salt of ${String(salt.length)} bytes, expected ${String(SALT_BYTES)}`);
  }
  if (body.length !== BODY_BYTES) {
    throw new CodedError('AGE_HEADER', `a scrypt body of ${String(body.length)} bytes, expected ${String(BODY_BYTES)}`);
  }
  if (!/^[1-9][0-9]*$/.test(factor)) throw new CodedError('AGE_HEADER', 'the work factor is not a decimal number');
  const logN = Number(factor);
  if (logN > MAX_LOG_N) throw new CodedError('AGE_WORK_FACTOR', `a work factor of 2^${factor}, expected at most 2^${String(MAX_LOG_N)}`);
  return { salt, logN };
}

/**
 * Opens a passphrase-protected file. Works in slices of 10 ms, so that a page stays responsive.
 * Throws AGE_HEADER when the header is malformed, AGE_WORK_FACTOR when the factor is over 2^22, AGE_NO_MATCH when the passphrase
 * is wrong or the file is not protected by one, AGE_MAC when the header was changed, AGE_PAYLOAD when the payload was.
 */
export async function decryptWithPassphrase(file: Uint8Array, passphrase: string, onProgress?: OnProgress): Promise<Uint8Array> {
  const header = parseHeader(file);
  const [stanza] = header.stanzas;
  if (stanza?.type !== SCRYPT) throw new CodedError('AGE_NO_MATCH', 'the file is not protected by a passphrase');
  const { salt, logN } = parseStanza(stanza);
  const fileKey = unwrap(stanza.body, await wrapKey(passphrase, salt, logN, onProgress));
  verifyMac(header, fileKey);
  return decryptPayload(file.subarray(header.length), fileKey);
}

function unwrap(body: Uint8Array, key: Uint8Array): Uint8Array {
  try {
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, body, null, ZERO_NONCE, key);
  } catch {
    throw new CodedError('AGE_NO_MATCH', 'the passphrase is wrong');
  }
}
