// Takes what is signed out of an S/MIME container (RFC 5652, § 5): the mail itself, in one piece or in several.
import { concat } from '../../crypto/bytes.ts';

const SEQUENCE = 0x30;
const OCTETS = 0x04;
const OCTETS_IN_PIECES = 0x24;
const CONSTRUCTED = 0x20;
/** The object identifier 1.2.840.113549.1.7; then follows 2 for signed data. */
const PKCS7 = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07] as const;
const SIGNED = 2;
const DEPTH_MAX = 24;
/** Enough: programs that write in pieces write a thousand bytes or more at a time. */
const RUNS_MAX = 20_000;

export type Container = 'signed' | 'sealed' | null;

/** Which kind of container it is; null when it is none. */
export function containerOf(bytes: Uint8Array): Container {
  if (bytes[0] !== SEQUENCE) return null;
  for (let at = 2; at <= 8; at += 1) {
    if (PKCS7.every((byte, index) => bytes[at + index] === byte)) return bytes[at + PKCS7.length] === SIGNED ? 'signed' : 'sealed';
  }
  // A compressed container has another identifier, 1.2.840.113549.1.9.16.1.9.
  return null;
}

/** Every octet string in it, those in pieces joined: what was signed is among them. */
export function signedContent(bytes: Uint8Array): Uint8Array[] {
  const runs: Uint8Array[] = [];
  walk(bytes, 0, bytes.length, 0, runs);
  return runs;
}

/** Reads to `end`, or to an end-of-contents mark. @returns the position where it stopped */
function walk(bytes: Uint8Array, from: number, end: number, depth: number, runs: Uint8Array[]): number {
  let at = from;
  while (at + 2 <= end && runs.length < RUNS_MAX) {
    const tag = bytes[at] as number;
    const { length, start } = lengthAt(bytes, at + 1);
    if (tag === 0 && length === 0) return start;
    // Without a length it goes on to its end-of-contents mark.
    const stop = length === null ? end : Math.min(end, start + length);
    if (tag === OCTETS_IN_PIECES && depth < DEPTH_MAX) {
      const pieces: Uint8Array[] = [];
      at = walk(bytes, start, stop, depth + 1, pieces);
      runs.push(concat(...pieces));
    } else if ((tag & CONSTRUCTED) !== 0 && depth < DEPTH_MAX) at = walk(bytes, start, stop, depth + 1, runs);
    else {
      if (tag === OCTETS) runs.push(bytes.subarray(start, stop));
      at = stop;
    }
    if (length !== null) at = stop;
  }
  return at;
}

function lengthAt(bytes: Uint8Array, at: number): { length: number | null; start: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { length: first, start: at + 1 };
  if (first === 0x80) return { length: null, start: at + 1 };
  let length = 0;
  for (let index = 1; index <= (first & 0x7f); index += 1) length = length * 256 + (bytes[at + index] ?? 0);
  return { length, start: at + 1 + (first & 0x7f) };
}
