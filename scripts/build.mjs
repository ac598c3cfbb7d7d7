// Bundles the Node entry points into dist/ with the packages they use, since loading hundreds of small files would dominate startup.
// Only esbuild stays external: it runs its own executable, and is not installed everywhere.
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/** How they are bundled, wherever they are put. */
export const programs = {
  absWorkingDir: root,
  entryPoints: [
    { in: 'server/main.ts', out: 'relay' },
    { in: 'worker/main.ts', out: 'worker' },
    { in: 'operator/main.ts', out: 'operator' },
    { in: 'cli/main.ts', out: 'support-relay' },
    { in: 'deploy/demo/demo.ts', out: 'demo' },
    { in: 'deploy/setup/setup.ts', out: 'setup' },
    { in: 'deploy/state/before-start.ts', out: 'prepare' },
    { in: 'deploy/release/release.ts', out: 'release' },
    { in: 'deploy/debian/package.ts', out: 'debian-package' },
  ],
  bundle: true,
  splitting: true,
  external: ['esbuild'],
  // Redis scripts are imported as strings.
  loader: { '.lua': 'text' },
  // Some packages are CommonJS and `require` Node's modules. esbuild does not see names in a banner, so they must not collide.
  banner: {
    js: "import { createRequire as createPackageRequire } from 'node:module';\nconst require = createPackageRequire(import.meta.url);",
  },
  // esbuild renames identifiers that collide in a bundle. This keeps their `name` property, which errors show.
  keepNames: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await rm(`${root}dist`, { recursive: true, force: true });
  await build({ ...programs, outdir: 'dist' });
}
