// `npm run demo`: whatever is missing, the build, then the demo itself in this very process, so that there is one to signal.
import { build, ensureApt, ensureNode, ensureNodeModules, run } from './bootstrap.mjs';

await run(async () => {
  ensureNode();
  ensureNodeModules();
  ensureApt([{ command: 'redis-server', packages: ['redis-server'] }]);
  build();
  await import('../dist/demo.js');
});
