import type { Redis } from 'ioredis';
import { SET_ANCHOR, keys, workerState } from '../store/keys.ts';
import type { WorkerState } from '../store/keys.ts';
import { step } from './steps.ts';
import type { Step } from './steps.ts';

export type InboxStatus = { id: string; waiting: Step; dead: Step };

/** What an operator may know: orders of magnitude, and no time finer than a round. */
export type Status = {
  pool: Step;
  /** Parcels a worker has taken out of the pool and not finished. */
  claimed: Step;
  worker: WorkerState;
  roundSeconds: number | null;
  inboxes: InboxStatus[];
  dropped: { reason: string; count: Step }[];
  attention: Attention[];
};

export type Attention = { code: 'WORKER_GONE' | 'WORKER_LATE' | 'POOL_DEEP' | 'INBOX_DEAD' | 'INBOX_BACKLOG'; what: string; advice: string };

const BACKLOG: readonly Step[] = ['1000-9999', '10000+'];

export async function readStatus(redis: Redis): Promise<Status> {
  const [pool, value, leftMs, claims, inboxIds, dropped] = await Promise.all([
    redis.hlen(keys.pool),
    redis.get(keys.alive),
    redis.pttl(keys.alive),
    redis.smembers(keys.claims),
    redis.smembers(keys.inboxes),
    redis.hgetall(keys.dropped),
  ]);
  const claimed = await Promise.all(members(claims).map((instance) => redis.hlen(keys.claim(instance))));
  const inboxes = await Promise.all(members(inboxIds).map((id) => readInbox(redis, id)));
  const roundSeconds = Number(value ?? 0);
  const seen = {
    pool: step(pool),
    claimed: step(claimed.reduce((sum, count) => sum + count, 0)),
    worker: workerState(leftMs, roundSeconds),
    roundSeconds: roundSeconds > 0 ? roundSeconds : null,
    inboxes,
    dropped: Object.entries(dropped)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reason, count]) => ({ reason, count: step(Number(count)) })),
  };
  return { ...seen, attention: attentionOf(seen) };
}

async function readInbox(redis: Redis, id: string): Promise<InboxStatus> {
  const [waiting, dead] = await Promise.all([redis.hlen(keys.outbox(id)), redis.hlen(keys.dead(id))]);
  return { id, waiting: step(waiting), dead: step(dead) };
}

function members(set: readonly string[]): string[] {
  return set.filter((member) => member !== SET_ANCHOR).sort();
}

function attentionOf({ worker, pool, inboxes }: Omit<Status, 'attention'>): Attention[] {
  const list: Attention[] = [];
  if (worker === 'gone') {
    list.push({ code: 'WORKER_GONE', what: 'no worker has done a round for an hour', advice: 'start the worker; its log says why it ended. The form is closed meanwhile' });
  }
  if (worker === 'late') {
    list.push({ code: 'WORKER_LATE', what: 'the worker has missed three rounds', advice: "look at the worker's log; if it hangs, restart it: nothing is lost by that" });
  }
  if (pool === '10000+') {
    list.push({ code: 'POOL_DEEP', what: 'the pool holds 10,000 parcels or more', advice: 'see that the worker runs; a flood raises the stamp: RELAY_DIFFICULTY' });
  }
  for (const { id, waiting, dead } of inboxes) {
    if (dead !== '0') {
      list.push({
        code: 'INBOX_DEAD',
        what: `inbox ${id} refused letters for good (${dead})`,
        advice: `repair the inbox (address, disk, quota), then: support-relay operator redrive ${id}`,
      });
    }
    if (BACKLOG.includes(waiting)) {
      list.push({ code: 'INBOX_BACKLOG', what: `inbox ${id} has ${waiting} letters waiting`, advice: 'the inbox takes nothing at the moment: see that its server is up and reachable' });
    }
  }
  return list;
}
