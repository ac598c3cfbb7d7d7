// Builds the form: pages, style sheet, two scripts and an icon. The same sources and the same root key give the same
// bytes, wherever they are built, so that anyone can check what a server hands out.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { parsePublicKey } from '../crypto/minisign.ts';
import { ready } from '../crypto/sodium.ts';
import { renderPage, type Locale } from './template.ts';

// One level below the root both as a source (web/) and bundled (dist/).
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WEB = join(ROOT, 'web');
const TARGET = ['firefox115', 'chrome110'];

export type WebOptions = {
  /** The minisign public key that signs keyrings. */
  rootKeyFile: string;
  outDir: string;
  /** The pages refuse every keyring below it. */
  floorSerial?: number;
};

export async function readLocales(): Promise<Locale[]> {
  const names = (await readdir(join(WEB, 'locales'))).filter((name) => name.endsWith('.json'));
  const locales = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(WEB, 'locales', name), 'utf8')) as Locale));
  return locales.sort((a, b) => a.path.localeCompare(b.path, 'en'));
}

export async function readTemplate(): Promise<string> {
  return readFile(join(WEB, 'form.html'), 'utf8');
}

async function buildPages(outDir: string): Promise<void> {
  const [template, locales] = await Promise.all([readTemplate(), readLocales()]);
  for (const locale of locales) {
    const file = join(outDir, locale.path, 'index.html');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, renderPage(template, locale, locales));
  }
}

async function buildScripts(outDir: string, rootKey: string, floorSerial: number): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [{ in: join(WEB, 'form.ts'), out: 'form' }, { in: join(WEB, 'seal.ts'), out: 'seal' }, { in: join(WEB, 'form.css'), out: 'form' }],
    outdir: outDir,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: TARGET,
    charset: 'utf8',
    legalComments: 'eof',
    define: {
      ROOT_PUBLIC_KEY: JSON.stringify(rootKey),
      FLOOR_SERIAL: String(floorSerial),
      // libsodium asks where it was loaded from, and makes no use of it: its WebAssembly is inside.
      'import.meta.url': '""',
    },
    logLevel: 'warning',
  });
}

/** Writes the form into `outDir`. Throws MINISIGN_FORMAT when the file is not a minisign public key. */
export async function buildWeb({ rootKeyFile, outDir, floorSerial = 1 }: WebOptions): Promise<void> {
  const rootKey = (await readFile(rootKeyFile, 'utf8')).trim();
  await ready;
  // A secret key put here by mistake would be handed to everyone.
  parsePublicKey(rootKey);
  await mkdir(outDir, { recursive: true });
  await Promise.all([
    buildPages(outDir),
    buildScripts(outDir, rootKey, floorSerial),
    readFile(join(WEB, 'icon.png')).then((icon) => writeFile(join(outDir, 'icon.png'), icon)),
  ]);
}
