// `npm run demo`: whatever is missing, the build, then the demo itself in this very process, so that there is one to signal.
import { readFileSync } from 'node:fs';
import { build, ensureApt, ensureNode, ensureNodeModules, run } from './bootstrap.mjs';

/** The text of deploy/demo-options.ts, which is TypeScript. */
function usage() {
  const source = readFileSync(new URL('../deploy/demo-options.ts', import.meta.url), 'utf8');
  return /USAGE = `([^`]*)`/.exec(source)?.[1] ?? '';
}

await run(async () => {
  ensureNode();
  // The help needs no package: what is missing would take a minute to install.
  const help = process.argv.slice(2).some((word) => word === '--help' || word === '-h');
  if (help) return console.log(usage());
  ensureNodeModules();
  ensureApt([{ command: 'redis-server', packages: ['redis-server'] }]);
  build();
  await import('../dist/demo.js');
});
