// The page's side of the sealing worker.
import type { Exchanges, Kind, SealerCode, Step, Tell } from './messages.ts';

export class SealerError extends Error {
  readonly code: SealerCode;

  constructor(code: SealerCode) {
    super(code);
    this.code = code;
  }
}

type Waiting = { resolve: (reply: never) => void; reject: (error: SealerError) => void };

export class Sealer {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #broken = false;
  onProgress: (step: Step, done: number, of: number) => void = () => undefined;

  constructor() {
    this.#worker = new Worker('/seal.js');
    this.#worker.addEventListener('message', (event: MessageEvent<Tell>) => this.#hear(event.data));
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#broken = true;
      for (const { reject } of this.#waiting.values()) reject(new SealerError('WORKER'));
      this.#waiting.clear();
    });
  }

  /** @throws SealerError with the code of what went wrong; WORKER when the worker itself could not be loaded or died. */
  ask<K extends Kind>(kind: K, question: Exchanges[K]['ask']): Promise<Exchanges[K]['reply']> {
    if (this.#broken) return Promise.reject(new SealerError('WORKER'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, kind, ...question });
    });
  }

  /** Ends the worker and with it every copy of the text in its memory. */
  destroy(): void {
    this.#broken = true;
    this.#worker.terminate();
  }

  #hear(message: Tell): void {
    if (message.kind === 'progress') {
      this.onProgress(message.step, message.done, message.of);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    // The exchange's kind was fixed when it was asked; the id leads back to it.
    if (message.kind === 'done') waiting?.resolve(message.reply as never);
    else waiting?.reject(new SealerError(message.code));
  }
}
