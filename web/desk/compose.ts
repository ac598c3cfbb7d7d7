// The answer that is being written, to one conversation at a time.
import { shuffled } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { LETTER_RECIPIENTS, type NoteContent } from '../../crypto/letter.ts';
import { NOTE_ACTIONS, type NoteAction } from '../../crypto/note.ts';
import { replyRoom } from '../../crypto/reply.ts';
import { stampSteps } from '../../crypto/stamp.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { composeSteps, type Means, type Said } from '../../volunteer/answers.ts';
import { aliasFrom, isAlias } from '../../volunteer/conversations/alias.ts';
import { isWritten, orderAfter, type Conversation } from '../../volunteer/conversations/conversations.ts';
import { element, focusOn, setVisible } from '../page/page.ts';
import { inSlices } from '../page/slices.ts';
import { cautionsAbout } from './cautions.ts';
import type { Office } from './office.ts';
import { phrase } from './phrases.ts';

const ROUND_TO_LETTERS = 10;
/** The note is encapsulated to so many recipients. */
const SEALING_STEPS = LETTER_RECIPIENTS;

type Needs = {
  office: Office;
  alias: () => string;
  known: () => Parameters<typeof cautionsAbout>[1];
  /** Resolves when everything has been read that was given so far. */
  settled: () => Promise<void>;
  /** Shows that something is being done, and its progress (0 to 1); null when it is over. */
  work: (share: number | null) => void;
  /** Called with the sealed answer. `id`: of the conversation, as it is shown. */
  done: (id: string, note: NoteContent, parcels: Uint8Array[]) => void;
  /** Called when something happened that should not. */
  broken: () => void;
};

export class Compose {
  readonly #panel = element('compose', HTMLElement);
  readonly #text = element('text', HTMLTextAreaElement);
  readonly #to = element('to', HTMLInputElement);
  readonly #difficulty = element('difficulty', HTMLInputElement);
  readonly #letterBytes = Number(document.documentElement.dataset['letterBytes'] ?? 1);
  readonly #needs: Needs;
  #conversation: Conversation | null = null;
  #busy = false;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#difficulty.value = String(OFFLINE_DIFFICULTY);
    this.#text.addEventListener('input', () => this.#showRoom());
    element('actions', HTMLElement).addEventListener('change', () => this.#showRoom());
    element('seal', HTMLButtonElement).addEventListener('click', () => void this.#seal().catch(() => this.#needs.broken()));
    element('discard', HTMLButtonElement).addEventListener('click', () => {
      if (this.holds && !confirm(phrase('discard').textContent)) return;
      this.close();
    });
  }

  get holds(): boolean {
    return this.#text.value.trim() !== '' || this.#to.value.trim() !== '';
  }

  /** The key of the thread that is being answered; null when the panel is closed. */
  get thread(): string | null {
    return this.#conversation?.address?.key ?? null;
  }

  /** Unfinished text never ends up in another conversation. */
  openFor(conversation: Conversation, place: HTMLElement): void {
    if (this.thread !== null && this.thread !== conversation.address?.key && (this.holds || this.#busy)) {
      this.#tell('other-draft');
    } else {
      this.#tell(null);
      // Nor does what was chosen for one conversation.
      if (this.thread !== conversation.address?.key) this.forget();
      this.moveTo(conversation, place);
      this.#showRoom();
    }
    focusOn('compose-title');
  }

  /** Also called when the list was drawn again: the same conversation may have more letters by then. */
  moveTo(conversation: Conversation, place: HTMLElement): void {
    this.#conversation = conversation;
    place.append(this.#panel);
    this.#panel.hidden = false;
  }

  close(): void {
    if (this.#busy) return;
    this.forget();
    this.#panel.hidden = true;
    document.querySelector('main')?.append(this.#panel);
  }

  forget(): void {
    this.#text.value = '';
    this.#to.value = '';
    this.#conversation = null;
    element('action-answer', HTMLInputElement).checked = true;
  }

  #action(): NoteAction {
    return NOTE_ACTIONS.find((action) => element(`action-${action}`, HTMLInputElement).checked) ?? 'answer';
  }

  #said(): Said {
    const action = this.#action();
    const to = action === 'handover' ? { to: aliasFrom(this.#to.value) } : {};
    return { action, text: this.#text.value.trim(), alias: aliasFrom(this.#needs.alias()), ...to };
  }

  #tell(name: string | null): void {
    element('compose-status', HTMLElement).replaceChildren(...(name === null ? [] : [phrase(name)]));
  }

  #showRoom(): void {
    setVisible({ 'to-field': this.#action() === 'handover' });
    const bytes = replyRoom(this.#text.value.trim());
    const letters = Math.floor(Math.abs(bytes) / this.#letterBytes / ROUND_TO_LETTERS) * ROUND_TO_LETTERS;
    const shown = String(Math.max(letters, ROUND_TO_LETTERS));
    element('room', HTMLElement).replaceChildren(phrase(bytes < 0 ? 'over' : 'room', { letters: shown }));
  }

  /** What is missing: the name of the phrase that says so, and the field. */
  #missing({ action, text, to = '', alias }: Said, difficulty: number): [string, HTMLElement] | null {
    if (action === 'answer' && text === '') return ['need-text', this.#text];
    if (action === 'handover' && !isAlias(to)) return [to === '' ? 'need-to' : 'bad-alias', this.#to];
    if (!isAlias(alias)) return [alias === '' ? 'need-alias' : 'bad-alias', element('alias', HTMLInputElement)];
    if (replyRoom(text) < 0) return ['too-long', this.#text];
    if (!Number.isInteger(difficulty) || difficulty < 0 || difficulty > HIGHEST_DIFFICULTY) return ['need-difficulty', this.#difficulty];
    return null;
  }

  /** Null when the keyring does not list the signer. Throws KEYRING_EXPIRED or KEYRING_NOT_YET_VALID when there is none to answer under. */
  #means({ letters }: Conversation): Means | null {
    const { office } = this.#needs;
    const verified = office.current(new Date());
    const team = office.team(verified, letters.find(isWritten)?.content.topic);
    return office.signer === null || team === null ? null : { signer: office.signer, verified, team };
  }

  async #seal(): Promise<void> {
    // A letter that is still being read may say that somebody has the conversation.
    await this.#needs.settled();
    const conversation = this.#conversation;
    const address = conversation?.address ?? null;
    if (conversation === null || address === null || this.#busy) return;
    const difficulty = this.#difficulty.value === '' ? Number.NaN : Number(this.#difficulty.value);
    const said = this.#said();
    const missing = this.#missing(said, difficulty);
    this.#tell(missing?.[0] ?? null);
    if (missing !== null) {
      const folded = missing[1].closest('details');
      if (folded !== null) folded.open = true;
      return missing[1].focus();
    }
    this.#setBusy(true);
    try {
      const means = this.#means(conversation);
      if (means === null) return this.#tell('need-signer');
      if (!cautionsAbout(conversation, this.#needs.known(), said, means).every((caution) => confirm(caution))) return;
      const language = conversation.letters[0]?.content.language ?? document.documentElement.lang;
      const place = { address, language, order: orderAfter(conversation.letters) };
      const onSealed = (done: number): void => this.#needs.work(done / SEALING_STEPS);
      const { note, noteParcel, reply } = await inSlices(composeSteps(said, place, means), { onStep: onSealed });
      // So that their order does not say which is the reply and which the note.
      const parcels = shuffled(reply === null ? [noteParcel] : [reply, noteParcel]);
      const stamped: Uint8Array[] = [];
      // How many tries it takes is random; so many on average.
      const onStamped = (tries: number): void => this.#needs.work(Math.min(tries / 2 ** difficulty, 1));
      for (const parcel of parcels) stamped.push(await inSlices(stampSteps(parcel, difficulty), { onStep: onStamped }));
      this.#setBusy(false);
      this.close();
      this.#needs.done(conversation.id, note, stamped);
    } catch (error) {
      this.#tell(problemOf(error));
    } finally {
      this.#setBusy(false);
    }
  }

  /** While an answer is being sealed, nothing of it may change. */
  #setBusy(busy: boolean): void {
    this.#busy = busy;
    this.#panel.inert = busy;
    this.#needs.work(busy ? 0 : null);
  }
}

function problemOf(error: unknown): string {
  switch (error instanceof CodedError ? error.code : null) {
    case 'KEYRING_EXPIRED':
    case 'KEYRING_NOT_YET_VALID':
      return 'need-keyring';
    case 'REPLY_TOO_LONG':
    case 'LETTER_TOO_LONG':
      return 'too-long';
    case 'RECIPIENT_FORMAT':
      return 'unusable-address';
    default:
      throw error;
  }
}
