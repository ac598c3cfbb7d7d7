// The C2SP age test kit (npm: cctv-age), run against crypto/age. It runs in Node and in browsers.
import * as testkit from 'cctv-age';
import { sha256 } from '@noble/hashes/sha2.js';
import { armor, dearmor } from '../../crypto/age/armor.ts';
import { decrypt } from '../../crypto/age/age.ts';
import { encodeHeader, parseHeader, verifyMac } from '../../crypto/age/header.ts';
import { decryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { decryptPayload, encryptPayload } from '../../crypto/age/stream.ts';
import { equal, fromHex, toHex } from '../../crypto/bytes.ts';
import { CodedError, type ErrorCode } from '../../crypto/errors.ts';

type Outcome = 'success' | ErrorCode;

/** What the kit expects, in our codes. */
const CODES: Record<string, readonly Outcome[]> = {
  success: ['success'],
  'header failure': ['AGE_HEADER', 'AGE_WORK_FACTOR'],
  'armor failure': ['AGE_ARMOR'],
  'HMAC failure': ['AGE_MAC'],
  'payload failure': ['AGE_PAYLOAD'],
  'no match': ['AGE_NO_MATCH'],
};

/**
 * Vectors whose point is inside a recipient type that we do not have: what the kit expects can only be told with an
 * X25519 identity. For us such a stanza is somebody else's: the header parses, and no identity of ours opens the file.
 */
export const FOREIGN: readonly string[] = [
  'hybrid_x25519_arg',
  'x25519_extra_argument',
  'x25519_identity',
  'x25519_long_file_key',
  'x25519_long_share',
  'x25519_low_order',
  'x25519_not_canonical_share',
  'x25519_short_share',
  'x25519_bad_tag',
  'x25519_lowercase',
  'x25519_no_match',
  'armor_no_match',
];

/** An identity for which no vector is made. */
const STRANGER = 'AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR';

/**
 * `ofEngine`: only what another build of libsodium may do differently. That includes neither armor nor payloads of more than a
 * MiB: these are opened but not written again.
 */
export type Scope = Readonly<{ ofEngine: boolean }>;
const LONG_BYTES = 2 ** 20;

type Vector = { name: string; fields: Map<string, string>; file: Uint8Array };

async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function parseVector(name: string, bytes: Uint8Array): Promise<Vector> {
  const end = bytes.findIndex((byte, i) => byte === 0x0a && bytes[i + 1] === 0x0a);
  const fields = new Map(
    new TextDecoder()
      .decode(bytes.subarray(0, end))
      .split('\n')
      .map((line) => {
        const [key = '', ...rest] = line.split(': ');
        return [key, rest.join(': ')];
      }),
  );
  const file = bytes.subarray(end + 2);
  return { name, fields, file: fields.get('compressed') ? await inflate(file) : file };
}

/** A field of the vector marks an armored file; decoded as Latin-1, so that every byte reaches the parser. */
const binary = ({ fields, file }: Vector): Uint8Array =>
  fields.get('armored') === 'yes' ? dearmor(new TextDecoder('latin1').decode(file)) : file;

/** Opens with the file key in the vector: header, MAC and STREAM need no recipient type. */
function openWithFileKey(file: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const header = parseHeader(file);
  verifyMac(header, fileKey);
  return decryptPayload(file.subarray(header.length), fileKey);
}

async function open(vector: Vector): Promise<Uint8Array> {
  const file = binary(vector);
  const passphrase = vector.fields.get('passphrase');
  if (passphrase !== undefined) return decryptWithPassphrase(file, passphrase);
  const identity = vector.fields.get('identity') ?? STRANGER;
  if (identity.startsWith('AGE-SECRET-KEY-PQ-1')) return decrypt(file, [identity]);
  if (FOREIGN.includes(vector.name)) return decrypt(file, [STRANGER]);
  const fileKey = vector.fields.get('file key');
  return fileKey === undefined ? decrypt(file, [STRANGER]) : openWithFileKey(file, fromHex(fileKey));
}

async function outcomeOf(vector: Vector, scope: Scope): Promise<Outcome> {
  try {
    const payload = await open(vector);
    if (toHex(sha256(payload)) !== vector.fields.get('payload')) throw new Error('another payload');
    roundTrip(vector, payload, scope);
    return 'success';
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

/** What opens must also be written the same: armor and header to the byte, the payload by content. */
function roundTrip(vector: Vector, payload: Uint8Array, { ofEngine }: Scope): void {
  const file = binary(vector);
  if (ofEngine && payload.length > LONG_BYTES) return;
  if (!ofEngine && !equal(dearmor(armor(file)), file)) throw new Error('armor does not round-trip');
  const fileKey = vector.fields.get('file key');
  if (fileKey === undefined) return;
  const header = parseHeader(file);
  if (!equal(encodeHeader(header.stanzas, fromHex(fileKey)), file.subarray(0, header.length)))
    throw new Error('the header does not round-trip');
  if (!equal(decryptPayload(encryptPayload(payload, fromHex(fileKey)), fromHex(fileKey)), payload))
    throw new Error('the payload does not round-trip');
}

const kit = Object.entries(testkit).filter((entry): entry is [string, Uint8Array] => entry[1] instanceof Uint8Array);
export const KIT_VECTORS = kit.length;

/** Each vector's name and what is wrong with our result, or null where it is as expected. */
export async function runTestkit(scope: Scope): Promise<{ name: string; reason: string | null }[]> {
  const results = [];
  for (const [name, bytes] of kit) {
    const vector = await parseVector(name, bytes);
    const expected = FOREIGN.includes(name) ? ['AGE_NO_MATCH'] : CODES[vector.fields.get('expect') ?? ''];
    const outcome = await outcomeOf(vector, scope);
    results.push({
      name: `age test kit: ${name}`,
      reason: expected?.includes(outcome) ? null : `expected ${String(expected)}, got ${outcome}`,
    });
  }
  return results;
}
