import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chained, checkChain, MAX_KEYRING_BYTES, verifyKeyring, type Keyring } from '../crypto/keyring.ts';
import type { PublicKey } from '../crypto/minisign.ts';
import { textOf } from '../crypto/text-file.ts';
import { readUnlinkedFile } from './files.ts';
import { keyId } from './key-id.ts';
import { errorCode, log } from './log.ts';

const MAX_SIGNATURE_BYTES = 4_096;
/** Twenty years of weeks. More would only make every look into the folder slow. */
const MAX_FILES = 1_000;
/** Whatever its number: two downloads of one file make `keyring-7 (1).json`. */
const FILE_NAME = /^keyring.*\.json$/;

export type VerifiedFile = {
  readonly serial: number;
  readonly keyring: Keyring;
  readonly digest: string;
  /** The signed bytes, as published. */
  readonly json: Uint8Array;
  readonly signature: string;
  /** Of the worker's key that the keyring names (runtime/key-id.ts). */
  readonly keyId: string;
};

/** A file that is not used, and why: the code of an error, or KEYRING_COPY for a keyring that another file holds. */
export type UnusedFile = { readonly file: string; readonly code: string };

/** What was in a file and what came of it, so that unchanged files are verified only once. `code` null: nothing is wrong with it. */
type Cached = { readonly json: Buffer; readonly signature: string; readonly verified: VerifiedFile | null; readonly code: string | null };

/** The keyrings in a folder, each a file `keyring*.json` with its `.minisig`: whoever copies them there does so in any order. */
export class KeyringFiles {
  readonly #directory: string;
  readonly #root: PublicKey;
  #files = new Map<string, Cached>();
  #passedOver: readonly UnusedFile[] = [];
  #directoryCode: string | undefined;

  constructor(directory: string, root: PublicKey) {
    this.#directory = directory;
    this.#root = root;
  }

  /** Files that were not used when the folder was last read. Each is logged when that begins. */
  get passedOver(): readonly UnusedFile[] {
    return this.#passedOver;
  }

  /** Reads the folder: the keyrings that verify and fit together, by rising serial. Null while it is unreadable. */
  async read(): Promise<readonly VerifiedFile[] | null> {
    const names = await this.#fileNames();
    if (names === null) return null;
    const files = new Map<string, Cached>();
    for (const name of names) files.set(name, await this.#readFile(name));
    this.#files = files;
    const found = [...files].flatMap(([file, { verified }]) => (verified ? [{ ...verified, file }] : []));
    const copies = found.filter(({ digest }, index) => found.findIndex((other) => other.digest === digest) < index);
    const { fit, refused } = chained(found.filter((each) => !copies.includes(each)));
    this.#note([
      ...[...files].flatMap(([file, { code }]) => (code === null ? [] : [{ file, code }])),
      ...copies.map(({ file }) => ({ file, code: 'KEYRING_COPY' })),
      ...refused.map(({ keyring, error }) => ({ file: keyring.file, code: error.code })),
    ]);
    return fit;
  }

  #note(passedOver: readonly UnusedFile[]): void {
    const known = new Set(this.#passedOver.map(({ file, code }) => `${file} ${code}`));
    for (const { file, code } of passedOver) if (!known.has(`${file} ${code}`)) log.error('keyring ignored', { file, code });
    this.#passedOver = passedOver;
  }

  async #fileNames(): Promise<string[] | null> {
    try {
      const names = await readdir(this.#directory);
      this.#directoryCode = undefined;
      return names
        .filter((name) => FILE_NAME.test(name))
        .sort()
        .slice(0, MAX_FILES);
    } catch (error) {
      const code = errorCode(error);
      if (code !== this.#directoryCode) log.error('keyring directory unreadable', { code });
      this.#directoryCode = code;
      return null;
    }
  }

  async #readFile(name: string): Promise<Cached> {
    const before = this.#files.get(name);
    const path = join(this.#directory, name);
    let json: Buffer = Buffer.alloc(0);
    let signature = '';
    try {
      json = await readUnlinkedFile(path, MAX_KEYRING_BYTES);
      signature = textOf(await readUnlinkedFile(`${path}.minisig`, MAX_SIGNATURE_BYTES));
      if (before?.json.equals(json) && before.signature === signature) return before;
      const { keyring, digest } = verifyKeyring(json, signature, this.#root);
      const verified = { serial: keyring.serial, keyring, digest, json, signature, keyId: keyId(keyring.worker) };
      // Of two with one serial all count the same, whichever was here first.
      if (before?.verified) checkChain(before.verified, { keyring, digest });
      log.info('keyring loaded', { serial: keyring.serial });
      return { json, signature, verified, code: null };
    } catch (error) {
      // Keep the last good keyring while its file is half written or unreadable. Removing the file removes it.
      return { json, signature, verified: before?.verified ?? null, code: errorCode(error) };
    }
  }
}
