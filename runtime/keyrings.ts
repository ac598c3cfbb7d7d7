import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chained, checkChain, GRACE_MS, MAX_KEYRING_BYTES, newestBegun, verifyKeyring, type Keyring } from '../crypto/keyring.ts';
import { parsePublicKey, type PublicKey } from '../crypto/minisign.ts';
import { ready } from '../crypto/sodium.ts';
import { textOf } from '../crypto/text-file.ts';
import { readRegularFile } from './files.ts';
import { errorCode, log } from './log.ts';

const RELOAD_MS = 10_000;
const HOUR_MS = 3_600_000;
/** A weekend, for an administrator to sign and an operator to install the next one. */
export const EXPIRING_MS = 48 * HOUR_MS;
/**
 * The next keyring is accepted this long before its time, for clocks that differ. Not as soon as its file is there: each keyring
 * has a limit of remembered ids, and whoever used up the next one's in advance would close the door for its week.
 */
export const EARLY_MS = 12 * HOUR_MS;
const MAX_SIGNATURE_BYTES = 4_096;
const MAX_KEY_BYTES = 4_096;
const FILE_NAME = /^keyring-(?<serial>[1-9]\d{0,9})\.json$/;

export type Shelved = {
  readonly serial: number;
  readonly keyring: Keyring;
  readonly digest: string;
  /** The signed bytes, as published. */
  readonly json: Uint8Array;
  readonly signature: string;
  /** Parcels under this keyring are accepted until then: the end of its use, plus the grace. */
  readonly acceptedUntil: Date;
};

type Verified = Omit<Shelved, 'acceptedUntil'>;
/** What was in a file and what came of it, so that unchanged files are verified, and complained about, only once. */
type CachedFile = { readonly json: Buffer; readonly signature: string; readonly verified: Verified | null };

export type ShelfOptions = {
  directory: string;
  /** minisign public key file. */
  rootKeyFile: string;
  now?: () => Date;
};

/**
 * The signed keyrings in a directory (`keyring-<serial>.json` with `.minisig`), read again every 10 s and on SIGHUP. A file that
 * does not verify, or does not fit to the others (`chained` in crypto/keyring.ts), is logged and ignored.
 */
export class KeyringShelf {
  readonly now: () => Date;
  readonly #options: ShelfOptions;
  #root: PublicKey | undefined;
  #files = new Map<string, CachedFile>();
  #shelved: readonly Shelved[] = [];
  #timer: NodeJS.Timeout | undefined;
  #directoryCode: string | undefined;
  /** Digests of the keyrings that do not fit to the others, each complained about once. */
  #unfit: ReadonlySet<string> = new Set();

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.now = options.now ?? (() => new Date());
  }

  /** Rejects when the root key cannot be read: without it nothing can ever be verified. */
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
    this.#root ??= parsePublicKey(textOf(await readRegularFile(this.#options.rootKeyFile, MAX_KEY_BYTES)));
    const root = this.#root;
    const names = await this.#fileNames();
    // Keep the last good keyrings while the directory is unreadable.
    if (names === null) return;
    const files = new Map<string, CachedFile>();
    for (const name of names) files.set(name, await this.#read(name, root));
    this.#files = files;
    this.#shelved = withDeadlines(this.#fitting([...files.values()].flatMap(({ verified }) => verified ?? [])));
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
    const newest = this.#newest()?.serial ?? 0;
    const next = this.next();
    return this.#shelved.filter((shelved) => {
      const begun = shelved.serial <= newest;
      return (shelved === next && now >= begin(next.keyring) - EARLY_MS) || (begun && now < shelved.acceptedUntil.getTime());
    });
  }

  /** The keyring after the newest that has begun, by serial. */
  next(): Shelved | null {
    const newest = this.#newest()?.serial ?? 0;
    return this.#shelved.find(({ serial }) => serial > newest) ?? null;
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

  #fitting(verified: readonly Verified[]): readonly Verified[] {
    const { fit, refused } = chained(verified);
    for (const { keyring, error } of refused) {
      const isKnown = this.#unfit.has(keyring.digest);
      if (!isKnown) log.error('keyring ignored', { file: `keyring-${String(keyring.serial)}.json`, code: error.code });
    }
    this.#unfit = new Set(refused.map(({ keyring }) => keyring.digest));
    return fit;
  }

  readonly #reload = (): void => {
    this.load().catch((error: unknown) => log.error('keyring directory unreadable', { code: errorCode(error) }));
  };

  async #fileNames(): Promise<string[] | null> {
    try {
      const names = await readdir(this.#options.directory);
      this.#directoryCode = undefined;
      return names.filter((name) => FILE_NAME.test(name));
    } catch (error) {
      const code = errorCode(error);
      if (code !== this.#directoryCode) log.error('keyring directory unreadable', { code });
      this.#directoryCode = code;
      return null;
    }
  }

  async #read(name: string, root: PublicKey): Promise<CachedFile> {
    const before = this.#files.get(name);
    const path = join(this.#options.directory, name);
    let json: Buffer = Buffer.alloc(0);
    let signature = '';
    try {
      json = await readRegularFile(path, MAX_KEYRING_BYTES);
      signature = textOf(await readRegularFile(`${path}.minisig`, MAX_SIGNATURE_BYTES));
      if (before?.json.equals(json) && before.signature === signature) return before;
      const { keyring, digest } = verifyKeyring(json, signature, root);
      const serial = Number(FILE_NAME.exec(name)?.groups?.['serial']);
      if (keyring.serial !== serial) throw new Error('the file name has another serial');
      const verified = { serial, keyring, digest, json, signature };
      // Of two with one serial all count the same, whichever was here first.
      if (before?.verified) checkChain(before.verified, verified);
      log.info('keyring loaded', { serial });
      return { json, signature, verified };
    } catch (error) {
      const known = before?.json.equals(json) === true && before.signature === signature;
      if (!known) log.error('keyring ignored', { file: name, code: errorCode(error) });
      // Keep the last good keyring while its file is half written or unreadable. Removing the file removes it.
      return { json, signature, verified: before?.verified ?? null };
    }
  }
}

const begin = (keyring: Keyring): number => Date.parse(keyring.notBefore);
const end = (keyring: Keyring): number => Date.parse(keyring.notAfter);

/**
 * Letters on their way when a keyring stops being current still arrive within the grace.
 * @param bySerial rising
 */
function withDeadlines(bySerial: readonly Verified[]): Shelved[] {
  return bySerial.map((each, index) => {
    const higher = bySerial.slice(index + 1).map(({ keyring }) => keyring);
    return { ...each, acceptedUntil: new Date(usedUntil(each.keyring, higher) + GRACE_MS) };
  });
}

/** When a keyring stops being the current one: at its end, or when one of a higher serial begins. */
function usedUntil(keyring: Keyring, higher: readonly Keyring[]): number {
  return Math.min(end(keyring), ...higher.map(begin));
}
