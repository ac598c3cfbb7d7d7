// Vectors of stanzas whose X25519 share is of small order. Called by make.ts.
import { base64nopad } from '@scure/base';
import { ENC_BYTES, HYBRID, HYBRID_BODY_BYTES, wrapHybrid } from '../../crypto/age/hybrid.ts';
import { encodeHeader, FILE_KEY_BYTES, type Stanza } from '../../crypto/age/header.ts';
import { decodeRecipient, identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptPayload } from '../../crypto/age/stream.ts';
import { concat, fromHex, randomBytes } from '../../crypto/bytes.ts';
import { LETTER_PLAINTEXT_BYTES, LETTER_RECIPIENTS, type LetterContent } from '../../crypto/letter.ts';
import { PARCEL_PLAINTEXT_BYTES } from '../../crypto/parcel.ts';
import { padJson } from '../../crypto/schema.ts';
import type { Vector } from './run.ts';

type Given = { readonly volunteer: string; readonly content: LetterContent };
type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };

const X25519_BYTES = 32;
/** The shares 0, 1, one of order 8, and 0 as p. */
const SMALL = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  `ed${'ff'.repeat(30)}7f`,
];

export function stanzaVectors({ volunteer, content }: Given): Made {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, op: Vector['op'], bytes: Uint8Array, expect: Vector['expect'], more: Partial<Vector>): void => {
    blobs[name] = bytes;
    vectors.push({ name, op, input: name, expect, ...more });
  };
  const small = (which: number): Stanza => {
    const enc = concat(randomBytes(ENC_BYTES - X25519_BYTES), fromHex(SMALL[which % SMALL.length] ?? ''));
    return { type: HYBRID, args: [base64nopad.encode(enc)], body: randomBytes(HYBRID_BODY_BYTES) };
  };
  const file = (count: number, plaintext: Uint8Array, stanzaAt: (at: number, fileKey: Uint8Array) => Stanza): Uint8Array => {
    const fileKey = randomBytes(FILE_KEY_BYTES);
    return concat(
      encodeHeader(
        Array.from({ length: count }, (_, at) => stanzaAt(at, fileKey)),
        fileKey,
      ),
      encryptPayload(plaintext, fileKey),
    );
  };
  const to = decodeRecipient(identityToRecipient(volunteer));
  const plaintext = padJson(content, LETTER_PLAINTEXT_BYTES, 'LETTER_TOO_LONG', 'the letter');
  /** A letter to the volunteer everywhere but at these places. */
  const letter = (name: string, bad: readonly number[], expect: Vector['expect']): void => {
    add(
      name,
      'openLetter',
      file(LETTER_RECIPIENTS, plaintext, (at, fileKey) => (bad.includes(at) ? small(at) : wrapHybrid(fileKey, to))),
      expect,
      { identities: ['volunteer'] },
    );
  };
  letter('a letter whose first stanza has a share of small order', [0], { value: content });
  letter('a letter whose last stanza has a share of small order', [7], { value: content });
  letter('a letter of which only the fifth stanza has a share of large order', [0, 1, 2, 3, 5, 6, 7], { value: content });
  letter('a letter all of whose stanzas have a share of small order', [0, 1, 2, 3, 4, 5, 6, 7], { error: 'AGE_HEADER' });
  add(
    'a letter with a share of small order, for a stranger',
    'openLetter',
    blobs['a letter whose first stanza has a share of small order'] ?? to,
    { error: 'AGE_HEADER' },
    { identities: ['stranger'] },
  );
  add(
    'a sealed part whose stanza has a share of small order',
    'openSealed',
    file(1, new Uint8Array(PARCEL_PLAINTEXT_BYTES), small),
    { error: 'AGE_HEADER' },
    { identities: ['stranger', 'worker'] },
  );
  return { blobs, vectors };
}
