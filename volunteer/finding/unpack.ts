// Unpacks compressed files and archives with what browsers and Node bring along. The output is bounded, since a small file can be made
// to unpack to any size.
import { concat } from '../../crypto/bytes.ts';
import { asciiOf } from './coding.ts';
import type { Piece } from './piece.ts';
import { Unread } from './unread.ts';

export type Unpacked = { pieces: Piece[]; problems: Unread[] };
type Format = 'gzip' | 'deflate' | 'deflate-raw';

/** The decompressed bytes; null when there are more than `bytesMax`. `isWhole`: whether the file ends as it should. */
export async function inflate(
  bytes: Uint8Array,
  format: Format,
  bytesMax: number,
): Promise<{ bytes: Uint8Array; isWhole: boolean } | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  let isWhole = true;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > bytesMax) {
        await reader.cancel();
        return null;
      }
      chunks.push(value);
    }
  } catch {
    isWhole = false;
  }
  return { bytes: concat(...chunks), isWhole };
}

export async function fromCompressed({ name, bytes }: Piece, format: Format, bytesMax: number): Promise<Unpacked> {
  const inflated = await inflate(bytes, format, bytesMax);
  if (inflated === null) {
    return { pieces: [], problems: [new Unread('UNREAD_LIMIT', 'it is compressed, and larger than anything that is read')] };
  }
  const problems = inflated.isWhole ? [] : [new Unread('UNREAD_COMPRESSED', 'it is compressed and does not end as such a file should')];
  return { pieces: [{ name: name.replace(/\.(?:gz|z|zlib|deflate)$/i, ''), bytes: inflated.bytes }], problems };
}

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_BYTES = 22;
const COMMENT_BYTES_MAX = 0xffff;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const METHOD_STORED = 0;
const METHOD_DEFLATED = 8;
const FLAG_ENCRYPTED = 1;

/** The entries of a .zip, by its directory; many documents are one, too. */
export async function fromZip({ bytes }: Piece, entriesMax: number, bytesMax: number): Promise<Unpacked> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unpacked: Unpacked = { pieces: [], problems: [] };
  const end = endOfDirectory(view);
  if (end === null) return { pieces: [], problems: [new Unread('UNREAD_ARCHIVE', 'it is a zip archive without its end')] };
  let room = bytesMax;
  let at = view.getUint32(end + 16, true);
  const entries = view.getUint16(end + 10, true);
  for (let index = 0; index < entries; index += 1) {
    if (index >= entriesMax) {
      unpacked.problems.push(new Unread('UNREAD_LIMIT', 'it is an archive of too many files'));
      break;
    }
    if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== ENTRY) {
      unpacked.problems.push(new Unread('UNREAD_ARCHIVE', 'it is a zip archive that is damaged'));
      break;
    }
    const nameLength = view.getUint16(at + 28, true);
    const name = asciiOf(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength));
    if (!name.endsWith('/')) {
      const read = await readEntry(view, bytes, at, name, room);
      if (read instanceof Unread) unpacked.problems.push(read);
      else {
        room -= read.length;
        unpacked.pieces.push({ name, bytes: read, isAttached: true });
      }
    }
    at += ENTRY_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return unpacked;
}

function endOfDirectory(view: DataView): number | null {
  const last = view.byteLength - END_OF_DIRECTORY_BYTES;
  for (let at = last; at >= 0 && at >= last - COMMENT_BYTES_MAX; at -= 1) {
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  }
  return null;
}

async function readEntry(view: DataView, bytes: Uint8Array, at: number, name: string, room: number): Promise<Uint8Array | Unread> {
  const isEncrypted = (view.getUint16(at + 8, true) & FLAG_ENCRYPTED) !== 0;
  if (isEncrypted) return new Unread('UNREAD_ENCRYPTED', `${name} is in a zip archive with a password`);
  const tooLarge = new Unread('UNREAD_LIMIT', `${name} is larger than anything that is read`);
  const method = view.getUint16(at + 10, true);
  const local = view.getUint32(at + 42, true);
  if (local + LOCAL_BYTES > bytes.length) return new Unread('UNREAD_ARCHIVE', `${name} is in a zip archive that is damaged`);
  const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const packed = bytes.subarray(start, start + view.getUint32(at + 20, true));
  if (method === METHOD_STORED) return packed.length <= room ? packed : tooLarge;
  if (method !== METHOD_DEFLATED) return new Unread('UNREAD_ARCHIVE', `${name} is in a zip archive, compressed in an unusual way`);
  const inflated = await inflate(packed, 'deflate-raw', room);
  if (inflated === null) return tooLarge;
  return inflated.isWhole ? inflated.bytes : new Unread('UNREAD_ARCHIVE', `${name} is in a zip archive that is damaged`);
}

const TAR_BLOCK_BYTES = 512;

/** The files of a .tar. */
export function fromTar({ bytes }: Piece, entriesMax: number): Unpacked {
  const unpacked: Unpacked = { pieces: [], problems: [] };
  for (let at = 0; at + TAR_BLOCK_BYTES <= bytes.length;) {
    const header = asciiOf(bytes.subarray(at, at + TAR_BLOCK_BYTES));
    const octal = /^[ \0]*([0-7]{1,11})/.exec(header.slice(124, 136))?.[1];
    if (header[0] === '\0') break;
    if (octal === undefined) {
      unpacked.problems.push(new Unread('UNREAD_ARCHIVE', 'it is a tar archive that is damaged'));
      break;
    }
    if (unpacked.pieces.length >= entriesMax) {
      unpacked.problems.push(new Unread('UNREAD_LIMIT', 'it is an archive of too many files'));
      break;
    }
    const size = parseInt(octal, 8);
    const content = bytes.subarray(at + TAR_BLOCK_BYTES, at + TAR_BLOCK_BYTES + size);
    if (content.length < size) unpacked.problems.push(new Unread('UNREAD_ARCHIVE', 'it is a tar archive that breaks off'));
    const isFile = header[156] === '0' || header[156] === '\0' || header[156] === '7';
    if (isFile) unpacked.pieces.push({ name: header.slice(0, 100).replace(/\0.*$/s, ''), bytes: content, isAttached: true });
    at += TAR_BLOCK_BYTES + Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  }
  return unpacked;
}
