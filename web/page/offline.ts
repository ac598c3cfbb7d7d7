// The offline form: a single saved file that seals without a network to the keyrings that it carries, and gives the parcel as text.
import { CodedError } from '../../crypto/errors.ts';
import { currentKeyring, verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { Throwaways } from '../../crypto/letter.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { requestRoom, SEALING_STEPS, sealRequestSteps } from '../../crypto/seal.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampSteps } from '../../crypto/stamp.ts';
import { Fields } from './fields.ts';
import { setUpLeaving } from './leaving.ts';
import { inSuccession } from './coverage.ts';
import { element, fill, focusOn, momentText, Notices, onClick, createViews, setVisible } from './page.ts';
import { inSlices, yieldToEventLoop } from './slices.ts';
import { topicsOf } from './topics.ts';

const show = createViews(['form', 'progress', 'sealed'], ['form', null]);
const notices = new Notices(['expired', 'early', 'topic-gone', 'too-long', 'broken']);
type Notice = NonNullable<typeof notices.shown>;

function noticeFor(error: unknown): Notice {
  if (!(error instanceof CodedError)) return 'broken';
  switch (error.code) {
    case 'KEYRING_EXPIRED':
      return 'expired';
    case 'KEYRING_NOT_YET_VALID':
      return 'early';
    case 'KEYRING_TOPIC':
      return 'topic-gone';
    case 'LETTER_TOO_LONG':
      return 'too-long';
    default:
      return 'broken';
  }
}

class OfflineForm {
  readonly #fields = new Fields(requestRoom);
  readonly #throwaways = new Throwaways();
  /** The sealed parcel as text. Once it is there, nothing else holds the request. */
  readonly #text = element('text', HTMLTextAreaElement);
  #keyrings: VerifiedKeyring[] = [];
  /** Copied or saved. */
  #taken = false;

  constructor() {
    const wipe = (): void => void (this.#text.value = '');
    setUpLeaving(this.#fields, { wipe, ask: () => false, holdsMore: () => this.#text.value !== '' && !this.#taken });
    // By the keyboard or the browser's menu. Only the whole text is of use.
    this.#text.addEventListener('copy', () => {
      this.#taken ||= this.#text.selectionEnd - this.#text.selectionStart === this.#text.value.length;
    });
    onClick('seal', () => void this.#seal());
    onClick('copy', () => this.#copy());
    onClick('save', () => this.#save());
  }

  async start(): Promise<void> {
    try {
      await ready;
      const root = parsePublicKey(ROOT_PUBLIC_KEY);
      this.#keyrings = OFFLINE_KEYRINGS.map(({ json, signature }) => verifyKeyring(new TextEncoder().encode(json), signature, root));
      this.#sayUntil();
      this.#showTopics();
      show('form');
      await this.#fields.countRoom();
      do await yieldToEventLoop();
      while (this.#throwaways.prepare());
    } catch (error) {
      this.#tell(noticeFor(error));
    }
  }

  #showTopics(): void {
    this.#fields.showTopics(topicsOf(currentKeyring(this.#keyrings, new Date()).keyring));
  }

  #sayUntil(): void {
    const last = inSuccession(this.#keyrings, new Date()).at(-1);
    if (last !== undefined) fill('until', momentText(new Date(last.keyring.notAfter)));
    setVisible({ until: last !== undefined });
  }

  async #seal(): Promise<void> {
    if (this.#fields.showMissing()) return;
    notices.show(null);
    show('progress');
    focusOn('progress-title');
    try {
      // Chosen only now: the page may have been open for days.
      const keyring = currentKeyring(this.#keyrings, new Date());
      const steps = sealRequestSteps(this.#fields.read(), keyring, { throwaways: this.#throwaways });
      const parcel = await inSlices(steps, { onStep: (done) => this.#progress('sealing', done / SEALING_STEPS) });
      // How many tries it takes is random; so many on average.
      const onStep = (tries: number): void => this.#progress('stamping', tries / 2 ** OFFLINE_DIFFICULTY);
      const stamped = await inSlices(stampSteps(parcel, OFFLINE_DIFFICULTY), { onStep });
      // The end of the keyring that was used, since the form may carry a later one. The relay's day of grace is not promised.
      fill('before', momentText(new Date(Date.parse(keyring.keyring.notAfter))));
      show('sealed');
      this.#text.value = encodeParcelText(stamped);
      this.#fields.clear();
      focusOn('sealed-title');
    } catch (error) {
      const notice = noticeFor(error);
      // Another keyring has begun since the topics were shown.
      if (notice === 'topic-gone') this.#showTopics();
      this.#tell(notice);
    }
  }

  #progress(stage: 'sealing' | 'stamping', share: number): void {
    setVisible({ 'progress-sealing': stage === 'sealing', 'progress-stamping': stage === 'stamping' });
    element('progress-bar', HTMLProgressElement).value = Math.min(share, 1);
  }

  /** What was typed stays where it is. */
  #tell(notice: Notice): void {
    fill('today', momentText(new Date()));
    show(this.#fields.empty && notice !== 'too-long' ? null : 'form');
    notices.show(notice, { kept: !this.#fields.empty });
  }

  /** Not by `navigator.clipboard`, which not every browser gives to a page from a file. */
  #copy(): void {
    this.#text.select();
    const copied = document.execCommand('copy');
    this.#taken ||= copied;
    setVisible({ copied, 'copy-yourself': !copied });
  }

  #save(): void {
    const link = document.createElement('a');
    const url = URL.createObjectURL(new Blob([this.#text.value], { type: 'text/plain' }));
    // A name that gives nothing away.
    Object.assign(link, { href: url, download: 'text.txt' });
    link.click();
    this.#taken = true;
    // Not at once: the browser may not have read it yet.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}

void new OfflineForm().start();
