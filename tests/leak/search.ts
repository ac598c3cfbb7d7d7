import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

/** Something to search for, in every encoding in which it could be stored. */
export type Needle = { readonly name: string; readonly shapes: readonly Buffer[] };

/** Something to search: a file, a Redis key, a process. */
export type Place = { readonly name: string; readonly chunks: Iterable<Buffer> };

const CHUNK_BYTES = 256 * 1024;
/** Longer than any encoding, so that none is missed where two chunks meet. */
const OVERLAP_BYTES = 1024;
/** Most of a process's memory was never written, and no needle is all zeros. */
const ZEROS = Buffer.alloc(CHUNK_BYTES + OVERLAP_BYTES);

export function textNeedle(name: string, text: string): Needle {
  const utf8 = Buffer.from(text);
  const hex = utf8.toString('hex');
  const escaped = [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const shapes = [
    utf8,
    Buffer.from(text, 'utf16le'),
    Buffer.from(hex),
    Buffer.from(hex.toUpperCase()),
    Buffer.from(encodeURIComponent(text)),
    Buffer.from(escaped),
    Buffer.from(hex.toUpperCase().replace(/../g, '=$&')),
    ...base64Shapes(utf8),
  ];
  return { name, shapes };
}

export function bytesNeedle(name: string, bytes: Uint8Array): Needle {
  return { name, shapes: [Buffer.from(bytes)] };
}

/** Base64 depends on the text's position in a group of three bytes; its ends, which depend on the neighbours, are left out. */
function base64Shapes(bytes: Buffer): Buffer[] {
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const inner = text.slice(offset === 0 ? 0 : 4, -4);
    return [Buffer.from(inner), Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_'))];
  });
}

const PREFIX_BYTES = 3;

/**
 * Searches for all encodings of all needles in one pass: there are hundreds, and many megabytes to search.
 * @returns "needle in place" for everything that was found
 */
export function search(places: Iterable<Place>, needles: readonly Needle[]): string[] {
  const isBegun = new Uint8Array(1 << (8 * PREFIX_BYTES));
  const begun = new Map<number, { needle: Needle; shape: Buffer }[]>();
  for (const needle of needles) {
    for (const shape of needle.shapes) {
      const prefix = shape.readUIntBE(0, PREFIX_BYTES);
      isBegun[prefix] = 1;
      begun.set(prefix, [...(begun.get(prefix) ?? []), { needle, shape }]);
    }
  }
  const found = new Set<string>();
  for (const { name, chunks } of places) {
    for (const chunk of chunks) {
      let prefix = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        prefix = ((prefix << 8) | (chunk[at] ?? 0)) & 0xffffff;
        if (isBegun[prefix] === 0) continue;
        const from = at + 1 - PREFIX_BYTES;
        for (const { needle, shape } of begun.get(prefix) ?? []) {
          if (from >= 0 && chunk.subarray(from, from + shape.length).equals(shape)) found.add(`${needle.name} in ${name}`);
        }
      }
    }
  }
  return [...found].sort();
}

export function* filesIn(directory: string): Iterable<Place> {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    // Names can reveal as much as content.
    yield { name: `a name in ${entry.parentPath}`, chunks: [Buffer.from(entry.name)] };
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    yield { name: path.slice(directory.length + 1), chunks: whenThere(() => [readFileSync(path)]) };
  }
}

/** Redis rewrites its files, and a process may unmap memory, between the listing and the reading. */
function whenThere(read: () => Buffer[]): Buffer[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/** Every key of Redis as stored (DUMP) and as read, because DUMP compresses. */
export async function redisKeys(redis: Redis): Promise<Place[]> {
  const places: Place[] = [];
  for (const key of await redis.keysBuffer('*')) {
    const name = `Redis key ${key.toString('latin1')}`;
    const dump = await redis.dumpBuffer(key);
    places.push({ name, chunks: [key, ...(dump === null ? [] : [dump]), ...(await values(redis, key))] });
  }
  return places;
}

async function values(redis: Redis, key: Buffer): Promise<Buffer[]> {
  const type = await redis.type(key);
  const flat = (reply: unknown): Buffer[] => (Array.isArray(reply) ? reply.flatMap(flat) : Buffer.isBuffer(reply) ? [reply] : []);
  switch (type) {
    case 'string':
      return flat([await redis.getBuffer(key)]);
    case 'hash':
      return flat(await redis.callBuffer('HGETALL', key));
    case 'set':
      return flat(await redis.smembersBuffer(key));
    case 'zset':
      return flat(await redis.callBuffer('ZRANGE', key, 0, -1));
    case 'list':
      return flat(await redis.lrangeBuffer(key, 0, -1));
    case 'stream':
      return flat(await redis.callBuffer('XRANGE', key, '-', '+'));
    default:
      // Either deleted in between, or of a type that this search would miss.
      if (type !== 'none') throw new Error(`a key of type ${type} was not looked through`);
      return [];
  }
}

/** All memory a process can read, except mapped files. */
export function memoryOf(name: string, pid: number): Place {
  // Read afresh for each search.
  return { name: `memory of ${name}`, chunks: { [Symbol.iterator]: () => memory(pid) } };
}

function* memory(pid: number): Generator<Buffer> {
  for (const { chunk } of piecesOf(pid)) yield chunk;
}

/** How a Redis set stores 16 bytes: a header byte with the length shifted left by three, the bytes, and a zero. */
const ID_IN_SET = /\x80(?=([^]{16})\0)/g;

/** The lowest address at which a Redis process stores each of these 16-byte set members. */
export function addressesIn(pid: number, members: readonly Buffer[]): number[] {
  const wanted = new Map(members.map((member) => [member.toString('latin1'), Number.POSITIVE_INFINITY]));
  for (const { chunk, at } of piecesOf(pid)) {
    const text = chunk.toString('latin1');
    for (const found of text.matchAll(ID_IN_SET)) {
      const [, member = ''] = found;
      const known = wanted.get(member);
      if (known !== undefined) wanted.set(member, Math.min(known, at + found.index));
    }
  }
  return members.map((member) => wanted.get(member.toString('latin1')) ?? Number.POSITIVE_INFINITY);
}

type Piece = { readonly chunk: Buffer; readonly at: number };

function* piecesOf(pid: number): Generator<Piece> {
  const maps = readFileSync(`/proc/${String(pid)}/maps`, 'utf8')
    .trimEnd()
    .split('\n');
  const file = openSync(`/proc/${String(pid)}/mem`, 'r');
  try {
    for (const line of maps) {
      const [range = '', mode = '', , , inode] = line.split(/ +/);
      if (!mode.startsWith('r') || inode !== '0' || /\[v(var|dso|syscall)/.test(line)) continue;
      const [start = 0, end = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
      yield* region(file, start, end);
    }
  } finally {
    closeSync(file);
  }
}

function* region(file: number, start: number, end: number): Iterable<Piece> {
  for (let at = start; at < end; at += CHUNK_BYTES) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES + OVERLAP_BYTES, end - at));
    for (const read of whenThere(() => [chunk.subarray(0, readSync(file, chunk, 0, chunk.length, at))]))
      if (!read.equals(ZEROS.subarray(0, read.length))) yield { chunk: read, at };
  }
}
