// Makes the offline form: one file a language that holds everything, and a policy of its own that forbids the network.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { utf8 } from '../crypto/bytes.ts';
import { verifyKeyring } from '../crypto/keyring.ts';
import { parsePublicKey } from '../crypto/minisign.ts';
import { sodiumPlugin } from './cut.ts';
import { readLocales, readTemplate } from './pages.ts';
import { renderPage } from './template.ts';

const WEB = join(fileURLToPath(new URL('..', import.meta.url)), 'web');

/** A keyring as it was signed: the text of keyring.json and of its .minisig. */
export type SignedKeyring = { json: string; signature: string };

/** Keyrings the form carries must be ones it will take; `until` is when the last of them ends. Errors: MINISIGN_*, KEYRING_FORMAT. */
function verified(keyrings: readonly SignedKeyring[], rootKey: string): { carried: SignedKeyring[]; until: string | undefined } {
  const root = parsePublicKey(rootKey);
  const found = keyrings.map(({ json, signature }) => ({ json, signature, ...verifyKeyring(utf8(json), signature, root).keyring })).sort((a, b) => a.serial - b.serial);
  return {
    carried: found.map(({ json, signature }) => ({ json, signature })),
    until: found.map(({ notAfter }) => notAfter).sort().at(-1),
  };
}

async function bundled(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ ...options, write: false });
  const [file] = outputFiles;
  if (file === undefined || outputFiles.length !== 1) throw new Error('expected one bundle');
  return file.text;
}

/** What would end the element early, or be read otherwise than it was hashed. */
function inlinable(text: string, element: 'script' | 'style'): string {
  const trimmed = text.trim();
  if (new RegExp(`</${element}|<!--|\\r|\\0`, 'i').test(trimmed)) throw new Error(`the ${element} cannot stand inside the page`);
  return trimmed;
}

const source = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export async function buildOffline(
  outDir: string, common: BuildOptions, { rootKey, keyrings, difficulty }: { rootKey: string; keyrings: readonly SignedKeyring[]; difficulty: number },
): Promise<void> {
  const { carried, until } = verified(keyrings, rootKey);
  const define = { ...common.define, OFFLINE_KEYRINGS: JSON.stringify(carried), OFFLINE_DIFFICULTY: String(difficulty) };
  const [template, locales, script, style] = await Promise.all([
    readTemplate('offline', { offline: true }),
    readLocales(),
    bundled({ ...common, define, entryPoints: [join(WEB, 'offline.ts')], plugins: [sodiumPlugin('js')] }).then((text) => inlinable(text, 'script')),
    bundled({ ...common, entryPoints: [join(WEB, 'form.css')] }).then((text) => inlinable(text, 'style')),
  ]);
  const policy = `default-src 'none'; script-src ${source(script)}; style-src ${source(style)}; base-uri 'none'; form-action 'none'`;
  const parts: Readonly<Record<string, string>> = { policy, script, style };
  // For the relay, which hands the form out no longer than that.
  await writeFile(join(outDir, 'form.json'), `${JSON.stringify({ until })}\n`);
  for (const locale of locales) {
    // The words first: what is put in afterwards is no template any more.
    const page = renderPage(template.replace(/\{\{(policy|script|style)\}\}/g, '\0$1\0'), locale, locales);
    const file = join(outDir, locale.path, 'form.html');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, page.replace(/\0(policy|script|style)\0/g, (_, name: string) => parts[name] ?? ''));
  }
}

/** Reads `keyring.json` and `keyring.json.minisig`. */
export async function readSigned(file: string): Promise<SignedKeyring> {
  return { json: await readFile(file, 'utf8'), signature: await readFile(`${file}.minisig`, 'utf8') };
}
