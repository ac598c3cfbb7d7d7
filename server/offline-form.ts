import * as z from 'zod';
import { log } from '../runtime/log.ts';
import { OFFLINE_FORM_FILE } from '../runtime/served.ts';
import type { Statics } from './statics.ts';

const aboutSchema = z.object({ until: z.iso.datetime() });
const CHECK_MS = 60_000;

/**
 * Whether all keyrings in the offline form have ended: anybody who saved it after that would have a file that cannot seal.
 * A timer finds out, never a request, so the log says it once and reveals nothing about visitors.
 */
export class OfflineForm {
  readonly #untilMs: number;
  readonly #timer: NodeJS.Timeout;
  #hasEnded = false;

  /** Throws when the description is malformed. A build without one has no offline form, or one that does not end. */
  constructor(statics: Statics) {
    const file = statics.get(`/${OFFLINE_FORM_FILE}`);
    this.#untilMs = typeof file === 'object' ? Date.parse(aboutSchema.parse(JSON.parse(file.plain.toString('utf8'))).until) : Infinity;
    this.#timer = setInterval(this.#check, CHECK_MS);
    this.#timer.unref();
    this.#check();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  destroy(): void {
    clearInterval(this.#timer);
  }

  /** Setting the clock right may bring the form back. */
  readonly #check = (): void => {
    const hasEnded = Date.now() >= this.#untilMs;
    if (hasEnded && !this.#hasEnded) log.warn('offline form ended');
    this.#hasEnded = hasEnded;
  };
}
