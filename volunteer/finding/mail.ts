// Takes a mail apart, so that all of it is read: every part, and what stands before, between and after the parts. Where each part
// begins and ends is determined here, because it has to be known whether the last one is whole; the names of parts are read by
// postal-mime.
import PostalMime from 'postal-mime';
import { concat } from '../../crypto/bytes.ts';
import { bytesOf } from './armor.ts';
import { asciiOf, fromAscii } from './coding.ts';
import type { Piece } from './piece.ts';
import { Unread } from './unread.ts';
import { quotedPrintableText } from './views.ts';

/** Mails that programs make have three or four levels of parts; forwarded mails within are counted in search.ts. */
const NESTING_MAX = 16;
const HEADER_BYTES_MAX = 1024 * 1024;
const FIELD = /^[!-9;-~]{1,76}:/;
/** One of these fields tells a mail's header from other lines with colons. */
const MAIL_FIELDS = [
  ...['from', 'to', 'subject', 'date', 'received', 'return-path', 'message-id', 'delivered-to', 'envelope-to'],
  ...['mime-version', 'content-type', 'content-transfer-encoding', 'x-[\\w-]+'],
];
const MAIL_FIELD = new RegExp(`^(?:${MAIL_FIELDS.join('|')}):`, 'im');

/** Whether a text begins as a mail does. Blank lines, the first line of an .mbox and the length in an .emlx may come before. */
export function isMail(text: string): boolean {
  const header = headerOf(withoutFirstLine(text));
  return FIELD.test(header) && MAIL_FIELD.test(header);
}

function withoutFirstLine(text: string): string {
  return text.slice(beforeHeader(text));
}

function beforeHeader(text: string): number {
  return /^[\s\ufeff]{0,99}(?:>?From [^\n]{1,200}\n|\d{1,12}[ \t]*\r?\n)?/.exec(text.slice(0, 512))?.[0].length ?? 0;
}

function headerOf(text: string): string {
  const end = /\r?\n\r?\n/.exec(text.slice(0, HEADER_BYTES_MAX));
  return text.slice(0, end?.index ?? HEADER_BYTES_MAX);
}

/** The messages of an .mbox, null when it is none. Each begins with a line `From …`; within one such lines are written `>From …`. */
export function messagesOfMbox(text: string): { start: number; end: number }[] | null {
  if (!/^\s{0,99}From \S/.test(text.slice(0, 256))) return null;
  const starts = [...text.matchAll(/^From \S[^\r\n]{0,200}\r?\n(?=[!-9;-~]{1,76}:)/gm)].map(({ index }) => index);
  if (starts.length < 2) return null;
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? text.length }));
}

export type Mail = { pieces: Piece[]; problems: Unread[] };

/** Every part of a mail, decoded. `partsMax`: how many are read at most. */
export async function partsOf(bytes: Uint8Array, partsMax: number): Promise<Mail> {
  const text = asciiOf(bytes);
  const start = beforeHeader(text);
  // After the message comes what Apple Mail writes for itself.
  const length = Number(/^\s*(\d{1,12})[ \t]*\r?\n$/.exec(text.slice(0, start))?.[1] ?? bytes.length);
  const mail = new Taken(bytes, text, partsMax);
  await mail.take(start, Math.min(bytes.length, start + length), 0);
  return mail;
}

class Taken implements Mail {
  readonly pieces: Piece[] = [];
  readonly problems: Unread[] = [];
  readonly #bytes: Uint8Array;
  readonly #text: string;
  readonly #partsMax: number;

  constructor(bytes: Uint8Array, text: string, partsMax: number) {
    this.#bytes = bytes;
    this.#text = text;
    this.#partsMax = partsMax;
  }

  /** A part with its header, from `start` to `end`. */
  async take(start: number, end: number, depth: number): Promise<void> {
    if (this.pieces.length >= this.#partsMax) return this.#refuseMore();
    const hasHeader = !/^\r?\n/.test(this.#text.slice(start, start + 2));
    const header = hasHeader ? headerOf(this.#text.slice(start, Math.min(end, start + HEADER_BYTES_MAX))) : '';
    const headerEnd = start + header.length;
    const blank = /^(?:\r?\n){1,2}/.exec(this.#text.slice(headerEnd, headerEnd + 4))?.[0] ?? '';
    const body = Math.min(end, headerEnd + blank.length);
    const type = fieldOf(header, 'content-type');
    if (!/^\s*multipart\//i.test(type)) return this.#leaf(this.#bytes.subarray(start, headerEnd), header, body, end);
    this.#plain(start, body);
    const boundary = /;\s*boundary\*?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(type);
    const mark = boundary?.[1]?.replace(/\\(.)/g, '$1') ?? boundary?.[2] ?? '';
    const parts = mark === '' ? [] : this.#between(mark, body, end);
    if (depth >= NESTING_MAX) {
      this.#refuse(new Unread('UNREAD_LIMIT', 'its parts are nested too deep'));
      return this.#plain(body, end);
    }
    if (parts.length === 0) {
      if (this.#text.slice(body, end).trim() !== '') this.#refuse(new Unread('UNREAD_MAIL', 'its parts cannot be told apart'));
      else if (depth === 0) this.#refuse(new Unread('UNREAD_CUT', 'the message breaks off after its header'));
      return this.#plain(body, end);
    }
    this.#plain(body, parts[0]?.before ?? body);
    const last = parts.at(-1);
    for (const part of parts) {
      if (part.isEnd) this.#plain(part.start, part.end);
      else await this.take(part.start, part.end, depth + 1);
      if (this.pieces.length >= this.#partsMax) return this.#refuseMore();
    }
    // Inside a whole message nothing is lost where a program forgot the line that ends a group of parts.
    if (depth === 0 && last?.isEnd !== true) {
      this.#refuse(new Unread('UNREAD_CUT', 'the message breaks off: its last part may not be whole'));
    }
  }

  /** The positions of the parts between lines with `mark`. What follows the last such line (`isEnd`) is not a part. */
  #between(mark: string, start: number, end: number): { before: number; start: number; end: number; isEnd: boolean }[] {
    const parts: { before: number; start: number; end: number; isEnd: boolean }[] = [];
    const line = `--${mark}`;
    for (let at = this.#text.indexOf(line, start); at !== -1 && at < end; at = this.#text.indexOf(line, at + 1)) {
      if (at !== start && this.#text[at - 1] !== '\n' && this.#text[at - 1] !== '\r') continue;
      const rest = /^(--)?[ \t]*(?:\r?\n|\r|$)/.exec(this.#text.slice(at + line.length, Math.min(end, at + line.length + 80)));
      if (rest === null) continue;
      const last = parts.at(-1);
      if (last !== undefined) last.end = Math.max(last.start, at - (this.#text[at - 2] === '\r' ? 2 : 1));
      parts.push({ before: at, start: at + line.length + rest[0].length, end, isEnd: rest[1] !== undefined });
      if (rest[1] !== undefined || parts.length > this.#partsMax) break;
    }
    return parts;
  }

  /** Text that is not a part: a header, and what stands before the first part and after the last. */
  #plain(start: number, end: number): void {
    if (this.#text.slice(start, end).trim() !== '') this.pieces.push({ name: '', bytes: this.#bytes.subarray(start, end), isAside: true });
  }

  async #leaf(head: Uint8Array, header: string, body: number, end: number): Promise<void> {
    const type = fieldOf(header, 'content-type');
    if (header.trim() !== '') this.pieces.push({ name: '', bytes: head, isAside: true });
    const coded = this.#bytes.subarray(body, end);
    const transfer = fieldOf(header, 'content-transfer-encoding').trim();
    const { name, type: mimeType } = await said(new TextDecoder().decode(head));
    if (/^message\/partial/i.test(type))
      this.#refuse(new Unread('UNREAD_CUT', 'it is one of several messages into which a program split one'));
    if (/^message\/external-body/i.test(type)) {
      this.#refuse(new Unread('UNREAD_CUT', 'a part of it is kept elsewhere and did not come with it'));
    }
    if (!/^(?:"?(?:7bit|8bit|binary|base64|quoted-printable|uuencode|x-uu|x-uuencode|x-uue)\b|\(|$)/i.test(transfer)) {
      this.#refuse(new Unread('UNREAD_CODING', `a part of it is coded as ${transfer.slice(0, 40)}`));
    }
    const charset = /;\s*charset\*?\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1];
    this.pieces.push({
      name,
      type: mimeType,
      bytes: decoded(coded, transfer),
      ...(charset === undefined ? {} : { charset: charset.replace(/^[\w-]*'[\w-]*'/, '') }),
      isAttached: name !== '' || /^\s*attachment/i.test(fieldOf(header, 'content-disposition')) || /^\s*application\//i.test(type),
    });
  }

  #refuseMore(): void {
    this.#refuse(new Unread('UNREAD_LIMIT', 'it has more parts than are read of one file'));
  }

  #refuse(problem: Unread): void {
    this.problems.push(problem);
  }
}

/** The name and the type that a part gives itself, read by postal-mime, which knows every way in which a header may be encoded. */
async function said(header: string): Promise<{ name: string; type: string }> {
  // Read as an attachment, whatever it says it is: then postal-mime gives it a name, if there is one anywhere.
  const attached = /^content-disposition:[ \t]*[\w-]*/im.test(header)
    ? header.replace(/^(content-disposition:)[ \t]*[\w-]*/im, '$1 attachment')
    : `Content-Disposition: attachment\n${header}`;
  try {
    const options = { maxHeadersSize: 2 * HEADER_BYTES_MAX, forceRfc822Attachments: true };
    const mail = await PostalMime.parse(`${attached.trimEnd()}\n\nx\n`, options);
    const [part] = mail.attachments;
    return { name: part?.filename ?? '', type: part?.mimeType ?? '' };
  } catch {
    return { name: '', type: '' };
  }
}

/**
 * How many padded units of base64 are decoded of one part: some programs pad every line. A part with more was made to keep somebody busy.
 */
const UNITS_MAX = 20_000;

function decoded(body: Uint8Array, transfer: string): Uint8Array {
  if (/^"?quoted-printable/i.test(transfer)) return fromAscii(quotedPrintableText(asciiOf(body)));
  if (!/^"?base64/i.test(transfer)) return body;
  const characters = asciiOf(body).replace(/[^A-Za-z0-9+/=]+/g, '');
  const units = characters.split(/=+/, UNITS_MAX);
  return units.length < UNITS_MAX ? concat(...units.map(bytesOf)) : bytesOf(characters.replace(/=+/g, ''));
}

/** The value of the first field with this name, unfolded. */
function fieldOf(header: string, name: string): string {
  const field = new RegExp(`^${name}[ \\t]*:((?:[^\\r\\n]|\\r?\\n[ \\t])*)`, 'im');
  const value = field.exec(header)?.[1] ?? '';
  return value.replace(/\r?\n[ \t]/g, ' ').trim();
}
