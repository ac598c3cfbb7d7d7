// Keeps what the server handed to this page in this visit, and how much is still to be fetched. The mailbox has answers in an order of
// its own, two on a page; when some are removed, those behind move up.
import { absentIds, inOrder, latestIds, nextNumber } from '../../crypto/order.ts';
import type { FollowUp, MailboxFound, MailboxReply, ReadReply } from './messages.ts';

const REPLIES_A_PAGE = 2;
const isRead = (reply: MailboxReply): reply is ReadReply => 'text' in reply;

export class Handed {
  /** By id, with those that do not open and those removed here: the server may still have them for a while. */
  readonly #replies = new Map<string, MailboxReply>();
  readonly #removed = new Set<string>();
  /** Numbers of the further words that were sent from here. */
  readonly #written: number[] = [];
  /** Answers in the mailbox as of the last look, less those removed since. */
  #total = 0;
  /** At least so many, from the first on, were handed to this page: in doubt too low, never too high. */
  #known = 0;

  /** How many answers wait that this page has not fetched, as far as is known. */
  get unfetched(): number {
    return Math.max(this.#total - this.#known, 0);
  }

  /** The page of the mailbox to ask for next. When all were fetched, the last one again: something may have been added, or moved up. */
  get nextPage(): number {
    return Math.floor((this.unfetched > 0 ? this.#known : Math.max(this.#known - 1, 0)) / REPLIES_A_PAGE);
  }

  /** Ids of all answers that are not removed, also of those that do not open. */
  get ids(): string[] {
    return [...this.#replies.keys()].filter((id) => !this.#removed.has(id));
  }

  /** Whether nothing was ever handed to this page. */
  get isEmpty(): boolean {
    return this.#replies.size === 0;
  }

  /** How many do not open, or are by no signer of the keyring. */
  get refused(): number {
    return this.ids.filter((id) => !isRead(this.#replies.get(id) as MailboxReply)).length;
  }

  /** The answers to show, in the order of writing; a reply that was sealed twice is there once. */
  get shown(): ReadReply[] {
    const once = new Map(
      this.#ordered()
        .filter(({ id }) => !this.#removed.has(id))
        .map((reply) => [reply.signature, reply]),
    );
    return [...once.values()];
  }

  /** All ids under which an answer was handed out: each sealing of it has its own. */
  copiesOf(signature: string): string[] {
    return this.#ordered()
      .filter((reply) => reply.signature === signature)
      .map(({ id }) => id);
  }

  /** How many answers others mention that were not handed to this page in this visit; 0 while some are still to be fetched. */
  get absent(): number {
    const read = this.#ordered();
    return this.unfetched > 0
      ? 0
      : absentIds(
          read.flatMap(({ earlier }) => earlier),
          read.map(({ place }) => place.id),
        ).length;
  }

  /** The team that further words go to: that of the newest answer whose signer belongs to its team; null while there is none. */
  get team(): string | null {
    return (
      this.#ordered()
        .filter(({ team }) => team !== null)
        .at(-1)?.team ?? null
    );
  }

  /** The fields that further words carry. */
  get followUp(): FollowUp {
    const read = this.#ordered();
    const number = nextNumber([...read.map(({ place }) => place.number), ...this.#written], this.#items());
    return { ...(this.team === null ? {} : { team: this.team }), number, read: latestIds(read.map(({ place }) => place.id)) };
  }

  /** Takes what a look gave. @returns the ids that are new here */
  take({ total, first, replies }: MailboxFound): string[] {
    const fresh = replies.filter(({ id }) => !this.#replies.has(id)).map(({ id }) => id);
    // All that are missing from the total may have stood among the known ones.
    this.#known = Math.max(0, this.#known - Math.max(this.#total - total, 0));
    // A new answer where all should be known: some moved up, though the total does not show it, because as many were added as removed.
    if (replies.slice(0, Math.max(this.#known - first, 0)).some(({ id }) => fresh.includes(id))) this.#known = 0;
    // Also those that are known: with a newer keyring a reply may be judged differently.
    for (const reply of replies) this.#replies.set(reply.id, reply);
    if (first <= this.#known) this.#known = Math.max(this.#known, first + replies.length);
    this.#total = total;
    this.#known = Math.min(this.#known, total);
    return fresh;
  }

  /** The relay has accepted that these are to be removed, and does so in its own time. */
  remove(ids: readonly string[]): void {
    const more = ids.filter((id) => !this.#removed.has(id));
    for (const id of more) this.#removed.add(id);
    this.#total = Math.max(0, this.#total - more.length);
    this.#known = Math.max(0, this.#known - more.length);
  }

  /** Further words with this number were accepted. */
  wrote(number: number): void {
    this.#written.push(number);
  }

  clear(): void {
    this.#replies.clear();
    this.#removed.clear();
    this.#written.length = 0;
    this.#total = 0;
    this.#known = 0;
  }

  /** All that opened, also those removed here. */
  #ordered(): ReadReply[] {
    return inOrder([...this.#replies.values()].filter(isRead), ({ place }) => place, this.#items());
  }

  /** How many items of the conversation are known, each once, however often it was sealed. */
  #items(): number {
    return new Set([...this.#replies.values()].filter(isRead).map(({ signature }) => signature)).size + this.#written.length;
  }
}
