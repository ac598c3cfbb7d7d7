// What is asked before replies are removed: about one, or about all of them, also those that nobody has opened.
import { element, fill, focusOn, onClick } from './page.ts';

const nothing = (): void => undefined;

export class Confirmation {
  readonly #section = element('confirm', HTMLElement);
  /** A reply, or with null all of them. */
  #asked: string | null = null;
  #readFirst = nothing;

  constructor(remove: (reply: string | null) => void) {
    onClick('confirm-yes', () => remove(this.#asked));
    onClick('confirm-no', () => {
      this.hide();
      focusOn('conversation-title');
    });
    onClick('confirm-read', () => {
      const readFirst = this.#readFirst;
      this.hide();
      readFirst();
    });
  }

  askAboutOne(reply: string): void {
    this.#ask(reply);
  }

  /** `readFirst`: shows some that were not shown yet. */
  askAboutAll({ all, unread }: { all: number; unread: number }, readFirst: () => void): void {
    fill('all', String(all));
    fill('unread', String(unread));
    for (const id of ['confirm-unread', 'confirm-read']) element(id, HTMLElement).hidden = unread === 0;
    this.#ask(null);
    this.#readFirst = readFirst;
  }

  hide(): void {
    this.#readFirst = nothing;
    this.#section.hidden = true;
  }

  #ask(reply: string | null): void {
    this.hide();
    this.#asked = reply;
    element('confirm-one', HTMLElement).hidden = reply === null;
    for (const id of ['confirm-all', 'confirm-count']) element(id, HTMLElement).hidden = reply !== null;
    if (reply !== null) element('confirm-read', HTMLElement).hidden = true;
    this.#section.hidden = false;
    focusOn('confirm-title');
  }
}
