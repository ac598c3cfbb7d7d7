import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { blake2b } from '@noble/hashes/blake2.js';
import { base64 } from '@scure/base';
import { encodeSecretKey, type SecretKeyKind, type SigningKey } from '../../crypto/minisign.ts';

/** Where the parts of minisign's secret key file lie. */
const [KDF, SALT, OPS_LIMIT, MEMORY_LIMIT, FIELD, END] = [2, 6, 38, 46, 54, 158];
const CHECKSUM_BYTES = 32;
/** A hundred and twenty-eight MiB, an eighth of what minisign itself asks for; libsodium's limits come to the same N and p. */
const WORK = { N: 2 ** 17, r: 8, p: 1, opsLimit: 2 ** 22, memoryLimit: 2 ** 27 };

/** A secret key file with a passphrase, as our commands write one, but soon opened: the work at its real cost is tested elsewhere. */
export async function protectedSigner(key: SigningKey, passphrase: string, kind: SecretKeyKind = 'signer'): Promise<string> {
  const [comment = '', line = ''] = (await encodeSecretKey(key, undefined, kind)).split('\n');
  const bytes = Buffer.from(base64.decode(line));
  if (bytes.length !== END) throw new Error(`a secret key file of ${String(bytes.length)} bytes`);
  bytes.write('Sc', KDF, 'latin1');
  bytes.writeBigUInt64LE(BigInt(WORK.opsLimit), OPS_LIMIT);
  bytes.writeBigUInt64LE(BigInt(WORK.memoryLimit), MEMORY_LIMIT);
  const keys = bytes.subarray(FIELD, END - CHECKSUM_BYTES);
  bytes.set(blake2b(Buffer.concat([bytes.subarray(0, KDF), keys]), { dkLen: CHECKSUM_BYTES }), END - CHECKSUM_BYTES);
  const derive = promisify<string, Uint8Array, number, object, Buffer>(scrypt);
  const stream = await derive(passphrase, bytes.subarray(SALT, OPS_LIMIT), END - FIELD, { ...WORK, maxmem: 2 * WORK.memoryLimit });
  for (const [i, byte] of stream.entries()) bytes[FIELD + i] = (bytes[FIELD + i] ?? 0) ^ byte;
  return `${comment}\n${base64.encode(bytes)}\n`;
}
