// Loops over vectors.json and the age test kit. The same module runs in Node, Chromium and Firefox.
import { base64 } from '@scure/base';
import { parseAnswer } from '../../crypto/answer.ts';
import { fromHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { checkValidity, verifyKeyring } from '../../crypto/keyring.ts';
import { openLetter } from '../../crypto/letter.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { openSealed, parseParcel, type ParcelContent } from '../../crypto/parcel.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampBits } from '../../crypto/stamp.ts';
import { runTestkit } from './testkit.ts';
import data from './vectors.json' with { type: 'json' };

/** A change to an input before it is used: bytes put at an offset, cut off the end, or appended. All bytes in hex. */
export type Edit = { readonly at: number; readonly set: string } | { readonly cut: number } | { readonly append: string };

export type Vector = {
  readonly name: string;
  readonly op: 'openLetter' | 'parseParcel' | 'openParcel' | 'openSealed' | 'stampBits' | 'parseAnswer' | 'verifyKeyring' | 'checkValidity';
  readonly input: string;
  readonly edits?: readonly Edit[];
  readonly identities?: readonly string[];
  readonly signature?: string;
  readonly now?: string;
  readonly floor?: number;
  readonly expect: { readonly value: unknown } | { readonly error: string };
};

export type VectorFile = {
  readonly identities: Readonly<Record<string, string>>;
  readonly rootKey: string;
  readonly blobs: Readonly<Record<string, string>>;
  readonly vectors: readonly Vector[];
};

const file = data as VectorFile;

function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let result = bytes;
  for (const edit of edits) {
    if ('cut' in edit) result = result.slice(0, -edit.cut);
    else if ('append' in edit) result = Uint8Array.of(...result, ...fromHex(edit.append));
    else {
      result = result.slice();
      result.set(fromHex(edit.set), edit.at);
    }
  }
  return result;
}

const withoutLetter = (content: ParcelContent): unknown =>
  content.kind === 'letter' ? { kind: content.kind, team: content.team } : content;

function resultOf(vector: Vector): unknown {
  const input = applyEdits(base64.decode(file.blobs[vector.input] ?? ''), vector.edits ?? []);
  const identities = (vector.identities ?? []).map((name) => file.identities[name] ?? '');
  switch (vector.op) {
    case 'openLetter': return openLetter(input, identities);
    case 'parseParcel': return { serial: parseParcel(input).serial };
    case 'openParcel': return withoutLetter(openSealed(parseParcel(input).sealed, identities));
    case 'openSealed': return withoutLetter(openSealed(input, identities));
    case 'stampBits': return stampBits(parseParcel(input));
    case 'parseAnswer': return parseAnswer(input);
    case 'verifyKeyring': {
      const { keyring, digest } = verifyKeyring(input, vector.signature ?? '', parsePublicKey(file.rootKey));
      return { digest, serial: keyring.serial };
    }
    case 'checkValidity': {
      const { keyring } = verifyKeyring(input, vector.signature ?? '', parsePublicKey(file.rootKey));
      checkValidity(keyring, new Date(vector.now ?? ''), vector.floor);
      return 'valid';
    }
  }
}

/** What is wrong with our result, or null. A failure must be that failure: another code, or another error, is wrong. */
function judge(vector: Vector): string | null {
  const expected = JSON.stringify(vector.expect);
  let got: string;
  try {
    got = JSON.stringify({ value: resultOf(vector) });
  } catch (error) {
    got = error instanceof CodedError ? JSON.stringify({ error: error.code }) : String(error);
  }
  return got === expected ? null : `expected ${expected}, got ${got}`;
}

/** Runs every vector. */
export async function runVectors(): Promise<{ passed: number; failed: { name: string; reason: string }[] }> {
  await ready;
  const results = [...file.vectors.map((vector) => ({ name: vector.name, reason: judge(vector) })), ...(await runTestkit())];
  const failed = results.flatMap(({ name, reason }) => (reason === null ? [] : [{ name, reason }]));
  return { passed: results.length - failed.length, failed };
}
