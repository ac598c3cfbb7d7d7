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
import type { WorkerConfig } from '../../worker/config.ts';
import type { InboxSettings } from '../../worker/inboxes/kinds.ts';
import type { Redis } from 'ioredis';
import type { TestRedis } from './redis.ts';
import { REPLY_WEEKS } from '../../redis/mailboxes.ts';

const HOUR_MS = 3_600_000;

export type Bench = {
  readonly dir: string;
  readonly team: string;
  readonly volunteer: string;
  readonly workerIdentity: string;
  readonly config: WorkerConfig;
  /** Signs and shelves a keyring; makes the worker's key of it unless told not to. */
  keyring(
    serial: number,
    options?: { hours?: readonly [number, number]; teams?: readonly string[]; signers?: readonly string[]; withoutKey?: boolean },
  ): Promise<Keyring>;
  letter(message?: string): Uint8Array;
  parcel(content?: SealableContent, serial?: number): { id: Buffer; sealed: Buffer };
  put(redis: Redis, ...parcels: readonly { id: Buffer; sealed: Buffer }[]): Promise<void>;
  remove(): Promise<void>;
};

/** A worker's files in a temporary directory: root key, keyring 1, its key, one Maildir inbox. */
export async function workerBench(
  redis: TestRedis,
  overrides: Partial<WorkerConfig> = {},
  inboxes?: (dir: string, team: string) => InboxSettings[],
): Promise<Bench> {
  await ready;
  const dir = await mkdtemp(join(tmpdir(), 'relay-worker-'));
  const team = toHex(randomBytes(8));
  const root: SigningKey = generateKeyPair();
  const volunteer = generateIdentity();
  const identities = new Map<number, string>();
  const keyrings = new Map<number, Keyring>();
  const config: WorkerConfig = {
    redis: redis.target('worker'),
    keyrings: join(dir, 'keyrings'),
    rootKeyFile: join(dir, 'root.pub'),
    identities: join(dir, 'identities'),
    inboxes: inboxes?.(dir, team) ?? [{ id: 'inbox-1', team, kind: 'maildir', path: join(dir, 'inbox'), timeoutSeconds: 60 }],
    roundSeconds: 1,
    flushProbability: 1,
    backlogMs: 72 * HOUR_MS,
    replyWeeks: REPLY_WEEKS,
    limits: { outbox: 1_000, dead: 1_000, replies: 1_000 },
    relay: { pool: 20_000, seen: 1_000_000 },
    ...overrides,
  };
  for (const folder of [config.keyrings, config.identities]) await mkdir(folder, { mode: 0o700 });
  await writeFile(config.rootKeyFile, encodePublicKey(root));

  const bench: Bench = {
    dir,
    team,
    volunteer,
    get workerIdentity() {
      return identities.get(1) ?? '';
    },
    config,
    async keyring(serial, options = {}) {
      const [from, until] = options.hours ?? [-1, 7 * 24];
      const identity = identities.get(serial) ?? generateIdentity();
      identities.set(serial, identity);
      const names = { ru: 'команда', en: 'team' };
      const keyring: Keyring = {
        version: 1,
        serial,
        notBefore: instant(from),
        notAfter: instant(until),
        previous: null,
        worker: identityToRecipient(identity),
        teams: (options.teams ?? [team]).map((id) => ({
          id,
          names,
          topics: [{ id: 'legal', names }],
          recipients: [identityToRecipient(volunteer)],
          signers: [...(options.signers ?? [])],
        })),
      };
      keyrings.set(serial, keyring);
      const json = encodeKeyring(keyring);
      const path = join(config.keyrings, `keyring-${String(serial)}.json`);
      await writeFile(`${path}.minisig`, sign(json, root, `serial ${String(serial)}`));
      await writeFile(path, json);
      if (options.withoutKey !== true)
        await writeFile(join(config.identities, `worker-${String(serial)}.txt`), `${identity}\n`, { mode: 0o600 });
      return keyring;
    },
    letter(message = 'help') {
      const keyring = keyrings.get(1);
      if (!keyring) throw new Error('no keyring 1');
      const digest = keyringDigest(encodeKeyring(keyring));
      return sealLetter({ version: 1, kind: 'request', serial: 1, keyring: digest, topic: 'legal', language: 'ru', message }, [
        identityToRecipient(volunteer),
      ]);
    },
    parcel(content = { kind: 'letter', team, letter: bench.letter() }, serial = 1) {
      const keyring = keyrings.get(serial);
      if (!keyring) throw new Error(`no keyring ${String(serial)}`);
      const sealed = Buffer.from(sealParcel(content, keyring).subarray(PARCEL_HEADER_BYTES));
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

function instant(hoursFromNow: number): string {
  return `${new Date(Date.now() + hoursFromNow * HOUR_MS).toISOString().slice(0, 19)}Z`;
}

export async function until(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 90_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Names of the letters a Maildir holds, read or not. */
export async function maildirFiles(path: string): Promise<string[]> {
  const lists = await Promise.all(['new', 'cur'].map((part) => readdir(join(path, part)).catch(() => [])));
  return lists.flat();
}
