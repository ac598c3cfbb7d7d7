// Slots: the moments at which this page may send something of a parcel's size. A request waits for the next one and goes in
// the place of a decoy, so that an upload does not say that somebody wrote. docs/decisions/003-slots.md.

/** Two slots are never further apart than this many times the mean. */
export const LONGEST_MEANS = 3;

/** `ms`: time until then. `decoy`: whether something is sent also if there is no request. */
export type Slot = { ms: number; decoy: boolean };

export type SlotsOptions = {
  /** When the `number`-th slot is, counted from 1, and whether it has a decoy: random. */
  draw: (number: number) => Promise<Slot>;
  /** Makes a decoy, ready to be sent; asked again, it gives the same one until that is sent. */
  prepare: () => Promise<unknown>;
  /** Sends it. What becomes of it is no matter. */
  decoy: () => Promise<unknown>;
  /** Nothing waits longer for a decoy's end than this. */
  longestMs: number;
};

/** The decoy that was drawn and has not gone: being made, or ready to be sent. */
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

  /** From here on there are slots. A second call changes nothing, but where no slot could be drawn it tries again. */
  start(): void {
    if (this.#state === 'running' || this.#state === 'stopped') return;
    this.#state = 'running';
    void this.#next();
  }

  /** Does an exchange in the next slot, and gives what it gives. Throws what `draw` threw when there is none. */
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

  /** The next slot is drawn when this one's request has ended, or when its decoy has been waited for long enough. */
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

  /** What cannot be made now is tried anew before the next slot. */
  #prepare(): void {
    this.#options.prepare().then(
      () => {
        // A request may have taken its place meanwhile.
        if (this.#decoy === 'due') this.#decoy = 'ready';
      },
      () => undefined,
    );
  }

  /** A request goes in the place of the decoy. A decoy that is not ready leaves this slot empty and goes in a later one. */
  async #pass(): Promise<void> {
    const request = this.#taken();
    const ready = this.#decoy === 'ready';
    if (request !== null || ready) this.#decoy = 'none';
    if (request !== null) await request.exchange();
    else if (ready) await this.#sendDecoy();
  }

  /** On a stalled connection it may take minutes, and a request may be waiting for the next slot. */
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
