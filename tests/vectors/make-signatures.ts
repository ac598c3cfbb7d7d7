// Signatures at the edge: what libraries disagree about. Called by make.ts. docs/protocol.md, § Signatures.
import { createHash } from 'node:crypto';
import { concat, uint32, utf8 } from '../../crypto/bytes.ts';
import type { Vector } from './run.ts';
import { add, BASE, challenge, encode, L, littleEndian, multiply, pointOfOrder8, ZERO, type Point } from './edwards.ts';

type SignatureCase = { readonly name: string; readonly key: Uint8Array; readonly signature: Uint8Array; readonly holds: boolean };

/** What the cases sign: one part, in the context `reply`. */
const PART = utf8('edge');
const MESSAGE = concat(utf8('support-relay reply 1\n'), uint32(PART.length), PART);

const number = (label: string): bigint => BigInt(`0x${createHash('sha512').update(label).digest('hex')}`) % L;

/** R and the key as they are written, and the S that makes the equation hold for them. */
function signed(name: string, holds: boolean, r: Uint8Array, key: Uint8Array, s: (h: bigint) => bigint): SignatureCase {
  return { name, key, holds, signature: concat(r, littleEndian(s(challenge(r, key, MESSAGE)))) };
}

/** Tries nonces until the challenge has this remainder modulo 8. */
function nonceWith(key: Uint8Array, isWanted: (remainder: bigint) => boolean, r: (nonce: bigint) => Uint8Array): bigint {
  for (let i = 0; ; i += 1) {
    const nonce = number(`nonce ${String(i)}`);
    if (isWanted(challenge(r(nonce), key, MESSAGE) % 8n)) return nonce;
  }
}

function edgeCases(): SignatureCase[] {
  const secret = number('secret');
  const nonce = number('nonce');
  const torsion = pointOfOrder8();
  const point = multiply(secret, BASE);
  const key = encode(point);
  const mixed = encode(add(point, torsion));
  const rOf = (k: bigint, more: Point = ZERO): Uint8Array => encode(add(multiply(k, BASE), more));
  const usual =
    (k: bigint) =>
    (h: bigint): bigint =>
      (k + h * secret) % L;
  const divisible = nonceWith(mixed, (remainder) => remainder === 0n, rOf);
  const indivisible = nonceWith(mixed, (remainder) => remainder !== 0n, rOf);
  const order8 = encode(torsion);
  const ofOrder8 = nonceWith(order8, (remainder) => remainder === 0n, rOf);
  return [
    signed('an ordinary signature', true, rOf(nonce), key, usual(nonce)),
    signed('S above the order of the group', false, rOf(nonce), key, (h) => usual(nonce)(h) + L),
    signed('R with a part of small order', false, rOf(nonce, torsion), key, usual(nonce)),
    signed('R of small order', false, encode(ZERO), key, usual(0n)),
    signed('R of small order, written in a way that is not canonical', false, encode(ZERO, true), key, usual(0n)),
    signed('a key with a part of small order, the equation holding as it stands', true, rOf(divisible), mixed, usual(divisible)),
    signed('a key with a part of small order, the equation holding times eight only', false, rOf(indivisible), mixed, usual(indivisible)),
    signed('a key of order one', false, rOf(nonce), encode(ZERO), () => nonce),
    signed('a key of order one, written in a way that is not canonical', false, rOf(nonce), encode(ZERO, true), () => nonce),
    signed('a key of order eight', false, rOf(ofOrder8), order8, () => ofOrder8),
  ];
}

export function signatureVectors(): { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] } {
  const cases = edgeCases().map((each) => ({ ...each, name: `a signature: ${each.name}` }));
  return {
    blobs: Object.fromEntries(cases.map(({ name, key, signature }) => [name, concat(key, signature, PART)])),
    vectors: cases.map(({ name, holds }) => ({ name, op: 'verifySignature', input: name, context: 'reply', expect: { value: holds } })),
  };
}
