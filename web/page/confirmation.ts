// The question before replies are removed: one of them, or all that were handed to this page.
import { element, fill, focusOn, onClick, setVisible } from './page.ts';

const nothing = (): void => undefined;

export class Confirmation {
  readonly #section = element('confirm', HTMLElement);
  #asked: readonly string[] = [];
  #all = false;
  #readFirst = nothing;

  constructor(remove: (replies: readonly string[], all: boolean) => void) {
    onClick('confirm-yes', () => remove(this.#asked, this.#all));
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

  askAboutOne(replies: readonly string[]): void {
    this.#ask(replies, false);
  }

  /** `unfetched`: how many more wait in the mailbox, and stay there; `readFirst`: fetches some of them. */
  askAboutAll(replies: readonly string[], unfetched: number, readFirst: () => void): void {
    fill('all', String(replies.length));
    fill('unread', String(unfetched));
    setVisible({ 'confirm-unread': unfetched > 0, 'confirm-read': unfetched > 0 });
    this.#ask(replies, true);
    this.#readFirst = readFirst;
  }

  hide(): void {
    this.#readFirst = nothing;
    this.#section.hidden = true;
  }

  #ask(replies: readonly string[], all: boolean): void {
    this.hide();
    this.#asked = replies;
    this.#all = all;
    setVisible({ 'confirm-one': !all, 'confirm-all': all, 'confirm-count': all, ...(all ? {} : { 'confirm-read': false }) });
    this.#section.hidden = false;
    focusOn('confirm-title');
  }
}
