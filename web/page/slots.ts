// Slots are the moments at which this page may send something of a parcel's size. A request waits for the next slot and takes the
// place of a decoy, so that an upload does not tell that somebody wrote. docs/decisions/003-slots.md.

/** Two slots are never further apart than this many times the mean. */
export const LONGEST_MEANS = 3;

/** `ms`: time until the slot. `decoy`: whether something is sent even if there is no request. */
export type Slot = { ms: number; decoy: boolean };

export type SlotsOptions = {
  /** Draws when the `number`-th slot is, counted from 1, and whether it has a decoy. */
  draw: (number: number) => Promise<Slot>;
  /** Makes a decoy ready to be sent. Called again, it keeps the same one until that is sent. */
  prepare: () => Promise<unknown>;
  /** Sends the decoy. The outcome does not matter. */
  decoy: () => Promise<unknown>;
  /** The longest time to wait for a decoy to be sent. */
  longestMs: number;
};

/** The state of the decoy that was drawn and not sent yet: `due` while it is being made. */
type Decoy = 'none' | 'due' | 'ready';
type Waiting = { exchange: () => Promise<unknown>; reject: (error: unknown) => void };

export class Slots {
  readonly #options: SlotsOptions;
  #number = 0;
  #waiting: Waiting | null = null;
  #decoy: Decoy = 'none';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: 'new' | 'running' | 'stopped' | 'failed' = 'new';

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** Starts the slots. A second call does nothing, unless drawing a slot failed: then it tries again. */
  start(): void {
    if (this.#state === 'running' || this.#state === 'stopped') return;
    this.#state = 'running';
    void this.#next();
  }

  /** Runs an exchange in the next slot. Resolves and rejects as it does; rejects with what `draw` threw when no slot can be drawn. */
  use<T>(exchange: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting = { exchange: () => exchange().then(resolve, reject), reject };
      this.start();
    });
  }

  stop(): void {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
    this.#waiting = null;
  }

  /** Draws the next slot. That happens once the request of this one has ended, or its decoy has, or has taken too long. */
  async #next(): Promise<void> {
    try {
      const { ms, decoy } = await this.#options.draw(this.#number + 1);
      if (this.#state !== 'running') return;
      this.#number += 1;
      if (decoy && this.#decoy === 'none') this.#decoy = 'due';
      if (this.#decoy === 'due') this.#prepare();
      this.#timer = setTimeout(() => void this.#pass().then(() => this.#next()), ms);
    } catch (error) {
      if (this.#state === 'running') this.#state = 'failed';
      this.#taken()?.reject(error);
    }
  }

  /** A decoy that cannot be made now is tried again before the next slot. */
  #prepare(): void {
    this.#options.prepare().then(
      () => {
        // A request may have taken its place meanwhile.
        if (this.#decoy === 'due') this.#decoy = 'ready';
      },
      () => undefined,
    );
  }

  /** A request takes the place of the decoy. A decoy that is not ready leaves this slot empty and waits for a later one. */
  async #pass(): Promise<void> {
    const request = this.#taken();
    const ready = this.#decoy === 'ready';
    if (request !== null || ready) this.#decoy = 'none';
    if (request !== null) await request.exchange();
    else if (ready) await this.#sendDecoy();
  }

  /** Not awaited for ever: on a stalled connection it may take minutes, and a request may be waiting for the next slot. */
  async #sendDecoy(): Promise<void> {
    let timer;
    const longEnough = new Promise((resolve) => {
      timer = setTimeout(resolve, this.#options.longestMs);
    });
    await Promise.race([this.#options.decoy().catch(() => undefined), longEnough]);
    clearTimeout(timer);
  }

  #taken(): Waiting | null {
    const waiting = this.#waiting;
    this.#waiting = null;
    return waiting;
  }
}
