// Keys and detached signatures in minisign's formats: https://jedisct1.github.io/minisign/ (§ Signature format, § Key formats).
import { base64 } from '@scure/base';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { blake2b, concat, equal, randomBytes, toHex, utf8 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { sodium } from './sodium.ts';

const KEY_ID_BYTES = 8;
const PUBLIC_BYTES = 32;
const SECRET_BYTES = 64;
const SIGNATURE_BYTES = 64;
const CHECKSUM_BYTES = 32;
const SALT_BYTES = 32;

const ALGORITHM = utf8('Ed');
/** Replaces minisign's own in a signer's file, so that minisign refuses it: see `SecretKeyKind`. */
const SIGNER_ALGORITHM = utf8('SR');
/** Signatures over the BLAKE2b-512 of the message, minisign's default. The older kind is refused. */
const PREHASHED = utf8('ED');
const SCRYPT = utf8('Sc');
const NO_KDF = Uint8Array.of(0, 0);
const CHECKSUM = utf8('B2');

/** libsodium's "sensitive" limits, which minisign writes: N = 2^20, r = 8, p = 1 (1 GiB). */
const LOG_N = 20;
const OPS_LIMIT = 33_554_432;
const MEMORY_LIMIT = 1_073_741_824;

const KEY_FIELD_BYTES = KEY_ID_BYTES + SECRET_BYTES + CHECKSUM_BYTES;
const SECRET_FILE_BYTES = 2 + 2 + 2 + SALT_BYTES + 8 + 8 + KEY_FIELD_BYTES;

const UNTRUSTED = 'untrusted comment: ';
const TRUSTED = 'trusted comment: ';

/** `id`: 8 bytes; `key`: 32 bytes (Ed25519). */
export type PublicKey = { readonly id: Uint8Array; readonly key: Uint8Array };
/** `secret`: 64 bytes in libsodium's layout (seed, public key). */
export type SigningKey = PublicKey & { readonly secret: Uint8Array };

/**
 * `minisign`: a secret key as minisign makes it. `signer`: the same layout under another algorithm, which minisign refuses. It
 * would sign whatever it is given, with `-l` even without hashing it first, so a volunteer could be talked into signing a reply
 * they never saw.
 */
export type SecretKeyKind = 'minisign' | 'signer';
const KIND_ALGORITHMS: Readonly<Record<SecretKeyKind, Uint8Array>> = { minisign: ALGORITHM, signer: SIGNER_ALGORITHM };
const KIND_NAMES: Readonly<Record<SecretKeyKind, string>> = { minisign: 'minisign', signer: 'support-relay signer' };

const malformed = (what: string): CodedError => new CodedError('MINISIGN_FORMAT', `not in minisign's format: ${what}`);

/**
 * The lines of a file, each stripped of its expected start. Ignores what editors and mail programs add: a byte order mark, other
 * line ends, trailing white space. Throws MINISIGN_FORMAT when a line is missing, left over or starts differently.
 * docs/protocol.md, § Key files.
 */
function linesOf(text: string, starts: readonly string[]): string[] {
  const lines = text
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split(/\r\n?|\n/)
    .map((line) => line.trimEnd());
  if (lines.length !== starts.length) throw malformed(`${String(lines.length)} lines, expected ${String(starts.length)}`);
  return lines.map((line, i) => {
    const start = starts[i] as string;
    // In an empty comment, trimming also removed the space before it.
    if (start === `${line} `) return '';
    if (!line.startsWith(start)) throw malformed(`line ${String(i + 1)} has an unexpected prefix`);
    return line.slice(start.length);
  });
}

function decode(line: string | undefined, length: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = base64.decode(line ?? '');
  } catch {
    throw malformed('base64 is not canonical');
  }
  if (bytes.length !== length) throw malformed(`${String(bytes.length)} bytes, expected ${String(length)}`);
  return bytes;
}

/** A key's id as people see it: up to 16 upper-case hex digits, bytes reversed, no leading zeros, as minisign prints it. */
export function keyName(id: Uint8Array): string {
  return toHex(id.slice().reverse())
    .replace(/^0+(?=.)/, '')
    .toUpperCase();
}

/** A fresh key pair with a random id. */
export function generateKeyPair(): SigningKey {
  const { publicKey, privateKey } = sodium.crypto_sign_keypair();
  return { id: randomBytes(KEY_ID_BYTES), key: publicKey, secret: privateKey };
}

/** Parses a public key file (two lines), or its second line alone as for `minisign -P`. Throws MINISIGN_FORMAT otherwise. */
export function parsePublicKey(text: string): PublicKey {
  if (secretKindOf(text) !== null) throw malformed('it is a secret key, not the public half');
  const trimmed = text.trim();
  const line = trimmed.startsWith(UNTRUSTED.trimEnd()) ? linesOf(text, [UNTRUSTED, ''])[1] : trimmed;
  const bytes = decode(line, ALGORITHM.length + KEY_ID_BYTES + PUBLIC_BYTES);
  if (!equal(bytes.subarray(0, 2), ALGORITHM)) throw malformed('unexpected algorithm');
  return { id: bytes.slice(2, 2 + KEY_ID_BYTES), key: bytes.slice(2 + KEY_ID_BYTES) };
}

/** The text of a public key file, two lines. */
export function encodePublicKey({ id, key }: PublicKey): string {
  return `${UNTRUSTED}minisign public key ${keyName(id)}\n${base64.encode(concat(ALGORITHM, id, key))}\n`;
}

/**
 * The text of a `.minisig` file (§ Signature format), always of the prehashed kind. The root key and a volunteer's signer make it
 * the same way, and `minisign -V` verifies it with the public half. Trailing white space of the trusted comment is dropped; the
 * rest is signed too. Throws MINISIGN_FORMAT when the comment has more than one line.
 */
export function sign(message: Uint8Array, { id, secret }: SigningKey, comment: string): string {
  const trustedComment = comment.trimEnd();
  if (/[\r\n]/.test(trustedComment)) throw malformed('the comment has more than one line');
  const signature = sodium.crypto_sign_detached(blake2b(64, message), secret);
  const global = sodium.crypto_sign_detached(concat(signature, utf8(trustedComment)), secret);
  return [
    `${UNTRUSTED}signature from key ${keyName(id)}`,
    base64.encode(concat(PREHASHED, id, signature)),
    `${TRUSTED}${trustedComment}`,
    base64.encode(global),
    '',
  ].join('\n');
}

/**
 * Verifies a `.minisig` text over `message` and returns its trusted comment. Throws MINISIGN_FORMAT when the text is not such a
 * signature, MINISIGN_KEY when it was made with another key, MINISIGN_SIGNATURE when it is not over this message and comment.
 */
export function verify(message: Uint8Array, signatureText: string, { id, key }: PublicKey): string {
  const [, signatureLine, trustedComment = '', globalLine] = linesOf(signatureText, [UNTRUSTED, '', TRUSTED, '']);
  const bytes = decode(signatureLine, PREHASHED.length + KEY_ID_BYTES + SIGNATURE_BYTES);
  const global = decode(globalLine, SIGNATURE_BYTES);
  if (!equal(bytes.subarray(0, 2), PREHASHED)) throw malformed('not a prehashed signature');
  if (!equal(bytes.subarray(2, 2 + KEY_ID_BYTES), id)) throw new CodedError('MINISIGN_KEY', `not signed with key ${keyName(id)}`);
  const signature = bytes.subarray(2 + KEY_ID_BYTES);
  const good =
    sodium.crypto_sign_verify_detached(signature, blake2b(64, message), key) &&
    sodium.crypto_sign_verify_detached(global, concat(signature, utf8(trustedComment)), key);
  if (!good) throw new CodedError('MINISIGN_SIGNATURE', 'signature verification failed');
  return trustedComment;
}

/** libsodium's `pickparams` for scrypt: N and p for the given limits, with r = 8. */
function scryptParameters(opsLimit: number, memoryLimit: number): { N: number; r: number; p: number } {
  const r = 8;
  const limit = Math.max(opsLimit, 32_768);
  const maxN = limit < memoryLimit / 32 ? limit / (r * 4) : memoryLimit / (r * 128);
  let logN = 1;
  while (logN < 63 && 2 ** logN <= maxN / 2) logN += 1;
  const N = 2 ** logN;
  const p = limit < memoryLimit / 32 ? 1 : Math.floor(Math.min(Math.floor(limit / 4 / N), 0x3fff_ffff) / r);
  return { N, r, p };
}

async function keyStream(
  passphrase: string,
  salt: Uint8Array,
  opsLimit: number,
  memoryLimit: number,
  onProgress?: (fraction: number) => void,
): Promise<Uint8Array> {
  if (opsLimit > OPS_LIMIT || memoryLimit > MEMORY_LIMIT) throw malformed('its scrypt limits are higher than minisign ever writes');
  const { N, r, p } = scryptParameters(opsLimit, memoryLimit);
  return scryptAsync(utf8(passphrase), salt, {
    N,
    r,
    p,
    dkLen: KEY_FIELD_BYTES,
    maxmem: MEMORY_LIMIT + 2 ** 20,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] as number));

const checksum = (id: Uint8Array, secret: Uint8Array, algorithm: Uint8Array): Uint8Array =>
  blake2b(CHECKSUM_BYTES, concat(algorithm, id, secret));

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/**
 * The text of a secret key file: encrypted when a passphrase is given (as `minisign -G`, with work factor 2^`logN`), plain
 * otherwise (as `minisign -G -W`). `onProgress` is called with the fraction of the work done (0 to 1).
 */
export async function encodeSecretKey(
  { id, secret }: SigningKey,
  passphrase?: string,
  kind: SecretKeyKind = 'minisign',
  logN: number = LOG_N,
  onProgress?: (fraction: number) => void,
): Promise<string> {
  const algorithm = KIND_ALGORITHMS[kind];
  // Like minisign, leave the checksum zero when there is no passphrase to check.
  const field = concat(id, secret, passphrase === undefined ? new Uint8Array(CHECKSUM_BYTES) : checksum(id, secret, algorithm));
  const salt = passphrase === undefined ? new Uint8Array(SALT_BYTES) : randomBytes(SALT_BYTES);
  const scale = passphrase === undefined ? 0 : 2 ** (logN - LOG_N);
  const [opsLimit, memoryLimit] = [scale * OPS_LIMIT, scale * MEMORY_LIMIT];
  const sealed = passphrase === undefined ? field : xor(field, await keyStream(passphrase, salt, opsLimit, memoryLimit, onProgress));
  const head = concat(algorithm, passphrase === undefined ? NO_KDF : SCRYPT, CHECKSUM, salt, uint64(opsLimit), uint64(memoryLimit));
  const name = `${KIND_NAMES[kind]} ${passphrase === undefined ? '' : 'encrypted '}secret key`;
  return `${UNTRUSTED}${name}\n${base64.encode(concat(head, sealed))}\n`;
}

/** True when a secret key file needs a passphrase. Throws MINISIGN_FORMAT when the text is not a secret key file. */
export function needsPassphrase(text: string): boolean {
  return !equal(secretFileBytes(text).subarray(2, 4), NO_KDF);
}

function secretFileBytes(text: string): Uint8Array {
  const line = linesOf(text, [UNTRUSTED, ''])[1];
  const publicLength = base64.encode(new Uint8Array(ALGORITHM.length + KEY_ID_BYTES + PUBLIC_BYTES)).length;
  if (line?.length === publicLength) throw malformed('it is a public key, not the secret half');
  return decode(line, SECRET_FILE_BYTES);
}

/** The kind of secret key in a file, encrypted or not; null when there is none. */
export function secretKindOf(text: string): SecretKeyKind | null {
  let bytes: Uint8Array;
  try {
    bytes = secretFileBytes(text);
  } catch {
    return null;
  }
  const kinds: readonly SecretKeyKind[] = ['minisign', 'signer'];
  return kinds.find((kind) => equal(bytes.subarray(0, 2), KIND_ALGORITHMS[kind])) ?? null;
}

/**
 * Opens a secret key of minisign's own kind, such as the root key. `onProgress` is called with the fraction of the passphrase's
 * work done (0 to 1). Throws MINISIGN_FORMAT for anything else, a signer included, MINISIGN_PASSPHRASE when the passphrase is
 * missing or wrong.
 */
export async function parseSecretKey(text: string, passphrase?: string, onProgress?: (fraction: number) => void): Promise<SigningKey> {
  if (secretKindOf(text) === 'signer') throw malformed("it is a volunteer's signer");
  return openSecretKey(text, ALGORITHM, passphrase, onProgress);
}

/**
 * Opens a volunteer's signer, including one of minisign's own kind, which signers were at first. Arguments as for
 * `parseSecretKey`. Throws MINISIGN_FORMAT when it is not a secret key, MINISIGN_PASSPHRASE when the passphrase is missing or
 * wrong.
 */
export async function parseSigner(text: string, passphrase?: string, onProgress?: (fraction: number) => void): Promise<SigningKey> {
  return openSecretKey(text, KIND_ALGORITHMS[secretKindOf(text) ?? 'signer'], passphrase, onProgress);
}

async function openSecretKey(
  text: string,
  algorithm: Uint8Array,
  passphrase?: string,
  onProgress?: (fraction: number) => void,
): Promise<SigningKey> {
  const bytes = secretFileBytes(text);
  const kdf = bytes.subarray(2, 4);
  if (!equal(bytes.subarray(0, 2), algorithm) || !equal(bytes.subarray(4, 6), CHECKSUM)) throw malformed('unexpected algorithm');
  let field = bytes.slice(SECRET_FILE_BYTES - KEY_FIELD_BYTES);
  if (equal(kdf, SCRYPT)) {
    if (passphrase === undefined) throw new CodedError('MINISIGN_PASSPHRASE', 'the secret key needs its passphrase');
    const limits = new DataView(bytes.buffer, bytes.byteOffset + 6 + SALT_BYTES, 16);
    const [opsLimit, memoryLimit] = [Number(limits.getBigUint64(0, true)), Number(limits.getBigUint64(8, true))];
    const stream = await keyStream(passphrase, bytes.subarray(6, 6 + SALT_BYTES), opsLimit, memoryLimit, onProgress);
    field = xor(field, stream) as Uint8Array<ArrayBuffer>;
  } else if (!equal(kdf, NO_KDF)) {
    throw malformed('unknown key derivation');
  }
  const id = field.slice(0, KEY_ID_BYTES);
  const secret = field.slice(KEY_ID_BYTES, KEY_ID_BYTES + SECRET_BYTES);
  const storedChecksum = field.subarray(KEY_ID_BYTES + SECRET_BYTES);
  if (!equal(checksum(id, secret, algorithm), storedChecksum)) {
    if (equal(kdf, SCRYPT)) throw new CodedError('MINISIGN_PASSPHRASE', 'the passphrase is wrong, or the file is damaged');
    if (storedChecksum.some((byte) => byte !== 0)) throw malformed('its checksum is wrong');
  }
  const key = sodium.crypto_sign_seed_keypair(secret.subarray(0, SECRET_BYTES - PUBLIC_BYTES)).publicKey;
  if (!equal(key, secret.subarray(SECRET_BYTES - PUBLIC_BYTES))) throw malformed('its public half does not match its seed');
  return { id, key, secret };
}
