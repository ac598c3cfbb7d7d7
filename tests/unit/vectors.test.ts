import { createPublicKey, verify } from 'node:crypto';
import { base64 } from '@scure/base';
import { expect, test } from 'vitest';
import { concat, uint32, utf8 } from '../../crypto/bytes.ts';
import { LETTER_KINDS } from '../../crypto/letter.ts';
import { PARCEL_KINDS } from '../../crypto/parcel.ts';
import { add, BASE, challenge, decode, fromLittleEndian, multiply, ZERO } from '../vectors/edwards.ts';
import { runVectors, vectorFile, VECTORS } from '../vectors/run.ts';

test('every vector gives the expected result', async () => {
  const { passed, failed } = await runVectors();
  expect(failed).toEqual([]);
  expect(passed).toBe(VECTORS);
  expect(passed).toBeGreaterThan(250);
});

test.each([
  ['parcel', ['openParcel', 'openSealed'], PARCEL_KINDS],
  ['letter', ['openLetter'], LETTER_KINDS],
])('every kind of %s has a vector that opens', (_what, ops, kinds) => {
  const opened = vectorFile.vectors.filter(({ op }) => ops.includes(op)).map(({ expect: expected }) => expected);
  const shown = new Set(opened.map((expected) => ('value' in expected ? (expected.value as { kind?: string }).kind : undefined)));
  expect(kinds.filter((kind) => !shown.has(kind))).toEqual([]);
});

type Verify = (signature: Uint8Array, message: Uint8Array, key: Uint8Array) => boolean;

/** The cofactored check, which RFC 8032 gives first and some libraries use; it takes points of any order, however encoded. */
const withCofactor: Verify = (signature, message, key) => {
  const [r, s, a] = [decode(signature.subarray(0, 32)), fromLittleEndian(signature.subarray(32)), decode(key)];
  if (r === null || a === null) return false;
  const [x, y] = add(r, multiply(challenge(signature.subarray(0, 32), key, message), a));
  return String(multiply(8n, add(multiply(s, BASE), [-x, y]))) === String(ZERO);
};
/** OpenSSL: cofactorless, and accepts keys under which any message verifies. */
const openSsl: Verify = (signature, message, key) => {
  const spki = concat(Uint8Array.from(Buffer.from('302a300506032b6570032100', 'hex')), key);
  return verify(null, message, createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }), signature);
};

test.each([
  ['a library that takes the cofactor in', withCofactor],
  ['OpenSSL', openSsl],
])('the vectors of signatures distinguish %s from what the protocol requires', (_what, holds) => {
  const differing = vectorFile.vectors
    .filter(({ op }) => op === 'verifySignature')
    .filter(({ input, context, expect: expected }) => {
      const bytes = base64.decode(vectorFile.blobs[input] ?? '');
      const [key, signature, part] = [bytes.subarray(0, 32), bytes.subarray(32, 96), bytes.subarray(96)];
      const message = concat(utf8(`support-relay ${context ?? ''} 1\n`), uint32(part.length), part);
      return 'value' in expected && expected.value !== holds(signature, message, key);
    });
  expect(differing.length).toBeGreaterThanOrEqual(3);
});
