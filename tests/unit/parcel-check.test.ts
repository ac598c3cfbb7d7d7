// A parcel changed in transit is recognised without a key, wherever it is handed in.
import { readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { parcelsIn } from '../../cli/sending/parcels.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { equal, randomBytes, readUint32, toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { COUNTER_OFFSET, PARCEL_BYTES, PARCEL_HEADER_BYTES, parseParcel, sealParcel } from '../../crypto/parcel.ts';
import { decodeParcelText, encodeParcelText } from '../../crypto/parcel-text.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';

const CHANGES = 1_000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CODES = ['PARCEL_CHECK', 'PARCEL_VERSION', 'PARCEL_SEALED'];

let parcel: Uint8Array;
beforeAll(async () => {
  await ready;
  parcel = stampParcel(sealParcel({ kind: 'decoy' }, { serial: 7, worker: identityToRecipient(generateIdentity()) }), 10);
});

const below = (limit: number): number => readUint32(randomBytes(4), 0) % limit;

/** Changes a byte, swaps two pieces, or changes a header field: never the counter, and always something. */
function changed(): Uint8Array {
  const copy = parcel.slice();
  const [at, kind] = [below(PARCEL_BYTES), below(4)];
  if (kind === 0) copy[at] = (copy[at] ?? 0) ^ (1 + below(255));
  else if (kind === 1) copy.set(randomBytes(1 + below(64)).subarray(0, PARCEL_BYTES - at), at);
  else if (kind === 2) copy.set(randomBytes(1 + below(COUNTER_OFFSET - 1)), below(2));
  else {
    const length = 1 + below(PARCEL_BYTES / 4);
    const [one, other] = [below(PARCEL_BYTES / 2 - length), PARCEL_BYTES / 2 + below(PARCEL_BYTES / 2 - length)];
    copy.set(parcel.subarray(other, other + length), one);
    copy.set(parcel.subarray(one, one + length), other);
  }
  copy.set(parcel.subarray(COUNTER_OFFSET, PARCEL_HEADER_BYTES), COUNTER_OFFSET);
  return equal(copy, parcel) ? changed() : copy;
}

/** The same for a text: another character, or a messenger's pieces in another order. */
function changedText(text: string): string {
  const [at, length] = [below(text.length), 1 + below(text.length / 4)];
  const moved = text.slice(at, at + length) + text.slice(0, at) + text.slice(at + length);
  const other = below(2) === 0 ? moved : text.slice(0, at) + (ALPHABET[below(64)] ?? '') + text.slice(at + 1);
  const [header, afterHeader] = [text.slice(0, 16), text.slice(22)];
  return other.startsWith(header) && other.endsWith(afterHeader) ? changedText(text) : other;
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'taken';
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
};

it('none of a thousand changes to its bytes is accepted, stamped, or encoded as text', () => {
  for (let time = 0; time < CHANGES; time += 1) {
    const bytes = changed();
    const code = codeOf(() => parseParcel(bytes));
    expect(CODES).toContain(code);
    expect([codeOf(() => stampParcel(bytes, 12)), codeOf(() => encodeParcelText(bytes))]).toEqual([code, code]);
  }
});

it('none of a thousand changes to its text is accepted', () => {
  const text = encodeParcelText(parcel);
  for (let time = 0; time < CHANGES; time += 1) expect(CODES).toContain(codeOf(() => decodeParcelText(changedText(text))));
});

it('another counter is another stamp, not damage', () => {
  for (let time = 0; time < 20; time += 1) {
    const copy = parcel.slice();
    copy.set(randomBytes(4), COUNTER_OFFSET);
    expect(toHex(parseParcel(copy).id)).toBe(toHex(parseParcel(parcel).id));
    expect(stampBits(parseParcel(stampParcel(copy, 12)))).toBeGreaterThanOrEqual(12);
  }
});

it.each([
  ['p2.txt', 'taken'],
  ['flipped.txt', 'PARCEL_CHECK'],
  ['7c-swapped.txt', 'PARCEL_CHECK'],
])('among texts as people pass them on, %s is %s', async (file, expected) => {
  const found = await parcelsIn(await readFile(`tests/cases/parcel/${file}`));
  expect(found.map((each) => ('parcel' in each ? 'taken' : (each.problem as CodedError).code))).toEqual([expected]);
});
