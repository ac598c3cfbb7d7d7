import { bucketOf, weekOf } from '../redis/mailboxes.ts';
import type { Outcome } from './commit.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Room } from './obstacles.ts';
import type { Opened } from './opening.ts';
import type { SignerQuota } from './signer-quota.ts';
import type { SweepTracker } from './sweep.ts';

/**
 * Finds a place for everything opened in one round. A letter or reply without room goes back into the pool: one full inbox must not
 * stop the others.
 */
export class Placing {
  readonly #mailboxes: Pick<Mailboxes, 'find'>;
  readonly #quota: SignerQuota;
  readonly #sweep: SweepTracker;
  /** Determines the week, which must not change during a round. */
  readonly #startedAt: Date;

  constructor(mailboxes: Pick<Mailboxes, 'find'>, quota: SignerQuota, sweep: SweepTracker, startedAt: Date) {
    this.#mailboxes = mailboxes;
    this.#quota = quota;
    this.#sweep = sweep;
    this.#startedAt = startedAt;
  }

  /** Removals first, so that none frees the quota that a reply of the same batch has just used. */
  async placeAll(opened: readonly Opened[], room: Room): Promise<Outcome[]> {
    const removalsFirst = [...opened.filter(({ kind }) => kind === 'removal'), ...opened.filter(({ kind }) => kind !== 'removal')];
    const outcomes: Outcome[] = [];
    for (const one of removalsFirst) outcomes.push(await this.#place(one, room));
    return outcomes;
  }

  async #place(opened: Opened, room: Room): Promise<Outcome> {
    switch (opened.kind) {
      case 'letter':
        return room.reserve(opened.to.map(({ inbox }) => inbox)) ? opened : this.#putBack(opened);
      case 'delivery':
        return this.#placeReply(opened, room);
      case 'removal':
        return this.#placeRemoval(opened);
      case 'drop':
      case 'back':
        return opened;
    }
  }

  #placeReply(opened: Extract<Opened, { kind: 'delivery' }>, room: Room): Outcome {
    const { id, keyId, delivery } = opened;
    if (!this.#quota.tryAdd(delivery)) return { kind: 'drop', id, keyId, reason: 'signer-full' };
    if (!room.reserveReply()) return this.#putBack(opened);
    return { kind: 'reply', id, keyId, reply: Buffer.from(delivery.reply), bucket: bucketOf(delivery.mailbox, weekOf(this.#startedAt)) };
  }

  async #placeRemoval({ id, keyId, removal }: Extract<Opened, { kind: 'removal' }>): Promise<Outcome> {
    const { buckets, replies } = await this.#mailboxes.find(removal, this.#startedAt);
    if (replies.length === 0) return { kind: 'drop', id, keyId, reason: 'reply-gone' };
    this.#quota.free({ mailbox: removal.mailbox, replies: replies.map((reply) => reply.id) });
    return { kind: 'delete', id, keyId, digests: replies.map(({ digest }) => digest), buckets };
  }

  #putBack({ id, keyId }: { readonly id: Buffer; readonly keyId: string }): Outcome {
    this.#sweep.noteRemaining(keyId);
    return { kind: 'back', id };
  }
}
