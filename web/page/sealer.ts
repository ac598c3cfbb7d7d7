// The page's side of the sealing worker.
import { readWasm } from './door.ts';
import type { Tasks, Kind, SealerCode, SealingStage, Tell } from './messages.ts';

export class SealerError extends Error {
  readonly code: SealerCode;

  constructor(code: SealerCode) {
    super(code);
    this.code = code;
  }
}

type OnProgress = (stage: SealingStage, done: number, of: number) => void;
type Waiting = { resolve: (output: never) => void; reject: (error: SealerError) => void; onProgress: OnProgress | undefined };

export class Sealer {
  /** At Tor Browser's Safer level there is no WebAssembly, and trying it makes NoScript cover the page: only looked for. */
  #engine: 'js' | 'wasm' = typeof WebAssembly === 'undefined' ? 'js' : 'wasm';
  #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #started: Promise<unknown> | null = null;
  #lastId = 0;
  #broken = false;
  #destroyed = false;

  constructor() {
    this.#worker = this.#begin();
  }

  /** Without WebAssembly some five thousand hashes a second: a stamp that is asked for during a flood takes minutes. */
  get isSlow(): boolean {
    return this.#engine === 'js';
  }

  #begin(): Worker {
    const worker = new Worker(`/seal-${this.#engine}.js`);
    worker.addEventListener('message', (event: MessageEvent<Tell>) => this.#hear(event.data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker !== this.#worker) return;
      this.#broken = true;
      this.#rejectAll();
    });
    return worker;
  }

  #rejectAll(): void {
    for (const { reject } of this.#waiting.values()) reject(new SealerError('WORKER'));
    this.#waiting.clear();
  }

  /**
   * Resolves once it can seal. Throws SealerError when libsodium does not start, UnreachableError when it did not come; it can be tried
   * again.
   */
  async start(): Promise<void> {
    this.#started ??= this.#load();
    try {
      await this.#started;
    } catch (error) {
      this.#started = null;
      throw error;
    }
  }

  /** Throws SealerError when it fails, with the code of what went wrong: WORKER when the worker itself could not be loaded or died. */
  ask<K extends Kind>(kind: K, input: Tasks[K]['input'], onProgress?: OnProgress): Promise<Tasks[K]['output']> {
    if (this.#broken) return Promise.reject(new SealerError('WORKER'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, kind, ...input });
    });
  }

  /** Ends the worker and with it every copy of the text in its memory. */
  destroy(): void {
    this.#broken = true;
    this.#destroyed = true;
    this.#worker.terminate();
    // Nobody gets an answer any more, and what was asked goes with whoever waits for one.
    this.#waiting.clear();
  }

  /**
   * WebAssembly may be there and yet be refused (by a policy, or because its file came damaged): then the build without it,
   * once. What was asked of the first worker fails, as it would if the worker died.
   */
  async #load(): Promise<void> {
    try {
      await this.#startWorker();
    } catch (error) {
      if (this.#engine === 'js' || this.#destroyed || !(error instanceof SealerError)) throw error;
      this.#worker.terminate();
      this.#rejectAll();
      this.#engine = 'js';
      this.#broken = false;
      this.#worker = this.#begin();
      await this.#startWorker();
    }
  }

  /** The page fetches the WebAssembly while the worker's script is still on its way: a round trip less. */
  async #startWorker(): Promise<void> {
    await this.ask('start', { wasm: this.#engine === 'wasm' ? await readWasm() : null });
  }

  #hear(message: Tell): void {
    const waiting = this.#waiting.get(message.id);
    if (message.kind === 'progress') {
      waiting?.onProgress?.(message.stage, message.done, message.of);
      return;
    }
    this.#waiting.delete(message.id);
    // The kind of task was fixed when it was asked for; the id leads back to it.
    if (message.kind === 'done') waiting?.resolve(message.output as never);
    else waiting?.reject(new SealerError(message.code));
  }
}
