import type { RequestListener } from 'node:http';
import type { PublicKey } from '../crypto/minisign.ts';
import { errorCode, log } from '../runtime/log.ts';
import { createApp, type AppParts } from './app.ts';
import { emptyStatics } from './empty.ts';
import { nowherePage } from './nowhere.ts';
import { OfflineForm } from './offline-form.ts';
import { findForm, loadStatics, type BuiltForm, type StaticFile, type Statics } from './statics.ts';

const LOOK_MS = 10_000;

/** `missing`: none was built yet. `unusable`: what was built last cannot be served, so the one before it is, or none. */
export type FormState = 'ok' | 'missing' | 'unusable';

type Serving = { readonly app: RequestListener; readonly page: StaticFile | undefined; readonly offlineForm: OfflineForm };

/** The form that is served: the one that was built last, from the moment it is whole; until there is one, a page that says nothing. */
export class ServedForm {
  readonly #directory: string;
  readonly #root: () => PublicKey | null;
  readonly #parts: AppParts;
  #serving: Serving;
  #seen: BuiltForm | null = null;
  #state: FormState = 'missing';
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string, root: () => PublicKey | null, parts: AppParts) {
    this.#directory = directory;
    this.#root = root;
    this.#parts = parts;
    this.#serving = this.#serve(emptyStatics());
  }

  get state(): FormState {
    return this.#state;
  }

  /** True when all keyrings of the offline form have ended. */
  get offlineFormEnded(): boolean {
    return this.#serving.offlineForm.hasEnded;
  }

  /** The page for whoever asked for nothing that can be answered. */
  readonly page = (): StaticFile | undefined => this.#serving.page;

  readonly app: RequestListener = (request, response) => this.#serving.app(request, response);

  /** Throws when a form is there that is not whole: then the operator has to know at once. */
  async start(): Promise<void> {
    const built = await findForm(this.#directory);
    // A signature can be verified once there is a root key.
    if (built !== null && (built.signature === null || this.#root() !== null)) await this.#load(built);
    this.#timer = setInterval(this.#look, LOOK_MS);
    this.#timer.unref();
    process.on('SIGHUP', this.#look);
  }

  destroy(): void {
    clearInterval(this.#timer);
    process.off('SIGHUP', this.#look);
    this.#serving.offlineForm.destroy();
  }

  readonly #look = (): void => void this.look();

  /** Takes a form that was built since. What is being built while this looks is taken the next time. */
  async look(): Promise<void> {
    try {
      const built = await findForm(this.#directory);
      if (built === null || (this.#state === 'ok' && isSame(built, this.#seen))) return;
      await this.#load(built);
    } catch (error) {
      if (this.#state !== 'unusable') log.error('form ignored', { code: errorCode(error) });
      this.#state = 'unusable';
    }
  }

  async #load(built: BuiltForm): Promise<void> {
    const statics = await loadStatics(this.#directory, built, this.#root());
    const before = this.#serving;
    this.#serving = this.#serve(statics);
    before.offlineForm.destroy();
    this.#seen = built;
    this.#state = 'ok';
    log.info('form loaded');
  }

  #serve(statics: Statics): Serving {
    const offlineForm = new OfflineForm(statics);
    return { app: createApp(this.#parts, statics, offlineForm), page: nowherePage(statics), offlineForm };
  }
}

function isSame(built: BuiltForm, seen: BuiltForm | null): boolean {
  if (seen === null || !built.manifest.equals(seen.manifest)) return false;
  return built.signature === null || seen.signature === null ? built.signature === seen.signature : built.signature.equals(seen.signature);
}
