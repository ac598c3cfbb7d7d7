import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sealParcel } from '../../crypto/parcel.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import type { RelayConfig } from '../../server/config.ts';
import { Relay } from '../../server/relay.ts';
import { PASTE_PAGES } from '../../crypto/wire.ts';
import { provideFunctions } from '../../redis/functions.ts';
import { ALIVE_SECONDS, keys } from '../../redis/keys.ts';
import { REPLY_WEEKS } from '../../redis/mailboxes.ts';
import { publish } from '../../web/build/publish.ts';
import { type KeyringDirectory, makeKeyrings } from './keyrings.ts';
import { startRedis, type TestRedis, type TestRedisOptions } from './redis.ts';

export const DIFFICULTY = 6;
export const PAGE = '<!doctype html><title>x</title>'.padEnd(5_000, ' ');
export const NOWHERE = '<!doctype html><title>nowhere</title>';

export type TestRelay = {
  readonly dir: string;
  readonly relay: Relay;
  readonly redis: TestRedis;
  readonly keyrings: KeyringDirectory;
  readonly keyring: Keyring;
  /** Of the public and the private listener. */
  readonly url: string;
  readonly privateUrl: string;
  /** An unstamped decoy under the current keyring or another serial. */
  parcel(serial?: number): Uint8Array;
  stamped(serial?: number): Uint8Array;
  /** A decoy with a stamp for the difficulty of a full pool. */
  stampedForFullPool(): Uint8Array;
  /** Sets the worker's sign of life and loads the functions, as a worker does. */
  workerAlive(leftSeconds?: number): Promise<void>;
  workerGone(): Promise<void>;
  /** Waits for /door.json to give this reason. */
  untilDoor(reason: string | null): Promise<void>;
  stop(): Promise<void>;
};

/** What the relay needs of a form, in two languages; each page for pasted text consists of its own name. */
export async function smallForm(directory: string): Promise<string> {
  for (const folder of ['', 'en/']) {
    await mkdir(join(directory, folder, 'paste'), { recursive: true });
    await writeFile(join(directory, folder, 'index.html'), PAGE);
    for (const page of PASTE_PAGES) await writeFile(join(directory, folder, `paste/${page}.html`), `${folder}${page}`);
  }
  await writeFile(join(directory, 'nowhere.html'), NOWHERE);
  await writeFile(join(directory, 'form.js'), 'export {};\n');
  await writeFile(join(directory, 'form.html'), PAGE);
  return directory;
}

type TestRelayOptions = {
  config?: Partial<RelayConfig>;
  redis?: TestRedisOptions;
  withWorker?: boolean;
  withKeyring?: boolean;
  roundSeconds?: number;
};

/** The relay in this process, with a real Redis, a signed keyring and a small form. */
export async function startRelay(options: TestRelayOptions = {}): Promise<TestRelay> {
  const dir = await mkdtemp(join(tmpdir(), 'relay-test-'));
  const redis = await startRedis(options.redis ?? {});
  const keyrings = await makeKeyrings(dir);
  const keyring = await keyrings.add({ serial: 5, fromHours: -24, toHours: 24 * 6 });
  if (options.withKeyring === false) await rm(keyrings.directory, { recursive: true });
  const webDirectory = join(dir, 'web');
  await publish(await smallForm(join(dir, 'staging')), webDirectory);
  await writeFile(join(webDirectory, 'unlisted.txt'), 'no');

  const admin = await redis.connect('admin');
  const workerAlive = async (leftSeconds = ALIVE_SECONDS) => {
    await provideFunctions(admin);
    await admin.set(keys.alive, String(options.roundSeconds ?? 60), 'EX', leftSeconds);
  };
  if (options.withWorker !== false) await workerAlive();

  const relay = new Relay({ ...configOf(redis, keyrings, webDirectory), ...options.config });
  const stop = async () => {
    await relay.destroy();
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await relay.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const [publicPort = 0, privatePort = 0] = options.config?.listen?.kind === 'unix' ? [] : relay.ports;
  const url = `http://127.0.0.1:${String(publicPort)}`;

  const parcel = (serial = keyring.serial) => sealParcel({ kind: 'decoy' }, { serial, worker: keyring.worker });
  return {
    ...{ dir, relay, redis, keyrings, keyring },
    ...{ url, privateUrl: `http://127.0.0.1:${String(privatePort)}` },
    parcel,
    stamped: (serial) => stampParcel(parcel(serial), DIFFICULTY),
    stampedForFullPool: () => stampParcel(parcel(), DIFFICULTY + 10),
    workerAlive,
    workerGone: async () => void (await admin.del(keys.alive)),
    untilDoor: (reason) => untilDoorSays(url, reason),
    stop,
  };
}

function configOf(redis: TestRedis, keyrings: KeyringDirectory, webDirectory: string): RelayConfig {
  return {
    listen: { kind: 'loopback', port: 0 },
    privateListen: { kind: 'loopback', port: 0 },
    redis: redis.target('relay'),
    keyrings: { directory: keyrings.directory, rootKeyFile: keyrings.rootKeyFile },
    webDirectory,
    difficulty: DIFFICULTY,
    poolLimit: 1_000,
    seenLimit: 1_000,
    replyWeeks: REPLY_WEEKS,
    requestTimeoutMs: 120_000,
  };
}

async function untilDoorSays(url: string, reason: string | null): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const door = (await (await fetch(`${url}/door.json`)).json()) as { reason: string | null };
    if (door.reason === reason) return;
    if (Date.now() > deadline) throw new Error(`the door says ${String(door.reason)}, expected ${String(reason)}`);
    await sleep(50);
  }
}
