// The units of the Debian package: how much each part could do if somebody took it over.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../runtime/root.ts';
import { operatorEnv } from '../../operator/config.ts';
import { relayEnv } from '../../server/config.ts';
import { workerEnv } from '../../worker/config.ts';

const UNITS = join(ROOT, 'deploy/debian/units');
/** What systemd makes of a unit's restrictions, from 0 (none is missing) to 10; no part may have more. */
const MOST_EXPOSED: Readonly<Record<string, number>> = {
  'support-relay-redis.service': 0.9,
  'support-relay-relay.service': 0.9,
  'support-relay-worker.service': 0.9,
  'support-relay-operator.service': 0.9,
  // The only one with a network.
  'support-relay-tor.service': 1.9,
  // The only one that is root.
  'support-relay-prepare.service': 1.9,
};

const unit = (part: string): string => readFileSync(join(UNITS, `support-relay-${part}.service`), 'utf8');

it('systemd finds hardly anything that a part may do besides its work', () => {
  const found = readdirSync(UNITS)
    .filter((name) => name.endsWith('.service'))
    .map((name) => {
      const text = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', join(UNITS, name)], { encoding: 'utf8' });
      return [name, Number(/exposure level for \S+: ([\d.]+)/.exec(text)?.[1])] as const;
    });
  expect(found.map(([name]) => name).toSorted()).toEqual(Object.keys(MOST_EXPOSED).toSorted());
  for (const [name, exposure] of found) expect(exposure, name).toBeLessThanOrEqual(MOST_EXPOSED[name] ?? 0);
});

it('every part gets each path and address that it needs, and no setting that it does not know', () => {
  const shapes = { relay: relayEnv.in.shape, worker: workerEnv.shape, operator: operatorEnv.in.shape };
  for (const [part, shape] of Object.entries(shapes)) {
    const given = [...unit(part).matchAll(/^Environment=((?:RELAY|WORKER|OPERATOR)_\w+)=(\S+)/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    const needed = Object.entries(shape).filter(([, schema]) => !schema.safeParse(undefined).success);
    expect(Object.keys(shape), part).toEqual(expect.arrayContaining(given.map(([name]) => name)));
    expect(
      given.map(([name]) => name),
      part,
    ).toEqual(expect.arrayContaining(needed.map(([name]) => name)));
  }
});

it('a part has as much memory as its container', () => {
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  for (const part of ['redis', 'relay', 'worker']) {
    const service = new RegExp(`^  ${part}:\n(?:    .*\n|\n)+`, 'm').exec(compose)?.[0] ?? '';
    expect(/^MemoryMax=(\w+)$/m.exec(unit(part))?.[1]?.toLowerCase(), part).toBe(/^    mem_limit: (\w+)$/m.exec(service)?.[1]);
  }
});

it('the settings that an operator may change are known to relay or worker, and are named with their defaults', () => {
  const known: Record<string, { safeParse: (value: unknown) => { data?: unknown } }> = { ...relayEnv.in.shape, ...workerEnv.shape };
  const lines = readFileSync(join(ROOT, 'deploy/debian/default'), 'utf8').matchAll(/^#(\w+)=(\S+)$/gm);
  const named = [...lines].map(([, name = '', value]) => [name, value] as const);
  expect(named.length).toBeGreaterThan(3);
  for (const [name, value] of named) expect(String(known[name]?.safeParse(undefined).data), name).toBe(value);
});
