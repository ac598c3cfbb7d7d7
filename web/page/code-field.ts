// The field for an access code. What is typed into it never leaves the page and its sealing worker.
import { normalizeWord, typedWords, wordBegunBy, type TypedWord } from '../../crypto/words.ts';
import type { CodeProblem } from '../../crypto/code.ts';
import { element, fill, showOne } from './page.ts';

/** The part of a word before the cursor: letters, their accents, and characters that do not show. */
const BEGUN = /[\p{L}\p{M}\p{Default_Ignorable_Code_Point}]*$/u;

export class CodeField {
  readonly #field = element('typed-code', HTMLTextAreaElement);
  readonly #offer = element('offer', HTMLButtonElement);
  #words: readonly string[] = [];

  constructor() {
    this.#field.addEventListener('input', () => this.#typed());
    this.#offer.addEventListener('click', () => this.#complete());
  }

  get text(): string {
    return this.#field.value;
  }

  /** From now on a word can be completed. */
  know(words: readonly string[]): void {
    this.#words = words;
    this.#typed();
  }

  clear(): void {
    this.#field.value = '';
    this.#propose('');
  }

  /** Says what is wrong, and selects the word if it is about one. */
  flag(problem: CodeProblem): void {
    if (problem.kind === 'count') fill('count', String(problem.count));
    if (problem.kind === 'word') fill('position', String(problem.position));
    this.#mark(problem.kind);
    this.#field.focus();
    if (problem.kind !== 'word') return;
    const wrong = this.#typedWords()[problem.position - 1];
    if (wrong) this.#field.setSelectionRange(wrong.start, wrong.end);
  }

  #typedWords(): TypedWord[] {
    return typedWords(this.#field.value, this.#words);
  }

  #typed(): void {
    this.#mark(null);
    fill('typed', String(this.#typedWords().length));
    this.#propose(this.#wordMeant());
  }

  #propose(word: string): void {
    this.#offer.hidden = word === '';
    this.#offer.textContent = word;
  }

  /** The word that the letters before the cursor begin; empty where they begin none, or are one already. */
  #wordMeant(): string {
    const begun = this.#begun();
    const word = wordBegunBy(begun, this.#words) ?? '';
    return word === normalizeWord(begun, this.#words) ? '' : word;
  }

  #begun(): string {
    return BEGUN.exec(this.#field.value.slice(0, this.#field.selectionEnd))?.[0] ?? '';
  }

  #complete(): void {
    const word = this.#offer.textContent ?? '';
    const end = this.#field.selectionEnd;
    this.#field.setRangeText(`${word} `, end - this.#begun().length, end, 'end');
    this.#field.focus();
    this.#typed();
  }

  #mark(problem: CodeProblem['kind'] | null): void {
    showOne(['typed-count', 'typed-word', 'typed-check'], problem && `typed-${problem}`);
    // Named only while it shows: screen readers read a description out even from hidden text.
    this.#field.setAttribute('aria-describedby', problem === null ? 'typed-code-hint' : `typed-code-hint typed-${problem}`);
    if (problem === null) this.#field.removeAttribute('aria-invalid');
    else this.#field.setAttribute('aria-invalid', 'true');
  }
}
