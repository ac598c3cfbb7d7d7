// `npm run setup`: what docker compose mounts, made once and renewed by running it again.
import { build, ensureNode, ensureNodeModules, run } from './bootstrap.mjs';

await run(async () => {
  ensureNode();
  ensureNodeModules();
  build();
  await import('../dist/setup.js');
});
