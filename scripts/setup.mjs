// `npm run setup`: prepares a relay on this machine, in its image where there is Docker, otherwise with the Node that runs this.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { build, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';

/** Options whose values are files or folders, which the container has to see. */
const PATHS = new Set(['--root-pub', '--keyrings', '--administrator']);

await run(async () => {
  const args = process.argv.slice(2);
  const ownFolder = args.some((arg) => arg === '--dir' || arg === '--for' || /^--(?:dir|for)=/.test(arg));
  if (!ownFolder && spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0) {
    const command = ['compose', 'run', '--rm', '--build', ...volumes(args), 'setup', ...args];
    process.exitCode = spawnSync('docker', command, { cwd: root, stdio: 'inherit' }).status ?? 1;
    return;
  }
  ensureNode();
  ensureNodeModules();
  build();
  await import('../dist/setup.js');
});

/** Each file is mounted, with the folder that it is in, under its own name. */
function volumes(args) {
  const files = args.flatMap((arg, at) => {
    if (PATHS.has(args[at - 1])) return arg === 'none' ? [] : [arg];
    const [, where] = args[at - 1] === '--inbox' ? (/^.+?=(.+)$/s.exec(arg) ?? []) : [];
    return where === undefined || where === 'maildir' ? [] : [where];
  });
  const folders = new Set(files.map((file) => dirname(resolve(file))));
  return [...folders].flatMap((folder) => ['--volume', `${folder}:${folder}:ro`]);
}
