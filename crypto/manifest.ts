// The hash manifest: the files that make up a built form. docs/protocol.md, § Manifest.
import { sha256 } from '@noble/hashes/sha2.js';
import * as z from 'zod/mini';
import { toHex, utf8 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { hex, parse, parseJson } from './schema.ts';

/** Names of the manifest and its signature. Neither is listed in it. */
export const MANIFEST_NAME = 'manifest.json';
export const MANIFEST_SIGNATURE_NAME = `${MANIFEST_NAME}.minisig`;

/** A relative path of plain names: it cannot lead out of its folder, and is the same in a URL. */
const PATH = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

const SHA256_BYTES = 32;

const manifest = z.object({
  version: z.literal(1),
  /** SHA-256 (64 hex digits) by path. */
  files: z.record(z.string().check(z.regex(PATH)), hex(SHA256_BYTES)),
});

export type Manifest = z.infer<typeof manifest>;

/** JSON, one file per line, sorted by path, to compare two builds by eye. Throws MANIFEST_FORMAT when a path is not plain. */
export function encodeManifest(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => [path, toHex(sha256(bytes))]);
  const value = parse(manifest, { version: 1, files: Object.fromEntries(entries) }, 'MANIFEST_FORMAT', 'a manifest');
  return utf8(`${JSON.stringify(value, null, 1)}\n`);
}

/** Parses the bytes of manifest.json. Throws MANIFEST_FORMAT when they are not a manifest. */
export function parseManifest(bytes: Uint8Array): Manifest {
  return parse(manifest, parseJson(bytes, 'MANIFEST_FORMAT', 'the manifest'), 'MANIFEST_FORMAT', 'a manifest');
}

/**
 * Throws MANIFEST_DIFFERS unless `bytes` have the hash that the manifest lists for `path`.
 * @param digest SHA-256 (32 bytes), from callers that have a faster one than ours
 */
export function checkListed(
  { files }: Manifest,
  path: string,
  bytes: Uint8Array,
  digest: (bytes: Uint8Array) => Uint8Array = sha256,
): void {
  if (files[path] !== toHex(digest(bytes))) throw new CodedError('MANIFEST_DIFFERS', `${path} differs from the manifest`);
}
