// `npm run bench -- NAME`: bundles bench/NAME.ts and runs it. The numbers are ratios to a baseline of the same run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const helpers = ['compare.ts'];
const known = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.ts') && !helpers.includes(file))
  .map((file) => file.slice(0, -3));
const [name] = process.argv.slice(2);
if (name === 'all') {
  const failed = known.filter((each) => {
    console.log(`\n== ${each}`);
    return spawnSync(process.execPath, [fileURLToPath(import.meta.url), each], { stdio: 'inherit' }).status !== 0;
  });
  if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
  process.exit(failed.length === 0 ? 0 : 1);
}
if (!known.includes(name)) {
  console.log(`usage: npm run bench -- NAME\n\n  ${[...known, 'all'].join('\n  ')}`);
  process.exit(name === undefined || name === '--help' ? 0 : 2);
}
// Directly below the root, like the sources, so that external packages and the project's files are found.
const out = mkdtempSync(join(root, '.bench-'));
process.on('exit', () => {
  rmSync(out, { recursive: true, force: true });
});
const outfile = join(out, `${name}.mjs`);
await build({
  entryPoints: [join(root, 'bench', `${name}.ts`)],
  outfile,
  bundle: true,
  packages: 'external',
  loader: { '.lua': 'text' },
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
await import(pathToFileURL(outfile).href);
