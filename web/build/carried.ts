// Which keyrings an offline form carries.
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { inSuccession } from '../page/coverage.ts';

/** Nobody who has a saved form hears that somebody was taken off the team: so it is of use for no longer than this. */
const MAX_CARRIED_MS = 28 * 24 * 3_600_000;

/**
 * Of a season's keyrings those for a form made at `from`: the current one, or where there is none the next, and those that follow it and
 * end within four weeks. Empty when all have ended.
 */
export function carriedFrom<Each extends VerifiedKeyring>(keyrings: readonly Each[], from: Date): Each[] {
  const successive = inSuccession(keyrings, from);
  const tooLate = successive.findIndex(({ keyring }, at) => at > 0 && Date.parse(keyring.notAfter) > from.getTime() + MAX_CARRIED_MS);
  return tooLate < 0 ? successive : successive.slice(0, tooLate);
}
