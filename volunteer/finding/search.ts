// Searches whatever a volunteer was sent. Every file, part and entry is judged by its content. What was read to its end as text or mail
// and held no letter is ordinary; everything else is a letter, damaged, or reported as unread.
import { blake2b, toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { ageFilesIn, beginsAsAgeFile } from './age-files.ts';
import { armoredLetters } from './armor.ts';
import { signedContent } from './cms.ts';
import { asciiOf, fromWide, isText, decodeText } from './coding.ts';
import { formatOf, hasPgpMessage, telltaleOf, type Format, type OpenedFormat } from './formats.ts';
import { startOf } from './copies.ts';
import { damaged, type Found, type FoundLetter } from './found.ts';
import { isMail, messagesOfMbox, partsOf } from './mail.ts';
import { fromCompound, fromTnef } from './outlook.ts';
import type { Piece } from './piece.ts';
import { fromCompressedRichText } from './rich-text.ts';
import { base64RunsIn, uuencodedIn } from './text-coded.ts';
import { Unread } from './unread.ts';
import { fromCompressed, fromTar, fromZip, type Unpacked } from './unpack.ts';
import { viewsOf } from './views.ts';

/** Forwards of forwards, archives in mails in archives: nobody nests deeper. */
const DEPTH_MAX = 16;
/** Parts, entries and the like in one file. A message that was made to keep a volunteer busy is read no further. */
const PIECES_MAX = 4000;
/** What may come out of one file: of a single unpacking, and in total. */
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024;
const ALL_BYTES_MAX = 96 * 1024 * 1024;
/** Coded files in one text. */
const CODED_MAX = 300;
/** No letter is smaller than this, however it is coded or compressed: its keys and its sealed part are random. */
const LETTER_BYTES_MIN = 16 * 1024;
const DIGEST_BYTES = 32;

/** Names that promise a letter, or a mail. */
const LETTER_NAME = /\.age$/i;
const MAIL_NAME = /\.(?:eml|emlx|mbox|mbx|mht|mhtml|msg)$/i;
const SIGNATURE = /^application\/(?:x-)?(?:pkcs7|pgp)-signature$/;

export class Search {
  readonly #found = new Map<string, Found>();
  /** How often something was found, also again. */
  #finds = 0;
  #pieces = 0;
  #bytes = 0;
  #isFull = false;

  get found(): Found[] {
    const all = [...this.#found.values()];
    const sure = new Set(all.flatMap((each) => (each.kind === 'letter' && each.isGuess !== true ? startOf(each.bytes) : [])));
    return all.filter((each) => !(each.kind === 'letter' && each.isGuess === true && sure.has(startOf(each.bytes))));
  }

  /** Reads a piece and everything in it. */
  async read(piece: Piece, depth = 0): Promise<void> {
    if (this.#isFull) return;
    this.#pieces += 1;
    this.#bytes += piece.bytes.length;
    if (depth > DEPTH_MAX) return this.#limit();
    this.#isFull = this.#pieces > PIECES_MAX || this.#bytes > ALL_BYTES_MAX;
    if (this.#isFull) return this.#limit();
    const before = this.#finds;
    await this.#readContent(piece, depth);
    // With such a name it cannot be passed over in silence.
    if (LETTER_NAME.test(piece.name) && this.#finds === before && formatOf(piece.bytes, false) !== 'harmless') {
      this.#add([damaged(piece.bytes, 'file', new CodedError('LETTER_STRUCTURE', `${called(piece)}it is called a letter and is none`))]);
    }
  }

  async #readContent(piece: Piece, depth: number): Promise<void> {
    const { bytes } = piece;
    if (bytes.length === 0) return this.#readNothing(piece);
    if (beginsAsAgeFile(bytes)) return this.#readAgeFile(piece);
    const isReadable = isText(bytes);
    const format = formatOf(bytes, isReadable);
    if (format !== null) return this.#readFormat(piece, format, depth);
    const wide = isReadable ? null : fromWide(bytes);
    if (wide !== null) return this.read({ ...piece, bytes: wide, charset: 'utf-8' }, depth + 1);
    if (isReadable) return this.#readText(piece, depth);
    this.#lookInside(piece);
    const isHarmless = piece.isAside === true || (bytes.length < LETTER_BYTES_MIN && SIGNATURE.test(piece.type ?? ''));
    if (!isHarmless) this.#name(piece, new Unread('UNREAD_UNKNOWN', 'it is not text, and what it is, this program cannot tell'));
  }

  /** An empty piece. Something is missing if it was attached: saving broke off, or a program on the way emptied it. */
  #readNothing(piece: Piece): void {
    if (piece.isAttached !== true || piece.type?.startsWith('image/') === true) return;
    if (MAIL_NAME.test(piece.name)) this.#name(piece, new Unread('UNREAD_CUT', 'it is empty'));
    else this.#add([damaged(piece.bytes, 'file', new CodedError('LETTER_STRUCTURE', `${called(piece)}it is empty`))]);
  }

  #readAgeFile(piece: Piece): void {
    const { found, isCutShort } = ageFilesIn(piece.bytes);
    // It stood coded in a text, which is read as well and reports what is damaged.
    if (piece.isAside === true) return this.#addNew(found.filter(({ kind }) => kind === 'letter'));
    if (found.length > 0) return this.#add(found, isCutShort);
    const what = `${String(piece.bytes.length)} bytes of an age file`;
    this.#add([damaged(piece.bytes, 'file', new CodedError('LETTER_STRUCTURE', `${called(piece)}${what}`))]);
  }

  async #readFormat(piece: Piece, format: Format, depth: number): Promise<void> {
    if (format === 'harmless') return this.#lookInside(piece);
    if ('code' in format) {
      this.#lookInside(piece);
      return this.#name(piece, new Unread(format.code, format.what));
    }
    const { pieces, problems } = await OPENERS[format.open](piece);
    for (const each of pieces) await this.read(each, depth + 1);
    if (problems.length > 0) this.#lookInside(piece);
    for (const problem of problems) this.#name(piece, problem);
  }

  async #readText(piece: Piece, depth: number): Promise<void> {
    const { text, isKnown } = decodeText(piece.bytes, piece.charset);
    const before = this.#finds;
    const ascii = asciiOf(piece.bytes);
    const messages = messagesOfMbox(ascii);
    if (messages !== null) {
      for (const { start, end } of messages) await this.read({ name: '', bytes: piece.bytes.subarray(start, end) }, depth + 1);
    } else if (piece.isAside !== true && isMail(ascii)) {
      const { pieces, problems } = await partsOf(piece.bytes, PIECES_MAX - this.#pieces);
      for (const each of pieces) await this.read(each, depth + 1);
      for (const problem of problems) this.#name(piece, problem);
      // A mail that is not made as it should be may still hold its letter in plain sight.
      return this.#addNew(lettersIn(text).found.filter(({ kind }) => kind === 'letter' || this.#finds === before));
    } else if (MAIL_NAME.test(piece.name) && !/^\s*</.test(text)) {
      this.#name(piece, new Unread('UNREAD_MAIL', 'it is called a mail, and does not begin as one'));
    }
    const [uuencoded, base64Runs] = [uuencodedIn(ascii, CODED_MAX), base64RunsIn(ascii, CODED_MAX)];
    for (const { name, bytes } of uuencoded) await this.read({ name, bytes, isAttached: true }, depth + 1);
    const { found, isCutShort } = lettersIn(text);
    this.#add([...found, ...ageFilesIn(piece.bytes).found], isCutShort);
    for (const { name, bytes } of base64Runs) await this.read({ name, bytes, isAside: true }, depth + 1);
    if (Math.max(uuencoded.length, base64Runs.length) >= CODED_MAX) this.#limit();
    if (this.#finds === before) this.#readTelltales(piece, text, isKnown);
  }

  /** Signs that a text in which nothing was found holds a letter in a way that nothing here reads. */
  #readTelltales(piece: Piece, text: string, isKnown: boolean): void {
    const telltale = telltaleOf(text);
    const charset = (piece.charset ?? '').slice(0, 40);
    if (telltale !== null) this.#name(piece, new Unread('UNREAD_CODING', `it holds a letter ${telltale}`));
    else if (!isKnown) this.#name(piece, new Unread('UNREAD_CODING', `its text is in a coding that nothing here reads, ${charset}`));
    if (hasPgpMessage(text)) this.#name(piece, new Unread('UNREAD_ENCRYPTED', 'it is encrypted with OpenPGP'));
  }

  /** Adds whole letters in something that is not text: as files, or as armor with one or two bytes a character. */
  #lookInside(piece: Piece): void {
    const files = ageFilesIn(piece.bytes);
    const armored = lettersIn(asciiOf(piece.bytes).replaceAll('\0', ''));
    this.#addNew([...files.found, ...armored.found].filter(({ kind }) => kind === 'letter'));
    if (files.isCutShort || armored.isCutShort) this.#limit();
  }

  /** Keeps each find once. A letter that is found again in the other form was sent in both. */
  #add(found: readonly Found[], isCutShort = false): void {
    this.#finds += found.length;
    for (const each of found) {
      const key = keyOf(each);
      const known = this.#found.get(key);
      if (known === undefined) this.#found.set(key, each);
      else if (known.kind === 'letter' && each.kind === 'letter') this.#found.set(key, merged(known, each));
    }
    if (isCutShort) this.#limit();
  }

  /** Adds only letters that are new: one that was found already is the same one, in the same place. */
  #addNew(found: readonly Found[]): void {
    this.#finds += found.length;
    this.#add(found.filter((each) => each.kind !== 'letter' || !this.#found.has(keyOf(each))));
  }

  #name(piece: Piece, { code, message }: Unread): void {
    this.#add([{ kind: 'unread', error: new Unread(code, `${called(piece)}${message}`) }]);
  }

  #limit(): void {
    this.#add([{ kind: 'unread', error: new Unread('UNREAD_LIMIT', 'it holds more than is read of one file') }]);
  }
}

/** How each format is unpacked. */
const OPENERS: Record<OpenedFormat, (piece: Piece) => Unpacked | Promise<Unpacked>> = {
  gzip: (piece) => fromCompressed(piece, 'gzip', UNPACKED_BYTES_MAX),
  zlib: (piece) => fromCompressed(piece, 'deflate', UNPACKED_BYTES_MAX),
  zip: (piece) => fromZip(piece, PIECES_MAX, UNPACKED_BYTES_MAX),
  tar: (piece) => fromTar(piece, PIECES_MAX),
  tnef: fromTnef,
  compound: fromCompound,
  'rich-text': ({ bytes, name }) => {
    const text = fromCompressedRichText(bytes, UNPACKED_BYTES_MAX);
    return text === null
      ? { pieces: [], problems: [new Unread('UNREAD_LIMIT', 'its text is larger than anything that is read')] }
      : { pieces: [{ name, bytes: text, isAside: true }], problems: [] };
  },
  // What is signed is the mail; the rest is signatures and certificates.
  signed: ({ bytes }) => ({
    pieces: signedContent(bytes).map((run) => ({ name: '', bytes: run, ...(isText(run) ? {} : { isAside: true }) })),
    problems: [],
  }),
};

/** The letters of a text in every way in which it may be coded; what is damaged only in the way that gives the most letters. */
function lettersIn(text: string): { found: Found[]; isCutShort: boolean } {
  const readings = viewsOf(text).map(armoredLetters);
  const letters = ({ found }: { found: Found[] }): Found[] => found.filter(({ kind }) => kind === 'letter');
  const best = readings.reduce((a, b) => (letters(b).length > letters(a).length ? b : a));
  return {
    found: [...best.found, ...readings.filter((reading) => reading !== best).flatMap(letters)],
    isCutShort: readings.some(({ isCutShort }) => isCutShort),
  };
}

function merged(known: FoundLetter, again: FoundLetter): FoundLetter {
  const via = known.via === again.via ? known.via : 'both';
  return { ...known, via, isGuess: known.isGuess === true && again.isGuess === true };
}

function keyOf(found: Found): string {
  return found.kind === 'unread'
    ? `${found.error.code} ${found.error.message}`
    : `${found.kind} ${toHex(blake2b(DIGEST_BYTES, found.bytes))}`;
}

function called({ name, isGiven }: Piece): string {
  return name === '' || isGiven === true ? '' : `${name.slice(0, 100)}: `;
}
