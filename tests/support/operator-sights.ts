// What the operator's service may see, for tests and pictures of its page: from "all is well" to everything at once.
import { nextKeys } from '../../operator/attention/ahead.ts';
import { WARNING_CODES, type Attention } from '../../operator/attention/attention.ts';
import { History } from '../../operator/history.ts';
import { inUtc } from '../../operator/moments.ts';
import type { Sight } from '../../operator/sight.ts';
import type { Status } from '../../operator/status.ts';
import { MAGNITUDES } from '../../redis/state.ts';
import { commandsOf } from '../../runtime/installation.ts';

const AT = new Date('2026-11-30T17:05:00Z');
const HOUR_MS = 3_600_000;

const STATUS: Status = {
  pool: '10-99',
  replies: '10-99',
  keyring: 'ok',
  keyringUntil: '2027-02-22T00:00:00Z',
  keyringNext: 49,
  keysUntil: '2027-02-22T00:00:00Z',
  taken: [{ serial: 48, share: 'low', dearer: 0 }],
  relay: 'answers',
  door: [],
  maintenance: 'no',
  worker: 'working',
  roundSeconds: 300,
  inboxes: [
    { id: 'legal-1', waiting: '0', dead: '0', troubles: {} },
    { id: 'psychological-1', waiting: '1-9', dead: '0', troubles: {} },
  ],
  dropped: [{ reason: 'decoy', count: '10000+' }],
  attention: [],
  notices: [],
  redis: { file: 'ok', memory: 'ok' },
  clock: { worker: 'none', relay: 'none' },
  clockAheadDays: 0,
  versions: { operator: '0.1.0', worker: '0.1.0', relays: ['0.1.0'] },
  disk: { free: '20-100 %' },
  onion: 'reachable',
};

function sightOf(status: Status): Sight {
  const { attention, notices, disk, onion } = status;
  return { at: AT, status, surroundings: { disk, onion }, isVisiting: false, attention, notices, roundMs: 300_000 };
}

export const WELL_SIGHT = sightOf(STATUS);

/** What a bad evening looks like. */
export const TROUBLED_SIGHT = sightOf({
  ...STATUS,
  inboxes: [
    { id: 'legal-1', waiting: '10-99', dead: '0', troubles: { failing: 'ECONNREFUSED' } },
    { id: 'psychological-1', waiting: '1-9', dead: '1-9', troubles: {} },
  ],
  disk: { free: '5-10 %' },
  attention: [
    {
      code: 'DISK_FILLING',
      what: '5-10 % of the disk is free',
      advice: 'find out what grows (logs, backups, an inbox that nobody empties), and make room',
    },
    {
      code: 'INBOX_FAILING',
      what: 'inbox legal-1 takes nothing at the moment (ECONNREFUSED)',
      advice: 'check that its server or disk is there; the worker tries again by itself',
    },
  ],
  notices: [
    {
      code: 'KEYRINGS_END',
      days: 28,
      what: `the last keyring ends within four weeks, at ${inUtc('2026-12-28T00:00:00Z')}`,
      advice: nextKeys(commandsOf('docker')),
    },
  ],
});

/** Every warning, with words as long as they may get and nothing that breaks a line. */
export const EVERY_WARNING_SIGHT = sightOf({
  ...STATUS,
  keyring: 'expiring',
  relay: 'silent',
  worker: 'late',
  door: ['redis', 'pool'],
  redis: { file: 'failing', memory: 'filling' },
  clock: { worker: 'hours', relay: 'days' },
  clockAheadDays: 3,
  versions: { operator: '0.1.0', worker: '0.2.0', relays: ['0.1.0', '0.3.0'] },
  disk: { free: '0-5 %' },
  onion: 'unreachable',
  inboxes: [{ id: 'i'.repeat(32), waiting: '10000+', dead: '10000+', troubles: { failing: 'x'.repeat(64), unconfigured: 'unconfigured' } }],
  attention: WARNING_CODES.map((code): Attention => ({ code, what: `<${code}> & ${'w'.repeat(64)}`, advice: `${'a'.repeat(64)} "now"` })),
});

export const REDIS_AWAY_SIGHT: Sight = {
  ...WELL_SIGHT,
  status: null,
  surroundings: { disk: null, onion: 'no-tor' },
  attention: [{ code: 'REDIS_AWAY', what: 'Redis does not answer as it should (ENOENT)', advice: 'start Redis' }],
};

/** A week in which the pool rose and fell, and its end. */
export function someHistory(last: Sight): History {
  const history = new History();
  for (let hours = 150; hours >= 0; hours -= 3) {
    const pool = MAGNITUDES[Math.round(2 + 1.6 * Math.sin(hours / 11))] ?? '0';
    const at = new Date(AT.getTime() - hours * HOUR_MS);
    history.add({ ...WELL_SIGHT, at, status: { ...STATUS, pool, replies: hours > 70 ? '1-9' : '10-99' } });
  }
  history.add(last);
  return history;
}
