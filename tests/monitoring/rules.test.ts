// The rules of Prometheus by its own tool: they are valid, and each fires as deploy/prometheus/rules.test.yml says.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { PROMETHEUS_FILES } from '../support/prometheus.ts';

const promtool = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)('promtool', args, { cwd: PROMETHEUS_FILES });
  return stdout;
};

it('configuration and rules are valid', async () => {
  expect(await promtool('check', 'config', '--lint=all', '--lint-fatal', 'prometheus.yml')).toContain('SUCCESS: 7 rule files found');
});

it('each alert fires in its time, clears, and says what it should', async () => {
  expect(await promtool('test', 'rules', 'rules.test.yml')).toContain('SUCCESS');
});
