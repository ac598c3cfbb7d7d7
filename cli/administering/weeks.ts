// Which keyring counts when, of all that were signed. Times are Unix times in ms.
import type { Keyring, VerifiedKeyring } from '../../crypto/keyring.ts';
import { WEEK_MS, weekStart } from '../../crypto/card.ts';

/** The time in which a keyring counts and is valid. */
export type Stretch<Each extends VerifiedKeyring> = { readonly signed: Each; readonly from: number; readonly until: number };

export const beginOf = ({ notBefore }: Pick<Keyring, 'notBefore'>): number => Date.parse(notBefore);
export const endOf = ({ notAfter }: Pick<Keyring, 'notAfter'>): number => Date.parse(notAfter);

/** The stretches of the keyrings, by rising serial. One that a higher serial replaces before it begins has none. */
export function stretchesOf<Each extends VerifiedKeyring>(keyrings: readonly Each[]): Stretch<Each>[] {
  const stretches: Stretch<Each>[] = [];
  // From the moment at which a keyring begins, no lower serial counts, also after it has ended.
  let replaced = Number.POSITIVE_INFINITY;
  for (const signed of keyrings.toReversed()) {
    const [from, until] = [beginOf(signed.keyring), Math.min(endOf(signed.keyring), replaced)];
    if (from < until) stretches.unshift({ signed, from, until });
    replaced = Math.min(replaced, from);
  }
  return stretches;
}

/** Until when the keyrings reach without a gap from `from` on; `from` itself when none counts then. */
export function coveredUntil(keyrings: readonly VerifiedKeyring[], from: number): number {
  const stretches = stretchesOf(keyrings);
  let time = from;
  for (;;) {
    const stretch = stretches.find((each) => each.from <= time && time < each.until);
    if (stretch === undefined) return time;
    time = stretch.until;
  }
}

/** When the first of the keyrings begins to count that does so at `now` or later; 0 when none does. */
export function countingFrom(keyrings: readonly VerifiedKeyring[], now: number): number {
  return stretchesOf(keyrings).find(({ until }) => until > now)?.from ?? 0;
}

/** The keyring that counts for the whole time; null when several do, or none. */
export function keyringFor<Each extends VerifiedKeyring>(keyrings: readonly Each[], from: number, until: number): Each | null {
  return stretchesOf(keyrings).find((each) => each.from <= from && until <= each.until)?.signed ?? null;
}

/** The keyring that counts at a moment; null when none does. */
export function keyringAt<Each extends VerifiedKeyring>(keyrings: readonly Each[], time: number): Each | null {
  return stretchesOf(keyrings).find((each) => each.from <= time && time < each.until)?.signed ?? null;
}

/** The keyrings whose stretch `added` takes away or shortens, of the time from `now` on. */
export function voidedBy<Each extends VerifiedKeyring>(keyrings: readonly Each[], added: readonly Each[], now: number): Each[] {
  const after = new Map(stretchesOf([...keyrings, ...added]).map(({ signed, until }) => [signed, until]));
  return stretchesOf(keyrings)
    .filter(({ signed, until }) => until > now && (after.get(signed) ?? 0) < until)
    .map(({ signed }) => signed);
}

/**
 * The latest moment (Unix time, ms) at which a keyring is known to have been signed: one that begins within a week was signed then. 0 when
 * none is.
 */
export function lastSigning(keyrings: readonly VerifiedKeyring[]): number {
  const begins = keyrings.map(({ keyring }) => beginOf(keyring));
  return Math.max(0, ...begins.filter((begin) => begin !== weekStart(begin)));
}

/** When the last of the keyrings ends; 0 when there is none. */
export function signedUntil(keyrings: readonly VerifiedKeyring[]): number {
  return Math.max(0, ...keyrings.map(({ keyring }) => endOf(keyring)));
}

/** The first moments of the weeks in a time, that of the week of `from` first. */
export function weeksBetween(from: number, until: number): number[] {
  const first = weekStart(from);
  return Array.from({ length: Math.max(0, Math.ceil((until - first) / WEEK_MS)) }, (_, at) => first + at * WEEK_MS);
}
