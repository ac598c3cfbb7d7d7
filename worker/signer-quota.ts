import { toHex } from '../crypto/bytes.ts';
import { shortReplyId, type Removal } from '../crypto/removal.ts';
import { replyId, type Delivery } from '../crypto/reply.ts';
import { REPLIES_A_WEEK_BY_ONE } from '../redis/mailboxes.ts';

/** One signer may add at most this fraction of all replies that may wait, per week. */
const FRACTION_OF_ALL = 1 / 10;

/**
 * Counts the replies of each signer in a week, so that a stolen signer cannot block everybody else until it is revoked: one signer
 * fills at most twelve of a mailbox's sixteen places, and a tenth of all replies that may wait.
 *
 * Kept in memory only: signers are listed in the public keyring, and counts in Redis would reveal how much each volunteer answers.
 * A restart begins at zero, and each worker counts for itself. It keeps ids rather than numbers, so that a reply which went back to
 * the pool, or whose parcel a relay replays, is not counted twice.
 */
export class SignerQuota {
  readonly #maxInAll: number;
  #week = 0;
  /** Signer -> mailbox and short id of each reply, as hex digits. */
  readonly #counted = new Map<string, Set<string>>();

  /** @param replies how many may wait in all mailboxes together */
  constructor(replies: number) {
    this.#maxInAll = Math.max(1, Math.floor(replies * FRACTION_OF_ALL));
  }

  /** Called at the beginning of each round, so that nothing is remembered from an earlier week. */
  begin(week: number): void {
    if (week !== this.#week) this.#counted.clear();
    this.#week = week;
  }

  /** Counts a reply. Returns false, counting nothing, when its signer has used up the quota. */
  tryAdd(delivery: Delivery): boolean {
    const [signer, mailbox] = [toHex(delivery.signer), toHex(delivery.mailbox)];
    const counted = this.#counted.get(signer) ?? new Set();
    const reply = mailbox + toHex(shortReplyId(replyId(delivery.reply)));
    if (counted.has(reply)) return true;
    const here = [...counted].filter((other) => other.startsWith(mailbox));
    if (here.length >= REPLIES_A_WEEK_BY_ONE || counted.size >= this.#maxInAll) return false;
    this.#counted.set(signer, counted.add(reply));
    return true;
  }

  /** Frees the quota of removed replies. */
  free({ mailbox, replies }: Removal): void {
    const removed = replies.map((reply) => toHex(mailbox) + toHex(reply));
    for (const counted of this.#counted.values()) for (const one of removed) counted.delete(one);
  }
}
