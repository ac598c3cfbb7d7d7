// What the server handed to this page in this visit, and what of it is still to be fetched. Answers lie there in an order of
// their own, two on a page; when some are removed, those behind move up.
import { absentIds, inOrder, latestIds, nextNumber } from '../../crypto/order.ts';
import type { FollowUp, MailboxFound, MailboxReply, ReadReply } from './messages.ts';

const REPLIES_A_PAGE = 2;
const isRead = (reply: MailboxReply): reply is ReadReply => 'text' in reply;

export class Handed {
  /** By their ids, also those that do not open, and those removed here: the server may still have them for a while. */
  readonly #replies = new Map<string, MailboxReply>();
  readonly #removed = new Set<string>();
  /** Numbers of what was written here. */
  readonly #written: number[] = [];
  /** As of the last look, less what was removed since. */
  #total = 0;
  /** So many, from the first on, were handed to this page: rather too few than too many. */
  #known = 0;

  /** How many wait that this page has not fetched, for all that is known. */
  get unfetched(): number {
    return Math.max(this.#total - this.#known, 0);
  }

  /** The page of the mailbox to ask for next; where all was fetched, the last one again: something may have moved up. */
  get nextPage(): number {
    return Math.floor((this.unfetched > 0 ? this.#known : Math.max(this.#known - 1, 0)) / REPLIES_A_PAGE);
  }

  /** Ids of all that is not removed, also of what does not open. */
  get ids(): string[] {
    return [...this.#replies.keys()].filter((id) => !this.#removed.has(id));
  }

  /** Whether anything was ever here. */
  get isEmpty(): boolean {
    return this.#replies.size === 0;
  }

  /** How many do not open, or are by nobody of the keyring. */
  get refused(): number {
    return this.ids.filter((id) => !isRead(this.#replies.get(id) as MailboxReply)).length;
  }

  /** What is to be read, in the order of writing; the same reply sealed twice once. */
  get shown(): ReadReply[] {
    const once = new Map(
      this.#ordered()
        .filter(({ id }) => !this.#removed.has(id))
        .map((reply) => [reply.signature, reply]),
    );
    return [...once.values()];
  }

  /** The ids under which an answer was handed out, each of them a sealing of its own. */
  copiesOf(signature: string): string[] {
    return this.#ordered()
      .filter((reply) => reply.signature === signature)
      .map(({ id }) => id);
  }

  /** Answers that others mention and that were not handed to this page in this visit; 0 while some are to be fetched. */
  get absent(): number {
    const read = this.#ordered();
    return this.unfetched > 0
      ? 0
      : absentIds(
          read.flatMap(({ earlier }) => earlier),
          read.map(({ place }) => place.id),
        ).length;
  }

  /** Where further words go, by the newest answer whose signer is one of that team; null while no answer says so. */
  get team(): string | null {
    return (
      this.#ordered()
        .filter(({ team }) => team !== null)
        .at(-1)?.team ?? null
    );
  }

  /** What further words say about their place. */
  get followUp(): FollowUp {
    const read = this.#ordered();
    const number = nextNumber([...read.map(({ place }) => place.number), ...this.#written], this.#items());
    return { ...(this.team === null ? {} : { team: this.team }), number, read: latestIds(read.map(({ place }) => place.id)) };
  }

  /** Takes what a look gave; says which ids are new here. */
  take({ total, first, replies }: MailboxFound): string[] {
    const fresh = replies.filter(({ id }) => !this.#replies.has(id)).map(({ id }) => id);
    // As many as are missing may have stood before.
    this.#known = Math.max(0, this.#known - Math.max(this.#total - total, 0));
    // Something moved up although it does not show in the total: as many came as went.
    if (replies.slice(0, Math.max(this.#known - first, 0)).some(({ id }) => fresh.includes(id))) this.#known = 0;
    // A keyring that came since may say another thing of a reply.
    for (const reply of replies) this.#replies.set(reply.id, reply);
    if (first <= this.#known) this.#known = Math.max(this.#known, first + replies.length);
    this.#total = total;
    this.#known = Math.min(this.#known, total);
    return fresh;
  }

  /** That these are to be removed was taken in; the server does it whenever it does. */
  remove(ids: readonly string[]): void {
    const more = ids.filter((id) => !this.#removed.has(id));
    for (const id of more) this.#removed.add(id);
    this.#total = Math.max(0, this.#total - more.length);
    this.#known = Math.max(0, this.#known - more.length);
  }

  /** Further words with this number were taken in. */
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

  /** All that opened, also what was removed here. */
  #ordered(): ReadReply[] {
    return inOrder([...this.#replies.values()].filter(isRead), ({ place }) => place, this.#items());
  }

  /** How many items are known of the conversation, each once however often it was sealed. */
  #items(): number {
    return new Set([...this.#replies.values()].filter(isRead).map(({ signature }) => signature)).size + this.#written.length;
  }
}
