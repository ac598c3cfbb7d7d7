// Bundles the Node entry points to dist/ with the packages they use, since reading hundreds of small files is most of a start. Only
// esbuild stays outside, which runs a program of its own and is not installed everywhere.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
await rm(`${root}dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: [
    { in: 'server/main.ts', out: 'relay' },
    { in: 'worker/main.ts', out: 'worker' },
    { in: 'cli/main.ts', out: 'support-relay' },
    { in: 'deploy/demo.ts', out: 'demo' },
    { in: 'deploy/setup.ts', out: 'setup' },
  ],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  external: ['esbuild'],
  // Scripts for Redis are imported as texts.
  loader: { '.lua': 'text' },
  // Some packages are CommonJS and `require` what Node brings along. esbuild does not see these names: ours must be others.
  banner: {
    js: "import { createRequire as createPackageRequire } from 'node:module';\nconst require = createPackageRequire(import.meta.url);",
  },
  // What two packages call alike gets another name in a bundle, but not where it tells its name: errors do.
  keepNames: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
