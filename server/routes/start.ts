import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { RequestHandler } from 'express';
import type { KeyringShelf } from '../../runtime/keyrings.ts';
import type { Door } from '../door.ts';
import { JSON_TYPE } from '../json.ts';
import { sendFile, type StaticFile } from '../statics.ts';
import { doorFields } from './door.ts';

/** Somebody is waiting while this is compressed, so not the highest quality. */
const BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 9 } };

/**
 * GET /start.json: everything the form needs in one round trip over Tor: the door, the signed keyring and its signature.
 * The keyring is a string within the JSON, because the signature covers its exact bytes.
 */
export function getStart(door: Door, shelf: KeyringShelf): RequestHandler {
  // The same for everyone and rarely changed, so it is compressed once.
  let latest: { text: string; file: Promise<StaticFile> } | null = null;
  return async (request, response) => {
    const current = shelf.current();
    const keyring = current === null ? null : Buffer.from(current.json).toString('utf8');
    const text = `${JSON.stringify({ door: doorFields(door), keyring, signature: current?.signature ?? null })}\n`;
    if (latest?.text !== text) {
      const plain = fileOf(text);
      // Uncompressed is better than nothing; the next request tries again.
      const file = compress(plain).catch(() => {
        latest = null;
        return plain;
      });
      latest = { text, file };
    }
    sendFile(request, response, await latest.file);
  };
}

function fileOf(text: string): StaticFile {
  return { type: JSON_TYPE, isDownload: false, plain: Buffer.from(text), encoded: new Map() };
}

async function compress(file: StaticFile): Promise<StaticFile> {
  const [br, gz] = await Promise.all([promisify(zlib.brotliCompress)(file.plain, BROTLI), promisify(zlib.gzip)(file.plain, { level: 9 })]);
  return {
    ...file,
    encoded: new Map([
      ['br', br],
      ['gzip', gz],
    ]),
  };
}
