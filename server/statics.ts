import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { CodedError } from '../crypto/errors.ts';
import { checkListed, MANIFEST_NAME, MANIFEST_SIGNATURE_NAME, parseManifest, type Manifest } from '../crypto/manifest.ts';
import { verify, type PublicKey } from '../crypto/minisign.ts';
import { readRegularFile } from '../runtime/files.ts';
import { errorCode, log } from '../runtime/log.ts';
import { addressesOf, endedPageOf, isToBeSaved, typeOf } from '../runtime/served.ts';
import { endInPieces } from './pieces.ts';
import { methodNotAllowed, type Refuse } from './refusals.ts';

const GONE = 410;

/** The largest file, the offline form with all its keyrings, has about 2 MiB. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

/** In order of preference. */
const ENCODINGS = ['br', 'gzip'] as const;
type Encoding = (typeof ENCODINGS)[number];
const SUFFIX: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' };
const UNPACK = { br: promisify(brotliDecompress), gzip: promisify(gunzip) } as const;

export type StaticFile = {
  readonly type: string;
  readonly isDownload: boolean;
  readonly plain: Buffer;
  /** Only if the build found it smaller. */
  readonly encoded: ReadonlyMap<Encoding, Buffer>;
};

/** By request path; a string is the path to redirect to. */
export type Statics = ReadonlyMap<string, StaticFile | string>;

/** The manifest of a built form, and its signature, which it need not have. */
export type BuiltForm = { readonly manifest: Buffer; readonly signature: Buffer | null };

/** Null where no form was built. */
export async function findForm(directory: string): Promise<BuiltForm | null> {
  const signature = await readIfThere(join(directory, MANIFEST_SIGNATURE_NAME));
  const manifest = await readIfThere(join(directory, MANIFEST_NAME));
  return manifest && { manifest, signature };
}

/**
 * Reads the built form into memory, so that requests never touch the disk: exactly the files of its manifest. Throws when one
 * is missing or differs, or when the manifest has a signature that does not verify.
 */
export async function loadStatics(directory: string, { manifest, signature }: BuiltForm, root: PublicKey | null): Promise<Statics> {
  const statics = new Map<string, StaticFile | string>();
  if (signature !== null) {
    if (root === null) throw new CodedError('MINISIGN_KEY', 'no root key is there to verify the signature of the form');
    verify(manifest, signature.toString('utf8'), root);
    statics.set(`/${MANIFEST_SIGNATURE_NAME}`, fileOf(MANIFEST_SIGNATURE_NAME, signature));
  }
  statics.set(`/${MANIFEST_NAME}`, fileOf(MANIFEST_NAME, manifest));
  const listed = parseManifest(manifest);
  for (const path of Object.keys(listed.files)) {
    const file = await loadFile(directory, path, listed);
    const { addresses, redirects } = addressesOf(path);
    for (const address of addresses) statics.set(address, file);
    for (const [from, to] of redirects) statics.set(from, to);
  }
  if (!statics.has('/')) throw new Error('the directory of the built form has no index.html');
  return statics;
}

async function loadFile(directory: string, path: string, listed: Manifest): Promise<StaticFile> {
  try {
    const plain = await readRegularFile(join(directory, path), MAX_FILE_BYTES);
    checkListed(listed, path, plain, nodeSha256);
    return fileOf(path, plain, await loadCompressed(directory, path, plain));
  } catch (error) {
    log.error('file of the form differs', { file: basename(path), code: errorCode(error) });
    throw error;
  }
}

/** Faster than the one in crypto/, which must also run in browsers: the whole form is hashed at every start. */
const nodeSha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

function fileOf(path: string, plain: Buffer, encoded: StaticFile['encoded'] = new Map()): StaticFile {
  return { type: typeOf(path), isDownload: isToBeSaved(path), plain, encoded };
}

/** Reads the build's compressed copies. No manifest lists them, so each must decompress to the file itself. */
async function loadCompressed(directory: string, path: string, plain: Buffer): Promise<Map<Encoding, Buffer>> {
  const copies = new Map<Encoding, Buffer>();
  for (const encoding of ENCODINGS) {
    const copy = await readIfThere(join(directory, path + SUFFIX[encoding]));
    if (copy === null) continue;
    const unpacked = await UNPACK[encoding](copy, { maxOutputLength: plain.length }).catch(() => null);
    if (unpacked?.equals(plain) !== true) throw new CodedError('MANIFEST_DIFFERS', `${path}${SUFFIX[encoding]} does not unpack to ${path}`);
    copies.set(encoding, copy);
  }
  return copies;
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readRegularFile(path, MAX_FILE_BYTES);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

export function serveStatics(statics: Statics, offlineForm: { readonly hasEnded: boolean }, onRefusal: Refuse): RequestHandler {
  const refuseMethod = methodNotAllowed('GET, HEAD');
  return (request, response, next) => {
    const file = statics.get(request.path);
    if (file === undefined) next();
    else if (request.method !== 'GET' && request.method !== 'HEAD') refuseMethod(request, response);
    else if (typeof file === 'string') redirect(response, file);
    else if (file.isDownload && offlineForm.hasEnded) sendFormEnded(request, response, statics, onRefusal);
    else sendFile(request, response, file);
  };
}

/** Sends the page that says the offline form has ended, if the build has one. */
function sendFormEnded(request: Request, response: Response, statics: Statics, onRefusal: Refuse): void {
  const page = statics.get(endedPageOf(request.path));
  if (page === undefined || typeof page === 'string') onRefusal(request, response, 'NOT_FOUND');
  else sendFile(request, response, page, GONE);
}

export function sendFile(request: Request, response: Response, file: StaticFile, status = 200): void {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const encoding = ENCODINGS.find((name) => file.encoded.has(name) && accepts(accepted, name));
  const body = (encoding && file.encoded.get(encoding)) ?? file.plain;
  response.statusCode = status;
  response.setHeader('Content-Type', file.type);
  response.setHeader('Vary', 'Accept-Encoding');
  if (file.isDownload) response.setHeader('Content-Disposition', 'attachment');
  if (encoding !== undefined) response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Length', body.length);
  if (request.method === 'HEAD') response.end();
  else endInPieces(response, body);
}

export function redirect(response: Response, path: string): void {
  response.statusCode = 308;
  response.setHeader('Location', path);
  response.setHeader('Content-Length', 0);
  response.end();
}

/** True when an Accept-Encoding header names the encoding without refusing it by `q=0` (RFC 9110 §12.5.3). */
export function accepts(header: string, encoding: Encoding): boolean {
  return header.split(',').some((part) => {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
