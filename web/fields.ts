// What a person types. The fields stand in no <form>: nothing in the page can submit them, with scripts or without.
import type { RequestFields, TopicName } from './messages.ts';
import { element } from './page.ts';

export class Fields {
  readonly #language = document.documentElement.lang;
  readonly #message = element('message', HTMLTextAreaElement);
  readonly #contact = element('contact', HTMLInputElement);
  readonly #topics = element('topics', HTMLElement);

  /** As it will be sent. */
  read(): RequestFields {
    const contact = this.#contact.value.trim();
    const topic = this.#topic();
    return {
      ...(topic ? { topic } : {}),
      language: this.#language,
      message: this.#message.value.trim(),
      ...(contact ? { contact } : {}),
    };
  }

  get empty(): boolean {
    return this.#message.value.trim() === '' && this.#contact.value.trim() === '';
  }

  clear(): void {
    this.#message.value = '';
    this.#contact.value = '';
    for (const radio of this.#radios()) radio.checked = false;
  }

  onInput(listener: () => void): void {
    for (const field of [this.#message, this.#contact, this.#topics]) field.addEventListener('input', listener);
  }

  /** The topics of the keyring, in its order; the choice is kept if it is still there, and made when there is only one. */
  showTopics(topics: readonly TopicName[]): void {
    const chosen = this.#topic();
    const choices = topics.map(({ id, names }) => {
      const radio = document.createElement('input');
      Object.assign(radio, { type: 'radio', name: 'topic', value: id, id: `topic-${id}`, checked: id === chosen || topics.length === 1 });
      const label = document.createElement('label');
      label.append(radio, names[this.#language] ?? Object.values(names)[0] ?? id);
      return label;
    });
    this.#topics.replaceChildren(...choices);
  }

  /** Without a message there is nothing to send: says so and moves there; false when there is one. */
  flag(): boolean {
    const missing = this.read().message === '';
    this.#mark(missing);
    if (missing) this.#message.focus();
    return missing;
  }

  unflag(): void {
    if (this.read().message !== '') this.#mark(false);
  }

  focus(): void {
    this.#message.focus();
  }

  #radios(): HTMLInputElement[] {
    return [...this.#topics.querySelectorAll('input')];
  }

  #topic(): string {
    return this.#radios().find(({ checked }) => checked)?.value ?? '';
  }

  #mark(missing: boolean): void {
    element('message-problem', HTMLElement).hidden = !missing;
    // Named only when it shows: a description is read out also from hidden text.
    this.#message.setAttribute('aria-describedby', missing ? 'message-hint message-problem message-draft' : 'message-hint message-draft');
    if (missing) this.#message.setAttribute('aria-invalid', 'true');
    else this.#message.removeAttribute('aria-invalid');
  }
}
