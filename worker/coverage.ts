import type { Shelved } from '../runtime/keyrings.ts';

export type Coverage = {
  /** When the valid keyrings run out; null: none is valid now. */
  readonly until: string | null;
  /** Serial of the keyring that follows the current one without a gap, or null. */
  readonly next: number | null;
};

/**
 * How long the keyrings are valid without a gap. A later one follows only if its serial is higher: once a keyring has begun,
 * lower serials no longer count.
 */
export function coverage(shelved: readonly Shelved[], now: Date): Coverage {
  const bounds = shelved.flatMap(({ keyring: { notBefore, notAfter } }) => [notBefore, notAfter]);
  const moments = bounds.filter((moment) => Date.parse(moment) > now.getTime());
  const first = currentAt(shelved, now.getTime());
  let next: number | null = null;
  if (first === null) return { until: null, next };
  for (const moment of moments.toSorted((a, b) => Date.parse(a) - Date.parse(b))) {
    const current = currentAt(shelved, Date.parse(moment));
    if (current === null) return { until: moment, next };
    if (current !== first) next ??= current;
  }
  return { until: null, next };
}

/** Serial of the keyring that is current at a moment: the highest that has begun, if it has not ended; otherwise null. */
function currentAt(shelved: readonly Shelved[], moment: number): number | null {
  const begun = shelved.filter(({ keyring }) => Date.parse(keyring.notBefore) <= moment).toSorted((a, b) => a.serial - b.serial);
  const newest = begun.at(-1);
  return newest && moment < Date.parse(newest.keyring.notAfter) ? newest.serial : null;
}
