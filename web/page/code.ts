// The access code on the page: shown after the request was accepted and at no other time, confirmed by two of its words, then gone.
// Nothing here puts it anywhere else: no storage, no address, no title, no clipboard.
import type { Code } from '../../crypto/code.ts';
import { placeOf } from '../../crypto/words.ts';
import { element, fill, focusOn, onClick, setVisible } from './page.ts';

type Part = 'code' | 'code-check' | 'code-skip';

/** Two of `count` positions, from 0, the lower first: random, so that nobody learns to write down only those. */
function drawTwo(count: number): [number, number] {
  // The bias of 2 ** 32 modulo twelve is negligible.
  const [one = 0, more = 0] = crypto.getRandomValues(new Uint32Array(2));
  const first = one % count;
  const second = (first + 1 + (more % (count - 1))) % count;
  return first < second ? [first, second] : [second, first];
}

export class ShownCode {
  /** Kept as elements, because a quick exit empties the page before it wipes. */
  readonly #parts = (['code', 'code-check', 'code-skip'] as const).map((name) => element(name, HTMLElement));
  readonly #inputs = [element('code-first', HTMLInputElement), element('code-second', HTMLInputElement)] as const;
  readonly #list = element('code-words', HTMLOListElement);
  readonly #onDone: () => void;
  #code: Code | null = null;
  #words: readonly string[] = [];
  #asked: readonly [number, number] = [0, 1];

  /** `onDone`: called when the code was confirmed, or the person goes on without confirming it. */
  constructor(onDone: () => void) {
    this.#onDone = onDone;
    onClick('code-written', () => this.#ask());
    onClick('code-confirm', () => this.#confirm());
    onClick('code-again', () => this.#show());
    onClick('code-back', () => this.#show());
    onClick('code-skip-ask', () => this.warn());
    onClick('code-skip-done', () => this.#done());
    for (const input of this.#inputs) input.addEventListener('keydown', ({ key }) => key === 'Enter' && this.#confirm());
  }

  /** Whether there is a code that would be lost with the page. */
  get held(): boolean {
    return this.#code !== null;
  }

  /** Shows it until it is confirmed, or the person goes on without. */
  show(code: Code, words: readonly string[]): void {
    this.#code = code;
    this.#words = words;
    this.#reveal('code');
  }

  /** Warns of what it means to go on without having confirmed it. */
  warn(): void {
    this.#reveal('code-skip');
    focusOn('code-skip-title');
  }

  /** Leaves nothing of it in the page. */
  forget(): void {
    this.#code = null;
    this.#reveal(null);
  }

  #show(): void {
    this.#reveal('code');
    focusOn('code-title');
  }

  #ask(): void {
    this.#asked = drawTwo(this.#code?.length ?? 2);
    this.#sayWrong([false, false]);
    const [first, second] = this.#asked;
    fill('first', String(first + 1));
    fill('second', String(second + 1));
    this.#reveal('code-check');
    this.#inputs[0].focus();
  }

  #confirm(): void {
    const wrong = this.#inputs.map(({ value }, i) => placeOf(value, this.#words) !== this.#code?.[this.#asked[i] ?? 0]);
    if (!wrong.includes(true)) return this.#done();
    this.#show();
    this.#sayWrong(wrong);
  }

  #sayWrong([first = false, second = false]: readonly boolean[]): void {
    setVisible({ 'code-wrong-first': first, 'code-wrong-second': second });
  }

  #done(): void {
    this.forget();
    this.#onDone();
  }

  /** The words are in the page only while they are shown, not while two of them are asked for. */
  #reveal(part: Part | null): void {
    for (const each of this.#parts) each.hidden = each.id !== part;
    for (const input of this.#inputs) input.value = '';
    this.#list.replaceChildren(...(part === 'code' ? this.#items() : []));
  }

  #items(): HTMLElement[] {
    return (this.#code ?? []).map((place) => {
      const item = document.createElement('li');
      item.textContent = this.#words[place] ?? '';
      return item;
    });
  }
}
