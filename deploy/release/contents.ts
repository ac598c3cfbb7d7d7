// What a release consists of: docs/release.md.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import { loadBuilder } from '../../cli/builder.ts';
import { VERSION } from '../../runtime/version.ts';
import { MANIFEST_NAME, parseManifest } from '../../crypto/manifest.ts';
import { encodePublicKey, type PublicKey } from '../../crypto/minisign.ts';
import { ROOT } from '../../runtime/root.ts';
import { tarOf } from '../../runtime/tar.ts';
import { makeSbom } from './sbom.ts';

export const RELEASE_NAME = `${packageFile.name}-${VERSION}`;

const PACKAGE = ['package.json', 'package-lock.json', '.npmrc', 'LICENSE', 'locales'];
/**
 * The programs, with the texts that they show, the settings of Redis, and what people read. Containers are built from the sources, so
 * docker-compose.yml alone would start nothing.
 */
const PROGRAMS = [...PACKAGE, 'dist', 'docs', 'deploy/redis', 'README.md', 'SECURITY.md', 'CHANGELOG.md'];
/** What the form, the offline form and the desk are built from, by the programs. */
const FORM_SOURCES = [...PACKAGE, 'web', 'crypto', 'volunteer', 'runtime', 'tsconfig.base.json'];

/** The files of a release by their paths, its manifest not among them. @param scratch a folder for what is made on the way */
export async function releaseFiles(key: PublicKey, scratch: string): Promise<Map<string, Uint8Array>> {
  return new Map([
    [`${RELEASE_NAME}.tar`, tarOf(await filesOf(PROGRAMS))],
    [`${RELEASE_NAME}-form.tar`, tarOf(await filesOf(FORM_SOURCES))],
    ['sbom.cdx.json', await makeSbom(join(scratch, 'npm'))],
    ...(await formFiles(key, scratch)),
  ]);
}

/** Every file of these parts, by its path in the archive. Hidden files are left behind: editors and systems make them. */
async function filesOf(parts: readonly string[]): Promise<Map<string, Uint8Array>> {
  const paths = (await Promise.all(parts.map((part) => pathsIn(join(ROOT, part))))).flat();
  const named = paths.map((path) => [`${RELEASE_NAME}/${relative(ROOT, path).split(sep).join('/')}`, path] as const);
  return new Map(await Promise.all(named.map(async ([name, path]) => [name, await readFile(path)] as const)));
}

/** Every file in a folder and below it, hidden ones left behind; a file is itself. */
export async function pathsIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (entries === null) return [path];
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  const below = visible.map((entry) => (entry.isDirectory() ? pathsIn(join(path, entry.name)) : [join(path, entry.name)]));
  return (await Promise.all(below)).flat();
}

/**
 * The form as it is without anything of an organisation: the release key stands in the place of a root key, and there are neither a
 * site file nor keyrings. `operator verify` compares with it what a relay serves.
 */
async function formFiles(key: PublicKey, scratch: string): Promise<[string, Uint8Array][]> {
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, 'form-'));
  try {
    const rootKeyFile = join(folder, 'release.pub');
    const outDir = join(folder, 'web');
    await writeFile(rootKeyFile, encodePublicKey(key));
    const { buildWeb } = await loadBuilder();
    await buildWeb({ rootKeyFile, outDir });
    const { files } = parseManifest(await readFile(join(outDir, MANIFEST_NAME)));
    return await Promise.all(
      Object.keys(files).map(async (path): Promise<[string, Uint8Array]> => [`form/${path}`, await readFile(join(outDir, path))]),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
