// What the form and the page of answers have in common: they have a keyring verified, seal, send in slots, and say what did not work.
import { readStart, type Start } from './door.ts';
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
  readonly #tell: (notice: Notice) => void;

  /**
   * `button`: enabled once everything is checked. `onOffer`: called with what each verified keyring offers. `tell`: shows a notice in a
   * view of the page.
   */
  constructor(button: 'send' | 'read', onOffer: (offered: Offered) => void, tell: (notice: Notice) => void) {
    this.#button = button;
    this.#onOffer = onOffer;
    this.#tell = tell;
    this.sending = new Sending({
      sealer: this.sealer,
      slotMs: Number(document.documentElement.dataset['slotSeconds']) * 1_000,
      renewKeyring: async () => this.take(await readStart()),
      onStage: progress,
    });
  }

  /** Throws SealerError when the keyring does not verify, or there is none. */
  async take(start: Start): Promise<void> {
    this.#onOffer(await takeKeyring(this.sealer, start));
  }

  ready(isReady: boolean): void {
    setVisible({ checking: !isReady });
    element(this.#button, HTMLButtonElement).disabled = !isReady;
  }

  /** Nothing is being checked any more until the person asks for it. */
  notReady(notice: Notice): void {
    setVisible({ checking: false });
    this.#tell(notice);
  }

  /** Says what happened and what to do. `kept`: there is a text, and it stays. */
  tell(notice: Notice, kept: boolean): void {
    fill('today', momentText(new Date()));
    this.notices.show(notice, { kept });
  }

  noticeFor(error: unknown, otherwise: Notice): Notice {
    return error instanceof SealerError ? noticeForSealer(error.code) : otherwise;
  }

  /** Leaves nothing in the sealing worker's memory, and sends nothing more. */
  end(): void {
    this.sending.stop();
    this.sealer.destroy();
  }
}
