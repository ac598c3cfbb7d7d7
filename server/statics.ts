import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { methodNotAllowed } from './refusals.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};
const OTHER_TYPE = 'application/octet-stream';

const ENCODINGS = ['br', 'gzip'] as const;
type Encoding = (typeof ENCODINGS)[number];

type StaticFile = {
  readonly type: string;
  readonly plain: Buffer;
  /** Only where it is smaller. */
  readonly encoded: ReadonlyMap<Encoding, Buffer>;
};

/** By path as it is asked for; a string is where the path has moved. */
export type Statics = ReadonlyMap<string, StaticFile | string>;

/** Reads the whole directory into memory and compresses it, so that nothing on disk is touched by a request. */
export async function loadStatics(directory: string): Promise<Statics> {
  const statics = new Map<string, StaticFile | string>();
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const path = join(entry.parentPath, entry.name);
    const url = `/${relative(directory, path).split(sep).join('/')}`;
    const file = await prepared(await readFile(path), TYPES[extname(entry.name)] ?? OTHER_TYPE);
    statics.set(url, file);
    if (entry.name !== 'index.html') continue;
    const folder = url.slice(0, -'index.html'.length);
    statics.set(folder, file);
    if (folder !== '/') statics.set(folder.slice(0, -1), folder);
  }
  if (!statics.has('/')) throw new Error('the directory of the built form has no index.html');
  return statics;
}

export function serveStatics(statics: Statics): RequestHandler {
  const onlyGet = methodNotAllowed('GET, HEAD');
  return (request, response, next) => {
    const file = statics.get(request.path);
    if (file === undefined) next();
    else if (request.method !== 'GET' && request.method !== 'HEAD') onlyGet(request, response);
    else if (typeof file === 'string') moved(response, file);
    else send(request, response, file);
  };
}

function send(request: Request, response: Response, file: StaticFile): void {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const encoding = ENCODINGS.find((name) => file.encoded.has(name) && accepts(accepted, name));
  const body = (encoding && file.encoded.get(encoding)) ?? file.plain;
  response.statusCode = 200;
  response.setHeader('Content-Type', file.type);
  response.setHeader('Vary', 'Accept-Encoding');
  if (encoding !== undefined) response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

function moved(response: Response, path: string): void {
  response.statusCode = 308;
  response.setHeader('Location', path);
  response.setHeader('Content-Length', 0);
  response.end();
}

/** Whether an Accept-Encoding header names an encoding, other than to refuse it (RFC 9110 §12.5.3). */
export function accepts(header: string, encoding: Encoding): boolean {
  return header.split(',').some((part) => {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

async function prepared(plain: Buffer, type: string): Promise<StaticFile> {
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }),
    promisify(gzip)(plain, { level: 9 }),
  ]);
  const encoded = new Map<Encoding, Buffer>();
  if (br.length < plain.length) encoded.set('br', br);
  if (gz.length < plain.length) encoded.set('gzip', gz);
  return { type, plain, encoded };
}
