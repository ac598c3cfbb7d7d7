import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { encodeKeyring, keyringDigest, type Keyring } from '../../crypto/keyring.ts';
import { encodePublicKey, generateKeyPair, sign, type SigningKey } from '../../crypto/minisign.ts';
import { PARCEL_HEADER_BYTES, parcelId, sealParcel, type SealableContent } from '../../crypto/parcel.ts';
import { sealLetter } from '../../crypto/letter.ts';
import { ready } from '../../crypto/sodium.ts';
import { keys } from '../../redis/keys.ts';
import { keyId } from '../../runtime/key-id.ts';
import type { WorkerConfig } from '../../worker/config.ts';
import type { InboxSettings } from '../../worker/inboxes/kinds.ts';
import type { Redis } from 'ioredis';
import { digestBefore } from './keyrings.ts';
import type { TestRedis } from './redis.ts';
import { REPLY_WEEKS } from '../../redis/mailboxes.ts';

const HOUR_MS = 3_600_000;

type KeyringOptions = {
  /** Validity in hours from the start of the test file: from, to. */
  readonly hours?: readonly [number, number];
  readonly teams?: readonly string[];
  readonly signers?: readonly string[];
  readonly withoutKey?: boolean;
  /** The serial of another keyring that names the same key of the worker. */
  readonly keyOf?: number;
};

/** What hours are counted from: the same keyring, published again, is the same to the byte. */
const STARTED_MS = Date.now();
/** 64 hex digits that are nobody's key. */
const NOBODY = '5a'.repeat(32);

type PooledParcel = { id: Buffer; sealed: Buffer };

export type Bench = {
  readonly dir: string;
  readonly team: string;
  readonly volunteer: string;
  readonly workerIdentity: string;
  readonly config: WorkerConfig;
  /** Signs and publishes a keyring, and writes the worker's key for it unless told not to. */
  keyring(serial: number, options?: KeyringOptions): Promise<Keyring>;
  /** Of the worker's key that a keyring names (runtime/key-id.ts). */
  keyId(serial?: number): string;
  letter(message?: string): Uint8Array;
  parcel(content?: SealableContent, serial?: number): PooledParcel;
  put(redis: Redis, ...parcels: readonly PooledParcel[]): Promise<void>;
  remove(): Promise<void>;
};

/** A worker's files in a temporary directory: root key, keyring 1 with its key, one Maildir inbox. */
export async function workerBench(
  redis: TestRedis,
  overrides: Partial<WorkerConfig> = {},
  inboxes: (dir: string, team: string) => InboxSettings[] = oneMaildir,
): Promise<Bench> {
  await ready;
  const dir = await mkdtemp(join(tmpdir(), 'relay-worker-'));
  const team = toHex(randomBytes(8));
  const root: SigningKey = generateKeyPair();
  const volunteer = generateIdentity();
  const identities = new Map<number, string>();
  const keyrings = new Map<number, Keyring>();
  const config: WorkerConfig = { ...configIn(dir, redis), inboxes: inboxes(dir, team), ...overrides };
  await makeFolders(config, root);

  const keyringOf = (serial: number): Keyring => {
    const keyring = keyrings.get(serial);
    if (!keyring) throw new Error(`no keyring ${String(serial)}`);
    return keyring;
  };
  const bench: Bench = {
    ...{ dir, team, volunteer, config },
    get workerIdentity() {
      return identities.get(1) ?? '';
    },
    async keyring(serial, options = {}) {
      const identity = identities.get(options.keyOf ?? serial) ?? generateIdentity();
      identities.set(serial, identity);
      const previous = await digestBefore(config.keyrings, serial);
      const keyring = compose(serial, identity, volunteer, { teams: [team], ...options, previous });
      keyrings.set(serial, keyring);
      await publishKeyring(config.keyrings, keyring, root);
      if (options.withoutKey !== true && options.keyOf === undefined)
        await writeFile(join(config.identities, `worker-${String(serial)}.txt`), `${identity}\n`, { mode: 0o600 });
      return keyring;
    },
    keyId: (serial = 1) => keyId(keyringOf(serial).worker),
    letter: (message = 'help') => sealMessage(message, keyringOf(1), volunteer),
    parcel(content = { kind: 'letter', team, letter: bench.letter() }, serial = 1) {
      const sealed = Buffer.from(sealParcel(content, keyringOf(serial)).subarray(PARCEL_HEADER_BYTES));
      return { id: Buffer.from(parcelId(sealed)), sealed };
    },
    async put(client, ...parcels) {
      for (const { id, sealed } of parcels) await client.hset(keys.pool, id, sealed);
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
  await bench.keyring(1);
  return bench;
}

async function makeFolders({ keyrings, identities, rootKeyFile, inboxesFile, inboxes }: WorkerConfig, root: SigningKey): Promise<void> {
  for (const folder of [keyrings, identities]) await mkdir(folder, { mode: 0o700 });
  await writeFile(inboxesFile, JSON.stringify(inboxes));
  await writeFile(rootKeyFile, encodePublicKey(root));
}

function oneMaildir(dir: string, team: string): InboxSettings[] {
  return [{ id: 'inbox-1', team, kind: 'maildir', path: join(dir, 'inbox'), timeoutSeconds: 60 }];
}

/** A round takes a second, and every parcel leaves in its first round. */
function configIn(dir: string, redis: TestRedis): Omit<WorkerConfig, 'inboxes'> {
  return {
    redis: redis.target('worker'),
    keyrings: join(dir, 'keyrings'),
    rootKeyFile: join(dir, 'root.pub'),
    identities: join(dir, 'identities'),
    inboxesFile: join(dir, 'inboxes.json'),
    administrator: null,
    upgradeTo: null,
    torSocks: null,
    roundSeconds: 1,
    flushProbability: 1,
    backlogMs: 72 * HOUR_MS,
    replyWeeks: REPLY_WEEKS,
    limits: { outbox: 1_000, dead: 1_000, replies: 1_000 },
    relay: { pool: 20_000, seen: 1_000_000 },
  };
}

function compose(serial: number, workerIdentity: string, volunteer: string, options: KeyringOptions & Pick<Keyring, 'previous'>): Keyring {
  const [from, until] = options.hours ?? [-1, 7 * 24];
  const names = { ru: 'команда', en: 'team' };
  return {
    version: 1,
    serial,
    notBefore: instant(from),
    notAfter: instant(until),
    previous: options.previous,
    worker: identityToRecipient(workerIdentity),
    teams: (options.teams ?? []).map((id) => ({
      id,
      names,
      topics: [{ id: 'legal', names }],
      recipients: [identityToRecipient(volunteer)],
      signers: [...(options.signers ?? [NOBODY])],
    })),
  };
}

/** Writes the signature first, so that no reader finds the keyring without it. */
async function publishKeyring(directory: string, keyring: Keyring, root: SigningKey): Promise<void> {
  const json = encodeKeyring(keyring);
  const serial = String(keyring.serial);
  const path = join(directory, `keyring-${serial}.json`);
  await writeFile(`${path}.minisig`, sign(json, root, `serial ${serial}`));
  await writeFile(path, json);
}

function sealMessage(message: string, keyring: Keyring, volunteer: string): Uint8Array {
  const digest = keyringDigest(encodeKeyring(keyring));
  return sealLetter({ version: 1, kind: 'request', serial: keyring.serial, keyring: digest, topic: 'legal', language: 'ru', message }, [
    identityToRecipient(volunteer),
  ]);
}

function instant(hours: number): string {
  return `${new Date(STARTED_MS + hours * HOUR_MS).toISOString().slice(0, 19)}Z`;
}

export async function until(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 90_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** File names of a Maildir's letters, read or not. */
export async function maildirFiles(path: string): Promise<string[]> {
  const lists = await Promise.all(['new', 'cur'].map((part) => readdir(join(path, part)).catch(() => [])));
  return lists.flat();
}
