// Follows the recipes of CONTRIBUTING.md, each with a patch in tests/recipes/ that does what the recipe says: whoever changes what a
// recipe is about learns here whether it still holds. If a patch no longer applies, make its changes by hand and recreate it from a
// clean tree: `git add --intent-to-add . && git diff -U1 --no-renames > tests/recipes/<name>.patch`.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalePart } from '../../runtime/locales.ts';
import { ROOT } from '../../runtime/root.ts';
import { isThorough } from '../support/thorough.ts';

const run = promisify(execFile);
/** Large, and not needed. */
const LEFT_OUT = [':!tests/cases', ':!docs/images'];
/** Includes uncommitted files. */
const LIST_FILES = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate', '--', '.', ...LEFT_OUT];
/** Made in the copy. */
const CONFIGS = { types: 'tsconfig.recipe.json', tests: 'vitest.recipe.config.ts' };
/** The whole project gets a browser's types through its packages; here they are named. */
const PROJECT = { extends: './tsconfig.json', compilerOptions: { lib: ['ES2023', 'DOM', 'DOM.Iterable'] }, exclude: [] };

type Recipe = {
  readonly title: string;
  readonly patch: string;
  /** What the compiler checks beside the files of the patch: whatever might miss the new entry. */
  readonly types: readonly string[];
  /** Makes files of the recipe that are too large for a patch. Returns their names. */
  readonly generate?: () => Promise<string[]>;
};

const RECIPES: readonly Recipe[] = [
  { title: 'A language', patch: 'language', types: ['runtime', 'redis'], generate: markEnglish },
  { title: 'A drop reason', patch: 'drop-reason', types: ['redis', 'worker', 'operator'] },
  { title: 'A kind of inbox', patch: 'inbox-kind', types: ['redis', 'worker'] },
  { title: 'A kind of parcel', patch: 'parcel-kind', types: ['crypto', 'redis', 'worker', 'tests/vectors/operations.ts'] },
];

/** The one of which `npm test` tries more than whether it still applies. */
const TRIED = 'parcel-kind';

const contributing = await readFile(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
const patchOf = (name: string): Promise<string> => readFile(join(ROOT, 'tests/recipes', `${name}.patch`), 'utf8');
const ownTest = (name: string): string => `tests/unit/recipe-${name}.test.ts`;

let dir: string;
let files: ReadonlySet<string>;

beforeAll(async () => {
  const { stdout } = await run('git', LIST_FILES, { cwd: ROOT });
  dir = await mkdtemp(join(tmpdir(), 'recipes-'));
  files = new Set(stdout.split('\0').filter((name) => name !== ''));
  for (const folder of new Set([...files].map(dirname))) await mkdir(join(dir, folder), { recursive: true });
  await Promise.all([...files].map((name) => copyFile(join(ROOT, name), join(dir, name))));
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  // The repository's own configuration builds dist/ first, which nothing here needs.
  await writeFile(
    join(dir, CONFIGS.tests),
    `
    import { luaAsText } from './tests/support/lua-as-text.ts';
    export default {
      cacheDir: '.vite',
      plugins: [luaAsText],
      test: { include: ['tests/unit/**/*.test.ts'], isolate: false, maxWorkers: 1, testTimeout: 300_000 },
    };
  `,
  );
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Throws with the program's whole output: compiler and tests report errors on stdout. */
async function runIn(program: string, ...args: readonly string[]): Promise<void> {
  const { PATH, HOME, TMPDIR, GLIBC_TUNABLES } = process.env;
  // Git must not take the copy for part of an enclosing repository, nor vitest itself for one of our workers.
  const env = { PATH, HOME, TMPDIR, GLIBC_TUNABLES, GIT_CEILING_DIRECTORIES: dirname(dir), NO_COLOR: '1' };
  await run(program, args, { cwd: dir, env }).catch((error: unknown) => {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${[program, ...args].join(' ')}\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  });
}
const node = (script: string, ...args: readonly string[]): Promise<void> => runIn(process.execPath, join('node_modules', script), ...args);

function sectionOf(title: string): string {
  const [, section] = contributing.split(`\n### ${title}\n`);
  if (section === undefined) throw new Error(`CONTRIBUTING.md has no recipe "${title}"`);
  return section.split(/\n##/)[0] ?? '';
}

/** The files at the start of the rows of a recipe's table. */
function namedIn(title: string): string[] {
  const cells = [...sectionOf(title).matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}

/** The tests that name what was forgotten, according to the recipe. */
function testsIn(title: string): string[] {
  const names = [...sectionOf(title).matchAll(/tests\/unit\/[\w-]+\.test\.ts/g)].map(([name]) => name);
  return [...new Set(names)].filter((name) => files.has(name));
}

function touchedBy(patch: string): string[] {
  const headers = patch.matchAll(/^(?:diff --git a\/(\S+) b\/(\S+)|(?:---|\+\+\+) [ab]\/(\S+))$/gm);
  return [...new Set([...headers].flatMap(([, ...names]) => names.filter((name) => name !== undefined)))];
}

/** Touched files that the recipe does not name. `xx` stands for a new name, not an existing one. */
function unnamed(touched: readonly string[], title: string): string[] {
  const isNamed = (file: string): boolean =>
    namedIn(title).some((name) => {
      const pattern = new RegExp(
        `^${name
          .split('xx')
          .map((part) => part.replaceAll('.', '\\.'))
          .join('[\\w-]+')}$`,
      );
      return name === file || (pattern.test(file) && !files.has(file));
    });
  return touched.filter((file) => !isNamed(file));
}

/** Makes the large parts of a third language, xx: the English texts, each marked so that none is the same. */
async function markEnglish(): Promise<string[]> {
  const of = (language: string, name: string): string => join('locales', language, name);
  for (const part of ['form', 'desk'] satisfies LocalePart[]) {
    const words = JSON.parse(await readFile(join(dir, of('en', `${part}.json`)), 'utf8')) as Record<string, string>;
    const marked = Object.fromEntries(Object.entries(words).map(([key, text]) => [key, `«${text}»`]));
    await writeFile(join(dir, of('xx', `${part}.json`)), JSON.stringify(marked));
  }
  await copyFile(join(dir, of('en', 'words.txt')), join(dir, of('xx', 'words.txt')));
  return ['form.json', 'desk.json', 'words.txt'].map((name) => of('xx', name));
}

describe.each(RECIPES)('$title', ({ title, patch, types, generate }) => {
  it('takes what its recipe says, and passes types, lint and tests', async () => {
    const isTried = isThorough() || patch === TRIED;
    const file = join(ROOT, 'tests/recipes', `${patch}.patch`);
    const touched = touchedBy(await patchOf(patch));
    expect(touched).toContain(ownTest(patch));
    await runIn('git', 'apply', '--whitespace=error', file);
    const generated: string[] = [];
    try {
      generated.push(...((await generate?.()) ?? []));
      expect(
        unnamed(
          [...touched, ...generated].filter((name) => name !== ownTest(patch)),
          title,
        ),
      ).toEqual([]);
      if (!isTried) return;
      const sources = touched.filter((name) => name.endsWith('.ts'));
      await writeFile(join(dir, CONFIGS.types), JSON.stringify({ ...PROJECT, include: [...types, ...sources] }));
      await node('typescript/bin/tsc', '-p', CONFIGS.types);
      if (sources.some((name) => name.startsWith('crypto/'))) await node('typescript/bin/tsc', '-p', 'crypto');
      await node('oxlint/bin/oxlint', '-c', 'oxlint.config.js', ...sources);
      await node('vitest/vitest.mjs', 'run', '-c', CONFIGS.tests, ownTest(patch), ...testsIn(title));
    } finally {
      for (const name of generated) await rm(join(dir, name));
      await runIn('git', 'apply', '-R', file);
    }
  });
});

describe('a recipe', () => {
  it.each([...RECIPES.map(({ title }) => title), 'A limit per team'])('names existing files, or new ones: %s', (title) => {
    const named = namedIn(title);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !name.includes('xx') && !files.has(name))).toEqual([]);
  });

  it.each(RECIPES)('fails when a patch touches a file that it does not name: $title', async ({ title, patch }) => {
    const more = 'diff --git a/server/pool.ts b/server/pool.ts\n--- a/server/pool.ts\n+++ b/server/pool.ts\n';
    const touched = touchedBy((await patchOf(patch)) + more).filter((name) => name !== ownTest(patch));
    // An existing name is not a new one.
    const others = ['worker/inboxes/maildir.ts', 'tests/unit/store.test.ts'];
    expect(unnamed([...touched, ...others], title)).toEqual(['server/pool.ts', ...others]);
  });
});
