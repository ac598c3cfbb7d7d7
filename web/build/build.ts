// Builds the form: pages, style sheet, scripts, word lists, libsodium's WebAssembly and an icon. The same sources and the same root
// key give the same bytes, wherever they are built, so that anyone can check what a server hands out.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { encodePublicKey, parsePublicKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { localesOf, readTranslations, type Language } from '../../runtime/locales.ts';
import { ROOT } from '../../runtime/root.ts';
import { ENGINES, sodiumPlugin, sodiumWasm } from './cut.ts';
import { readGivenText } from './given.ts';
import { buildPages, buildWordLists } from './pages.ts';
import { publish, type Former } from './publish.ts';
import { buildOffline, makeDesk, type SignedKeyring } from './single-file.ts';
import { parseSite, PLAIN_SITE, type Site } from './site.ts';

const WEB = join(ROOT, 'web');
const TARGET = ['firefox115', 'chrome110'];

/** Enough for a relay whose pool is up to three quarters full (server/difficulty.ts); takes seconds at most without a JIT compiler. */
export const OFFLINE_DIFFICULTY = 14;

export { deskNames } from './single-file.ts';

export type WebOptions = {
  /** The minisign public key that signs keyrings. */
  rootKeyFile: string;
  outDir: string;
  /** The pages refuse every keyring with a lower serial; 1. */
  floorSerial?: number;
  /** Mean time between two slots (slots.ts); 20 seconds. */
  slotSeconds?: number | undefined;
  /** The keyrings that the offline form (/form.html) carries (web/build/carried.ts); without any, no offline form is built. */
  keyrings?: readonly SignedKeyring[];
  /** Leading zero bits of the offline form's stamps: it cannot ask the relay how many it wants. */
  offlineDifficulty?: number;
  /** What the operator changes about the form (web/build/site.ts, docs/form.md). */
  siteFile?: string;
  /** Called with what this build removes and overwrites. If it throws, nothing changes. */
  agree?: (former: Former) => void;
};

/** The options with which every script of the form is built. */
export function scriptOptions(rootKey: string, floorSerial: number): BuildOptions {
  return {
    absWorkingDir: ROOT,
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
      // libsodium reads it and makes no use of it.
      'import.meta.url': '""',
    },
    logLevel: 'warning',
  };
}

async function buildScripts(outDir: string, rootKey: string, floorSerial: number): Promise<void> {
  const common = { ...scriptOptions(rootKey, floorSerial), outdir: outDir };
  await Promise.all([
    build({
      ...common,
      entryPoints: [
        { in: join(WEB, 'page/form.ts'), out: 'form' },
        { in: join(WEB, 'page/replies.ts'), out: 'replies' },
        { in: join(WEB, 'templates/form.css'), out: 'form' },
      ],
    }),
    // The same worker for each engine: a browser loads the one that it can run.
    ...ENGINES.map((engine) =>
      build({ ...common, entryPoints: [{ in: join(WEB, 'page/seal.ts'), out: `seal-${engine}` }], plugins: [sodiumPlugin(engine)] }),
    ),
  ]);
}

/**
 * The key alone, without the comment in its file: whoever has the same key builds the same bytes. Throws MINISIGN_FORMAT: a secret key
 * that was given by mistake would be handed to everyone.
 */
function keyLine(text: string): string {
  return encodePublicKey(parsePublicKey(text)).split('\n')[1] ?? '';
}

/** Throws SiteError when the file is wrong, FileError when it is not a regular file. */
async function readSite(file: string, languages: readonly Language[]): Promise<Site> {
  const codes = languages.map(({ language }) => language);
  return parseSite(await readGivenText(file), codes);
}

/**
 * Writes the form into `outDir`, and returns what it removed there. Throws MINISIGN_FORMAT when the root key file is not a minisign public
 * key, SiteError when the site file is wrong, FileError when either is not a regular file, and what `agree` throws.
 */
export async function buildWeb(options: WebOptions): Promise<Former> {
  const { rootKeyFile, outDir, floorSerial = 1, slotSeconds, siteFile, keyrings = [], agree } = options;
  const { offlineDifficulty: difficulty = OFFLINE_DIFFICULTY } = options;
  const rootKeyText = await readGivenText(rootKeyFile);
  await ready;
  const rootKey = keyLine(rootKeyText);
  const translations = readTranslations();
  const site = siteFile === undefined ? PLAIN_SITE : await readSite(siteFile, translations);
  await mkdir(dirname(outDir), { recursive: true });
  const staging = await mkdtemp(`${outDir}.new-`);
  try {
    // First, because a missing text stops the build: nothing must still be writing then.
    await buildPages(staging, { offline: keyrings.length > 0, slotSeconds }, site, translations);
    await buildWordLists(staging, translations);
    await Promise.all([
      buildScripts(staging, rootKey, floorSerial),
      ...(keyrings.length > 0
        ? [buildOffline(staging, scriptOptions(rootKey, floorSerial), { rootKey, keyrings, difficulty }, localesOf(translations, 'form'))]
        : []),
      sodiumWasm().then((wasm) => writeFile(join(staging, 'sodium.wasm'), wasm)),
      readFile(join(WEB, 'templates/icon.png')).then((icon) => writeFile(join(staging, 'icon.png'), icon)),
    ]);
    return await publish(staging, outDir, agree);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * The volunteers' desk, one page a language; no relay serves it. `rootKey`: the text of the minisign public key. Throws MINISIGN_* when it
 * is not a public key or a keyring is not signed by it, KEYRING_FORMAT when a keyring is wrong.
 */
export async function buildDesk(rootKey: string, keyrings: readonly SignedKeyring[]): Promise<{ name: string; page: string }[]> {
  await ready;
  const key = keyLine(rootKey);
  return makeDesk(scriptOptions(key, 1), { rootKey: key, keyrings, difficulty: OFFLINE_DIFFICULTY });
}
