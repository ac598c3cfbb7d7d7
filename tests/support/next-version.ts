// A made-up next version of the programs: built from this one's sources, of which some are changed on the way.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../../runtime/root.ts';
import { programs } from '../../scripts/build.mjs';

/** Source -> what stands there, and what stands there in the next version. */
export type Changes = Readonly<Record<string, readonly [from: string, to: string]>>;

/** A version that changes nothing in the state: relay and worker have other functions in Redis. */
export const OTHER_FUNCTIONS: Changes = { 'redis/lua/relay.lua': ['local', '-- the next version\nlocal'] };

/** A version that changes what is in Redis: it brings version 2, and marks what it has brought there. */
export const OTHER_DATA: Changes = {
  'redis/version.ts': ['STATE_VERSION = 1;', 'STATE_VERSION = 2;'],
  'worker/upgrade.ts': [
    'DATA_STEPS: readonly DataStep[] = [];',
    `DATA_STEPS: readonly DataStep[] = [
      { to: 2, change: 'a mark is made', run: async (redis) => void (await redis.hset('state', 'mark', 'made')) },
    ];`,
  ],
};

export type NextPrograms = Readonly<{ program: (name: string) => string; remove: () => Promise<void> }>;

/** Beside the packages, since a program finds the project by the folders above it. */
export async function buildNext(changes: Changes): Promise<NextPrograms> {
  const parent = join(ROOT, 'node_modules/.cache');
  await mkdir(parent, { recursive: true });
  const outdir = await mkdtemp(join(parent, 'next-'));
  const entryPoints = programs.entryPoints.filter(({ out }) => ['relay', 'worker', 'support-relay', 'prepare'].includes(out));
  await build({ ...programs, entryPoints, outdir, outExtension: { '.js': '.mjs' }, plugins: [changing(changes)] } as Parameters<
    typeof build
  >[0]);
  return { program: (name) => join(outdir, `${name}.mjs`), remove: () => rm(outdir, { recursive: true, force: true }) };
}

function changing(changes: Changes): Plugin {
  return {
    name: 'next-version',
    setup(builder) {
      for (const [source, [from, to]] of Object.entries(changes)) {
        builder.onLoad({ filter: new RegExp(`/${source.replaceAll('.', '\\.')}$`) }, async ({ path }) => {
          const text = await readFile(path, 'utf8');
          if (!text.includes(from)) throw new Error(`${source} has no ${from}`);
          return { contents: text.replace(from, to), loader: source.endsWith('.lua') ? 'text' : 'ts' };
        });
      }
    },
  };
}
