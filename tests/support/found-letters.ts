// Compares what is found in a file or a mail with the letters in it.
import { expect } from 'vitest';
import { spoiledCopies, type Copy } from '../../volunteer/finding/copies.ts';
import { findLetters, type Found } from '../../volunteer/finding/find.ts';

const bytes = (found: readonly Found[]): Uint8Array[] => found.flatMap((each) => (each.kind === 'letter' ? [each.bytes] : []));
const codes = (found: readonly Found[]): string[] =>
  found.flatMap((each) => (each.kind === 'letter' ? [] : [`${each.error.code} ${each.error.message}`]));
const hex = (all: readonly Uint8Array[]): string[] => all.map((each) => Buffer.from(each).toString('hex'));

/** Expects exactly these letters, to the byte, and no problems. */
export async function expectLetters(content: Uint8Array, letters: readonly Uint8Array[], name = ''): Promise<void> {
  const found = withoutSpoiled(await findLetters(content, name), letters);
  expect(codes(found)).toEqual([]);
  expect(hex(bytes(found)).sort()).toEqual(hex(letters).sort());
}

/** Leaves out damaged copies of letters that open, as the programs do. */
function withoutSpoiled(found: readonly Found[], letters: readonly Uint8Array[]): Found[] {
  const copies = new Map<Found, Copy>();
  for (const each of found) {
    if (each.kind === 'unread') continue;
    const isKnown = letters.some((known) => Buffer.compare(known, each.bytes) === 0);
    copies.set(each, { bytes: each.bytes, via: each.via, rank: isKnown ? 2 : 0 });
  }
  const spoiled = spoiledCopies([...copies.values()]);
  return found.filter((each) => !spoiled.has(copies.get(each) as Copy));
}

/** 'letter' for each letter found, and the code of each problem. */
export async function codesFound(content: Uint8Array, name = ''): Promise<string[]> {
  return (await findLetters(content, name)).map((each) => (each.kind === 'letter' ? 'letter' : each.error.code));
}
