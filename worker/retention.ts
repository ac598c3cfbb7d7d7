import { GRACE_MS } from '../crypto/keyring.ts';
import type { Shelved } from '../runtime/keyrings.ts';

type Dated = { readonly serial: number; readonly keyring: Pick<Shelved['keyring'], 'notAfter'> };

/**
 * Until when the worker's key of a serial must be kept: until nothing is accepted under it any more, plus the longest backlog.
 * Null: not known yet, so it is kept.
 *
 * Counted from the keyring's own end, not from its replacement: a keyring published in the middle of a week may claim that it
 * began with the week, and parcels accepted before it came still need the earlier key.
 *
 * A key without a keyring was skipped, or its keyring was removed; the next serial then determines its end.
 */
export function keptUntil(serial: number, keyrings: readonly Dated[], backlogMs: number): Date | null {
  const bound = keyrings.find((keyring) => keyring.serial >= serial);
  return bound ? new Date(Date.parse(bound.keyring.notAfter) + GRACE_MS + backlogMs) : null;
}

/** The keyrings whose parcels may still be in the pool, or may still arrive. */
export function retained<T extends Dated>(keyrings: readonly T[], backlogMs: number, now: Date): T[] {
  return keyrings.filter((keyring) => {
    const until = keptUntil(keyring.serial, [keyring], backlogMs);
    return until !== null && now < until;
  });
}
