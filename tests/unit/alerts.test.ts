// One name for each thing that may need an operator: in the status, as an alert of Prometheus, and as a heading of the runbook.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { NOTICE_CODES } from '../../operator/attention/ahead.ts';
import { runbookOf, WARNING_CODES, WARNINGS } from '../../operator/attention/attention.ts';
import { metricsOf } from '../../operator/metrics.ts';
import { EVERY_WARNING_SIGHT, WELL_SIGHT } from '../support/operator-sights.ts';

const RULES = 'deploy/prometheus/rules';
const ROUND_MINUTES = 5;
/** What the operator's service cannot say of itself. */
const OF_PROMETHEUS = ['OPERATOR_GONE', 'STATUS_OLD'];
const RULE = new RegExp(
  [
    ...[' {6}- alert: (\\w+)', ' {8}expr: (.+)', ' {8}for: (\\d+)([mh])', ' {8}labels: \\{ severity: (\\w+) \\}'],
    ...[' {8}annotations:', ' {10}summary: .+', ' {10}runbook: (.+)'],
  ].join('\\n'),
  'g',
);

type Rule = { readonly name: string; readonly expr: string; readonly minutes: number; readonly severity: string; readonly runbook: string };
let rules: Rule[];
let headings: string[];
beforeAll(async () => {
  const files = await readdir(RULES);
  const text = (await Promise.all(files.map((file) => readFile(join(RULES, file), 'utf8')))).join('');
  rules = [...text.matchAll(RULE)].map(([, name = '', expr = '', many, unit, severity = '', runbook = '']) => ({
    ...{ name, expr, severity, runbook },
    minutes: Number(many) * (unit === 'h' ? 60 : 1),
  }));
  expect(rules).toHaveLength(text.split('- alert:').length - 1);
  headings = [...(await readFile('docs/operations.md', 'utf8')).matchAll(/^#+ ([A-Z]+(?:_[A-Z]+)+|FILLING|MAINTENANCE|TRIAL)$/gm)].map(
    ([, name = '']) => name,
  );
});

it('each warning and notice has one alert and one heading, and there are no others', () => {
  const all = [...WARNING_CODES, ...NOTICE_CODES, ...OF_PROMETHEUS].toSorted();
  expect(rules.map(({ name }) => name).toSorted()).toEqual(all);
  expect(headings.toSorted()).toEqual(all);
});

it('an alert is as severe as its warning, leads to its heading, and lasts longer than a round', () => {
  for (const { name, severity, runbook, minutes } of rules) {
    const own: string = { ...WARNINGS, OPERATOR_GONE: 'critical', STATUS_OLD: 'critical' }[name] ?? 'notice';
    expect([name, severity, runbook]).toEqual([name, own, runbookOf(name)]);
    expect(minutes, name).toBeGreaterThanOrEqual(ROUND_MINUTES);
  }
});

it('what the alerts ask for is there', async () => {
  const shown = `${await metricsOf(WELL_SIGHT)}${await metricsOf(EVERY_WARNING_SIGHT)}`;
  for (const { name, expr } of rules) {
    for (const [, metric = '', label, value] of expr.matchAll(/(support_relay_\w+)(?:\{(\w+)="(\w+)"\})?/g)) {
      expect(shown, name).toContain(label === undefined || value === undefined ? metric : `${label}="${value}"`);
      expect(shown, name).toContain(metric);
    }
  }
});
