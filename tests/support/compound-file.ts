// A compound file such as Outlook's .msg: streams in sectors of 512 bytes, small streams in sectors of 64 within the root's stream.
// Specification: [MS-CFB].
const END_OF_CHAIN = 0xfffffffe;
const FREE = 0xffffffff;
/** Marks a sector that holds part of the table itself. */
const TABLE = 0xfffffffd;
const SECTOR = 512;
const SMALL_SECTOR = 64;
/** Streams shorter than this go into small sectors. */
const SMALL_BELOW = 4096;
const NUMBERS_A_SECTOR = SECTOR / 4;
/** How many sectors of the table the header lists. */
const TABLE_IN_HEADER = 109;

type Stream = { readonly name: string; readonly content: Uint8Array };

/** Places the sectors of each stream in an order other than that of the stream. */
export function compound(streams: readonly Stream[]): Uint8Array {
  const sectors = new Sectors();
  const small = smallStreams(streams.filter(({ content }) => content.length < SMALL_BELOW));
  const starts = new Map(small.starts);
  for (const { name, content } of streams) {
    if (content.length >= SMALL_BELOW) starts.set(name, sectors.place(Buffer.from(content)));
  }
  const rootStart = sectors.placeAny(small.content);
  const smallTableStart = sectors.placeAny(numbers(small.table));
  const directory = Buffer.concat([
    entry('Root Entry', 5, rootStart, small.content.length),
    ...streams.map(({ name, content }) => entry(name, 2, starts.get(name) ?? 0, content.length)),
  ]);
  return sectors.file(sectors.place(directory), smallTableStart);
}

/** The sectors of a file, and the table that says which sector follows each. */
class Sectors {
  readonly #sectors: Buffer[] = [];
  readonly #table: number[] = [];

  /** Places the sectors backwards, so that nothing is contiguous. Returns the stream's first sector. */
  place(content: Buffer): number {
    const count = Math.ceil(content.length / SECTOR);
    const first = this.#sectors.length;
    for (let i = count - 1; i >= 0; i -= 1) {
      this.#sectors.push(Buffer.concat([content.subarray(i * SECTOR, (i + 1) * SECTOR), Buffer.alloc(SECTOR)]).subarray(0, SECTOR));
      this.#table.push(i === count - 1 ? END_OF_CHAIN : this.#sectors.length - 2);
    }
    return first + count - 1;
  }

  placeAny(content: Buffer): number {
    return content.length === 0 ? END_OF_CHAIN : this.place(content);
  }

  file(directoryStart: number, smallTableStart: number): Uint8Array {
    // Each sector of the table holds 128 numbers, one of which is its own.
    const tableSectors = Math.ceil(this.#table.length / (NUMBERS_A_SECTOR - 1));
    const tableStart = this.#sectors.length;
    const table = numbers([...this.#table, ...Array.from({ length: tableSectors }, () => TABLE)]);
    const header = Buffer.alloc(SECTOR);
    header.write('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1');
    header.writeUInt16LE(9, 30);
    header.writeUInt16LE(6, 32);
    header.writeUInt32LE(tableSectors, 44);
    header.writeUInt32LE(directoryStart, 48);
    header.writeUInt32LE(SMALL_BELOW, 56);
    header.writeUInt32LE(smallTableStart, 60);
    header.writeUInt32LE(END_OF_CHAIN, 68);
    for (let i = 0; i < TABLE_IN_HEADER; i += 1) header.writeUInt32LE(i < tableSectors ? tableStart + i : FREE, 76 + 4 * i);
    return new Uint8Array(Buffer.concat([header, ...this.#sectors, table]));
  }
}

function smallStreams(streams: readonly Stream[]): { content: Buffer; table: number[]; starts: Map<string, number> } {
  const parts: Buffer[] = [];
  const table: number[] = [];
  const starts = new Map<string, number>();
  for (const { name, content } of streams) {
    const count = Math.ceil(content.length / SMALL_SECTOR);
    starts.set(name, table.length);
    for (let i = 0; i < count; i += 1) table.push(i === count - 1 ? END_OF_CHAIN : table.length + 1);
    parts.push(Buffer.concat([content, Buffer.alloc(count * SMALL_SECTOR - content.length)]));
  }
  return { content: Buffer.concat(parts), table, starts };
}

function numbers(list: readonly number[]): Buffer {
  const buffer = Buffer.alloc(Math.ceil(list.length / NUMBERS_A_SECTOR) * SECTOR, 0xff);
  list.forEach((number, i) => buffer.writeUInt32LE(number, 4 * i));
  return buffer;
}

/** A directory entry. `type`: 5 for the root, 2 for a stream. */
function entry(name: string, type: number, start: number, size: number): Buffer {
  const buffer = Buffer.alloc(128);
  buffer.write(name, 0, 'utf16le');
  buffer.writeUInt16LE(2 * (name.length + 1), 64);
  buffer.writeUInt8(type, 66);
  buffer.writeUInt32LE(start, 116);
  buffer.writeUInt32LE(size, 120);
  return buffer;
}
