// The last part of the build: lists its files in the manifest, compresses them, and puts them where the relay serves them from.
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { encodeManifest, MANIFEST_NAME, MANIFEST_SIGNATURE_NAME, parseManifest } from '../../crypto/manifest.ts';
import { ownerByFolder, type Owner } from '../../runtime/ownership.ts';

const COMPRESS = {
  // The highest quality takes ten times as long and saves one percent. Over an onion service browsers accept only gzip.
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

/** Writes the compressed copies that are smaller. They are not in the manifest: another zlib makes other bytes of the same file. */
async function writeCopies(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  for (const [suffix, compress] of Object.entries(COMPRESS)) {
    const copy = await compress(bytes);
    if (copy.length < bytes.length) await writeFile(join(directory, path + suffix), copy);
  }
}

/** What a folder holds of a former build, and of others, before a build is put there. */
export type Former = {
  /** Files of the former build that this one does not have: they are removed. */
  readonly gone: readonly string[];
  /** Files that no former build made, with the name of one of this build: they are overwritten. */
  readonly foreign: readonly string[];
  /** There is a signature of another manifest than this build's: it is removed. */
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
 * Moves everything that was built in `staging` into `outDir`, with its manifest and the compressed copies; files that were never ours stay.
 * Everything is complete in `staging` before anything changes, and then only renamed, so `staging` must be on the same file system.
 * @param agree called with what is removed and overwritten; if it throws, nothing changes
 */
export async function publish(staging: string, outDir: string, agree: (former: Former) => void = () => undefined): Promise<Former> {
  const files = await filesIn(staging);
  const manifest = encodeManifest(files);
  const former = await readFormer(outDir, files, manifest);
  agree(former);
  await Promise.all([...files].map(([path, bytes]) => writeCopies(staging, path, bytes)));
  await writeFile(join(staging, MANIFEST_NAME), manifest);
  const folders = new Set([...files.keys()].map((path) => dirname(join(outDir, path))));
  for (const folder of folders) await makeFolder(folder, outDir);
  const owner = await ownerByFolder(outDir);
  if (owner !== null) for (const name of await readdir(staging, { recursive: true })) await makeReadable(join(staging, name), owner);
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

/** Makes a folder of the form, and those that it is in. */
async function makeFolder(folder: string, outDir: string): Promise<void> {
  const owner = await ownerByFolder(outDir);
  const made = await mkdir(folder, { recursive: true });
  if (made === undefined || owner === null) return;
  for (let each = folder; each.length >= made.length; each = dirname(each)) await makeReadable(each, owner);
}

/** Built by root with a strict umask, it would be closed to the relay, which looks for a new form all the time. */
async function makeReadable(path: string, { uid, gid }: Owner): Promise<void> {
  await chown(path, uid, gid);
  await chmod(path, (await stat(path)).isDirectory() ? 0o755 : 0o644);
}

/** Removes `to` where there is no `from`: a compressed copy that was not made this time, while the former one is of other bytes. */
async function move(from: string, to: string): Promise<void> {
  if (await exists(from)) await rename(from, to);
  else await rm(to, { force: true });
}
