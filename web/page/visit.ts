// What the form and the page of answers do alike: they believe a keyring, seal and send in slots, and say what did not work.
import { readStart, type FetchedKeyring } from './door.ts';
import { takeKeyring } from './keyring.ts';
import type { Offered } from './messages.ts';
import { NOTICES, noticeForSealer, type Notice } from './notices.ts';
import { element, fill, momentText, Notices, progress, setVisible } from './page.ts';
import { Sealer, SealerError } from './sealer.ts';
import { Sending } from './sending.ts';

export class PageVisit {
  readonly sealer = new Sealer();
  readonly sending: Sending;
  readonly notices = new Notices(Object.keys(NOTICES) as Notice[]);
  readonly #button: 'send' | 'read';
  readonly #onOffer: (offered: Offered) => void;

  /** `button`: what can be done once all is checked. `onOffer` hears what each keyring offers that is believed. */
  constructor(button: 'send' | 'read', onOffer: (offered: Offered) => void) {
    this.#button = button;
    this.#onOffer = onOffer;
    this.sending = new Sending({
      sealer: this.sealer,
      slotMs: Number(document.documentElement.dataset['slotSeconds']) * 1_000,
      renewKeyring: async () => this.take((await readStart()).keyring),
      onStep: progress,
    });
  }

  /** Throws SealerError when the keyring is not believed, or there is none. */
  async take(keyring: FetchedKeyring | null): Promise<void> {
    this.#onOffer(await takeKeyring(this.sealer, keyring));
  }

  ready(isReady: boolean): void {
    setVisible({ checking: !isReady });
    element(this.#button, HTMLButtonElement).disabled = !isReady;
  }

  /** Says what happened and what to do. */
  tell(notice: Notice, kept: boolean): void {
    fill('today', momentText(new Date()));
    this.notices.show(notice, { kept });
  }

  noticeFor(error: unknown, otherwise: Notice): Notice {
    return error instanceof SealerError ? noticeForSealer(error.code) : otherwise;
  }

  /** Nothing is left in the worker's memory, and nothing more is sent. */
  end(): void {
    this.sending.stop();
    this.sealer.destroy();
  }
}
