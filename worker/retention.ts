import { GRACE_MS } from '../crypto/keyring.ts';
import type { Shelved } from '../runtime/keyrings.ts';

type Dated = { readonly serial: number; readonly keyring: Pick<Shelved['keyring'], 'notAfter'> };

/**
 * Until when the worker's key of a serial must exist: nothing is accepted under it any more, and the longest backlog
 * has had its time. Null: nobody can say yet, so it is kept.
 *
 * What counts is when the keyring ends by itself, not when another replaced it: one that comes in the middle of a week
 * may say that it began at the week's beginning, and what was accepted in between needs the key all the same.
 *
 * A key without a keyring was skipped, or its keyring was taken away; the next serial then bounds it.
 */
export function keptUntil(serial: number, keyrings: readonly Dated[], backlogMs: number): Date | null {
  const bound = keyrings.find((keyring) => keyring.serial >= serial);
  return bound ? new Date(Date.parse(bound.keyring.notAfter) + GRACE_MS + backlogMs) : null;
}

/** The keyrings whose parcels may still be in the pool, or may still come. */
export function retained<T extends Dated>(keyrings: readonly T[], backlogMs: number, now: Date): T[] {
  return keyrings.filter((keyring) => {
    const until = keptUntil(keyring.serial, [keyring], backlogMs);
    return until !== null && now < until;
  });
}
