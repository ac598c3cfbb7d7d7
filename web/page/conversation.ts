// Shows the answers: as plain text, in the order of writing, each once.
import { Handed } from './handed.ts';
import type { MailboxFound, ReadReply } from './messages.ts';
import { element, fill, setVisible } from './page.ts';

export class ConversationView {
  readonly #list = element('replies', HTMLElement);
  readonly #remove: (ids: readonly string[]) => void;
  readonly handed = new Handed();
  #removable = false;

  /** @param remove asks whether an answer is to be removed, given all ids under which it was handed out */
  constructor(remove: (ids: readonly string[]) => void) {
    this.#remove = remove;
  }

  /** Removing takes a parcel, so the door must be open. */
  allowRemoval(removable: boolean): void {
    this.#removable = removable;
    this.draw();
  }

  /** Adds what a look gave. @returns the position of the first new answer, from 1; 0 when no new one is shown; null when nothing is new */
  show(found: MailboxFound): number | null {
    const fresh = this.handed.take(found);
    this.draw();
    return fresh.length === 0 ? null : this.handed.shown.findIndex(({ id }) => fresh.includes(id)) + 1;
  }

  /** Removes them from the page at once, whenever the server does it. */
  removed(ids: readonly string[]): void {
    this.handed.remove(ids);
    this.draw();
  }

  /** Leaves nothing of it in the page. */
  clear(): void {
    this.handed.clear();
    this.#list.replaceChildren();
  }

  draw(): void {
    const { shown, refused, unfetched, absent, isEmpty } = this.handed;
    const empty = shown.length === 0 && refused === 0 && unfetched === 0;
    const [gone, none] = [empty && !isEmpty, empty && isEmpty];
    this.#list.replaceChildren(...shown.map((reply, i) => this.#article(reply, i + 1)));
    for (const [name, count] of Object.entries({ refused, unfetched, absent })) fill(name, String(count));
    setVisible({ refused: refused > 0, unfetched: unfetched > 0, absent: absent > 0 });
    setVisible({ 'title-some': !empty, 'title-gone': gone, gone, 'title-none': none, none });
    setVisible({ 'delete-all': shown.length + refused > 0 && this.#removable });
  }

  #article({ signature, text }: ReadReply, number: number): Node {
    const article = element('reply', HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
    const find = <E extends Element>(selector: string): E => article.querySelector(selector) as E;
    find('h2').id = `reply-${String(number)}`;
    find('article').setAttribute('aria-labelledby', `reply-${String(number)}`);
    find('[data-slot="number"]').textContent = String(number);
    // Never as markup, and never with links.
    find('.text').textContent = text;
    const button = find<HTMLButtonElement>('button');
    button.hidden = !this.#removable;
    button.id = `delete-${String(number)}`;
    button.setAttribute('aria-describedby', `reply-${String(number)}`);
    button.addEventListener('click', () => this.#remove(this.handed.copiesOf(signature)));
    return article;
  }
}
