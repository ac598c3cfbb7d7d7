// The request form: checks the door, takes what is typed, sends it, and says what became of it.
import type { Code } from '../../crypto/code.ts';
import { groupsOf } from './address.ts';
import { AnswerChoice } from './choice.ts';
import { ShownCode } from './code.ts';
import { readStart, SLOW_DIFFICULTY, UnreachableError } from './door.ts';
import { Fields } from './fields.ts';
import { LeavingQuestion, setUpLeaving } from './leaving.ts';
import { BLOCKING_NOTICES, DOOR_NOTICES, type Action, type Notice } from './notices.ts';
import { fill, focusOn, onAction, onClick, progress, showGroups, createViews, setVisible } from './page.ts';
import { PageVisit } from './visit.ts';

/** After so many automatic retries the page leaves the next one to the person. */
const MOST_WAITS = 10;

const draw = createViews(['opening', 'form', 'progress', 'accepted'], ['opening', 'form', null]);

/** Null: nothing can be sent, so the page does not invite anybody to write. */
function show(view: Parameters<typeof draw>[0]): void {
  draw(view);
  setVisible({ invitation: view !== null });
}

class Form {
  readonly #visit: PageVisit;
  readonly #fields = new Fields((request) => this.#visit.sealer.ask('room', { request }));
  readonly #leaving: LeavingQuestion;
  readonly #choice = new AnswerChoice();
  readonly #shown = new ShownCode(() => this.#afterCode());
  #busy = false;
  #wasStarted = false;
  #waits = 0;
  #countdown: ReturnType<typeof setInterval> | undefined;
  /** One access code for a visit, made with the first request that wants an answer. */
  #code: Code | null = null;
  /** The word list to show it with, once a request with it may have arrived. */
  #words: readonly string[] | null = null;

  constructor() {
    setUpLeaving(this.#fields, {
      wipe: () => {
        this.#end();
        this.#shown.forget();
      },
      ask: (href) => this.#askBeforeLeaving(href),
      holdsMore: () => this.#shown.held,
    });
    // After the quick exit is set up, so that it works whatever the browser refuses here.
    const tell = (notice: Notice): void => this.#tell(notice);
    this.#visit = new PageVisit('send', ({ topics }) => this.#fields.showTopics(topics), tell);
    this.#leaving = new LeavingQuestion(this.#visit.notices, tell);
    this.#fields.onInput(() => this.#countdown !== undefined && this.#stopWaiting());
    onAction((action) => this.#act(action));
    onClick('send', () => void this.#send());
  }

  /** Checks whether a request can be sent at all. Writing can begin meanwhile: over Tor this takes its time. */
  async start(): Promise<void> {
    this.#visit.notices.show(null);
    // On a first visit the page itself shows the form: typing can begin before this script has loaded.
    if (this.#wasStarted && this.#fields.empty) show('opening');
    this.#wasStarted = true;
    this.#visit.ready(false);
    try {
      const started = this.#visit.sealer.start();
      // Awaited later: a closed door is said first.
      started.catch(() => undefined);
      const start = await readStart();
      const { door } = start;
      if (!door.open) return this.#visit.notReady(DOOR_NOTICES[door.reason]);
      show('form');
      await started;
      await this.#visit.take(start);
      this.#visit.ready(true);
      this.#choice.fetch();
      this.#visit.sending.start(door.difficulty);
      if (this.#visit.sealer.isSlow && door.difficulty >= SLOW_DIFFICULTY) this.#tell('slow-stamp');
      await this.#fields.countRoom();
    } catch (error) {
      this.#visit.notReady(this.#visit.noticeFor(error, 'unreachable'));
    }
  }

  async #send(): Promise<void> {
    if (this.#busy || this.#fields.showMissing()) return;
    this.#busy = true;
    clearInterval(this.#countdown);
    this.#countdown = undefined;
    this.#visit.notices.show(null);
    progress('sealing');
    show('progress');
    focusOn('progress-title');
    try {
      const words = this.#choice.wanted ? await this.#readyCode() : null;
      if (words === undefined) return this.#tell('no-words');
      const wanted = words !== null;
      const outcome = await this.#visit.sending.send({ request: this.#fields.read(), wanted }, () => {
        this.#words = words ?? this.#words;
      });
      if (outcome.kind === 'accepted') this.#accepted(wanted);
      else if (outcome.kind === 'refused') this.#tell(outcome.notice);
      else this.#wait(outcome.seconds);
    } catch (error) {
      this.#tell(this.#visit.noticeFor(error, error instanceof UnreachableError ? error.why : 'refused'));
    } finally {
      this.#busy = false;
    }
  }

  /** Makes the code, and gives the word list to show it with. Undefined when the list does not come. */
  async #readyCode(): Promise<readonly string[] | undefined> {
    const words = await this.#choice.words().catch(() => undefined);
    if (words !== undefined) this.#code ??= await this.#visit.sealer.ask('code', { language: document.documentElement.lang });
    return words;
  }

  /** Leaves nothing of the text in this page's memory, and sends nothing more. */
  #end(): void {
    clearInterval(this.#countdown);
    this.#code = null;
    this.#visit.end();
  }

  /** `wanted`: whether an answer is wanted here. If not, an earlier attempt that wanted one may have arrived all the same. */
  #accepted(wanted: boolean): void {
    const reachable = this.#fields.read().contact !== undefined;
    const words = this.#words;
    const code = words === null ? null : this.#code;
    this.#fields.clear();
    this.#end();
    const hasCode = code !== null;
    setVisible({
      'accepted-earlier': !wanted && hasCode,
      'accepted-with-code': hasCode,
      'accepted-with-contact': reachable,
      'accepted-when': hasCode || reachable,
      'accepted-without-answer': !hasCode && !reachable,
      'accepted-after': !hasCode,
    });
    if (words !== null && code !== null) this.#shown.show(code, words);
    show('accepted');
    focusOn('accepted-title');
  }

  /** The code is gone; in its place the page says how to come back with it. */
  #afterCode(): void {
    showGroups('address', groupsOf(location.host));
    setVisible({ 'accepted-after': true });
    focusOn('replies-title');
  }

  /** The relay is full or its store is away: tries again automatically, as long as the text stays as it is. */
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
    // The person may be typing, so the focus stays where it is.
    const focused = document.activeElement;
    this.#tell('busy');
    if (focused instanceof HTMLElement) focused.focus();
  }

  /** False while something is being sent: then only the browser's own question is asked. */
  #askBeforeLeaving(href: string): boolean {
    if (this.#busy || this.#countdown !== undefined) return false;
    if (this.#shown.held) {
      this.#shown.warn();
      return true;
    }
    this.#leaving.ask(href);
    return true;
  }

  #act(action: Action): void {
    switch (action) {
      case 'check':
        return void this.start().then(() => document.activeElement === document.body && focusOn('send'));
      case 'send':
        this.#waits = 0;
        return void this.#send();
      case 'without':
        this.#choice.decline();
        return void this.#send();
      case 'stop':
        return this.#stopWaiting();
      case 'reload':
        return location.reload();
      case 'stay':
        return this.#leaving.stay(() => this.#fields.focus());
      case 'leave':
        this.#fields.clear();
        this.#end();
        return this.#leaving.leave();
    }
  }

  /** Says what happened and what to do. What was typed stays. */
  #tell(notice: Notice): void {
    const kept = !this.#fields.empty;
    show(BLOCKING_NOTICES.has(notice) && !kept ? null : 'form');
    this.#visit.tell(notice, kept);
  }
}

void new Form().start();
