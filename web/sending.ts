// One request on its way: sealed once, sent as the same bytes until the relay has taken them.
import { HIGHEST_DIFFICULTY, sendParcel } from './door.ts';
import type { Answer, RequestFields } from './messages.ts';
import { noticeForRefusal, type Notice } from './notices.ts';
import { SealerError, type Sealer } from './sealer.ts';

/** How often a dearer stamp or a new keyring is tried before the person is told. */
const MOST_MENDINGS = 3;
const LONGEST_WAIT_SECONDS = 300;
const SHORTEST_WAIT_SECONDS = 5;

export type Outcome =
  | { kind: 'accepted' }
  | { kind: 'refused'; notice: Notice }
  /** The relay asks to come again; the parcel is kept for that. */
  | { kind: 'later'; seconds: number };

export class Sending {
  readonly #sealer: Sealer;
  readonly #renewKeyring: () => Promise<void>;
  readonly #onSending: () => void;
  #difficulty = 0;
  /** The sealed parcel and the request it was made of. The same request is never sealed twice while its serial lives. */
  #parcel: { of: string; bytes: Uint8Array } | null = null;

  constructor(sealer: Sealer, renewKeyring: () => Promise<void>, onSending: () => void) {
    this.#sealer = sealer;
    this.#renewKeyring = renewKeyring;
    this.#onSending = onSending;
  }

  set difficulty(bits: number) {
    this.#difficulty = bits;
  }

  forget(): void {
    this.#parcel = null;
  }

  /** @throws SealerError, UnreachableError */
  async send(request: RequestFields): Promise<Outcome> {
    for (let mended = 0; ; mended += 1) {
      const parcel = await this.#parcelFor(request);
      this.#onSending();
      const answer = await sendParcel(parcel, (bytes) => this.#sealer.ask('read', { answer: bytes }));
      if (answer === null) return { kind: 'refused', notice: 'refused' };
      if (answer.result === 'accepted') return { kind: 'accepted' };
      if (mended < MOST_MENDINGS && await this.#mend(answer, parcel)) continue;
      if (answer.retryAfterSeconds > 0) {
        return { kind: 'later', seconds: Math.min(Math.max(answer.retryAfterSeconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS) };
      }
      if (answer.result === 'sealed' || answer.result === 'version') this.forget();
      return { kind: 'refused', notice: noticeForRefusal(answer.result) };
    }
  }

  async #parcelFor(request: RequestFields): Promise<Uint8Array> {
    const of = JSON.stringify(request);
    if (this.#parcel?.of === of) return this.#parcel.bytes;
    const seal = (): Promise<Uint8Array> => this.#sealer.ask('seal', { request, difficulty: this.#difficulty });
    const bytes = await seal().catch(async (error: unknown) => {
      // A page may have been open for longer than its keyring lives.
      if (!(error instanceof SealerError && error.code === 'KEYRING_EXPIRED')) throw error;
      await this.#renewKeyring();
      return seal();
    });
    this.#parcel = { of, bytes };
    return bytes;
  }

  /** Does what the relay asks for, if that needs nobody's help. */
  async #mend({ result, difficulty }: Answer, parcel: Uint8Array): Promise<boolean> {
    if (result === 'stamp' && difficulty <= HIGHEST_DIFFICULTY && this.#parcel !== null) {
      this.#difficulty = difficulty;
      this.#parcel.bytes = await this.#sealer.ask('stamp', { parcel, difficulty });
      return true;
    }
    if (result === 'serial') {
      // Its serial is dead: no relay takes these bytes any more.
      this.forget();
      await this.#renewKeyring();
      return true;
    }
    return false;
  }
}
