import type { Shelved } from '../service/keyrings.ts';

type Keyrings = readonly Pick<Shelved, 'serial' | 'acceptedUntil'>[];

/**
 * Until when the worker's key of a serial must exist: nothing is accepted under it any more, and the longest backlog
 * has had its time. Null: nobody can say yet, so it is kept.
 *
 * A key without a keyring was skipped, or its keyring was taken away; the next serial then bounds it, since a keyring
 * is not accepted for longer than its successor.
 */
export function keptUntil(serial: number, keyrings: Keyrings, backlogMs: number): Date | null {
  const bound = keyrings.find((keyring) => keyring.serial >= serial);
  return bound ? new Date(bound.acceptedUntil.getTime() + backlogMs) : null;
}

/** The keyrings whose parcels may still be in the pool, or may still come. */
export function retained<T extends Keyrings[number]>(keyrings: readonly T[], backlogMs: number, now: Date): T[] {
  return keyrings.filter(({ acceptedUntil }) => now.getTime() < acceptedUntil.getTime() + backlogMs);
}
