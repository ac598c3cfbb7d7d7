// Archives that are the same to the byte wherever they are made: POSIX.1-1988 ("ustar"), without owners, times or permissions of the
// machine, so that only names and contents count.
import { equal, utf8 } from '../crypto/bytes.ts';

const BLOCK_BYTES = 512;
/** GNU tar, too, fills up to whole records. */
const RECORD_BYTES = 20 * BLOCK_BYTES;
const NAME_BYTES_MAX = 100;
const SIZE_AT = 124;
const SIZE_DIGITS = 11;
/** Of a file that anybody may read. */
export const PUBLIC_MODE = 0o644;
export const SECRET_MODE = 0o600;
/** 1980-01-01: tar warns of the year 1970, and zip knows no year before. */
const MODIFIED_SECONDS = 315_532_800;
const REGULAR = '0';
const MAGIC = 'ustar\u000000';
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;
const SPACE = 0x20;

const octal = (value: number, bytes: number): string => `${value.toString(8).padStart(bytes - 1, '0')}\0`;

/** A tar of these files, by the order of their paths. Throws when a path is longer than 100 bytes. @param mode of each file */
export function tarOf(files: ReadonlyMap<string, Uint8Array>, mode = PUBLIC_MODE): Uint8Array {
  const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const lengths = entries.map(([, bytes]) => BLOCK_BYTES + padded(bytes.length, BLOCK_BYTES));
  const total = lengths.reduce((sum, length) => sum + length, 2 * BLOCK_BYTES);
  const tar = new Uint8Array(padded(total, RECORD_BYTES));
  let at = 0;
  for (const [index, [path, bytes]] of entries.entries()) {
    tar.set(header(path, bytes.length, mode), at);
    tar.set(bytes, at + BLOCK_BYTES);
    at += lengths[index] ?? 0;
  }
  return tar;
}

/**
 * The files of an archive that `tarOf` made with the same mode; null for every other: no link, no second file of the same path and no
 * other form of a path can be in it. The bytes of the files are views of `tar`.
 */
export function filesOfTar(tar: Uint8Array, mode = PUBLIC_MODE): Map<string, Uint8Array> | null {
  const files = new Map<string, Uint8Array>();
  let at = 0;
  while (at + BLOCK_BYTES <= tar.length && tar[at] !== 0) {
    const digits = latin1(tar.subarray(at + SIZE_AT, at + SIZE_AT + SIZE_DIGITS));
    const length = /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Infinity;
    const end = at + BLOCK_BYTES + length;
    if (end > tar.length) return null;
    const name = tar.subarray(at, at + NAME_BYTES_MAX);
    const nameEnd = name.indexOf(0);
    files.set(latin1(nameEnd === -1 ? name : name.subarray(0, nameEnd)), tar.subarray(at + BLOCK_BYTES, end));
    at += BLOCK_BYTES + padded(length, BLOCK_BYTES);
  }
  try {
    return equal(tarOf(files, mode), tar) ? files : null;
  } catch {
    return null;
  }
}

/** Paths with other letters than ASCII do not come back as they were: then the archive is not the same. */
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const padded = (length: number, unit: number): number => Math.ceil(length / unit) * unit;

function header(path: string, length: number, mode: number): Uint8Array {
  const name = utf8(path);
  if (name.length > NAME_BYTES_MAX) throw new Error(`${path} is longer than ${String(NAME_BYTES_MAX)} bytes`);
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(name);
  const fields = [octal(mode, 8), octal(0, 8), octal(0, 8), octal(length, 12), octal(MODIFIED_SECONDS, 12)];
  block.set(utf8(fields.join('') + ' '.repeat(CHECKSUM_BYTES) + REGULAR), NAME_BYTES_MAX);
  block.set(utf8(MAGIC), 257);
  block.fill(SPACE, CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(utf8(`${sum.toString(8).padStart(6, '0')}\0 `), CHECKSUM_AT);
  return block;
}
