// The runs of tests that need what `npm test` needs, and longer.
import { BootstrapError, build, ensureApt, ensureNode, ensureNodeModules, run } from './bootstrap.mjs';
import { node } from './child.mjs';
import { NEEDED } from './needed.mjs';

/** Runs a project of vitest.config.ts, with the filters of the command line. Ends it when its minutes are over. */
export function runNamed(project, { minutes }) {
  return run(async () => {
    ensureNode();
    ensureNodeModules();
    ensureApt(NEEDED);
    build();
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      `--project=${project}`,
      '--reporter=default',
      '--reporter=./scripts/slowest-files.mjs',
    ];
    const { code } = await node([...args, ...process.argv.slice(2)], minutes, 'inherit');
    if (code === null) throw new BootstrapError(`The tests were ended: they took more than ${minutes} minutes.`);
    process.exitCode = code;
  });
}
