import * as z from 'zod';
import { log } from '../runtime/log.ts';
import type { Statics } from './statics.ts';

/** What the build says of the offline form. Like every file of the build it stands in the manifest. */
const ABOUT_PATH = '/form.json';
const about = z.object({ until: z.iso.datetime() });
const LOOK_MS = 60_000;

/**
 * Whether the keyrings that the offline form carries have all ended. Whoever saved it then would have a file that seals
 * nothing. Found out by a timer and never by a request, so that the log says it once, and says nothing of who came.
 */
export class OfflineForm {
  readonly #untilMs: number;
  readonly #timer: NodeJS.Timeout;
  #hasEnded = false;

  /** Throws when the build says it wrongly. A build that says nothing has no offline form, or one that does not end. */
  constructor(statics: Statics) {
    const file = statics.get(ABOUT_PATH);
    this.#untilMs = typeof file === 'object' ? Date.parse(about.parse(JSON.parse(file.plain.toString('utf8'))).until) : Infinity;
    this.#timer = setInterval(this.#look, LOOK_MS);
    this.#timer.unref();
    this.#look();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  destroy(): void {
    clearInterval(this.#timer);
  }

  /** A clock that was set right may bring it back. */
  readonly #look = (): void => {
    const hasEnded = Date.now() >= this.#untilMs;
    if (hasEnded && !this.#hasEnded) log.warn('offline form ended');
    this.#hasEnded = hasEnded;
  };
}
