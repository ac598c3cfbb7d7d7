// `npm run demo`: installs what is missing, builds, and runs the demo in this same process, so that signals reach it.
import { readFileSync } from 'node:fs';
import { build, ensureApt, ensureNode, ensureNodeModules, run } from './bootstrap.mjs';

/** The usage text, read out of deploy/demo/demo-options.ts, which plain Node cannot import. */
function usage() {
  const source = readFileSync(new URL('../deploy/demo/demo-options.ts', import.meta.url), 'utf8');
  return /USAGE = `([^`]*)`/.exec(source)?.[1] ?? '';
}

await run(async () => {
  ensureNode();
  // Help must not wait for an installation, and needs no packages.
  const help = process.argv.slice(2).some((word) => word === '--help' || word === '-h');
  if (help) return console.log(usage());
  ensureNodeModules();
  ensureApt([{ command: 'redis-server', packages: ['redis-server'] }]);
  build();
  await import('../dist/demo.js');
});
