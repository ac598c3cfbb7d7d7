// The answers as a person sees them: plain text, the oldest first, a page at a time.
import type { MailboxPage, MailboxReply } from './messages.ts';
import { element, fill } from './page.ts';

type Shown = Extract<MailboxReply, { text: string }>;
type Found = Extract<MailboxPage, { pages: number }>;
const isShown = (reply: MailboxReply): reply is Shown => 'text' in reply;

export class Conversation {
  readonly #list = element('replies', HTMLElement);
  readonly #remove: (id: string) => void;
  /** Asked to be removed; the server may still have them for a while. */
  readonly #removed = new Set<string>();
  #removable = false;
  #page = 0;
  #found: Found = { pages: 1, first: 1, replies: [] };
  /** Who wrote the newest reply that was seen, and its number. */
  #newest: { number: number; team: string } | null = null;

  constructor(remove: (id: string) => void) {
    this.#remove = remove;
  }

  get page(): number {
    return this.#page;
  }

  /** Where further words go; null while nobody has answered. */
  get team(): string | null {
    return this.#newest?.team ?? null;
  }

  /** Removing needs the relay to take something in. */
  allowRemoval(removable: boolean): void {
    this.#removable = removable;
    this.#draw();
  }

  show(page: number, found: Found): void {
    this.#page = page;
    this.#found = found;
    found.replies.forEach((reply, i) => {
      const number = found.first + i;
      if (isShown(reply) && number >= (this.#newest?.number ?? 0)) this.#newest = { number, team: reply.team };
    });
    this.#draw();
  }

  /** At once from the page, whenever the server does it; null: all of them. */
  removed(id: string | null): void {
    if (id === null) this.#found = { pages: 1, first: 1, replies: [] };
    else this.#removed.add(id);
    this.#draw();
  }

  /** Nothing of it is left in the page. */
  clear(): void {
    this.#found = { pages: 1, first: 1, replies: [] };
    this.#newest = null;
    this.#list.replaceChildren();
  }

  #draw(): void {
    const { pages, first, replies } = this.#found;
    const there = replies.map((reply, i) => ({ reply, number: first + i })).filter(({ reply }) => !this.#removed.has(reply.id));
    const refused = there.filter(({ reply }) => !isShown(reply)).length;
    const none = pages === 1 && there.length === 0;
    this.#list.replaceChildren(...there.flatMap(({ reply, number }) => (isShown(reply) ? [this.#article(reply, number)] : [])));
    fill('refused', String(refused));
    fill('page', String(this.#page + 1));
    fill('pages', String(pages));
    element('refused', HTMLElement).hidden = refused === 0;
    element('title-some', HTMLElement).hidden = none;
    element('title-none', HTMLElement).hidden = !none;
    element('none', HTMLElement).hidden = !none;
    element('pages', HTMLElement).hidden = pages === 1;
    element('delete-all', HTMLButtonElement).hidden = none || !this.#removable;
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
