// Tells what a file is by its first bytes, whatever its name: what can be unpacked, what cannot be read, and what holds no letter.
import { containerOf } from './cms.ts';
import { isCompressedRichText } from './rich-text.ts';
import type { UnreadCode } from './unread.ts';

export type OpenedFormat = 'gzip' | 'zlib' | 'zip' | 'tar' | 'tnef' | 'compound' | 'rich-text' | 'signed';
type Closed = { readonly code: UnreadCode; readonly what: string };
/** `harmless`: pictures, sounds and the like, into which no program puts a letter. */
export type Format = { readonly open: OpenedFormat } | Closed | 'harmless';

type Sign = { readonly at?: number; readonly starts: string; readonly format: Format };

const closed = (code: UnreadCode, what: string): Closed => ({ code, what });
const outlook = closed('UNREAD_OUTLOOK', 'it is a whole mailbox of Outlook');
const word = (what: string): Closed => closed('UNREAD_DOCUMENT', `it is ${what}`);
const packed = (what: string): Closed => closed('UNREAD_COMPRESSED', `it is compressed with ${what}`);
const archive = (what: string): Closed => closed('UNREAD_ARCHIVE', `it is ${what} archive`);

/** The first bytes by which each format is known, one character a byte. The first that matches counts. */
const SIGNS: readonly Sign[] = [
  { starts: '\x1f\x8b', format: { open: 'gzip' } },
  { starts: 'PK\x03\x04', format: { open: 'zip' } },
  { starts: 'PK\x05\x06', format: { open: 'zip' } },
  { at: 257, starts: 'ustar', format: { open: 'tar' } },
  { starts: '\x78\x9f\x3e\x22', format: { open: 'tnef' } },
  { starts: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', format: { open: 'compound' } },
  { starts: 'BZh', format: packed('bzip2') },
  { starts: '\xfd7zXZ\x00', format: packed('xz') },
  { starts: '\x28\xb5\x2f\xfd', format: packed('zstd') },
  { starts: '\x04\x22\x4d\x18', format: packed('lz4') },
  { starts: 'Dovecot-LZ4', format: packed('lz4, as Dovecot does it') },
  { starts: 'LZIP', format: packed('lzip') },
  { starts: '\x1f\x9d', format: packed('compress') },
  { starts: '\x5d\x00\x00', format: packed('lzma') },
  { starts: '\x89LZO', format: packed('lzop') },
  { starts: '7z\xbc\xaf\x27\x1c', format: archive('a 7z') },
  { starts: 'Rar!\x1a\x07', format: archive('a RAR') },
  { starts: 'MSCF', format: archive('a cabinet') },
  { starts: 'ITSF', format: archive('a compiled help') },
  { starts: '!<arch>', format: archive('an ar') },
  { starts: '070701', format: archive('a cpio') },
  { starts: '\x60\xea', format: archive('an ARJ') },
  { at: 2, starts: '-lh', format: archive('an LHA') },
  { at: 7, starts: '**ACE**', format: archive('an ACE') },
  { starts: 'CRYPTED\x03\x07', format: closed('UNREAD_ENCRYPTED', 'it is encrypted by the mail server that keeps it') },
  { starts: '-----BEGIN PGP MESSAGE', format: closed('UNREAD_ENCRYPTED', 'it is encrypted with OpenPGP') },
  { starts: '!BDN', format: outlook },
  { starts: '\xcf\xad\x12\xfe', format: outlook },
  { starts: '%PDF-', format: word('a PDF') },
  { starts: 'bplist00', format: word('a page saved by Safari, or data of a program of Apple') },
  { starts: 'SQLite format 3\0', format: word('data of some program (SQLite)') },
  // What macOS writes beside a file: its icon and other attributes (AppleDouble).
  { starts: '\0\x05\x16\x07', format: 'harmless' },
  { starts: '\x89PNG\r\n\x1a\n', format: 'harmless' },
  { starts: '\xff\xd8\xff', format: 'harmless' },
  { starts: 'GIF8', format: 'harmless' },
  { starts: 'II*\0', format: 'harmless' },
  { starts: 'MM\0*', format: 'harmless' },
  { starts: '\0\0\x01\0', format: 'harmless' },
  { starts: 'BM', format: 'harmless' },
  { at: 8, starts: 'WEBP', format: 'harmless' },
  { at: 8, starts: 'WAVE', format: 'harmless' },
  { at: 8, starts: 'AVI ', format: 'harmless' },
  { at: 4, starts: 'ftyp', format: 'harmless' },
  { starts: 'ID3', format: 'harmless' },
  { starts: '\xff\xfb', format: 'harmless' },
  { starts: 'OggS', format: 'harmless' },
  { starts: 'fLaC', format: 'harmless' },
  { starts: '\x1aE\xdf\xa3', format: 'harmless' },
  { starts: '#!AMR', format: 'harmless' },
  { starts: 'wOFF', format: 'harmless' },
  { starts: 'wOF2', format: 'harmless' },
];
const SIGN_BYTES = 300;

/** Null when its first bytes say nothing. `isText`: skips first bytes with which a text can begin. */
export function formatOf(bytes: Uint8Array, isText: boolean): Format | null {
  const start = String.fromCharCode(...bytes.subarray(0, SIGN_BYTES));
  const sign = SIGNS.find(({ at = 0, starts }) => start.startsWith(starts, at));
  if (sign !== undefined && !(isText && isWord(sign))) return sign.format;
  if (isText) return null;
  if (isCompressedRichText(bytes)) return { open: 'rich-text' };
  const container = containerOf(bytes);
  if (container === 'signed') return { open: 'signed' };
  if (container === 'sealed') return closed('UNREAD_ENCRYPTED', 'it is encrypted with S/MIME');
  const [first = 0, second = 0] = bytes;
  return first === 0x78 && (first * 256 + second) % 31 === 0 ? { open: 'zlib' } : null;
}

/** Whether a text may begin with this signature, because it has only letters, digits, `!` and spaces. */
function isWord({ starts }: Sign): boolean {
  return /^[\w !]+$/.test(starts);
}

/** `age-enc…`, coded. */
const TELLTALES: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: 'as numbers in hexadecimal',
    pattern: new RegExp(
      [
        /6167[\s:]?652d[\s:]?656e[\s:]?6372[\s:]?7970/,
        /61[\s:,]{1,3}67[\s:,]{1,3}65[\s:,]{1,3}2d[\s:,]{1,3}65[\s:,]{1,3}6e[\s:,]{1,3}63/,
        /0x61,\s?0x67,\s?0x65,\s?0x2d/,
        /\\x61\\x67\\x65\\x2d/,
      ]
        .map(({ source }) => source)
        .join('|'),
      'i',
    ),
  },
  { what: 'as decimal numbers', pattern: /\b97,\s?103,\s?101,\s?45,\s?101,\s?110,\s?99/ },
  { what: 'in base32', pattern: /MFTWKLLFNZRXE6LQ/i },
];

/** How an age file is coded in a text in which nothing was found; null when there is no sign of one. */
export function telltaleOf(text: string): string | null {
  return TELLTALES.find(({ pattern }) => pattern.test(text))?.what ?? null;
}

/** Whether a text holds something that a mail program has to decrypt. */
export function hasPgpMessage(text: string): boolean {
  return text.includes('-----BEGIN PGP MESSAGE-----') && text.includes('\n-----END PGP MESSAGE-----');
}
