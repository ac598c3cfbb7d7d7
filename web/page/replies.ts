// The page of answers: takes the access code, looks into its mailbox in a slot, shows what is there, and sends further words and
// removals. Nothing is kept: whoever leaves the page needs the code again.
import { CodeField } from './code-field.ts';
import { Confirmation } from './confirmation.ts';
import { ConversationView } from './conversation.ts';
import { readStart, fetchWords, SLOW_DIFFICULTY, UnreachableError, type RelayDoor } from './door.ts';
import { Fields } from './fields.ts';
import { LeavingQuestion, setUpLeaving } from './leaving.ts';
import type { Offered } from './messages.ts';
import type { Action, Notice } from './notices.ts';
import { element, focusOn, onAction, onClick, progress, showOne, createViews, setVisible } from './page.ts';
import { SealerError } from './sealer.ts';
import type { Errand } from './sending.ts';
import { PageVisit } from './visit.ts';

const draw = createViews(['enter', 'conversation', 'ended', 'progress'], ['enter', null]);
/** What shows while nothing is being sent or fetched. */
type View = 'enter' | 'conversation' | 'ended';
const OPERATIONS = ['look', 'send', 'delete'] as const;
type Operation = (typeof OPERATIONS)[number];
/** How often to look in a row, when answers moved up in the mailbox. */
const MOST_LOOKS = 20;

class Replies {
  readonly #visit: PageVisit;
  readonly #code = new CodeField();
  readonly #conversation = new ConversationView((ids) => this.#confirmation.askAboutOne(ids));
  readonly #confirmation = new Confirmation((ids, all) => void this.#delete(ids, all));
  readonly #leaving: LeavingQuestion;
  readonly #fields = new Fields((request) => this.#visit.sealer.ask('room', { request }));
  #words: readonly string[] = [];
  #view: View = 'enter';
  #busy = false;
  /** Whether the relay takes parcels. */
  #isDoorOpen = false;
  /** Whether the topic decides which team gets further words that come before an answer. */
  #topicMatters = false;
  /** Does again what did not work. */
  #retry: () => void = () => undefined;

  constructor() {
    const fields = this.#fields;
    const held = {
      get empty() {
        return fields.empty;
      },
      clear: () => this.#clear(),
    };
    setUpLeaving(held, { wipe: () => this.#visit.end(), ask: (href) => this.#askBeforeLeaving(href) });
    // After the quick exit is set up, so that it works whatever the browser refuses here.
    const tell = (notice: Notice): void => this.#tell(notice);
    this.#visit = new PageVisit('read', (offered) => this.#showOffer(offered), tell);
    this.#leaving = new LeavingQuestion(this.#visit.notices, tell);
    onAction((action) => this.#act(action));
    onClick('read', () => void this.#enter());
    onClick('more', () => void this.#look());
    onClick('again', () => void this.#lookAgain());
    onClick('delete-all', () => this.#confirmAll());
    onClick('send', () => void this.#send());
  }

  /** Prepares everything for a look. The code can be typed meanwhile: over Tor this takes its time. */
  async start(): Promise<void> {
    this.#visit.notices.show(null);
    this.#show(this.#view);
    this.#visit.ready(false);
    try {
      const started = this.#visit.sealer.start();
      started.catch(() => undefined);
      const [start, words] = await Promise.all([readStart(), fetchWords(document.documentElement.dataset['words'] ?? '')]);
      this.#words = words;
      this.#code.know(words);
      await started;
      await this.#visit.take(start);
      this.#applyDoor(start.door);
      this.#visit.ready(true);
    } catch (error) {
      this.#visit.notReady(this.#noticeFor(error, 'unreachable'));
    }
  }

  #showOffer({ topics, teams }: Offered): void {
    this.#fields.showTopics(topics);
    this.#topicMatters = topics.length > 1 && teams > 1;
    this.#offerWriting();
  }

  /** Answers can be read behind a closed door too, and where a stamp takes minutes. */
  #applyDoor(door: RelayDoor): void {
    this.#isDoorOpen = door.open;
    const isSlow = door.open && this.#visit.sealer.isSlow && door.difficulty >= SLOW_DIFFICULTY;
    setVisible({ slow: isSlow, 'slow-writing': isSlow, closed: !door.open });
    this.#conversation.allowRemoval(door.open);
    this.#offerWriting();
    if (door.open) this.#visit.sending.start(door.difficulty);
  }

  /** An answer says which team has the conversation; before the first, the topic of the request does. A text stays visible in any case. */
  #offerWriting(): void {
    const isAskedTopic = this.#topicMatters && this.#conversation.handed.team === null;
    setVisible({ write: this.#isDoorOpen || !this.#fields.empty, 'topic-choice': isAskedTopic });
    element('send', HTMLButtonElement).disabled = !this.#isDoorOpen;
  }

  async #enter(): Promise<void> {
    if (this.#busy) return;
    this.#visit.notices.show(null);
    try {
      const problem = await this.#visit.sealer.ask('enter', {
        language: document.documentElement.lang,
        text: this.#code.text,
        words: this.#words,
      });
      if (problem !== null) return this.#code.flag(problem);
    } catch (error) {
      return this.#tell(this.#noticeFor(error, 'no-sealing'));
    }
    // A retry reads the field again: the code in it may be another by then.
    this.#conversation.clear();
    await this.#look(() => this.#enter());
  }

  #look(retry = () => this.#look()): Promise<void> {
    return this.#do('look', retry, async () => {
      const first = this.#conversation.handed.isEmpty;
      let shown = await this.#lookOnce();
      // Answers moved up: everything in this look was known, and there are more.
      for (let looks = 1; shown === null && this.#conversation.handed.unfetched > 0 && looks < MOST_LOOKS; looks += 1) {
        shown = await this.#lookOnce();
      }
      if (shown === 'away') return this.#tell('look-away');
      this.#code.clear();
      this.#offerWriting();
      this.#show('conversation');
      focusOn(first || shown === null || shown === 0 ? 'conversation-title' : `reply-${String(shown)}`);
    });
  }

  async #lookOnce(): Promise<number | null | 'away'> {
    const found = await this.#visit.sending.look(this.#conversation.handed.nextPage);
    return 'retryAfterSeconds' in found ? 'away' : this.#conversation.show(found);
  }

  /** Asks for the door and the keyring first: both may have changed meanwhile. */
  #lookAgain(): Promise<void> {
    const retry = (): Promise<void> => this.#lookAgain();
    return this.#do('look', retry, async () => {
      const start = await readStart();
      await this.#visit.take(start);
      this.#applyDoor(start.door);
      this.#busy = false;
      await this.#look();
    });
  }

  async #send(): Promise<void> {
    if (this.#fields.showMissing()) return;
    const { handed } = this.#conversation;
    const { followUp } = handed;
    const errand = { request: this.#fields.read(), wanted: true, followUp };
    const retry = (): Promise<void> => this.#send();
    await this.#do('send', retry, async () => {
      const problem = await this.#dispatch(errand);
      if (problem !== null) return this.#tell(problem);
      handed.wrote(followUp.number);
      this.#fields.clearMessage();
      this.#fields.countRoom().catch(() => undefined);
      this.#show('conversation');
      setVisible({ sent: true });
      focusOn('sent');
    });
  }

  /** `all`: the person asked to remove all of them, not a single one. */
  async #delete(replies: readonly string[], all: boolean): Promise<void> {
    const retry = (): Promise<void> => this.#delete(replies, all);
    await this.#do('delete', retry, async () => {
      if ((await this.#dispatch({ replies })) !== null) return this.#tell('delete-failed');
      this.#conversation.removed(replies);
      // Otherwise the page stays, for answers that were not fetched yet and for a text that was not sent yet.
      if (all && this.#conversation.handed.unfetched === 0 && this.#fields.empty) return this.#finish();
      this.#show('conversation');
      focusOn('conversation-title');
    });
  }

  /** Null: the relay has taken it; otherwise what to say. */
  async #dispatch(errand: Errand): Promise<Notice | null> {
    const outcome = await this.#visit.sending.send(errand);
    if (outcome.kind === 'accepted') return null;
    return outcome.kind === 'refused' ? outcome.notice : 'busy';
  }

  /** One operation at a time. One that fails can be tried again. */
  async #do(operation: Operation, retry: () => Promise<void>, work: () => Promise<void>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#retry = () => void retry();
    this.#visit.notices.show(null);
    this.#confirmation.hide();
    setVisible({ sent: false });
    showOne(
      OPERATIONS.map((name) => `doing-${name}` as const),
      `doing-${operation}`,
    );
    progress(operation === 'look' ? 'slot' : 'sealing');
    draw('progress');
    focusOn('progress-title');
    try {
      await work();
    } catch (error) {
      const unsent = error instanceof UnreachableError ? error.why : 'refused';
      this.#tell(operation === 'send' ? this.#visit.noticeFor(error, unsent) : this.#noticeFor(error, `${operation}-failed`));
    } finally {
      this.#busy = false;
    }
  }

  /** All that were handed to this page, also those that do not open. Those that it has not fetched stay in the mailbox. */
  #confirmAll(): void {
    const { ids, unfetched } = this.#conversation.handed;
    this.#confirmation.askAboutAll(ids, unfetched, () => void this.#look());
  }

  /** There is nothing more to do here. */
  #finish(): void {
    this.#clear();
    this.#visit.end();
    this.#show('ended');
    focusOn('ended-title');
  }

  /** Leaves nothing of the code, the answers and the text in the page. */
  #clear(): void {
    this.#code.clear();
    this.#fields.clear();
    this.#confirmation.hide();
    this.#conversation.clear();
  }

  #askBeforeLeaving(href: string): boolean {
    if (this.#busy) return false;
    this.#leaving.ask(href);
    return true;
  }

  #act(action: Action): void {
    switch (action) {
      case 'check':
        if (this.#view === 'conversation') return void this.#lookAgain();
        return void this.start().then(() => document.activeElement === document.body && focusOn('typed-code'));
      case 'send':
        return this.#retry();
      case 'reload':
        return location.reload();
      case 'leave':
        this.#clear();
        this.#visit.end();
        return this.#leaving.leave();
      case 'stay':
        return this.#leaving.stay(() => this.#fields.focus());
      case 'stop':
      case 'without':
      // Buttons of the form.
    }
  }

  #noticeFor(error: unknown, otherwise: Notice): Notice {
    if (error instanceof SealerError) {
      // What came back is not a relay's answer.
      if (error.code.startsWith('MAILBOX_')) return 'look-failed';
      if (error.code === 'KEYRING_NONE') return 'look-keys';
    }
    return this.#visit.noticeFor(error, otherwise);
  }

  #show(view: View): void {
    this.#view = view;
    draw(view);
  }

  /** Says what happened and what to do, above the view that was there before. */
  #tell(notice: Notice): void {
    // Nobody should type a code while nothing can be read with it.
    const isUseless = (notice === 'look-keys' || notice === 'clock') && this.#view === 'enter' && this.#code.text === '';
    draw(isUseless ? null : this.#view);
    this.#visit.tell(notice, !this.#fields.empty);
  }
}

void new Replies().start();
