// The request form: opens the door, takes what is typed, sends it, and says what became of it.
import { readStart, UnreachableError, type SignedKeyring } from './door.ts';
import { Fields } from './fields.ts';
import { setUpLeaving } from './leaving.ts';
import { noticeForDoor, noticeForSealer, SHUT, type Action, type Notice } from './notices.ts';
import { element, fill, focusOn, noticeShown, notify, onAction, progress, show } from './page.ts';
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
  #opened = false;
  #roomAsked = false;
  #waits = 0;
  #countdown: ReturnType<typeof setInterval> | undefined;
  #leavingTo = '';
  /** What the question about leaving took the place of. */
  #noticeBefore: Notice | null = null;
  #topics = '';

  constructor() {
    setUpLeaving(this.#fields, { wipe: () => this.#end(), ask: (href) => this.#askBeforeLeaving(href) });
    this.#sealer = new Sealer();
    this.#sending = new Sending({
      sealer: this.#sealer,
      slotMs: Number(document.documentElement.dataset['slotSeconds']) * 1_000,
      renewKeyring: async () => this.#take((await readStart()).keyring),
      onStep: progress,
    });
    this.#fields.onInput(() => this.#typed());
    onAction((action) => this.#act(action));
    element('send', HTMLButtonElement).addEventListener('click', () => void this.#send());
  }

  /** Looks whether a request can be sent at all. Writing can begin meanwhile: over Tor this takes its time. */
  async open(): Promise<void> {
    notify(null);
    // At first the page shows the form by itself: typing can begin before this script is there.
    if (this.#opened && this.#fields.empty) show('opening');
    this.#opened = true;
    this.#ready(false);
    try {
      const started = this.#sealer.start();
      // Asked for together, but a closed door comes first.
      started.catch(() => undefined);
      const { door, keyring } = await readStart();
      if (!door.open) return this.#notOpened(noticeForDoor(door.reason));
      show('form');
      await started;
      await this.#take(keyring);
      this.#ready(true);
      this.#sending.start(door.difficulty);
      await this.#countRoom();
    } catch (error) {
      this.#notOpened(this.#noticeFor(error, 'unreachable'));
    }
  }

  /** Nothing is being checked any more until the person asks for it. */
  #notOpened(notice: Notice): void {
    element('checking', HTMLElement).hidden = true;
    this.#tell(notice);
  }

  async #take(keyring: SignedKeyring | null): Promise<void> {
    if (keyring === null) throw new SealerError('KEYRING_EXPIRED');
    const { topics, answerTime } = await this.#sealer.ask('open', keyring);
    // A renewal that changes nothing must not take a field from under somebody's hand.
    if (JSON.stringify(topics) !== this.#topics) this.#fields.showTopics(topics);
    this.#topics = JSON.stringify(topics);
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

  /** Nothing of the text is left in memory that this page holds, and nothing more is sent. */
  #end(): void {
    this.#sending.stop();
    this.#sealer.destroy();
  }

  #accepted(): void {
    const reachable = this.#fields.read().contact !== undefined;
    this.#fields.clear();
    this.#end();
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

  /** On its way, the browser's own question has to do. */
  #askBeforeLeaving(href: string): boolean {
    if (this.#busy || this.#countdown !== undefined) return false;
    this.#leavingTo = href;
    const shown = noticeShown();
    // A second link asks the same question again.
    if (shown !== 'leaving') this.#noticeBefore = shown;
    this.#tell('leaving');
    return true;
  }

  /** A notice that was there before may hold the only button that helps. */
  #stay(): void {
    if (this.#noticeBefore !== null) return this.#tell(this.#noticeBefore);
    notify(null);
    this.#fields.focus();
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
      case 'stay':
        return this.#stay();
      case 'leave':
        this.#fields.clear();
        return location.assign(this.#leavingTo);
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

void new Form().open();
