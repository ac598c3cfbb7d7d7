import { GRACE_MS } from '../crypto/keyring.ts';
import type { Shelved } from '../runtime/keyrings.ts';

type Dated = { readonly keyId: string; readonly keyring: Pick<Shelved['keyring'], 'notAfter'> };

/**
 * Until when a key of the worker must be kept: until nothing is accepted under the last keyring that names it any more, plus the longest
 * backlog. Null: not known, so it is kept.
 *
 * Counted from the keyrings' own ends, not from their replacement: a keyring published in the middle of a week may claim that it
 * began with the week, and parcels accepted before it came still need the key of the earlier one.
 *
 * @param weekEnd of a key that no keyring names (it was not signed, or the keyring's file was removed): the end of its week; null: unknown
 */
export function keptUntil(keyId: string, keyrings: readonly Dated[], weekEnd: Date | null, backlogMs: number): Date | null {
  const ends = keyrings.filter((each) => each.keyId === keyId).map(({ keyring }) => Date.parse(keyring.notAfter));
  const end = ends.length > 0 ? Math.max(...ends) : weekEnd?.getTime();
  return end === undefined ? null : new Date(end + GRACE_MS + backlogMs);
}

/** The keyrings whose parcels may still be in the pool, or may still arrive. */
export function retained<T extends Dated>(keyrings: readonly T[], backlogMs: number, now: Date): T[] {
  return keyrings.filter(({ keyring }) => now.getTime() < Date.parse(keyring.notAfter) + GRACE_MS + backlogMs);
}
