// Sends parcels: each is sealed once, and the same bytes are sent in slots until the relay has accepted them. Requests and decoys go the
// same way.
import type { Answer } from '../../crypto/answer.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { askMailbox, sendParcel } from './door.ts';
import type { FollowUp, MailboxPage, RequestFields } from './messages.ts';
import { REFUSAL_NOTICES, type Notice } from './notices.ts';
import type { ProgressStage } from './page.ts';
import { isUntimely, type Sealer } from './sealer.ts';
import { LONGEST_MEANS, Slots } from './slots.ts';

/** How often to try a harder stamp, a new keyring or sealing again before the person is told. */
const MAX_RECOVERY_ATTEMPTS = 3;
const LONGEST_WAIT_SECONDS = 300;
const SHORTEST_WAIT_SECONDS = 5;

export type SendingOutcome =
  | { kind: 'accepted' }
  | { kind: 'refused'; notice: Notice }
  /** The relay asks to come again; the parcel is kept for that. */
  | { kind: 'later'; seconds: number };

/** What somebody wants sent: a request or further words, or the removal of replies (their ids). */
export type Errand = { request: RequestFields; wanted: boolean; followUp?: FollowUp } | { replies: readonly string[] };
/** What goes into a parcel. A decoy is only its number in this visit: several may be on their way. */
type Load = Errand | number;
const isErrand = (load: Load): load is Errand => typeof load !== 'number';

export type SendingOptions = {
  sealer: Sealer;
  /** Mean time between two slots. */
  slotMs: number;
  renewKeyring: () => Promise<void>;
  /** Called with the progress of a request; decoys report none. */
  onStage: (stage: ProgressStage, done?: number, of?: number) => void;
};

export class Sending {
  readonly #options: SendingOptions;
  readonly #slots: Slots;
  #difficulty = 0;
  /** The number of the next decoy. */
  #decoy = 0;
  /** Sealed parcels, by their load. The same request is not sealed twice while its keyring's serial is accepted. */
  readonly #parcels = new Map<string, Promise<Uint8Array>>();

  constructor(options: SendingOptions) {
    this.#options = options;
    this.#slots = new Slots({
      draw: (number) => options.sealer.ask('slot', { number, meanMs: options.slotMs }),
      prepare: () => this.#parcelFor(this.#decoy),
      decoy: () => this.#sendDecoy(),
      longestMs: LONGEST_MEANS * options.slotMs,
    });
  }

  /** Starts the slots. Called when the keyring is verified; `difficulty` is what the relay asks of stamps. */
  start(difficulty: number): void {
    this.#difficulty = difficulty;
    this.#slots.start();
  }

  stop(): void {
    this.#slots.stop();
    this.#parcels.clear();
  }

  /**
   * Seals it and sends it in a slot. `onSending`: called when it is sent; from then on it may have arrived, whatever the outcome. Throws
   * SealerError when sealing fails, UnreachableError when no answer came.
   */
  async send(errand: Errand, onSending = (): void => undefined): Promise<SendingOutcome> {
    await this.#parcelFor(errand);
    return this.#inSlot(() => {
      onSending();
      return this.#exchange(errand);
    });
  }

  /**
   * Looks into the mailbox, in a slot as well. Throws SealerError when the relay's answer is not valid, UnreachableError when none came.
   */
  async look(page: number): Promise<MailboxPage> {
    const { sealer } = this.#options;
    const question = await sealer.ask('look', { page });
    return this.#inSlot(async () => {
      const bytes = await askMailbox(question);
      return this.#underValidKeyring(() => sealer.ask('replies', { bytes, page }));
    });
  }

  #inSlot<T>(exchange: () => Promise<T>): Promise<T> {
    const { onStage } = this.#options;
    onStage('slot');
    return this.#slots.use(() => {
      onStage('sending');
      return exchange();
    });
  }

  /** Whatever the outcome, its bytes are not sent again in another slot. */
  async #sendDecoy(): Promise<void> {
    const decoy = this.#decoy;
    this.#decoy += 1;
    await this.#exchange(decoy).finally(() => this.#forget(decoy));
  }

  async #exchange(load: Load): Promise<SendingOutcome> {
    for (let mended = 0; ; mended += 1) {
      const parcel = await this.#parcelFor(load);
      const answer = await sendParcel(parcel, (bytes) => this.#options.sealer.ask('read', { bytes }));
      if (answer === null) return { kind: 'refused', notice: 'refused' };
      if (answer.result === 'accepted') {
        this.#forget(load);
        return { kind: 'accepted' };
      }
      if (mended < MAX_RECOVERY_ATTEMPTS && (await this.#mend(load, parcel, answer))) continue;
      if (answer.retryAfterSeconds > 0) {
        return { kind: 'later', seconds: Math.min(Math.max(answer.retryAfterSeconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS) };
      }
      if (['sealed', 'version', 'damaged'].includes(answer.result)) this.#forget(load);
      return { kind: 'refused', notice: REFUSAL_NOTICES[answer.result] };
    }
  }

  #parcelFor(load: Load): Promise<Uint8Array> {
    const key = JSON.stringify(load);
    const sealed = this.#parcels.get(key) ?? this.#seal(load);
    // An earlier version of a request is never sent.
    if (isErrand(load)) for (const other of this.#parcels.keys()) if (isErrand(JSON.parse(other) as Load)) this.#parcels.delete(other);
    this.#keep(load, sealed);
    return sealed;
  }

  async #seal(load: Load): Promise<Uint8Array> {
    const { sealer, onStage } = this.#options;
    const difficulty = this.#difficulty;
    return this.#underValidKeyring(() => {
      if (!isErrand(load)) return sealer.ask('decoy', { difficulty });
      return 'request' in load
        ? sealer.ask('seal', { ...load, difficulty }, onStage)
        : sealer.ask('delete', { ...load, difficulty }, onStage);
    });
  }

  /** The page may have been open for longer than its keyring is valid: then does the task again, under the one that the relay has now. */
  async #underValidKeyring<T>(task: () => Promise<T>): Promise<T> {
    return task().catch(async (error: unknown) => {
      if (!isUntimely(error)) throw error;
      await this.#options.renewKeyring();
      return task();
    });
  }

  /** Deals with a refusal if that needs nobody's help; true when it is worth sending again. */
  async #mend(load: Load, parcel: Uint8Array, { result, difficulty }: Answer): Promise<boolean> {
    if (result === 'stamp' && difficulty <= HIGHEST_DIFFICULTY) {
      this.#difficulty = difficulty;
      this.#keep(load, this.#options.sealer.ask('stamp', { parcel, difficulty }));
      return true;
    }
    if (result === 'serial') {
      // Its serial has expired: no relay takes these bytes any more.
      this.#forget(load);
      await this.#options.renewKeyring();
      return true;
    }
    if (result === 'damaged') {
      // It was changed after it was sealed, here or on the way, and not accepted, so sealing it again makes no duplicate.
      this.#forget(load);
      return true;
    }
    return false;
  }

  #keep(load: Load, sealed: Promise<Uint8Array>): void {
    const key = JSON.stringify(load);
    this.#parcels.set(key, sealed);
    // What failed is sealed again next time.
    sealed.catch(() => this.#parcels.get(key) === sealed && this.#parcels.delete(key));
  }

  #forget(load: Load): void {
    this.#parcels.delete(JSON.stringify(load));
  }
}
