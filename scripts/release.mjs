// `npm run release -- --key FILE`: builds the programs anew, and makes a signed release of them and of the form.
import { build, ensureNode, ensureNodeModules, run } from './bootstrap.mjs';

await run(async () => {
  ensureNode();
  ensureNodeModules();
  build();
  await import('../dist/release.js');
});
