// Reads bytes as text, in whichever character encoding a program saved it.
import { utf8 } from '../../crypto/bytes.ts';

/** How many bytes are looked at to tell the encoding. Of a text with a letter, most is the letter's armor. */
const SAMPLE_BYTES = 256 * 1024;
/** High bytes of nearly all characters of a text in UTF-16: Latin, Cyrillic, and typographic punctuation. */
const WIDE_HIGH_BYTES: ReadonlySet<number> = new Set([0x00, 0x04, 0x20]);
const WIDE_SHARE = 0.95;
/** With a larger share of control characters it is not text. */
const CONTROL_SHARE_MAX = 0.005;
const SPACE = 0x20;
const TEXT_CONTROLS: ReadonlySet<number> = new Set([0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1a, 0x1b]);
const BYTE_ORDER_MARK = '\ufeff';

/** One character a byte, so that ASCII reads as it is. */
export function asciiOf(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

/** The inverse, for characters up to U+00FF. A loop, because `Uint8Array.from` takes forty times as long. */
export function fromAscii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Text in UTF-16 or UTF-32, with or without a byte order mark, as UTF-8; null when it is in neither. */
export function fromWide(bytes: Uint8Array): Uint8Array | null {
  const [a = -1, b = -1, c = -1, d = -1] = bytes;
  if (a === 0xff && b === 0xfe) return utf8(c === 0 && d === 0 ? utf32(bytes, true) : utf16(bytes, true));
  if (a === 0xfe && b === 0xff) return utf8(utf16(bytes, false));
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return utf8(utf32(bytes, false));
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (sample.length < 4) return null;
  const share = (step: number, offset: number, isIn: (byte: number) => boolean): number => {
    let [count, all] = [0, 0];
    for (let at = offset; at < sample.length; at += step) {
      all += 1;
      if (isIn(sample[at] as number)) count += 1;
    }
    return count / all;
  };
  const isZero = (byte: number): boolean => byte === 0;
  const isHigh = (byte: number): boolean => WIDE_HIGH_BYTES.has(byte);
  if (share(4, 3, isZero) > WIDE_SHARE && share(4, 2, isZero) > WIDE_SHARE && share(4, 0, isZero) < 0.5) return utf8(utf32(bytes, true));
  if (share(4, 0, isZero) > WIDE_SHARE && share(4, 1, isZero) > WIDE_SHARE && share(4, 3, isZero) < 0.5) return utf8(utf32(bytes, false));
  if (share(2, 1, isHigh) > WIDE_SHARE && share(2, 0, isZero) < 0.05) return utf8(utf16(bytes, true));
  if (share(2, 0, isHigh) > WIDE_SHARE && share(2, 1, isZero) < 0.05) return utf8(utf16(bytes, false));
  return null;
}

function utf16(bytes: Uint8Array, isLittle: boolean): string {
  return new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(bytes);
}

function utf32(bytes: Uint8Array, isLittle: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, isLittle);
    pieces.push(code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd');
  }
  return pieces.join('').replace(BYTE_ORDER_MARK, '');
}

/** Whether bytes are text in some encoding that contains ASCII. */
export function isText(bytes: Uint8Array): boolean {
  let controls = 0;
  for (const byte of bytes) {
    if (byte === 0x7f || (byte < SPACE && !TEXT_CONTROLS.has(byte))) controls += 1;
  }
  return controls <= bytes.length * CONTROL_SHARE_MAX && !(bytes.length > 4 && controls === bytes.length);
}

/**
 * Decodes by `charset`, else as UTF-8, else one character a byte. `isKnown`: false when `charset` names an encoding that is not
 * supported.
 */
export function decodeText(bytes: Uint8Array, charset?: string): { text: string; isKnown: boolean } {
  const named = charset === undefined || charset === '' ? null : decoderFor(charset);
  if (named !== null && !/^utf-?16/i.test(charset ?? '')) return { text: named.decode(bytes), isKnown: true };
  const isKnown = charset === undefined || charset === '' || named !== null || /^(us-)?ascii$/i.test(charset);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), isKnown };
  } catch {
    return { text: asciiOf(bytes), isKnown };
  }
}

function decoderFor(charset: string): InstanceType<typeof TextDecoder> | null {
  try {
    return new TextDecoder(charset.trim().toLowerCase());
  } catch {
    return null;
  }
}
