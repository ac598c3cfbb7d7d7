import { toHex } from '../crypto/bytes.ts';
import { parsePublicKey, type PublicKey } from '../crypto/minisign.ts';
import { textOf } from '../crypto/text-file.ts';
import { readRegularFile } from './files.ts';
import { errorCode, log } from './log.ts';

const MAX_KEY_BYTES = 4_096;

/** `missing`: no such file. `unusable`: unreadable, or no public key. `replaced`: it holds another key than the one that counts. */
export type RootState = 'ok' | 'missing' | 'unusable' | 'replaced';

/**
 * The public root key in its file, which may come later. The first that is read counts until the process ends: whoever could exchange it
 * while it runs would decide who the volunteers are, and nobody would notice.
 */
export class RootKeyFile {
  readonly #path: string;
  #key: PublicKey | null = null;
  #state: RootState = 'missing';

  constructor(path: string) {
    this.#path = path;
  }

  /** What its file was like when it was last looked at. */
  get state(): RootState {
    return this.#state;
  }

  /** The key that counts; null: none has come yet. */
  get key(): PublicKey | null {
    return this.#key;
  }

  /** Looks at the file. Each change of its state is logged. */
  async look(): Promise<void> {
    const { state, code } = await this.#read();
    if (state === this.#state) return;
    this.#state = state;
    if (state === 'ok') log.info('root key loaded');
    else log.error('root key differs', { reason: state, code });
  }

  async #read(): Promise<{ state: RootState; code: string }> {
    try {
      const key = parsePublicKey(textOf(await readRegularFile(this.#path, MAX_KEY_BYTES)));
      this.#key ??= key;
      return { state: toHex(this.#key.key) === toHex(key.key) ? 'ok' : 'replaced', code: 'none' };
    } catch (error) {
      const code = errorCode(error);
      return { state: code === 'ENOENT' ? 'missing' : 'unusable', code };
    }
  }
}
