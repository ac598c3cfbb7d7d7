// A new language is one folder, which nothing else has to know.
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePublicKey, generateKeyPair } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import type { LocalePart } from '../../runtime/locales.ts';
import { ROOT } from '../../runtime/root.ts';
import type { buildWeb } from '../../web/build/build.ts';

/** Marks a text as translated, and keeps its placeholders. */
const translated = (text: string): string => `«${text}»`;

describe('a third language', () => {
  let dir: string;
  let build: typeof buildWeb;
  beforeAll(async () => {
    await ready;
    dir = await mkdtemp(join(tmpdir(), 'new-language-'));
    for (const part of ['web', 'crypto', 'runtime', 'locales', 'package.json', 'tsconfig.base.json'])
      await cp(join(ROOT, part), join(dir, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    await writeFile(join(dir, 'root.pub'), encodePublicKey(generateKeyPair()));
    ({ buildWeb: build } = (await import(pathToFileURL(join(dir, 'web/build/build.ts')).href)) as { buildWeb: typeof buildWeb });
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const at = (...path: string[]): string => join(dir, 'locales', 'eo', ...path);
  const readEnglish = async (part: LocalePart): Promise<Record<string, string>> =>
    JSON.parse(await readFile(join(ROOT, 'locales/en', `${part}.json`), 'utf8')) as Record<string, string>;
  /** Without its word list. */
  async function addLanguage(
    change: (words: Record<string, string>, part: LocalePart) => Record<string, string> = (words) => words,
  ): Promise<void> {
    await mkdir(at(), { recursive: true });
    await writeFile(
      at('language.json'),
      JSON.stringify({ name: 'Esperanto', path: 'eo/', letterBytes: 1, yes: ['jes', 'j'], no: ['ne', 'n'] }),
    );
    for (const part of ['form', 'desk', 'cli'] as const) {
      const words = Object.fromEntries(Object.entries(await readEnglish(part)).map(([key, text]) => [key, translated(text)]));
      await writeFile(at(`${part}.json`), JSON.stringify(change(words, part)));
    }
  }
  /** Any list of the right length: docs/words.md says what one may contain. */
  const addWords = (): Promise<void> => copyFile(join(ROOT, 'locales/en/words.txt'), at('words.txt'));
  const buildForm = (): Promise<unknown> => build({ rootKeyFile: join(dir, 'root.pub'), outDir: join(dir, 'out') });
  const page = (path: string): Promise<string> => readFile(join(dir, 'out', path, 'index.html'), 'utf8');

  it('stops the build while it has no word list: codes of another list would open nothing', async () => {
    await addLanguage();
    await expect(buildForm()).rejects.toThrow(/locales\/eo\/words\.txt is missing/);
    await writeFile(at('words.txt'), 'vorto\n'.repeat(1_295));
    await expect(buildForm()).rejects.toThrow(/locales\/eo\/words\.txt has 1295 lines, expected 1296/);
  });

  it('has its own page once its folder exists, and every other page links to it', async () => {
    await addLanguage();
    await addWords();
    await buildForm();
    const own = await page('eo');
    expect(own).toContain('<html lang="eo"');
    expect(own).toContain('«Your request»');
    expect(own).not.toContain('{{');
    for (const other of ['', 'en']) expect(await page(other)).toContain('<a href="/eo/" lang="eo" hreflang="eo">Esperanto</a>');
  });

  it.each([
    ['form', 'form.send'],
    ['desk', 'desk.forget'],
    ['cli', 'topic'],
  ] as const)('stops the build while a text is missing for the %s', async (part, key) => {
    await addLanguage((words, of) => (of === part ? Object.fromEntries(Object.entries(words).filter(([each]) => each !== key)) : words));
    await expect(buildForm()).rejects.toThrow(`locales/eo/${part}.json lacks ${key}`);
  });

  it('stops the build while there is an extra text, or a file is missing', async () => {
    await addLanguage((words, part) => (part === 'cli' ? { ...words, own: 'x' } : words));
    await expect(buildForm()).rejects.toThrow('locales/eo/cli.json has own, which locales/en/ has not');
    await addLanguage();
    await rm(at('desk.json'));
    await expect(buildForm()).rejects.toThrow('locales/eo/desk.json is missing');
  });
});
