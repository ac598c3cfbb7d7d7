// Bundles the Node entry points to dist/: one file a program, packages left outside.
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
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
