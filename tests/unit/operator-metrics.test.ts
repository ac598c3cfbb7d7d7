// What Prometheus is told: names by its conventions, counts by their lower bounds, and nothing of this process itself.
import { expect, it } from 'vitest';
import { metricsOf } from '../../operator/metrics.ts';
import { EVERY_WARNING_SIGHT, REDIS_AWAY_SIGHT, WELL_SIGHT } from '../support/operator-sights.ts';

it('each metric is a gauge of ours with words, and its name ends with its unit', async () => {
  const text = await metricsOf(EVERY_WARNING_SIGHT);
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => [name, type] as const);
  expect(names.length).toBeGreaterThan(20);
  for (const [name, type] of names) {
    expect([name, type]).toEqual([expect.stringMatching(/^support_relay_[a-z]+(?:_[a-z]+)*$/), 'gauge']);
    expect(text).toMatch(new RegExp(`^# HELP ${name} [A-Z].+\\.$`, 'm'));
    // Of counters Prometheus would compute rates: how many a minute.
    expect(name).not.toMatch(/_(?:total|count|sum|bucket|hours|days|minutes|percent)$/);
  }
});

it('counts are lower bounds of orders of magnitude', async () => {
  const text = await metricsOf(EVERY_WARNING_SIGHT);
  const counts = [...text.matchAll(/^support_relay_(?:pool_parcels|answers_waiting|inbox_\w*letters|dropped_parcels)\S* (\d+)$/gm)];
  expect(counts.length).toBeGreaterThan(3);
  for (const [, count] of counts) expect(['0', '1', '10', '100', '1000', '10000']).toContain(count);
});

it('the door is open only where a relay answers', async () => {
  const { status } = WELL_SIGHT;
  if (status === null) throw new Error('a status is needed here');
  const silent = { ...WELL_SIGHT, status: { ...status, relay: 'silent' as const, versions: { ...status.versions, relays: [] } } };
  expect(await metricsOf(WELL_SIGHT)).toContain('support_relay_door_open 1\n');
  expect(await metricsOf(silent)).toContain('support_relay_door_open 0\n');
});

it('while Redis is away only what is known without it is told', async () => {
  const names = [...(await metricsOf(REDIS_AWAY_SIGHT)).matchAll(/^# TYPE support_relay_(\S+)/gm)].map(([, name]) => name);
  expect(names).toEqual(['status_timestamp_seconds', 'redis_up', 'attention', 'notice', 'tor_up', 'onion_reachable']);
});
