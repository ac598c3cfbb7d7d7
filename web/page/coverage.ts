// Which of the keyrings that a page carries will count, and until when. docs/protocol.md, § Keyring.
import { newestBegun, type VerifiedKeyring } from '../../crypto/keyring.ts';

const begins = ({ keyring }: VerifiedKeyring): number => Date.parse(keyring.notBefore);
const ends = ({ keyring }: VerifiedKeyring): number => Date.parse(keyring.notAfter);

/**
 * The keyrings that count from `from` on, one after the other: first the one that counts then or, where none has begun, the first that
 * will. Left out is what has ended, what one of a higher serial replaces before it ever counts, and what comes after a gap. The last of
 * them says until when there is a keyring. Empty when all have ended.
 */
export function inSuccession<Each extends VerifiedKeyring>(keyrings: readonly Each[], from: Date): Each[] {
  const counting = keyrings
    .filter((each) => ends(each) > from.getTime())
    .filter((each) => newestBegun(keyrings, new Date(Math.max(begins(each), from.getTime())))?.digest === each.digest)
    .sort((a, b) => begins(a) - begins(b));
  const single = counting.filter((each, at) => each.digest !== counting[at - 1]?.digest);
  const gap = single.findIndex((each, at) => begins(each) > ends(single[at - 1] ?? each));
  return gap < 0 ? single : single.slice(0, gap);
}
