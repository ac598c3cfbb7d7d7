// The last step of the build: what was made is listed in the hash manifest, compressed, and put where the relay takes it.
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { encodeManifest, MANIFEST_NAME, MANIFEST_SIGNATURE_NAME, parseManifest } from '../../crypto/manifest.ts';

const COMPRESS = {
  // Where it is highest it takes ten times as long, for a hundredth of the size; onions have gzip only.
  '.br': (bytes: Uint8Array) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  '.gz': (bytes: Uint8Array) => promisify(gzip)(bytes, { level: 9 }),
};

/** Every file below a directory, by its path with slashes. */
async function filesIn(directory: string): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(paths.map(async (path) => [relative(directory, path).split(sep).join('/'), await readFile(path)] as const)),
  );
}

/** Copies are there for what shrinks by them. They stand in no manifest: another zlib makes others of the same file. */
async function writeCopies(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  for (const [suffix, compress] of Object.entries(COMPRESS)) {
    const copy = await compress(bytes);
    if (copy.length < bytes.length) await writeFile(join(directory, path + suffix), copy);
  }
}

/** What is in a folder before a build is put there. */
export type Former = {
  /** Files of the former build that this one does not have: they are taken away. */
  readonly gone: readonly string[];
  /** Files in the place of one of this build that no former build has made: they are overwritten. */
  readonly foreign: readonly string[];
  /** There is a signature, and it is of another manifest than this build's: it is taken away. */
  readonly signatureGone: boolean;
};

async function readFormer(outDir: string, files: ReadonlyMap<string, unknown>, manifest: Uint8Array): Promise<Former> {
  const before = await readFile(join(outDir, MANIFEST_NAME)).catch(() => null);
  const listed = new Set(before === null ? [] : listedIn(before));
  const there = await Promise.all([...files.keys()].map((path) => exists(join(outDir, path))));
  return {
    gone: [...listed].filter((path) => !files.has(path)).sort(),
    foreign: [...files.keys()].filter((path, index) => there[index] === true && !listed.has(path)).sort(),
    signatureGone: before?.equals(manifest) !== true && (await exists(join(outDir, MANIFEST_SIGNATURE_NAME))),
  };
}

function listedIn(manifest: Uint8Array): string[] {
  try {
    return Object.keys(parseManifest(manifest).files);
  } catch {
    return [];
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Puts all that was built in `staging` into `outDir`, with its manifest and the compressed copies; files that were never ours
 * stay. All of it is written beside before anything changes, and then only renamed: `staging` must be on the same disk.
 * @param agree is told what goes away; when it throws, nothing has changed
 */
export async function publish(staging: string, outDir: string, agree: (former: Former) => void = () => undefined): Promise<Former> {
  const files = await filesIn(staging);
  const manifest = encodeManifest(files);
  const former = await readFormer(outDir, files, manifest);
  agree(former);
  await Promise.all([...files].map(([path, bytes]) => writeCopies(staging, path, bytes)));
  await writeFile(join(staging, MANIFEST_NAME), manifest);
  for (const folder of new Set([...files.keys()].map((path) => dirname(join(outDir, path))))) await mkdir(folder, { recursive: true });
  for (const path of files.keys()) {
    for (const each of ['', ...Object.keys(COMPRESS)].map((suffix) => path + suffix)) await move(join(staging, each), join(outDir, each));
  }
  if (former.signatureGone) await rm(join(outDir, MANIFEST_SIGNATURE_NAME), { force: true });
  await rename(join(staging, MANIFEST_NAME), join(outDir, MANIFEST_NAME));
  for (const path of former.gone) {
    for (const suffix of ['', ...Object.keys(COMPRESS)]) await rm(join(outDir, path + suffix), { force: true });
  }
  return former;
}

/** A copy that is no shorter this time was not made, and the former one is of another file. */
async function move(from: string, to: string): Promise<void> {
  if (await exists(from)) await rename(from, to);
  else await rm(to, { force: true });
}
