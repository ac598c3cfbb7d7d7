// `npm run setup`: makes what docker compose mounts; run again, it renews the keyring.
import { build, ensureNode, ensureNodeModules, run } from './bootstrap.mjs';

await run(async () => {
  ensureNode();
  ensureNodeModules();
  build();
  await import('../dist/setup.js');
});
