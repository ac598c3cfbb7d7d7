// Reads Outlook's own containers: winmail.dat (TNEF, [MS-OXTNEF]) and .msg (a compound file, [MS-CFB] and [MS-OXMSG]). Each is walked
// to its end. Where that fails, what is stored in it contiguously is found all the same, and it is said that the rest was not read.
import { concat } from '../../crypto/bytes.ts';
import { asciiOf } from './coding.ts';
import type { Piece } from './piece.ts';
import { Unread } from './unread.ts';
import type { Unpacked } from './unpack.ts';

const TNEF_HEADER_BYTES = 6;
const TNEF_ATTRIBUTE_BYTES = 9;
const TNEF_CHECKSUM_BYTES = 2;
const ATTACH_TITLE = 0x00018010;
const ATTACH_DATA = 0x0006800f;
const TNEF_MAGIC = 'x\x9f>"';

/** The attributes of a winmail.dat: attachments with their names, everything else without one. */
export function fromTnef({ bytes }: Piece): Unpacked {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Piece[] = [];
  let name = '';
  let at = TNEF_HEADER_BYTES;
  let isWhole = true;
  while (at < bytes.length && isWhole) {
    const left = bytes.length - at;
    const length = left < TNEF_ATTRIBUTE_BYTES ? left : view.getUint32(at + 5, true);
    isWhole = left >= TNEF_ATTRIBUTE_BYTES + length && [1, 2].includes(bytes[at] ?? 0);
    if (!isWhole) break;
    const value = bytes.subarray(at + TNEF_ATTRIBUTE_BYTES, at + TNEF_ATTRIBUTE_BYTES + length);
    const id = view.getUint32(at + 1, true);
    if (id === ATTACH_TITLE) name = asciiOf(value).replace(/\0.*$/s, '');
    else if (id === ATTACH_DATA) pieces.push({ name, bytes: value, isAttached: true });
    else pieces.push({ name: '', bytes: value, isAside: true }, ...within(value));
    at += TNEF_ATTRIBUTE_BYTES + length + TNEF_CHECKSUM_BYTES;
  }
  return { pieces, problems: isWhole ? [] : [new Unread('UNREAD_OUTLOOK', 'it is Outlook’s winmail.dat, and was not read to its end')] };
}

/** What may be in an attribute of message properties: compressed text, and a message attached to another. */
function within(value: Uint8Array): Piece[] {
  const text = asciiOf(value);
  const pieces: Piece[] = [];
  for (let at = text.indexOf('LZFu'); at !== -1; at = text.indexOf('LZFu', at + 1)) {
    if (at >= 8) pieces.push({ name: '', bytes: value.subarray(at - 8), isAside: true });
  }
  // TextDecoder reads 0x9f as U+0178.
  const nested = text.indexOf(TNEF_MAGIC.replace('\x9f', '\u0178'));
  if (nested !== -1) pieces.push({ name: '', bytes: value.subarray(nested) });
  return pieces;
}

const SECTOR_FREE_MIN = 0xfffffffa;
const SMALL_SECTOR_BYTES = 64;
const DIRECTORY_ENTRY_BYTES = 128;
const HEADER_FAT_ENTRIES = 109;
const TYPE_STREAM = 2;
const TYPE_ROOT = 5;
/** `__substg1.0_`, then in hex a property (3701: an attachment's bytes; 1009: compressed text) and its type. */
const PROPERTY = /^__substg1\.0_([0-9A-F]{4})([0-9A-F]{4})/i;
const ATTACHED_BYTES = '3701';

/** The streams of a compound file. In a .msg, the names of streams say which hold text or attachments. */
export function fromCompound({ bytes }: Piece): Unpacked {
  try {
    const streams = new Compound(bytes).streams();
    const isMessage = streams.some(({ name }) => PROPERTY.test(name));
    const pieces = streams.map(({ name, bytes: stream }): Piece => {
      const isAttachment = PROPERTY.exec(name)?.[1] === ATTACHED_BYTES;
      return { name: '', bytes: stream, ...(isAttachment ? { isAttached: true } : { isAside: true }) };
    });
    // In a document, Word may store the text of a letter out of order.
    return { pieces, problems: isMessage ? [] : [new Unread('UNREAD_DOCUMENT', 'it is a document or data of an Office program')] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { pieces: [], problems: [new Unread('UNREAD_OUTLOOK', 'it is a message of Outlook (.msg), and was not read to its end')] };
  }
}

class Compound {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #sectorBytes: number;
  readonly #fat: readonly number[];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const shift = this.#view.getUint16(30, true);
    if (shift !== 9 && shift !== 12) throw new RangeError('no sectors');
    this.#sectorBytes = 2 ** shift;
    this.#fat = this.#sectorsOfFat().flatMap((sector) => this.#numbers(sector));
  }

  streams(): { name: string; bytes: Uint8Array }[] {
    const directory = this.#chain(this.#view.getUint32(48, true), this.#bytes.length);
    const smallFat = this.#chainOf(this.#view.getUint32(60, true), this.#fat, this.#fat.length).flatMap((sector) => this.#numbers(sector));
    const smallMax = this.#view.getUint32(56, true);
    const entries = new DataView(directory.buffer, directory.byteOffset, directory.byteLength);
    let small: Uint8Array = new Uint8Array();
    const streams: { name: string; bytes: Uint8Array }[] = [];
    let room = this.#bytes.length;
    for (let at = 0; at + DIRECTORY_ENTRY_BYTES <= directory.length; at += DIRECTORY_ENTRY_BYTES) {
      const type = directory[at + 66];
      const start = entries.getUint32(at + 116, true);
      const size = entries.getUint32(at + 120, true);
      if (type === TYPE_ROOT) small = this.#chain(start, size).subarray(0, size);
      if (type !== TYPE_STREAM || size === 0) continue;
      const nameBytes = Math.max(0, Math.min(64, entries.getUint16(at + 64, true)) - 2);
      const name = new TextDecoder('utf-16le').decode(directory.subarray(at, at + nameBytes));
      room -= size;
      if (room < 0) throw new RangeError('its streams are larger than it');
      const stream = size < smallMax ? this.#small(start, small, smallFat, size) : this.#chain(start, size);
      if (stream.length < size) throw new RangeError('a stream breaks off');
      streams.push({ name, bytes: stream.subarray(0, size) });
    }
    if (streams.length === 0) throw new RangeError('no streams');
    return streams;
  }

  #sectorsOfFat(): number[] {
    const sectors = Array.from({ length: HEADER_FAT_ENTRIES }, (_, index) => this.#view.getUint32(76 + 4 * index, true));
    let next = this.#view.getUint32(68, true);
    for (let count = 0; next < SECTOR_FREE_MIN && count < this.#bytes.length / this.#sectorBytes; count += 1) {
      const more = this.#numbers(next);
      next = more.pop() ?? SECTOR_FREE_MIN;
      sectors.push(...more);
    }
    const used = sectors.filter((sector) => sector < SECTOR_FREE_MIN);
    // Each lists as many sectors as fit into one. With more of them than the file needs, it was made to keep somebody busy.
    if (used.length > HEADER_FAT_ENTRIES + (4 * this.#bytes.length) / this.#sectorBytes ** 2) throw new RangeError('too many tables');
    return used;
  }

  #sector(index: number): Uint8Array {
    const start = (index + 1) * this.#sectorBytes;
    if (start >= this.#bytes.length) throw new RangeError('a sector outside of it');
    return this.#bytes.subarray(start, start + this.#sectorBytes);
  }

  #numbers(sector: number): number[] {
    const bytes = this.#sector(sector);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getUint32(4 * index, true));
  }

  #chain(first: number, size: number): Uint8Array {
    return concat(...this.#chainOf(first, this.#fat, Math.ceil(size / this.#sectorBytes)).map((sector) => this.#sector(sector)));
  }

  #small(first: number, container: Uint8Array, fat: readonly number[], size: number): Uint8Array {
    const chain = this.#chainOf(first, fat, Math.ceil(size / SMALL_SECTOR_BYTES));
    return concat(...chain.map((sector) => container.subarray(sector * SMALL_SECTOR_BYTES, (sector + 1) * SMALL_SECTOR_BYTES)));
  }

  /** At most `count` sectors of a chain: one that loops would never end. */
  #chainOf(first: number, fat: readonly number[], count: number): number[] {
    const chain: number[] = [];
    const longest = Math.min(count, fat.length);
    for (let sector = first; sector < SECTOR_FREE_MIN && chain.length < longest; sector = fat[sector] ?? SECTOR_FREE_MIN) {
      chain.push(sector);
    }
    return chain;
  }
}
