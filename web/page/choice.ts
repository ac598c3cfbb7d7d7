// Whether the person wants an answer here, and the words that an access code for it is made of.
import { fetchWords } from './door.ts';
import { element, setVisible } from './page.ts';

export class AnswerChoice {
  readonly #choice = element('answer', HTMLInputElement);
  readonly #path = document.documentElement.dataset['words'] ?? '';
  #words: Promise<readonly string[]> | null = null;

  constructor() {
    this.#choice.addEventListener('change', () => this.#explain());
    element('answer-again', HTMLButtonElement).addEventListener('click', () => {
      // The button goes away with what it stands in.
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

  /** Everybody's page fetches the list, so that fetching it says nothing; once, but for failures. */
  fetch(): void {
    this.words().catch(() => undefined);
  }

  /** The list, fetched if it is not there yet. Throws UnreachableError when it did not come. */
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
