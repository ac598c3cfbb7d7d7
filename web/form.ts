// The request form: opens the door, takes what is typed, sends it, and says what became of it.
import { readDoor, readKeyring, UnreachableError } from './door.ts';
import { Fields } from './fields.ts';
import { setUpLeaving } from './leaving.ts';
import { noticeForDoor, noticeForSealer, SHUT, type Action, type Notice } from './notices.ts';
import { element, fill, focusOn, notify, onAction, progress, show } from './page.ts';
import { Sealer, SealerError } from './sealer.ts';
import { Sending } from './sending.ts';

/** After so many waits by itself the page leaves the next try to the person. */
const MOST_WAITS = 10;

class Form {
  readonly #fields = new Fields();
  readonly #sealer: Sealer;
  readonly #sending: Sending;
  readonly #language = document.documentElement.lang;
  #busy = false;
  #roomAsked = false;
  #waits = 0;
  #countdown: ReturnType<typeof setInterval> | undefined;

  constructor() {
    setUpLeaving(this.#fields, () => this.#sealer.destroy());
    this.#sealer = new Sealer();
    this.#sealer.onProgress = progress;
    this.#sending = new Sending(this.#sealer, () => this.#readKeyring(), () => progress('sending'));
    this.#fields.onInput(() => this.#typed());
    onAction((action) => this.#act(action));
    element('send', HTMLButtonElement).addEventListener('click', () => void this.#send());
  }

  /** Looks whether a request can be sent at all, before anyone types one. */
  async open(): Promise<void> {
    notify(null);
    show(this.#fields.empty ? 'opening' : 'form');
    this.#ready(false);
    try {
      const keyring = this.#readKeyring();
      // Asked for together, but a closed door comes first: it may be closed for lack of a keyring.
      keyring.catch(() => undefined);
      const door = await readDoor();
      if (!door.open) return this.#tell(noticeForDoor(door.reason));
      this.#sending.difficulty = door.difficulty;
      // Writing can begin while the keyring is still being fetched and verified; sending can not.
      show('form');
      await keyring;
      this.#ready(true);
      await this.#countRoom();
    } catch (error) {
      this.#tell(this.#noticeFor(error, 'unreachable'));
    }
  }

  async #readKeyring(): Promise<void> {
    const { topics, answerTime } = await this.#sealer.ask('open', await readKeyring()).catch(async (error: unknown) => {
      // Keyring and signature are two files: between them a new keyring may have taken the place of the old.
      if (!(error instanceof SealerError && error.code === 'MINISIGN_SIGNATURE')) throw error;
      return this.#sealer.ask('open', await readKeyring());
    });
    this.#fields.showTopics(topics);
    const usual = answerTime[this.#language];
    for (const place of document.querySelectorAll<HTMLElement>('.answer-time')) place.hidden = usual === undefined;
    fill('answer', usual ?? '');
  }

  #ready(ready: boolean): void {
    element('checking', HTMLElement).hidden = ready;
    element('send', HTMLButtonElement).disabled = !ready;
  }

  #typed(): void {
    this.#fields.unflag();
    if (this.#countdown !== undefined) this.#stopWaiting();
    this.#countRoom().catch(() => undefined);
  }

  /** One count at a time: what was typed meanwhile is counted after it. */
  async #countRoom(): Promise<void> {
    if (this.#roomAsked) return;
    this.#roomAsked = true;
    try {
      let counted;
      let request = this.#fields.read();
      do {
        counted = JSON.stringify(request);
        this.#fields.showRoom(await this.#sealer.ask('room', { request }));
        request = this.#fields.read();
      } while (JSON.stringify(request) !== counted);
    } finally {
      this.#roomAsked = false;
    }
  }

  async #send(): Promise<void> {
    if (this.#busy || this.#fields.flag()) return;
    this.#busy = true;
    clearInterval(this.#countdown);
    this.#countdown = undefined;
    notify(null);
    progress('sealing');
    show('progress');
    focusOn('progress-title');
    try {
      const outcome = await this.#sending.send(this.#fields.read());
      if (outcome.kind === 'accepted') this.#accepted();
      else if (outcome.kind === 'refused') this.#tell(outcome.notice);
      else this.#wait(outcome.seconds);
    } catch (error) {
      this.#tell(this.#noticeFor(error, error instanceof UnreachableError ? error.why : 'refused'));
    } finally {
      this.#busy = false;
    }
  }

  #accepted(): void {
    const reachable = this.#fields.read().contact !== undefined;
    this.#fields.clear();
    this.#sending.forget();
    this.#sealer.destroy();
    element('accepted-with-contact', HTMLElement).hidden = !reachable;
    element('accepted-without-contact', HTMLElement).hidden = reachable;
    show('accepted');
    focusOn('accepted-title');
  }

  /** The relay is full or its store is away: come again by itself, as long as the text stays as it is. */
  #wait(seconds: number): void {
    this.#waits += 1;
    if (this.#waits > MOST_WAITS) return this.#tell('busy');
    let left = seconds;
    const showLeft = (): void => fill('left', `${String(Math.floor(left / 60))}:${String(left % 60).padStart(2, '0')}`);
    showLeft();
    this.#tell('waiting');
    this.#countdown = setInterval(() => {
      left -= 1;
      if (left > 0) showLeft();
      else void this.#send();
    }, 1_000);
  }

  #stopWaiting(): void {
    clearInterval(this.#countdown);
    this.#countdown = undefined;
    // The person may be typing: the words change, the focus stays.
    const focused = document.activeElement;
    this.#tell('busy');
    if (focused instanceof HTMLElement) focused.focus();
  }

  #act(action: Action): void {
    switch (action) {
      case 'check':
        return void this.open().then(() => document.activeElement === document.body && focusOn('send'));
      case 'send':
        this.#waits = 0;
        return void this.#send();
      case 'stop':
        return this.#stopWaiting();
      case 'reload':
        return location.reload();
    }
  }

  #noticeFor(error: unknown, otherwise: Notice): Notice {
    return error instanceof SealerError ? noticeForSealer(error.code) : otherwise;
  }

  /** Says what happened and what to do. What was typed stays where it is. */
  #tell(notice: Notice): void {
    fill('today', new Intl.DateTimeFormat(this.#language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(new Date()));
    const kept = !this.#fields.empty;
    show(SHUT.has(notice) && !kept ? null : 'form');
    notify(notice, { kept });
  }
}

// At Tor Browser's Safer level there is no WebAssembly, and trying it makes NoScript cover the page.
if (typeof WebAssembly === 'undefined') {
  show(null);
  notify('no-webassembly');
} else {
  void new Form().open();
}
