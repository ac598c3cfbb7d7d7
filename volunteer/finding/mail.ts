// A mail taken apart, so that every part of it is read: what stands before, between and after the parts too. Where each part
// begins and ends is found here, since it has to be known whether the last one is whole; how a part is called is
// postal-mime's to read.
import PostalMime from 'postal-mime';
import { concat } from '../../crypto/bytes.ts';
import { bytesOf } from './armor.ts';
import { asciiOf, fromAscii } from './coding.ts';
import type { Piece } from './piece.ts';
import { Unread } from './unread.ts';
import { quotedPrintableText } from './views.ts';

/** A program's mails have three or four levels of parts, and forwards are counted elsewhere. */
const NESTING_MAX = 16;
const HEADER_BYTES_MAX = 1024 * 1024;
const FIELD = /^[!-9;-~]{1,76}:/;
/** One of these makes some lines with colons a mail's header. */
const MAIL_FIELD =
  /^(?:from|to|subject|date|received|return-path|message-id|delivered-to|mime-version|content-type|content-transfer-encoding|envelope-to|x-[\w-]+):/im;

/** Whether a text begins as a mail does; blank lines, the line of an .mbox and the length of an .emlx may come before. */
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

/** The messages of an .mbox, or null when it is none: each begins after a line `From …`, within it such lines are written `>From …`. */
export function messagesOfMbox(text: string): { start: number; end: number }[] | null {
  if (!/^\s{0,99}From \S/.test(text.slice(0, 256))) return null;
  const starts = [...text.matchAll(/^From \S[^\r\n]{0,200}\r?\n(?=[!-9;-~]{1,76}:)/gm)].map(({ index }) => index);
  if (starts.length < 2) return null;
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? text.length }));
}

export type Mail = { pieces: Piece[]; problems: Unread[] };

/** Every part of a mail, decoded. `partsMax`: how many may be looked at. */
export async function partsOf(bytes: Uint8Array, partsMax: number): Promise<Mail> {
  const text = asciiOf(bytes);
  const start = beforeHeader(text);
  // What Apple Mail writes after the message is its own.
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
    if (this.pieces.length >= this.#partsMax)
      return this.#refuse(new Unread('UNREAD_LIMIT', 'it has more parts than are read of one file'));
    const header = /^\r?\n/.test(this.#text.slice(start, start + 2))
      ? ''
      : headerOf(this.#text.slice(start, Math.min(end, start + HEADER_BYTES_MAX)));
    const body = Math.min(
      end,
      start + header.length + (/^(?:\r?\n){1,2}/.exec(this.#text.slice(start + header.length, start + header.length + 4))?.[0].length ?? 0),
    );
    const type = fieldOf(header, 'content-type');
    if (!/^\s*multipart\//i.test(type)) return this.#leaf(this.#bytes.subarray(start, start + header.length), header, body, end);
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
      if (this.pieces.length >= this.#partsMax)
        return this.#refuse(new Unread('UNREAD_LIMIT', 'it has more parts than are read of one file'));
    }
    // Within a message that is whole, a program that forgets the last line of a group of parts has lost nothing.
    if (depth === 0 && last?.isEnd !== true)
      this.#refuse(new Unread('UNREAD_CUT', 'the message breaks off: its last part may not be whole'));
  }

  /** Where the parts are that lines with `mark` divide; what follows the last such line is no part. */
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

  /** Text that is no part: a header, what stands before the first part, and after the last. */
  #plain(start: number, end: number): void {
    if (this.#text.slice(start, end).trim() !== '') this.pieces.push({ name: '', bytes: this.#bytes.subarray(start, end), isAside: true });
  }

  async #leaf(head: Uint8Array, header: string, body: number, end: number): Promise<void> {
    const type = fieldOf(header, 'content-type');
    if (header.trim() !== '') this.pieces.push({ name: '', bytes: head, isAside: true });
    const coded = this.#bytes.subarray(body, end);
    const transfer = fieldOf(header, 'content-transfer-encoding').trim();
    const { name, type: mimeType } = await said(new TextDecoder().decode(head));
    if (/^message\/partial/i.test(type)) this.#refuse(new Unread('UNREAD_CUT', 'it is one of several messages that a program made of one'));
    if (/^message\/external-body/i.test(type))
      this.#refuse(new Unread('UNREAD_CUT', 'a part of it is kept elsewhere and did not come with it'));
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

  #refuse(problem: Unread): void {
    this.problems.push(problem);
  }
}

/** How a part is called and what type it says it has, as postal-mime reads its header, whatever coding that is in. */
async function said(header: string): Promise<{ name: string; type: string }> {
  // As an attachment, whatever it says of itself: so it has a name, if there is one anywhere.
  const attached = /^content-disposition:[ \t]*[\w-]*/im.test(header)
    ? header.replace(/^(content-disposition:)[ \t]*[\w-]*/im, '$1 attachment')
    : `Content-Disposition: attachment\n${header}`;
  try {
    const [part] = (
      await PostalMime.parse(`${attached.trimEnd()}\n\nx\n`, { maxHeadersSize: 2 * HEADER_BYTES_MAX, forceRfc822Attachments: true })
    ).attachments;
    return { name: part?.filename ?? '', type: part?.mimeType ?? '' };
  } catch {
    return { name: '', type: '' };
  }
}

/** Units of base64 in one part, each padded: some programs pad every line. More are a part made to keep somebody busy. */
const UNITS_MAX = 20_000;

function decoded(body: Uint8Array, transfer: string): Uint8Array {
  if (/^"?quoted-printable/i.test(transfer)) return fromAscii(quotedPrintableText(asciiOf(body)));
  if (!/^"?base64/i.test(transfer)) return body;
  const characters = asciiOf(body).replace(/[^A-Za-z0-9+/=]+/g, '');
  const units = characters.split(/=+/, UNITS_MAX);
  return units.length < UNITS_MAX ? concat(...units.map(bytesOf)) : bytesOf(characters.replace(/=+/g, ''));
}

/** The first of that name, unfolded. */
function fieldOf(header: string, name: string): string {
  return (
    new RegExp(`^${name}[ \\t]*:((?:[^\\r\\n]|\\r?\\n[ \\t])*)`, 'im')
      .exec(header)?.[1]
      ?.replace(/\r?\n[ \t]/g, ' ')
      .trim() ?? ''
  );
}
