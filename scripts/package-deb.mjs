// `npm run package:deb`: builds the programs anew, and makes the Debian package of them.
import { BootstrapError, build, ensureNode, ensureNodeModules, onPath, run } from './bootstrap.mjs';

await run(async () => {
  ensureNode();
  ensureNodeModules();
  if (!onPath('dpkg-deb')) throw new BootstrapError('This needs dpkg-deb, which every Debian has.');
  build();
  await import('../dist/debian-package.js');
});
