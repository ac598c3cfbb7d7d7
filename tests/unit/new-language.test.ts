// A new language is a file of words for the page and a list of words for its codes: nothing else of the form has to know of it.
import { copyFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { ROOT } from '../../runtime/root.ts';
import type { buildWeb } from '../../web/build/build.ts';
import type { Locale } from '../../web/build/template.ts';

/** Marks a word as translated and keeps its places to fill. */
const translated = (text: string): string => `«${text}»`;

describe('a third language', () => {
  let dir: string;
  let build: typeof buildWeb;
  beforeAll(async () => {
    await ready;
    dir = await mkdtemp(join(tmpdir(), 'new-language-'));
    for (const part of ['web', 'crypto', 'runtime', 'package.json', 'tsconfig.base.json']) await cp(join(ROOT, part), join(dir, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    await writeFile(join(dir, 'root.pub'), encodePublicKey(generateKeyPair()));
    ({ buildWeb: build } = (await import(pathToFileURL(join(dir, 'web/build/build.ts')).href)) as { buildWeb: typeof buildWeb });
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function addLanguage(change: (words: Record<string, string>) => Record<string, string>): Promise<void> {
    const english = JSON.parse(await readFile(join(ROOT, 'web/locales/en.json'), 'utf8')) as Locale;
    const words = change(Object.fromEntries(Object.entries(english.words).map(([key, text]) => [key, translated(text)])));
    await writeFile(join(dir, 'web/locales/eo.json'), JSON.stringify({ ...english, language: 'eo', name: 'Esperanto', path: 'eo/', words }));
  }
  /** As long as a list must be; what may stand in one is docs/words.md's to say. */
  const addWords = (): Promise<void> => copyFile(join(ROOT, 'web/words/en.txt'), join(dir, 'web/words/eo.txt'));
  const page = (path: string): Promise<string> => readFile(join(dir, 'out', path, 'index.html'), 'utf8');

  it('stops the build while it has no list of words: codes of another list would open nothing', async () => {
    await addLanguage((words) => words);
    await expect(build({ rootKeyFile: join(dir, 'root.pub'), outDir: join(dir, 'out') })).rejects.toThrow(/words\/eo\.txt is missing/);
    await writeFile(join(dir, 'web/words/eo.txt'), 'vorto\n'.repeat(1_295));
    await expect(build({ rootKeyFile: join(dir, 'root.pub'), outDir: join(dir, 'out') })).rejects.toThrow(/words\/eo\.txt has 1295 lines, expected 1296/);
  });

  it('has a page of its own once its files are there, and every other page leads to it', async () => {
    await addLanguage((words) => words);
    await addWords();
    await build({ rootKeyFile: join(dir, 'root.pub'), outDir: join(dir, 'out') });
    const own = await page('eo');
    expect(own).toContain('<html lang="eo"');
    expect(own).toContain('«Your request»');
    expect(own).not.toContain('{{');
    for (const other of ['', 'en']) expect(await page(other)).toContain('<a href="/eo/" lang="eo" hreflang="eo">Esperanto</a>');
  });

  it('stops the build while a word is missing', async () => {
    await addLanguage((words) => Object.fromEntries(Object.entries(words).filter(([key]) => key !== 'form.send')));
    await expect(build({ rootKeyFile: join(dir, 'root.pub'), outDir: join(dir, 'out') })).rejects.toThrow(/eo\.json lacks form\.send/);
  });
});
