import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GRACE_MS, newestBegun, type Keyring } from '../crypto/keyring.ts';
import type { PublicKey } from '../crypto/minisign.ts';
import { ready } from '../crypto/sodium.ts';
import { KeyringFiles, type UnusedFile, type VerifiedFile } from './keyring-files.ts';
import { errorCode, log } from './log.ts';
import { RootKeyFile, type RootState } from './root-key.ts';

const RELOAD_MS = 10_000;
const HOUR_MS = 3_600_000;
/** A weekend, for an administrator to sign and an operator to install the next one. */
export const EXPIRING_MS = 48 * HOUR_MS;
/**
 * The next keyring is accepted this long before its time, for clocks that differ. Not as soon as its file is there: each keyring
 * has a limit of remembered ids, and whoever used up the next one's in advance would close the door for its week.
 */
export const EARLY_MS = 12 * HOUR_MS;
/** A file in the folder of keyrings: all keys, the administrator's and a volunteer's too, were made on this server, to try it out. */
export const TRIAL_MARK = 'TRIAL';

export type Shelved = VerifiedFile & {
  /** False when one of a higher serial begins no later: then it never counts, and nothing is accepted under it. */
  readonly counts: boolean;
  /** Parcels under this keyring are accepted until then: the end of its use, plus the grace. */
  readonly acceptedUntil: Date;
};

export type ShelfOptions = {
  directory: string;
  /** minisign public key file. */
  rootKeyFile: string;
  now?: () => Date;
};

/** The signed keyrings in a directory (runtime/keyring-files.ts), read again every 10 s and on SIGHUP: which of them count when. */
export class KeyringShelf {
  readonly now: () => Date;
  readonly #options: ShelfOptions;
  readonly #root: RootKeyFile;
  #files: KeyringFiles | undefined;
  #isTrial = false;
  #shelved: readonly Shelved[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#root = new RootKeyFile(options.rootKeyFile);
    this.now = options.now ?? (() => new Date());
  }

  /** Without a root key, or keyrings, the shelf stays empty until they come. */
  async start(): Promise<void> {
    await this.load();
    this.#timer = setInterval(this.#reload, RELOAD_MS);
    this.#timer.unref();
    process.on('SIGHUP', this.#reload);
  }

  destroy(): void {
    clearInterval(this.#timer);
    process.off('SIGHUP', this.#reload);
  }

  async load(): Promise<void> {
    await ready;
    await this.#root.look();
    this.#isTrial = existsSync(join(this.#options.directory, TRIAL_MARK));
    const { key } = this.#root;
    // Nothing can be verified without it.
    if (key === null) return;
    this.#files ??= new KeyringFiles(this.#options.directory, key);
    // Keep the last good keyrings while the directory is unreadable.
    const verified = await this.#files.read();
    if (verified !== null) this.#shelved = withDeadlines(verified);
  }

  /** The root key by which keyrings are verified; null: it has not come yet. */
  get rootKey(): PublicKey | null {
    return this.#root.key;
  }

  get rootState(): RootState {
    return this.#root.state;
  }

  /** All keys were made on this server, to try it out. */
  get isTrial(): boolean {
    return this.#isTrial;
  }

  /** Files that are not used, and why. */
  get passedOver(): readonly UnusedFile[] {
    return this.#files?.passedOver ?? [];
  }

  /** Every keyring that verifies, by rising serial, including those that have ended. */
  all(): readonly Shelved[] {
    return this.#shelved;
  }

  /** The keyring that counts (crypto/keyring.ts), if it can be used: better a closed door than an older keyring. */
  current(): Shelved | null {
    const newest = this.#newest();
    return newest && this.now().getTime() < end(newest.keyring) ? newest : null;
  }

  /**
   * The keyrings that parcels may be sealed under now: the current one, earlier ones within their grace, and the next when its
   * time is near.
   */
  live(): readonly Shelved[] {
    const now = this.now().getTime();
    const next = this.next();
    return this.#shelved.filter((shelved) => {
      if (shelved === next) return now >= begin(next.keyring) - EARLY_MS;
      return shelved.counts && begin(shelved.keyring) <= now && now < shelved.acceptedUntil.getTime();
    });
  }

  /** Those that have yet to begin, in the order in which they will. */
  coming(): readonly Shelved[] {
    const newest = this.#newest()?.serial ?? 0;
    const ahead = this.#shelved.filter(({ serial, keyring, counts }) => counts && serial > newest && begin(keyring) > this.now().getTime());
    return ahead.toSorted((a, b) => begin(a.keyring) - begin(b.keyring));
  }

  /** The keyring that counts after the newest that has begun. */
  next(): Shelved | null {
    return this.coming()[0] ?? null;
  }

  /** `expiring`: the current keyring ends within two days and nothing follows it yet. */
  condition(): 'ok' | 'expiring' | 'none' {
    const current = this.current();
    if (current === null) return 'none';
    const endsSoon = end(current.keyring) - this.now().getTime() < EXPIRING_MS;
    const followed = this.#shelved.some(({ serial, keyring }) => serial > current.serial && end(keyring) > end(current.keyring));
    return endsSoon && !followed ? 'expiring' : 'ok';
  }

  #newest(): Shelved | null {
    return newestBegun(this.#shelved, this.now());
  }

  readonly #reload = (): void => {
    this.load().catch((error: unknown) => log.error('keyring directory unreadable', { code: errorCode(error) }));
  };
}

const begin = (keyring: Keyring): number => Date.parse(keyring.notBefore);
const end = (keyring: Keyring): number => Date.parse(keyring.notAfter);

/**
 * Letters on their way when a keyring stops being current still arrive within the grace.
 * @param bySerial rising
 */
function withDeadlines(bySerial: readonly VerifiedFile[]): Shelved[] {
  return bySerial.map((each, index) => {
    const higher = bySerial.slice(index + 1).map(({ keyring }) => keyring);
    const usedUntilMs = usedUntil(each.keyring, higher);
    return { ...each, counts: begin(each.keyring) < usedUntilMs, acceptedUntil: new Date(usedUntilMs + GRACE_MS) };
  });
}

/** When a keyring stops being the current one: at its end, or when one of a higher serial begins. */
function usedUntil(keyring: Keyring, higher: readonly Keyring[]): number {
  return Math.min(end(keyring), ...higher.map(begin));
}
