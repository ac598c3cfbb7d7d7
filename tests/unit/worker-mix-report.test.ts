import { afterEach, describe, expect, it, vi } from 'vitest';
import { log } from '../../runtime/log.ts';
import { ProblemLog, mixStateOf, type Findings } from '../../worker/mix-report.ts';

const NOW = new Date('2026-03-04T12:00:00Z');
const ALL_WELL: Findings = { startedAt: NOW, depth: 0, obstacle: null, holdups: [], warnings: [], gaps: [] };
const findings = (found: Partial<Findings> = {}): Findings => ({ ...ALL_WELL, ...found });

afterEach(() => vi.restoreAllMocks());

describe('the state that operators see', () => {
  it('consists of empty strings when all is well', () => {
    expect(mixStateOf(findings(), 0, { until: '2026-03-14T12:00:00Z', next: null }, 7)).toEqual({
      pool: '0',
      replies: '0',
      paused: '',
      held: '',
      warnings: '',
      gaps: '',
      keyring: 'ok',
      keyringUntil: '2026-03-14T12:00:00Z',
      keyringNext: '',
      keyringNewest: '7',
    });
  });

  it('names each problem once, with its subject, sorted by name', () => {
    const full = (inbox: string) => ({ reason: 'outbox-full', inbox }) as const;
    const found = findings({
      depth: 12,
      obstacle: { reason: 'key-missing', serial: 3 },
      holdups: [full('b'), { reason: 'replies-full' }, full('a'), full('b')],
      warnings: [
        { reason: 'next-key', problem: 'key-mode', serial: 4, file: 'w.txt' },
        { reason: 'outbox-filling', inbox: 'c' },
      ],
    });
    expect(mixStateOf(found, 1_000, { until: null, next: null }, 0)).toMatchObject({
      pool: '10-99',
      replies: '1000-9999',
      paused: 'key-missing:3',
      held: 'outbox-full:a outbox-full:b replies-full',
      keyring: 'none',
      keyringUntil: '',
      warnings: 'next-key:key-mode:4:w.txt outbox-filling:c',
    });
  });

  it('says that the keyring ends soon and which one follows', () => {
    expect(mixStateOf(findings(), 0, { until: '2026-03-05T12:00:00Z', next: 9 }, 9)).toMatchObject({
      keyring: 'expiring',
      keyringNext: '9',
    });
  });
});

it('each problem is logged when it begins, and the end of all of them once', () => {
  const said: unknown[] = [];
  vi.spyOn(log, 'error').mockImplementation((event, fields) => void said.push([event, fields]));
  vi.spyOn(log, 'info').mockImplementation((event) => void said.push(event));
  const problems = new ProblemLog();
  const [obstacle, full, replies] = [{ reason: 'no-keyring' }, { reason: 'outbox-full', inbox: 'a' }, { reason: 'replies-full' }] as const;
  problems.update(findings());
  problems.update(findings({ holdups: [full, full] }));
  problems.update(findings({ obstacle, holdups: [full, replies] }));
  problems.update(findings({ holdups: [replies] }));
  for (let times = 0; times < 2; times += 1) problems.update(findings());
  expect(said).toEqual([['parcels held back', full], ['mix paused', obstacle], ['parcels held back', replies], 'mix goes on']);
});

it('what will be missing is logged when it is first seen, and the end of the keyrings at each step', () => {
  const said: unknown[] = [];
  vi.spyOn(log, 'warn').mockImplementation((event, fields) => void said.push([event, fields]));
  const problems = new ProblemLog();
  const at = (days: number, warnings: Findings['warnings'] = []) => {
    const until = new Date(NOW.getTime() + days * 24 * 3_600_000).toISOString();
    problems.updateAhead(findings({ warnings }), { until, next: null });
  };
  const missing = { reason: 'next-key', problem: 'key-missing', serial: 9 } as const;
  for (const days of [29, 28, 27, 14, 13]) at(days);
  for (let times = 0; times < 2; times += 1) at(13, [missing, { reason: 'outbox-filling', inbox: 'a' }]);
  at(91, [{ reason: 'team-leaves', serial: 10 }]);
  expect(said).toEqual([
    ['keyrings end', { reason: 'within-28-days' }],
    ['keyrings end', { reason: 'within-14-days' }],
    ['missing for a coming week', missing],
    ['missing for a coming week', { reason: 'team-leaves', serial: 10 }],
  ]);
});
