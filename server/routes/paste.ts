import type { Request, RequestHandler, Response } from 'express';
import { PARCEL_TEXT_CHARACTERS } from '../../crypto/parcel-text.ts';
import type { Result } from '../../crypto/answer.ts';
import { PASTE_PAGES, type PastePage } from '../../crypto/wire.ts';
import { readExactly } from '../body.ts';
import { RETRY_AFTER_SECONDS, STATUS } from '../exchange.ts';
import { discardRest } from '../refusals.ts';
import { sendFile, type StaticFile, type Statics } from '../statics.ts';
import { judge, type ParcelParts } from './parcel.ts';

export type PastePages = Readonly<Record<PastePage, StaticFile>>;

/** The page to show for each result. */
const PAGE_FOR: Readonly<Record<Result, PastePage>> = {
  accepted: 'accepted',
  version: 'unreadable',
  sealed: 'unreadable',
  serial: 'serial',
  stamp: 'stamp',
  full: 'full',
  away: 'away',
  closed: 'closed',
  damaged: 'damaged',
};

const FORM_TYPE = /^application\/x-www-form-urlencoded(?:;|$)/i;
/** Browsers do not percent-encode base64url, so the body always has the same length. */
const NAME = Buffer.from('parcel=');
const BODY_BYTES = NAME.length + PARCEL_TEXT_CHARACTERS;
const PLAINTEXT_STATUS = 422;

/** The result pages by language folder (`/`, `/en/`, …). Throws when the build lacks one of them. */
export function pastePagesOf(statics: Statics): Map<string, PastePages> {
  const pagesByFolder = new Map<string, PastePages>();
  for (const path of statics.keys()) {
    const folder = /^(?<folder>\/(?:.+\/)?)paste\/accepted\.html$/.exec(path)?.groups?.['folder'];
    if (folder === undefined) continue;
    const pages = PASTE_PAGES.map((page) => {
      const file = statics.get(`${folder}paste/${page}.html`);
      if (file === undefined || typeof file === 'string') throw new Error(`the built form lacks a page for pasted parcels: ${page}`);
      return [page, file] as const;
    });
    pagesByFolder.set(folder, Object.fromEntries(pages) as PastePages);
  }
  return pagesByFolder;
}

/**
 * POST /paste: for browsers without scripts. A parcel as text is checked like any other parcel, and the response is a page.
 * Anything else may be somebody's request in the clear: none of it is kept, its bytes are overwritten, and the sender is warned.
 */
export function postPaste(parts: ParcelParts, pages: PastePages): RequestHandler {
  return async (request, response) => {
    if (!FORM_TYPE.test(request.headers['content-type'] ?? '') || request.headers['content-encoding'] !== undefined) {
      sendWarning(request, response, pages);
      return;
    }
    const body = await readExactly(request, BODY_BYTES, () => {
      sendResult(request, response, pages, 'away');
      discardRest(request);
    });
    if (body.kind === 'gone') return;
    const parcel = body.kind === 'exact' ? decodeParcel(body.bytes) : null;
    if (body.kind === 'exact') body.bytes.fill(0);
    if (parcel === null) {
      sendWarning(request, response, pages);
      return;
    }
    // Whatever failed here, the person is told what to do about it.
    const result = await judge(parcel, parts).catch((): Result => 'away');
    response.setHeader('Connection', 'close');
    sendResult(request, response, pages, result);
  };
}

function sendResult(request: Request, response: Response, pages: PastePages, result: Result): void {
  const retryAfterSeconds = RETRY_AFTER_SECONDS[result] ?? 0;
  if (retryAfterSeconds > 0) response.setHeader('Retry-After', retryAfterSeconds);
  sendFile(request, response, pages[PAGE_FOR[result]], STATUS[result]);
}

/** Keeps the connection until the rest has arrived: if it were closed at once, the warning could be lost. */
function sendWarning(request: Request, response: Response, pages: PastePages): void {
  sendFile(request, response, pages.plaintext, PLAINTEXT_STATUS);
  discardRest(request);
}

/** Null unless the text is base64url only: other text must not become a string, which could not be overwritten. */
function decodeParcel(body: Buffer): Buffer | null {
  const text = body.subarray(NAME.length);
  if (!body.subarray(0, NAME.length).equals(NAME) || !text.every(isOfBase64url)) return null;
  return Buffer.from(text.toString('latin1'), 'base64url');
}

function isOfBase64url(byte: number): boolean {
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  const isDigit = byte >= 0x30 && byte <= 0x39;
  return isLetter || isDigit || byte === 0x2d || byte === 0x5f;
}
