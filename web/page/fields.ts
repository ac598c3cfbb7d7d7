// The fields for a request, or for further words in a conversation. They are not inside a <form>: nothing in the page can submit them,
// with scripts or without.
import type { RequestFields, TopicName } from './messages.ts';
import { element, setVisible } from './page.ts';
import { showRoom } from './room.ts';

/** Bytes that still fit. */
type Room = (request: RequestFields) => number | Promise<number>;

export class Fields {
  readonly #language = document.documentElement.lang;
  readonly #message = element('message', HTMLTextAreaElement);
  /** Null on the page of answers: further words come without a contact. */
  readonly #contact = document.querySelector<HTMLInputElement>('#contact');
  readonly #topics = element('topics', HTMLElement);
  readonly #room: Room;
  #shownTopics = '';
  #counting = false;

  constructor(room: Room) {
    this.#room = room;
    this.onInput(() => {
      if (this.read().message !== '') this.#mark(false);
      this.countRoom().catch(() => undefined);
    });
  }

  /** As it will be sent. */
  read(): RequestFields {
    const contact = this.#contact?.value.trim();
    const topic = this.#topic();
    return { ...(topic ? { topic } : {}), language: this.#language, message: this.#message.value.trim(), ...(contact ? { contact } : {}) };
  }

  get empty(): boolean {
    const { message, contact = '' } = this.read();
    return message + contact === '';
  }

  clear(): void {
    this.clearMessage();
    if (this.#contact !== null) this.#contact.value = '';
    for (const radio of this.#radios()) radio.checked = false;
  }

  clearMessage(): void {
    this.#message.value = '';
  }

  onInput(listener: () => void): void {
    for (const field of [this.#message, this.#contact, this.#topics]) field?.addEventListener('input', listener);
  }

  /** One count at a time. What was typed during one is counted after it. */
  async countRoom(): Promise<void> {
    if (this.#counting) return;
    this.#counting = true;
    try {
      let counted;
      let request = this.read();
      do {
        counted = JSON.stringify(request);
        showRoom(await this.#room(request));
        request = this.read();
      } while (JSON.stringify(request) !== counted);
    } finally {
      this.#counting = false;
    }
  }

  /** The keyring's topics, in its order. A choice is kept if its topic is still there; a single topic is chosen at once. */
  showTopics(topics: readonly TopicName[]): void {
    // A renewal that changes nothing must not replace a field that somebody is using.
    if (JSON.stringify(topics) === this.#shownTopics) return;
    this.#shownTopics = JSON.stringify(topics);
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

  /** Without a message there is nothing to send: then says so, moves the focus there and returns true. */
  showMissing(): boolean {
    const missing = this.read().message === '';
    this.#mark(missing);
    if (missing) this.#message.focus();
    return missing;
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
    setVisible({ 'message-problem': missing });
    // Named only while it shows: screen readers read a description out even from hidden text.
    this.#message.setAttribute('aria-describedby', missing ? 'message-hint message-problem message-draft' : 'message-hint message-draft');
    if (missing) this.#message.setAttribute('aria-invalid', 'true');
    else this.#message.removeAttribute('aria-invalid');
  }
}
