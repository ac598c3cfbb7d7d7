// The choice whether an answer is wanted here, and the word list of the access code that it needs.
import { fetchWords } from './door.ts';
import { element, setVisible } from './page.ts';

export class AnswerChoice {
  readonly #choice = element('answer', HTMLInputElement);
  readonly #path = document.documentElement.dataset['words'] ?? '';
  #words: Promise<readonly string[]> | null = null;

  constructor() {
    this.#choice.addEventListener('change', () => this.#explain());
    element('answer-again', HTMLButtonElement).addEventListener('click', () => {
      // The button is about to be hidden.
      this.#choice.focus();
      this.fetch();
    });
  }

  get wanted(): boolean {
    return this.#choice.checked;
  }

  decline(): void {
    this.#choice.checked = false;
    this.#explain();
  }

  /** Every page fetches the list, so that fetching it says nothing about the person. Once, unless it fails. */
  fetch(): void {
    this.words().catch(() => undefined);
  }

  /** The list, fetched unless it is here. Throws UnreachableError when it did not come. */
  async words(): Promise<readonly string[]> {
    this.#words ??= fetchWords(this.#path);
    const away = element('answer-away', HTMLElement);
    away.hidden = true;
    try {
      return await this.#words;
    } catch (error) {
      this.#words = null;
      away.hidden = false;
      throw error;
    }
  }

  #explain(): void {
    setVisible({ 'answer-about': this.wanted, 'answer-none': !this.wanted, 'next-code': this.wanted, 'next-answer': this.wanted });
  }
}
