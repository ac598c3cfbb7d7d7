// What somebody took with them: a copy of a laptop, of the worker's keys and of Redis' files, and what they get out of it.
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { openSealed, sealParcel } from '../../crypto/parcel.ts';
import { sealReply } from '../../crypto/reply.ts';
import { parseSigner } from '../../crypto/minisign.ts';
import { decrypt } from '../../crypto/age/age.ts';
import { fromUtf8 } from '../../crypto/bytes.ts';
import { contentWith, identitiesIn } from '../support/seized-folder.ts';
import { startRedis } from '../support/redis.ts';
import type { Entry } from './ledger.ts';
import type { Life } from './life.ts';
import { Volunteer } from './volunteer.ts';

export class Seizure {
  /** The laptop's copy, in which they type as its owner would. */
  readonly laptop: Volunteer;
  readonly takenAt: number;
  readonly #dir: string;
  readonly #owner: Volunteer;
  #identities: string[] | undefined;

  private constructor(owner: Volunteer, dir: string, takenAt: number) {
    this.laptop = new Volunteer(owner.name, join(dir, 'laptop'), owner.team);
    this.takenAt = takenAt;
    this.#owner = owner;
    this.#dir = dir;
  }

  /** Takes everything that is there now, and the passphrase. */
  static async take(owner: Volunteer, { machine, nowMs }: Life, dir: string): Promise<Seizure> {
    const seizure = new Seizure(owner, dir, nowMs);
    await cp(owner.home, seizure.laptop.home, { recursive: true });
    await cp(machine.path('identities'), join(dir, 'identities'), { recursive: true });
    await machine.copyRedis(join(dir, 'redis'));
    return seizure;
  }

  async identities(): Promise<string[]> {
    this.#identities ??= await identitiesIn(this.laptop.keys, this.#owner.passphrase);
    return this.#identities;
  }

  /** A parcel, under a keyring, with an answer to whoever wrote this, signed by the laptop's signer. */
  async forgedReply({ thread }: Entry, text: string, verified: VerifiedKeyring | null): Promise<Uint8Array> {
    if (thread === null || verified === null) throw new Error('there is nobody to answer, or no keyring');
    const sealed = await readFile(join(this.laptop.keys, 'signer.age'));
    const signer = await parseSigner(fromUtf8(decrypt(sealed, await this.identities())));
    const [team] = verified.keyring.teams;
    return sealParcel({ kind: 'reply', delivery: sealReply({ team: team?.id ?? '', text }, thread.address, signer) }, verified.keyring);
  }

  /** Of these letters, those that the laptop opens. */
  async opens(entries: readonly Entry[]): Promise<Entry[]> {
    const identities = await this.identities();
    return entries.filter(({ letter }) => letter !== null && contentWith(letter, identities) !== null);
  }

  /** Of these parcels, those that the worker's keys open, and how many of the letters. */
  async workerOpens(entries: readonly Entry[]): Promise<{ parcels: Entry[]; letters: number }> {
    const identities = await identitiesIn(join(this.#dir, 'identities'), '');
    const parcels = entries.filter(({ sealed }) => sealed !== null && opens(sealed, identities));
    return { parcels, letters: entries.filter(({ letter }) => letter !== null && contentWith(letter, identities) !== null).length };
  }

  /** Which of these have their parcel or letter in Redis' files: as Redis loads them, and anywhere in the bytes. */
  async inRedis(entries: readonly Entry[]): Promise<Entry[]> {
    const folder = join(this.#dir, 'redis', 'appendonlydir');
    const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
    const values = [...files, ...(await valuesIn(join(this.#dir, 'redis')))];
    const has = (bytes: Uint8Array | null): boolean => bytes !== null && values.some((value) => value.includes(middleOf(bytes)));
    return entries.filter(({ sealed, letter }) => has(sealed) || has(letter));
  }
}

/** A part in which nothing is the same twice. */
const middleOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.subarray(bytes.length / 2, bytes.length / 2 + 64));

function opens(sealed: Uint8Array, identities: readonly string[]): boolean {
  try {
    openSealed(sealed, identities);
    return true;
  } catch {
    return false;
  }
}

/** All values of hashes in Redis' files, which hold whatever is sealed. */
async function valuesIn(dir: string): Promise<Buffer[]> {
  const redis = await startRedis({ dir });
  try {
    const admin = await redis.connect('admin');
    const values: Buffer[] = [];
    for (const key of await admin.keys('*')) {
      if ((await admin.type(key)) === 'hash') values.push(...(await admin.hvalsBuffer(key)));
    }
    return values;
  } finally {
    await redis.stop();
  }
}
