// Decompresses rich text as Outlook stores the text of a message: [MS-OXRTFCP].
import { utf8 } from '../../crypto/bytes.ts';

const HEADER_BYTES = 16;
const COMPRESSED = 0x75465a4c;
const UNCOMPRESSED = 0x414c454d;
const WINDOW_BYTES = 4096;
const MINIMAL_RUN = 2;
/** With what the window is filled at the start: § 2.1.2.1. */
const DICTIONARY =
  '{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial' +
  'Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx';

export function isCompressedRichText(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES).getUint32(8, true);
  return magic === COMPRESSED || magic === UNCOMPRESSED;
}

/** The rich text, as far as it can be decompressed; null when it would be larger than `bytesMax`. */
export function fromCompressedRichText(bytes: Uint8Array, bytesMax: number): Uint8Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(4, true);
  if (length > bytesMax) return null;
  if (view.getUint32(8, true) === UNCOMPRESSED) return bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
  const window = new Uint8Array(WINDOW_BYTES);
  const start = utf8(DICTIONARY);
  window.set(start);
  const out = new Uint8Array(length);
  let [at, written, position] = [HEADER_BYTES, 0, start.length];
  const put = (byte: number): void => {
    if (written < length) out[written] = byte;
    written += 1;
    window[position] = byte;
    position = (position + 1) % WINDOW_BYTES;
  };
  while (at < bytes.length && written < length) {
    const control = bytes[at] as number;
    at += 1;
    for (let bit = 0; bit < 8 && at < bytes.length && written < length; bit += 1) {
      if ((control & (1 << bit)) === 0) {
        put(bytes[at] as number);
        at += 1;
        continue;
      }
      if (at + 1 >= bytes.length) return out.subarray(0, written);
      const reference = view.getUint16(at);
      at += 2;
      const offset = reference >> 4;
      // A reference to the current position marks the end.
      if (offset === position) return out.subarray(0, written);
      for (let count = 0; count < (reference & 0xf) + MINIMAL_RUN; count += 1) put(window[(offset + count) % WINDOW_BYTES] as number);
    }
  }
  return out.subarray(0, Math.min(written, length));
}
