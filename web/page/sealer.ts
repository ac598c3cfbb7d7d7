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

/** Whether a keyring was refused for the date of this device alone. */
export function isUntimely(error: unknown): boolean {
  return error instanceof SealerError && (error.code === 'KEYRING_EXPIRED' || error.code === 'KEYRING_NOT_YET_VALID');
}

type OnProgress = (stage: SealingStage, done: number, of: number) => void;
type Waiting = { resolve: (output: never) => void; reject: (error: SealerError) => void; onProgress: OnProgress | undefined };

export class Sealer {
  /**
   * Tor Browser at Safer has no WebAssembly, and trying to use it makes NoScript cover the page, so this only looks whether it is there.
   */
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

  /** Without WebAssembly there are some five thousand hashes a second: during a flood a stamp takes minutes. */
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
   * Resolves once the worker can seal. Throws SealerError when libsodium does not start, UnreachableError when it did not come. Can be
   * tried again.
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

  /** Has the worker do a task. Throws SealerError with the code of what went wrong: WORKER when the worker could not be loaded, or died. */
  ask<K extends Kind>(kind: K, input: Tasks[K]['input'], onProgress?: OnProgress): Promise<Tasks[K]['output']> {
    if (this.#broken) return Promise.reject(new SealerError('WORKER'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, kind, ...input });
    });
  }

  /** Ends the worker, and with it every copy of the text in its memory. */
  destroy(): void {
    this.#broken = true;
    this.#destroyed = true;
    this.#worker.terminate();
    // Promises of tasks under way never settle, and are collected with whoever awaits them.
    this.#waiting.clear();
  }

  /**
   * WebAssembly may be there and yet be refused, by a policy or because its file arrived damaged. Then the build without it is tried, once.
   * Tasks of the first worker fail, as they would if it died.
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

  /** The page fetches the WebAssembly while the worker's script is still loading, which saves a round trip. */
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
