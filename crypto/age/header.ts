// The textual header of an age v1 file: c2sp.org/age, § Header.
import { base64nopad } from '@scure/base';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, equal, fromUtf8, utf8 } from '../bytes.ts';
import { CodedError } from '../errors.ts';

export const FILE_KEY_BYTES = 16;
export const MAC_BYTES = 32;
const COLUMNS = 64;

const VERSION_LINE = 'age-encryption.org/v1';
const STANZA_MARK = '-> ';
const MAC_MARK = '---';

/** The number of characters that unpadded base64 needs for `bytes` bytes. */
export const base64Length = (bytes: number): number => Math.ceil((bytes * 4) / 3);

export const VERSION_LINE_BYTES = VERSION_LINE.length + 1;
export const MAC_LINE_BYTES = MAC_MARK.length + 1 + base64Length(MAC_BYTES) + 1;

/** One recipient stanza: `-> type args…` and its body. */
export type Stanza = { readonly type: string; readonly args: readonly string[]; readonly body: Uint8Array };

export type Header = {
  readonly stanzas: readonly Stanza[];
  readonly mac: Uint8Array;
  /** What the MAC covers: everything up to and including `---`. */
  readonly covered: Uint8Array;
  /** Length of the whole header in bytes; the payload follows. */
  readonly length: number;
};

const malformed = (what: string): CodedError => new CodedError('AGE_HEADER', `not an age v1 header: ${what}`);

/** Decodes unpadded canonical base64 (RFC 4648 §3.5). Throws AGE_HEADER for anything else. */
export function decodeBase64(text: string): Uint8Array {
  try {
    return base64nopad.decode(text);
  } catch {
    throw malformed('base64 is not canonical');
  }
}

/** Reads lines of printable ASCII and spaces that end in LF. `next` throws AGE_HEADER when the next line is anything else. */
class LineReader {
  offset = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): string {
    const end = this.#bytes.indexOf(0x0a, this.offset);
    if (end < 0) throw malformed('it ends within a line');
    const line = this.#bytes.subarray(this.offset, end);
    if (line.some((byte) => byte < 0x20 || byte > 0x7e)) throw malformed('a character that is not printable ASCII');
    this.offset = end + 1;
    return fromUtf8(line);
  }
}

function readBody(lines: LineReader): Uint8Array {
  let text = '';
  for (;;) {
    const line = lines.next();
    if (line.length > COLUMNS) throw malformed('a body line over 64 columns');
    text += line;
    if (line.length < COLUMNS) return decodeBase64(text);
  }
}

function readStanza(line: string, lines: LineReader): Stanza {
  const [type, ...args] = line.slice(STANZA_MARK.length).split(' ');
  if (type === undefined || [type, ...args].includes('')) throw malformed('an empty stanza argument');
  return { type, args, body: readBody(lines) };
}

/**
 * Parses the header at the start of an age file, strictly (c2sp.org/age, § ABNF definition of file header).
 * Throws AGE_HEADER when it is malformed.
 */
export function parseHeader(file: Uint8Array): Header {
  const lines = new LineReader(file);
  if (lines.next() !== VERSION_LINE) throw malformed('unexpected version line');
  const stanzas: Stanza[] = [];
  for (;;) {
    const start = lines.offset;
    const line = lines.next();
    if (line.startsWith(STANZA_MARK)) {
      stanzas.push(readStanza(line, lines));
      continue;
    }
    if (!line.startsWith(`${MAC_MARK} `)) throw malformed('neither a stanza nor the MAC');
    if (stanzas.length === 0) throw malformed('no stanza');
    if (stanzas.length > 1 && stanzas.some(({ type }) => type === 'scrypt')) throw malformed('a scrypt stanza among others');
    const mac = decodeBase64(line.slice(MAC_MARK.length + 1));
    if (mac.length !== MAC_BYTES) throw malformed(`a MAC of ${String(mac.length)} bytes, expected ${String(MAC_BYTES)}`);
    return { stanzas, mac, covered: file.subarray(0, start + MAC_MARK.length), length: lines.offset };
  }
}

function macOf(covered: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const key = hkdf(sha256, fileKey, undefined, utf8('header'), 32);
  return hmac(sha256, key, covered);
}

/** § Header MAC. `fileKey`: 16 bytes. Throws AGE_MAC unless the MAC is right for this header and key. */
export function verifyMac(header: Header, fileKey: Uint8Array): void {
  if (!equal(macOf(header.covered, fileKey), header.mac)) throw new CodedError('AGE_MAC', 'header MAC verification failed');
}

function encodeStanza({ type, args, body }: Stanza): string {
  const text = base64nopad.encode(body);
  const full = text.match(new RegExp(`.{${String(COLUMNS)}}`, 'g')) ?? [];
  return `${STANZA_MARK}${[type, ...args].join(' ')}\n${[...full, text.slice(full.length * COLUMNS)].join('\n')}\n`;
}

/** The header for `stanzas`, with its MAC under `fileKey` (16 bytes). */
export function encodeHeader(stanzas: readonly Stanza[], fileKey: Uint8Array): Uint8Array {
  const covered = utf8(`${VERSION_LINE}\n${stanzas.map(encodeStanza).join('')}${MAC_MARK}`);
  return concat(covered, utf8(` ${base64nopad.encode(macOf(covered, fileKey))}\n`));
}
