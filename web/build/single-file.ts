// Makes the offline form and the volunteers' desk: one file a language that holds everything, with a content security policy that
// forbids the network.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { utf8 } from '../../crypto/bytes.ts';
import { verifyKeyring } from '../../crypto/keyring.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { readLanguages, readLocales, type Language, type Locale } from '../../runtime/locales.ts';
import { ROOT } from '../../runtime/root.ts';
import { sodiumPlugin } from './cut.ts';
import { readGiven } from './given.ts';
import { inSuccession } from '../page/coverage.ts';
import { readTemplate } from './pages.ts';
import { renderPage } from './template.ts';

const WEB = join(ROOT, 'web');

/** A keyring as it was signed: the text of keyring.json and of its .minisig. */
export type SignedKeyring = { json: string; signature: string };

/**
 * The keyrings that a page carries, by rising serial, checked as the page will check them. `until`: when the last that counts ends. Throws
 * MINISIGN_* when a signature is not by the root key, KEYRING_FORMAT when a field is wrong.
 */
function verified(keyrings: readonly SignedKeyring[], rootKey: string): { carried: SignedKeyring[]; until: string | undefined } {
  const root = parsePublicKey(rootKey);
  const checked = keyrings
    .map(({ json, signature }) => ({ json, signature, ...verifyKeyring(utf8(json), signature, root) }))
    .sort((a, b) => a.keyring.serial - b.keyring.serial);
  return {
    carried: checked.map(({ json, signature }) => ({ json, signature })),
    until: inSuccession(checked, new Date(0)).at(-1)?.keyring.notAfter,
  };
}

async function bundled(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ ...options, write: false });
  const [file] = outputFiles;
  if (file === undefined || outputFiles.length !== 1) throw new Error('expected one bundle');
  return file.text;
}

/** The text for the inside of an element. Throws when it would end the element early, or be read with other bytes than were hashed. */
function inlinable(text: string, element: 'script' | 'style'): string {
  const trimmed = text.trim();
  if (new RegExp(`</${element}|<!--|\\r|\\0`, 'i').test(trimmed)) throw new Error(`the ${element} cannot stand inside the page`);
  return trimmed;
}

const source = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export type SingleFileOptions = { rootKey: string; keyrings: readonly SignedKeyring[]; difficulty: number };

type Parts = { template: string; locales: readonly Locale[]; script: string; style: string };

/** A page a language, with everything inside. */
function inlined(parts: Parts): { locale: Locale; page: string }[] {
  const script = inlinable(parts.script, 'script');
  const style = inlinable(parts.style, 'style');
  const policy = `default-src 'none'; script-src ${source(script)}; style-src ${source(style)}; base-uri 'none'; form-action 'none'`;
  const put: Readonly<Record<string, string>> = { policy, script, style };
  return parts.locales.map((locale) => {
    // The texts first: what is put in afterwards must not be read as a template.
    const page = renderPage(parts.template.replace(/\{\{(policy|script|style)\}\}/g, '\0$1\0'), locale, parts.locales);
    return { locale, page: page.replace(/\0(policy|script|style)\0/g, (_, name: string) => put[name] ?? '') };
  });
}

/** The script, with `<!--` in strings and patterns escaped: in a page it would begin a comment. */
function scriptWith(common: BuildOptions, entry: string, carried: readonly SignedKeyring[], difficulty: number): Promise<string> {
  const define = { ...common.define, OFFLINE_KEYRINGS: JSON.stringify(carried), OFFLINE_DIFFICULTY: String(difficulty) };
  const script = bundled({ ...common, define, entryPoints: [join(WEB, entry)], plugins: [sodiumPlugin('js')] });
  return script.then((text) => text.replaceAll('<!--', '\\x3c!--'));
}

/** Writes the offline form: form.html for each language, and form.json. */
export async function buildOffline(
  outDir: string,
  common: BuildOptions,
  { rootKey, keyrings, difficulty }: SingleFileOptions,
  locales: readonly Locale[],
): Promise<void> {
  const { carried, until } = verified(keyrings, rootKey);
  const [template, script, style] = await Promise.all([
    readTemplate('offline', { offline: true }),
    scriptWith(common, 'page/offline.ts', carried, difficulty),
    bundled({ ...common, entryPoints: [join(WEB, 'templates/form.css')] }),
  ]);
  // Tells the relay until when it may serve the form.
  await writeFile(join(outDir, 'form.json'), `${JSON.stringify({ until })}\n`);
  for (const { locale, page } of inlined({ template, locales, script, style })) {
    const file = join(outDir, locale.path, 'form.html');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, page);
  }
}

/** The file name of the desk in each language. */
export function deskNames(): string[] {
  return readLanguages().map(deskName);
}

const deskName = ({ language }: Language): string => `desk-${language}.html`;

/** The volunteers' desk, one page a language, with its file name. Throws MINISIGN_* and KEYRING_FORMAT as `verifyKeyring` does. */
export async function makeDesk(
  common: BuildOptions,
  { rootKey, keyrings, difficulty }: SingleFileOptions,
): Promise<{ name: string; page: string }[]> {
  const { carried } = verified(keyrings, rootKey);
  const [template, script, style] = await Promise.all([
    readTemplate('desk', { offline: true }),
    scriptWith(common, 'desk/desk.ts', carried, difficulty),
    bundled({ ...common, entryPoints: [join(WEB, 'templates/desk.css')] }),
  ]);
  return inlined({ template, locales: readLocales('desk'), script, style }).map(({ locale, page }) => ({ name: deskName(locale), page }));
}

/** Reads a keyring file and its signature beside it, `file`.minisig. */
export async function readSigned(file: string): Promise<SignedKeyring> {
  const [json, signature] = [await readGiven(file), await readGiven(`${file}.minisig`)];
  return { json: json.toString('utf8'), signature: signature.toString('utf8') };
}
