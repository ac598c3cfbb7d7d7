import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { parseAnswer, type Answer } from '../../crypto/answer.ts';
import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import type { WrittenContent } from '../../crypto/letter.ts';
import { parseSigner } from '../../crypto/minisign.ts';
import type { OptionalOrder } from '../../crypto/order.ts';
import { sealParcel } from '../../crypto/parcel.ts';
import { sealReply } from '../../crypto/reply.ts';
import type { SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import type { ThreadAddress } from '../../crypto/thread.ts';
import { PARTS, type PartSettings } from '../../deploy/demo/parts.ts';
import { choosePort } from '../../deploy/demo/port.ts';
import { prepareDeployment, type Prepared } from '../../deploy/setup/trial.ts';
import { keys } from '../../redis/keys.ts';
import { connect, whenReady, type Role } from '../../redis/connection.ts';
import { http, postParcel, type HttpRequest } from './http.ts';
import { isWritten } from './letters.ts';
import { maildirPaths } from './maildir.ts';
import { OpenedInbox } from './opened-inbox.ts';
import { adminUser, password as newPassword } from './redis.ts';
import { copyPrepared } from './prepared.ts';
import { Programs } from './programs.ts';
import { until } from './worker.ts';

const START_WITHIN_MS = 90_000;
const CONNECT_WITHIN_MS = 5_000;
export const DIFFICULTY = 10;

export type DeploymentOptions = Readonly<{
  /** Kept after `stop` when given. */
  dir?: string;
  roundSeconds?: number;
  flushProbability?: number;
  environment?: PartSettings['environment'];
  /** Changes the prepared files before anything starts, such as to another inbox or an expired keyring. */
  adjust?: (prepared: Prepared) => Promise<void>;
  /** Listens on the unix socket to which an onion service forwards, instead of a port on loopback. */
  onSocket?: boolean;
  /** Mean time between two slots; the form is rebuilt for it. */
  slotSeconds?: number;
  /** False: does not wait for the door to open. */
  untilOpen?: boolean;
  /** `stop` keeps it for the process's next `shareDeployment`, unless a part of it was ended or paused. */
  isShared?: boolean;
}>;

export type Posted = { status: number; answer: Answer };

/** Kept for the next file. Its rounds continue, so it is not kept for long. */
let idle: { deployment: Deployment; ending: NodeJS.Timeout } | undefined;
const IDLE_MS = 20_000;

/** The programs, and what a test does with them: seal, hand in, read the inbox. */
export class Deployment extends Programs {
  /** Not usable where the relay listens on its socket. */
  readonly url: string;
  /** Null where it listens on loopback. */
  readonly socket: string | null;
  readonly keyring: VerifiedKeyring;
  readonly keyringFile: string;
  readonly #isTemporary: boolean;
  readonly #isShared: boolean;
  readonly #inboxes = new Map<string, OpenedInbox>();

  constructor({ layout, keyring, keyringFile }: Prepared, settings: PartSettings, isTemporary: boolean, isShared: boolean) {
    super(layout, settings);
    this.keyring = keyring;
    this.keyringFile = keyringFile;
    this.#isTemporary = isTemporary;
    this.#isShared = isShared;
    this.socket = settings.listen.startsWith('unix:') ? settings.listen.slice('unix:'.length) : null;
    this.url = this.socket === null ? `http://${settings.listen}/` : 'http://relay/';
  }

  get dir(): string {
    return this.layout.dir;
  }
  get rootKey(): string {
    return this.layout.rootKey;
  }
  get inbox(): string {
    return this.layout.inbox;
  }
  get identity(): string {
    return this.layout.volunteerIdentity;
  }
  get signer(): string {
    return this.layout.volunteerSigner;
  }

  /** Returns it for reuse if it is shared, otherwise ends it. */
  async stop(): Promise<void> {
    if (this.#isShared && this.areWhole && idle === undefined) {
      idle = { deployment: this, ending: setTimeout(() => void endIdle(), IDLE_MS) };
    } else {
      await this.end();
    }
  }

  /** Ends all of it, and removes the folder unless it was given. */
  async end(): Promise<void> {
    await this.endParts();
    if (this.#isTemporary) await rm(this.dir, { recursive: true, force: true });
  }

  /** A ready client of Redis as one of the product's users. The caller disconnects it. */
  async connect(role: Role): Promise<Redis> {
    const password = (await readFile(this.layout.passwordFile(role), 'utf8')).trim();
    const redis = connect({ socketPath: this.layout.redisSocket, username: role, password }, role);
    await whenReady(redis, CONNECT_WITHIN_MS);
    return redis;
  }

  /** Waits until everything posted is in an inbox or a mailbox. */
  async untilAllArrived(): Promise<void> {
    const redis = await this.connect('worker');
    try {
      const inboxes = JSON.parse(await readFile(this.layout.inboxes, 'utf8')) as { id: string }[];
      const onTheWay = [keys.pool, keys.claims, ...inboxes.map(({ id }) => keys.outbox(id))];
      await until('nothing on its way', async () => (await redis.exists(...onTheWay)) === 0);
    } finally {
      redis.disconnect();
    }
  }

  /** Waits until everything posted has arrived, and removes what was delivered. */
  async empty(): Promise<void> {
    await this.untilAllArrived();
    for (const path of await maildirPaths(this.inbox)) await rm(path);
    this.#inboxes.clear();
  }

  seal(text: string, topic = 'psychological'): Uint8Array {
    return stampParcel(sealRequest({ topic, language: 'ru', message: text }, this.keyring), DIFFICULTY);
  }

  async post(parcel: Uint8Array, options: HttpRequest = {}): Promise<Posted> {
    const { status, body } = await postParcel(this.url, parcel, { ...this.#way(), ...options });
    return { status, answer: parseAnswer(body) };
  }

  /** The volunteer's signer. */
  async signingKey(): Promise<SigningKeyPair> {
    return parseSigner(await readFile(this.signer, 'utf8'));
  }

  /** A parcel with the volunteer's answer. @param team the id of the team that gets further words */
  async sealReply(
    text: string,
    to: ThreadAddress,
    team = this.keyring.keyring.teams[0]?.id ?? '',
    order: OptionalOrder = {},
  ): Promise<Uint8Array> {
    const delivery = sealReply({ team, text, ...order }, to, await this.signingKey());
    return stampParcel(sealParcel({ kind: 'reply', delivery }, this.keyring.keyring), DIFFICULTY);
  }

  /** The letters of requesters, without notes and cover letters. */
  async letters(inbox = this.inbox): Promise<WrittenContent[]> {
    const opened = this.#inboxes.get(inbox) ?? new OpenedInbox(inbox, this.identity);
    this.#inboxes.set(inbox, opened);
    return (await opened.contents()).filter(isWritten);
  }

  /** Waits until the inbox holds all of these texts. @returns the inbox's texts then, or when time is up */
  async untilDelivered(texts: readonly string[], withinMs = 90_000): Promise<string[]> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const names = (await maildirPaths(this.inbox)).length;
      const there = names < new Set(texts).size ? [] : (await this.letters()).map(({ message }) => message);
      if (texts.every((text) => there.includes(text))) return there;
      if (performance.now() > deadlineMs) return (await this.letters()).map(({ message }) => message);
      await sleep(200);
    }
  }

  async untilOpen(withinMs = START_WITHIN_MS): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    let last = 'no answer';
    while (performance.now() < deadlineMs) {
      try {
        last = Buffer.from((await http(new URL('door.json', this.url).href, { timeoutMs: 4_000, ...this.#way() })).body).toString();
        if ((JSON.parse(last) as { open: boolean }).open) return;
      } catch (error) {
        last = String(error);
      }
      await sleep(50);
    }
    throw new Error(`the door did not open: ${last}\n${await this.logs()}`);
  }

  #way(): HttpRequest {
    return this.socket === null ? {} : { socketPath: this.socket };
  }
}

export async function startDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  await ready;
  // A shared one is in the folder of the run, since its process may have no time to remove it.
  const dir = options.dir ?? (await mkdtemp(join(options.isShared === true ? inject('runFolder') : tmpdir(), 'support-relay-')));
  const prepared =
    options.slotSeconds === undefined ? await copyPrepared(dir) : await prepareDeployment(dir, { slotSeconds: options.slotSeconds });
  await options.adjust?.(prepared);
  const { roundSeconds = 1, flushProbability = 1, environment = {} } = options;
  const listen =
    options.onSocket === true ? `unix:${join(prepared.layout.run, 'relay/relay.sock')}` : `127.0.0.1:${String(await choosePort(0))}`;
  const settings = { listen, roundSeconds, flushProbability, environment };
  const deployment = new Deployment(prepared, settings, options.dir === undefined, options.isShared === true);
  try {
    for (const part of PARTS) deployment.start(part);
    if (options.untilOpen !== false) await deployment.untilOpen();
  } catch (error) {
    await deployment.end();
    throw error;
  }
  return deployment;
}

/**
 * An ordinary, empty deployment for tests of pages. Starting the three programs takes as long as many a test, so the files that one
 * process runs in turn share it. Tests of what the programs store, or how they end, have their own.
 */
export async function shareDeployment(): Promise<Deployment> {
  const waiting = idle;
  idle = undefined;
  if (waiting === undefined) return startDeployment({ isShared: true });
  clearTimeout(waiting.ending);
  await waiting.deployment.empty();
  return waiting.deployment;
}

async function endIdle(): Promise<void> {
  const waiting = idle;
  idle = undefined;
  await waiting?.deployment.end();
}

/** With a client of Redis that may do everything, unlike the product's users, for inspection. Disconnect it first. */
export async function startSearchable(options: Omit<DeploymentOptions, 'adjust'> = {}): Promise<{ deployment: Deployment; admin: Redis }> {
  const password = newPassword();
  const deployment = await startDeployment({ ...options, adjust: ({ layout }) => appendFile(layout.acl, adminUser(password)) });
  return { deployment, admin: new Redis({ path: deployment.layout.redisSocket, username: 'admin', password }) };
}
