// The answers as a person sees them: plain text, the oldest first, each once, a page at a time.
import type { MailboxFound, MailboxReply } from './messages.ts';
import { element, fill } from './page.ts';

type Shown = Extract<MailboxReply, { text: string }>;
const isShown = (reply: MailboxReply): reply is Shown => 'text' in reply;
const NOTHING: MailboxFound = { total: 0, pages: 1, first: 1, replies: [] };

export class Conversation {
  readonly #list = element('replies', HTMLElement);
  readonly #remove: (id: string) => void;
  /** What was shown, or counted as not shown. */
  readonly #seen = new Set<string>();
  /** Of these, asked to be removed; the server may still have them for a while. */
  readonly #removed = new Set<string>();
  /** Of what was shown and not removed here, what is still there for all that is known. */
  readonly #left = new Set<string>();
  /** The most that were there at a look. */
  #most = 0;
  /** By signature the one reply that shows of those that say the same. */
  readonly #shownAs = new Map<string, string>();
  #removable = false;
  #page = 0;
  /** All pages up to it were shown. */
  #furthestPage = -1;
  #found = NOTHING;
  /** Where further words go, by the newest reply that was seen and says so. */
  #team: string | null = null;

  constructor(remove: (id: string) => void) {
    this.#remove = remove;
  }

  get page(): number {
    return this.#page;
  }

  /** The first that was not shown yet; where all were, the last. */
  get nextPage(): number {
    return Math.min(this.#furthestPage + 1, this.#found.pages - 1);
  }

  /** Where further words go; null while no answer says so. */
  get team(): string | null {
    return this.#team;
  }

  /** Removing needs the relay to take something in. */
  allowRemoval(removable: boolean): void {
    this.#removable = removable;
    this.#draw();
  }

  show(page: number, found: MailboxFound): void {
    this.#page = page;
    this.#found = found;
    for (const reply of found.replies) {
      this.#seen.add(reply.id);
      if (!isShown(reply)) continue;
      const shownAs = this.#shownAs.get(reply.signature);
      // Pages are turned one by one, the oldest first: what was not seen yet is newer than what was.
      if (shownAs === undefined) this.#team = reply.team ?? this.#team;
      if (shownAs === undefined || this.#removed.has(shownAs)) this.#shownAs.set(reply.signature, reply.id);
    }
    this.#reckon(found);
    if (page === this.#furthestPage + 1) this.#furthestPage = page;
    this.#draw();
  }

  /** The page to look at before the one that was found: what moved up to it when others went was not shown. Null: nothing did. */
  passedOver(page: number, found: MailboxFound): number | null {
    const { total, first, replies } = found;
    if (total >= this.#found.total) return null;
    this.#reckon(found);
    const notYetRemoved = Math.max(this.#removed.size - (this.#most - total), 0);
    const shownBefore = this.#left.size - replies.filter(({ id }) => this.#left.has(id)).length + notYetRemoved;
    const ahead = first - 1;
    return shownBefore < ahead ? Math.floor((shownBefore * page) / ahead) : null;
  }

  /** How many replies are there at a look, and how many of them were not shown: rather one too many than one too few. */
  count(found: MailboxFound): { all: number; unread: number } {
    this.#reckon(found);
    const { total, replies } = found;
    const all = total - replies.filter(({ id }) => this.#removed.has(id)).length;
    const unreadHere = replies.filter(({ id }) => !this.#seen.has(id)).length;
    return { all, unread: Math.max(all - this.#left.size, unreadHere) };
  }

  /** More may be missing than were removed here: a week ran out, or another page removed some. Which, nobody knows. */
  #reckon({ total, replies }: MailboxFound): void {
    if (total < this.#most - this.#removed.size) {
      this.#left.clear();
      this.#most = total + this.#removed.size;
      this.#furthestPage = -1;
    }
    this.#most = Math.max(this.#most, total);
    for (const { id } of replies) if (this.#seen.has(id) && !this.#removed.has(id)) this.#left.add(id);
  }

  /** At once from the page, whenever the server does it; null: all of them. */
  removed(id: string | null): void {
    for (const gone of id === null ? this.#seen : [id]) {
      this.#removed.add(gone);
      this.#left.delete(gone);
    }
    if (id === null) this.#found = NOTHING;
    this.#draw();
  }

  /** Nothing of it is left in the page. */
  clear(): void {
    this.#found = NOTHING;
    this.#team = null;
    this.#most = 0;
    this.#furthestPage = -1;
    for (const known of [this.#seen, this.#removed, this.#left, this.#shownAs]) known.clear();
    this.#list.replaceChildren();
  }

  /** The replies of this page with their numbers, without those removed and those that show already. */
  #there(): { reply: MailboxReply; number: number }[] {
    const { first, replies } = this.#found;
    const ids = replies.map(({ id }) => id);
    return replies.map((reply, i) => ({ reply, number: first + i })).filter(({ reply }, i) => (
      !this.#removed.has(reply.id) && ids.indexOf(reply.id) === i && (!isShown(reply) || this.#shownAs.get(reply.signature) === reply.id)
    ));
  }

  #draw(): void {
    const { pages } = this.#found;
    const there = this.#there();
    const refused = there.filter(({ reply }) => !isShown(reply)).length;
    const empty = pages === 1 && there.length === 0;
    const gone = empty && this.#seen.size > 0;
    const none = empty && !gone;
    this.#list.replaceChildren(...there.flatMap(({ reply, number }) => (isShown(reply) ? [this.#article(reply, number)] : [])));
    fill('refused', String(refused));
    fill('page', String(this.#page + 1));
    fill('pages', String(pages));
    element('refused', HTMLElement).hidden = refused === 0;
    element('title-some', HTMLElement).hidden = empty;
    for (const id of ['title-gone', 'gone']) element(id, HTMLElement).hidden = !gone;
    for (const id of ['title-none', 'none']) element(id, HTMLElement).hidden = !none;
    element('pages', HTMLElement).hidden = pages === 1;
    element('delete-all', HTMLButtonElement).hidden = empty || !this.#removable;
    element('older', HTMLButtonElement).disabled = this.#page === 0;
    element('newer', HTMLButtonElement).disabled = this.#page >= pages - 1;
  }

  #article({ id, text }: Shown, number: number): Node {
    const article = element('reply', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
    const find = <E extends Element>(selector: string): E => article.querySelector(selector) as E;
    find('h2').id = `reply-${String(number)}`;
    find('article').setAttribute('aria-labelledby', `reply-${String(number)}`);
    find('[data-slot="number"]').textContent = String(number);
    // Never as markup, and no links are made of it.
    find('.text').textContent = text;
    const button = find<HTMLButtonElement>('button');
    button.hidden = !this.#removable;
    button.id = `delete-${String(number)}`;
    button.setAttribute('aria-describedby', `reply-${String(number)}`);
    button.addEventListener('click', () => this.#remove(id));
    return article;
  }
}
