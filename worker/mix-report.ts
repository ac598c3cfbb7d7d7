import type { Redis } from 'ioredis';
import { EXPIRING_MS, type KeyringShelf } from '../runtime/keyrings.ts';
import { asWord, log } from '../runtime/log.ts';
import { noticeAt } from '../crypto/notice.ts';
import { isClosed, readDrain } from '../redis/drain.ts';
import { ALIVE_SECONDS, keys } from '../redis/keys.ts';
import type { Gap } from '../redis/presence.ts';
import { recordDrops, publishClock, publishMix, magnitude, type MixState, type Warning } from '../redis/state.ts';
import { coverage, type Coverage } from './coverage.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Holdup, Obstacle } from './obstacles.ts';

/** What a round of the mix found. */
export type Findings = {
  readonly startedAt: Date;
  /** Number of parcels in the pool when the round began. */
  readonly depth: number;
  readonly obstacle: Obstacle | null;
  readonly holdups: readonly Holdup[];
  readonly warnings: readonly Warning[];
  readonly gaps: readonly Gap[];
};

/** Reports a round: changes to the log, the present state to operators' tools. */
export class MixReport {
  readonly #redis: Redis;
  readonly #shelf: KeyringShelf;
  readonly #mailboxes: Mailboxes;
  readonly #now: () => Date;
  readonly #problems = new ProblemLog();

  constructor(redis: Redis, shelf: KeyringShelf, mailboxes: Mailboxes, now = () => new Date()) {
    this.#redis = redis;
    this.#shelf = shelf;
    this.#mailboxes = mailboxes;
    this.#now = now;
  }

  async publish(findings: Findings): Promise<void> {
    this.#problems.update(findings);
    await recordDrops(this.#redis, findings.startedAt);
    const replies = await this.#mailboxes.depth(this.#now());
    const shelved = this.#shelf.all();
    const reach = coverage(shelved, findings.startedAt);
    this.#problems.updateAhead(findings, reach);
    const mix = mixStateOf(findings, replies, reach, shelved.at(-1)?.serial ?? 0);
    const keyringFiles = this.#shelf.passedOver.map(({ file, code }) => `${asWord(file)}:${asWord(code)}`).join(' ');
    const trial = this.#shelf.isTrial ? 'yes' : '';
    await publishMix(this.#redis, { ...mix, keyringFiles, trial, emptied: await this.#emptied() });
  }

  /** The flag of a drain, if nothing is on its way any more: in the pool, in a batch or in an outbox. Otherwise ''. */
  async #emptied(): Promise<string> {
    const flag = await readDrain(this.#redis);
    this.#problems.updateDrain(flag !== null);
    if (!isClosed(flag)) return '';
    const outboxes = (await this.#redis.smembers(keys.inboxes)).map((inbox) => keys.outbox(inbox));
    // In one command, since a parcel may move from one to the next meanwhile.
    return (await this.#redis.exists(keys.pool, keys.claims, ...outboxes)) === 0 ? flag : '';
  }

  /** Renews `worker:alive`, after a round that ran to its end. */
  async renewAlive(roundSeconds: number): Promise<void> {
    await publishClock(this.#redis, this.#now());
    await this.#redis.set(keys.alive, String(roundSeconds), 'EX', ALIVE_SECONDS);
  }
}

/** Logs each problem when it begins, and once more when all have ended; and what will be missing, four weeks to two days before. */
export class ProblemLog {
  #logged: readonly string[] = [];
  #ahead: readonly string[] = [];
  #drains = false;

  updateAhead({ startedAt, warnings }: Pick<Findings, 'startedAt' | 'warnings'>, { until }: Coverage): void {
    const days = until === null ? null : noticeAt(Date.parse(until), startedAt.getTime());
    const end = days === null ? [] : [`within-${String(days)}-days`];
    const missing = [...byName(warnings.filter(({ reason }) => reason === 'next-key' || reason === 'team-leaves')).values()];
    for (const reason of end) if (!this.#ahead.includes(reason)) log.warn('keyrings end', { reason });
    for (const one of missing) if (!this.#ahead.includes(nameOf(one))) log.warn('missing for a coming week', one);
    this.#ahead = [...end, ...missing.map(nameOf)];
  }

  /** @param drains the operator has closed the door for maintenance */
  updateDrain(drains: boolean): void {
    if (drains !== this.#drains) log.warn(drains ? 'maintenance begun' : 'maintenance over');
    this.#drains = drains;
  }

  update({ obstacle, holdups }: Pick<Findings, 'obstacle' | 'holdups'>): void {
    const problems = [...(obstacle ? [obstacle] : []), ...byName(holdups).values()];
    for (const problem of problems) {
      if (!this.#logged.includes(nameOf(problem))) log.error(problem === obstacle ? 'mix paused' : 'parcels held back', problem);
    }
    if (problems.length === 0 && this.#logged.length > 0) log.info('mix goes on');
    this.#logged = problems.map(nameOf);
  }
}

/**
 * @param replies number of replies that wait in all mailboxes
 * @param newest the highest serial that the worker knows; 0: none
 */
export function mixStateOf(
  findings: Findings,
  replies: number,
  { until, next }: Coverage,
  newest: number,
): Omit<MixState, 'keyringFiles' | 'trial' | 'emptied'> {
  const { startedAt, depth, obstacle, holdups, warnings, gaps } = findings;
  return {
    pool: magnitude(depth),
    replies: magnitude(replies),
    paused: obstacle ? nameOf(obstacle) : '',
    held: [...byName(holdups).keys()].toSorted().join(' '),
    keyring: keyringState(until, startedAt),
    keyringUntil: until ?? '',
    keyringNext: next === null ? '' : String(next),
    keyringNewest: String(newest),
    warnings: [...byName(warnings).keys()].toSorted().join(' '),
    gaps: gaps.join(' '),
  };
}

function keyringState(until: string | null, now: Date): MixState['keyring'] {
  if (until === null) return 'none';
  return Date.parse(until) - now.getTime() < EXPIRING_MS ? 'expiring' : 'ok';
}

/** Removes duplicates: a round meets the same problem again with every batch. */
function byName<T extends Holdup | Warning>(problems: readonly T[]): Map<string, T> {
  return new Map(problems.map((problem) => [nameOf(problem), problem]));
}

/** The reason, followed by what it is about: `outbox-full:inbox-1`. */
function nameOf(problem: Obstacle | Holdup | Warning): string {
  return Object.values(problem).join(':');
}
