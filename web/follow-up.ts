// Further words in a conversation. As the form's fields they stand in no <form>.
import type { RequestFields } from './messages.ts';
import { element } from './page.ts';
import { showRoom } from './room.ts';

export class FollowUp {
  readonly #message = element('message', HTMLTextAreaElement);
  readonly #language = document.documentElement.lang;
  #counting = false;

  /** @param room bytes that still fit */
  constructor(room: (request: RequestFields) => Promise<number>) {
    this.#message.addEventListener('input', () => {
      if (!this.empty) this.#mark(false);
      this.#count(room).catch(() => undefined);
    });
  }

  /** As it will be sent. */
  read(): RequestFields {
    return { language: this.#language, message: this.#message.value.trim() };
  }

  get empty(): boolean {
    return this.#message.value.trim() === '';
  }

  clear(): void {
    this.#message.value = '';
  }

  focus(): void {
    this.#message.focus();
  }

  /** Without a text there is nothing to send: says so and moves there; false when there is one. */
  flag(): boolean {
    this.#mark(this.empty);
    if (this.empty) this.focus();
    return this.empty;
  }

  /** One count at a time: what was typed meanwhile is counted after it. */
  async #count(room: (request: RequestFields) => Promise<number>): Promise<void> {
    if (this.#counting) return;
    this.#counting = true;
    try {
      let counted;
      do {
        counted = this.read();
        showRoom(await room(counted));
      } while (this.read().message !== counted.message);
    } finally {
      this.#counting = false;
    }
  }

  #mark(missing: boolean): void {
    element('message-problem', HTMLElement).hidden = !missing;
    this.#message.setAttribute('aria-describedby', missing ? 'message-hint message-problem message-draft' : 'message-hint message-draft');
    if (missing) this.#message.setAttribute('aria-invalid', 'true');
    else this.#message.removeAttribute('aria-invalid');
  }
}
