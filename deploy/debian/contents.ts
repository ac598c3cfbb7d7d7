// What the Debian package consists of, and where each part of it is installed.
import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { utf8 } from '../../crypto/bytes.ts';
import { ROOT } from '../../runtime/root.ts';
import { pathsIn } from '../release/contents.ts';
import { readLicences } from './licences.ts';
import { readPackages } from './npm-packages.ts';

const PROGRAM_MODE = 0o755;
const FILE_MODE = 0o644;

/** A file of the package: what is in it, and who may do what with it. */
export type Installed = { readonly bytes: Uint8Array; readonly mode: number };

const HOME = 'usr/lib/support-relay';
const DOCUMENTS = 'usr/share/doc/support-relay';

/** What the form is built from, by the programs on the machine itself. */
const FORM_SOURCES = ['web', 'crypto', 'volunteer', 'locales', 'package.json', 'tsconfig.base.json'];
/** The packages that are bundled into the form, and what bundles them. */
const FORM_PACKAGES = ['@noble/hashes', '@scure/base', 'esbuild', 'libsodium-wrappers', 'postal-mime', 'zod'];
/** Bundles for the machines of developers. */
const NOT_INSTALLED = ['demo.js', 'release.js', 'debian-package.js'];

/** Files of this folder, and where each of them goes. */
const OURS: Readonly<Record<string, string>> = {
  'support-relay': 'usr/bin/support-relay',
  'support-relay-setup': 'usr/sbin/support-relay-setup',
  torrc: `${HOME}/deploy/tor/torrc`,
  default: 'etc/default/support-relay',
  apparmor: 'etc/apparmor.d/support-relay-tor',
  'sysusers.conf': 'usr/lib/sysusers.d/support-relay.conf',
  'tmpfiles.conf': 'usr/lib/tmpfiles.d/support-relay.conf',
  'README.Debian': `${DOCUMENTS}/README.Debian`,
};
const PROGRAMS = new Set(['support-relay', 'support-relay-setup']);

/** Files that are the same here and there. */
const ALIKE: Readonly<Record<string, string>> = {
  'deploy/redis/redis.conf': `${HOME}/deploy/redis/redis.conf`,
  'deploy/redis/start.sh': `${HOME}/deploy/redis/start.sh`,
  'deploy/tor/onion.conf': `${HOME}/deploy/tor/onion.conf`,
  'README.md': `${DOCUMENTS}/README.md`,
  'SECURITY.md': `${DOCUMENTS}/SECURITY.md`,
};

/** Every file of the package by its path. @param node the folder of the package that has the Node binary */
export async function packageFiles(node: string, changelog: string): Promise<Map<string, Installed>> {
  const { all, shipped } = await readPackages(FORM_PACKAGES);
  const files = new Map<string, Installed>();
  const put = async (path: string, from: string, mode = FILE_MODE) => files.set(path, { bytes: await readFile(from), mode });
  const putFolder = async (path: string, from: string, isWanted: (name: string) => boolean = () => true) => {
    const names = (await pathsIn(from)).map((file) => relative(from, file).split(sep).join('/'));
    for (const name of names.filter(isWanted)) await put(name === '' ? path : `${path}/${name}`, join(from, name), modeOf(name));
  };
  await putFolder(`${HOME}/dist`, join(ROOT, 'dist'), (name) => !NOT_INSTALLED.includes(name));
  for (const source of FORM_SOURCES) await putFolder(`${HOME}/${source}`, join(ROOT, source));
  for (const { path } of shipped) await putFolder(`${HOME}/${path}`, join(ROOT, path));
  await putFolder('lib/systemd/system', join(ROOT, 'deploy/debian/units'));
  for (const [name, path] of Object.entries(OURS)) {
    await put(path, join(ROOT, 'deploy/debian', name), PROGRAMS.has(name) ? PROGRAM_MODE : FILE_MODE);
  }
  for (const [name, path] of Object.entries(ALIKE)) await put(path, join(ROOT, name));
  await putFolder(`${DOCUMENTS}/docs`, join(ROOT, 'docs'), (name) => name.endsWith('.md'));
  await put(`${HOME}/bin/node`, join(node, 'bin/node'), PROGRAM_MODE);
  const text = (path: string, content: string | Uint8Array) =>
    files.set(path, { bytes: typeof content === 'string' ? utf8(content) : content, mode: FILE_MODE });
  text(`${DOCUMENTS}/copyright`, await readLicences(all, node));
  text(`${DOCUMENTS}/changelog.Debian.gz`, gzipSync(changelog, { level: 9 }));
  text(`${DOCUMENTS}/CHANGELOG.md.gz`, gzipSync(await readFile(join(ROOT, 'CHANGELOG.md')), { level: 9 }));
  return files;
}

/** Only esbuild's own program is started by its path. */
const modeOf = (name: string): number => (name.endsWith('bin/esbuild') ? PROGRAM_MODE : FILE_MODE);
