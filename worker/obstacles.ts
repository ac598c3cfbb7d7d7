import type { Shelved } from '../service/keyrings.ts';
import type { LoadedIdentities } from './identities.ts';
import type { Outbox } from './outbox.ts';

/**
 * Why the mix must not go on: a parcel taken now could be lost, or could not be put anywhere. While it pauses nothing
 * is lost: the pool fills and the door closes.
 */
export type Obstacle =
  /** Nothing on the shelf at all: a wrong directory or root key. Without it nobody knows which keys ought to be there. */
  | { readonly reason: 'no-keyring' }
  | { readonly reason: 'key-missing' | 'key-of-another-keyring' | 'key-mode' | 'key-format' | 'key-unreadable' | 'team-without-inbox'; readonly serial: number }
  | { readonly reason: 'outbox-full' | 'dead-letters-full'; readonly inbox: string };

export type Limits = { readonly outbox: number; readonly dead: number };

/** @param keyrings those whose parcels may be in the pool */
export function keyObstacle(
  keyrings: readonly Shelved[],
  { identities, unusable }: LoadedIdentities,
  inboxesOf: (team: string) => readonly string[],
): Obstacle | null {
  for (const { serial, keyring } of keyrings) {
    const problem = unusable.find((identity) => identity.serial === serial)?.problem;
    if (problem) return { reason: `key-${problem}`, serial };
    const identity = identities.find((candidate) => candidate.serial === serial);
    if (!identity) return { reason: 'key-missing', serial };
    if (identity.recipient !== keyring.worker) return { reason: 'key-of-another-keyring', serial };
    if (keyring.teams.some(({ id }) => inboxesOf(id).length === 0)) return { reason: 'team-without-inbox', serial };
  }
  return null;
}

/** How many letters still fit into the fullest outbox, or what is full. */
export async function room(outboxes: readonly Outbox[], limits: Limits): Promise<number | Obstacle> {
  let least = Number.POSITIVE_INFINITY;
  for (const outbox of outboxes) {
    const { waiting, dead } = await outbox.depths();
    if (waiting >= limits.outbox) return { reason: 'outbox-full', inbox: outbox.inbox };
    if (dead >= limits.dead) return { reason: 'dead-letters-full', inbox: outbox.inbox };
    least = Math.min(least, limits.outbox - waiting);
  }
  return least;
}
