// Loops over vectors.json and the age test kit. The same module runs in Node, Chromium and Firefox.
import { base64 } from '@scure/base';
import { concat, fromHex, toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { ready } from '../../crypto/sodium.ts';
import { OPERATIONS, type OperationName, type Parameters } from './operations.ts';
import { KIT_VECTORS, runTestkit, type Scope } from './testkit.ts';
import data from './vectors.json' with { type: 'json' };

/** A change to an input before it is used: bytes put at an offset, cut off the end, or appended. All bytes in hex. */
export type Edit =
  | { readonly at: number; readonly set: string }
  | { readonly cut: number }
  | { readonly append: string; readonly times?: number };

export type Vector = Parameters & {
  readonly name: string;
  readonly op: OperationName;
  readonly input: string;
  readonly edits?: readonly Edit[];
  readonly identities?: readonly string[];
  readonly expect: { readonly value: unknown } | { readonly error: string };
};

export type VectorFile = {
  readonly identities: Readonly<Record<string, string>>;
  readonly rootKey: string;
  /** A word list of 1,296 words, with spaces between. */
  readonly words: string;
  readonly blobs: Readonly<Record<string, string>>;
  readonly vectors: readonly Vector[];
};

export const vectorFile = data as VectorFile;
const file = vectorFile;
/** Ours and the kit's. */
export const VECTORS = file.vectors.length + KIT_VECTORS;

function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let result = bytes;
  for (const edit of edits) {
    if ('cut' in edit) result = result.slice(0, -edit.cut);
    else if ('append' in edit) result = concat(result, fromHex(edit.append.repeat(edit.times ?? 1)));
    else {
      result = result.slice();
      result.set(fromHex(edit.set), edit.at);
    }
  }
  return result;
}

/** Bytes as hex, the fields of an object in one order. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, canonical(field)]),
  );
}

function resultOf(vector: Vector): unknown {
  return OPERATIONS[vector.op]({
    bytes: applyEdits(base64.decode(file.blobs[vector.input] ?? ''), vector.edits ?? []),
    identities: (vector.identities ?? []).map((name) => file.identities[name] ?? ''),
    parameters: vector,
    words: file.words.split(' '),
    rootKey: file.rootKey,
    volunteer: file.identities['volunteer'] ?? '',
  });
}

/** What is wrong with our result, or null. An expected failure must be that one: another code or another error is wrong. */
async function judge(vector: Vector): Promise<string | null> {
  const expected = JSON.stringify(canonical(vector.expect));
  let got: string;
  try {
    got = JSON.stringify(canonical({ value: await resultOf(vector) }));
  } catch (error) {
    got = error instanceof CodedError ? JSON.stringify({ error: error.code }) : String(error);
  }
  return got === expected ? null : `expected ${expected}, got ${got}`;
}

/** Runs every vector. */
export async function runVectors(
  scope: Scope = { ofEngine: false },
): Promise<{ passed: number; failed: { name: string; reason: string }[] }> {
  await ready;
  const results: { name: string; reason: string | null }[] = [];
  for (const vector of file.vectors) results.push({ name: vector.name, reason: await judge(vector) });
  results.push(...(await runTestkit(scope)));
  const failed = results.flatMap(({ name, reason }) => (reason === null ? [] : [{ name, reason }]));
  return { passed: results.length - failed.length, failed };
}
