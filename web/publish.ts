// The last step of the build: what was made is listed in the hash manifest, compressed, and put where the relay takes it.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { encodeManifest, MANIFEST_NAME, MANIFEST_SIGNATURE_NAME, parseManifest } from '../crypto/manifest.ts';

const COMPRESS = {
  // Where it is highest it takes ten times as long, for a hundredth of the size; onions have gzip only.
  '.br': (bytes: Uint8Array) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  '.gz': (bytes: Uint8Array) => promisify(gzip)(bytes, { level: 9 }),
};

/** Every file below a directory, by its path with slashes. */
async function filesIn(directory: string): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [relative(directory, path).split(sep).join('/'), await readFile(path)] as const)));
}

/** Copies are there for what shrinks by them. They stand in no manifest: another zlib makes others of the same file. */
async function writeWithCopies(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  const file = join(directory, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  for (const [suffix, compress] of Object.entries(COMPRESS)) {
    const copy = await compress(bytes);
    if (copy.length < bytes.length) await writeFile(file + suffix, copy);
    else await rm(file + suffix, { force: true });
  }
}

/** What an earlier build left and this one does not have; files that were never ours stay. */
async function removeFormer(outDir: string, now: ReadonlyMap<string, unknown>): Promise<void> {
  // A signature is of the former manifest.
  await rm(join(outDir, MANIFEST_SIGNATURE_NAME), { force: true });
  let former: string[];
  try {
    former = Object.keys(parseManifest(await readFile(join(outDir, MANIFEST_NAME))).files);
  } catch {
    return;
  }
  for (const path of former.filter((path) => !now.has(path))) {
    for (const suffix of ['', ...Object.keys(COMPRESS)]) await rm(join(outDir, path + suffix), { force: true });
  }
}

/** Puts all that was built in `staging` into `outDir`, with its manifest and the compressed copies. */
export async function publish(staging: string, outDir: string): Promise<void> {
  const files = await filesIn(staging);
  const manifest = encodeManifest(files);
  await removeFormer(outDir, files);
  await Promise.all([...files].map(([path, bytes]) => writeWithCopies(outDir, path, bytes)));
  await writeFile(join(outDir, MANIFEST_NAME), manifest);
}
