// `npm test [-- FILTER…]`: installs what is missing, then runs types, lint, build and every test; the last line has the totals.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureApt, ensureNode, ensureNodeModules, root, run } from './bootstrap.mjs';
import { node } from './child.mjs';
import { NEEDED } from './needed.mjs';

// The two groups run in parallel, since a machine has at least two cores; within a group, one check after the other.
const CHECKS = [
  [
    { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '-c', 'oxlint.config.js'] },
    { name: 'format (npm run format fixes it)', args: ['node_modules/oxfmt/bin/oxfmt', '--check', '**/*.{ts,mts,mjs,js}'] },
  ],
  [
    { name: 'build', args: ['scripts/build.mjs'] },
    { name: 'types of the Node parts', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
    { name: 'types of crypto/', args: ['node_modules/typescript/bin/tsc', '-p', 'crypto'] },
    { name: 'types of web/', args: ['node_modules/typescript/bin/tsc', '-p', 'web'] },
  ],
];
// Many times what each needs, for slow and busy machines. Together they stay within the time limit of .ci/run.
const CHECK_MINUTES = 5;
const TESTS_MINUTES = 56;

await run(async () => {
  ensureNode();
  ensureNodeModules();
  ensureApt(NEEDED);
  const failed = [];
  let passed = 0;
  const check = async ({ name, args }) => {
    const { code, output } = await node(args, CHECK_MINUTES, 'pipe');
    const ok = code === 0;
    console.log(`${output}${ok ? 'passed' : 'FAILED'}  ${name}`);
    if (ok) passed += 1;
    else failed.push(name);
  };
  await Promise.all(
    CHECKS.map(async (group) => {
      for (const item of group) await check(item);
    }),
  );
  const tests = await vitest(process.argv.slice(2));
  passed += tests.passed;
  failed.push(...tests.failed);
  console.log('');
  for (const name of failed) console.log(`FAILED  ${name}`);
  for (const name of tests.skipped) console.log(`skipped  ${name}`);
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 && passed > 0 ? 0 : 1;
});

/** Runs vitest with its ordinary output, and reads the counts from its JSON report. */
async function vitest(filters) {
  const folder = mkdtempSync(join(tmpdir(), 'support-relay-test-'));
  const report = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=./scripts/slowest-files.mjs', '--reporter=json', `--outputFile.json=${report}`];
    const args = ['run', '--project=unit', '--project=programs', ...reporters];
    const { code } = await node(['node_modules/vitest/vitest.mjs', ...args, ...filters], TESTS_MINUTES, 'inherit');
    return counts(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function counts(report, status) {
  const passed = [];
  const failed = [];
  const skipped = [];
  try {
    for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
      const name = file.name.replace(root, '');
      // A file that could not even be loaded failed without a failed test.
      if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) failed.push(name);
      for (const test of file.assertionResults) {
        const list = { passed, failed }[test.status] ?? skipped;
        list.push(`${name} › ${test.fullName}`);
      }
    }
  } catch {
    failed.push('vitest gave no report');
  }
  // An error outside any test, for example an unhandled rejection.
  if (status !== 0 && failed.length === 0) failed.push(status === null ? 'vitest took too long' : `vitest ended with code ${status}`);
  return { passed: passed.length, failed, skipped };
}
