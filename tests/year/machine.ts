// The relay's machine: Redis, relay and worker, whose clock the test sets apart from that of the others.
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAnswer, type Result } from '../../crypto/answer.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { verifyKeyring, type Keyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { parsePublicKey, type PublicKey } from '../../crypto/minisign.ts';
import { provideFunctions } from '../../redis/functions.ts';
import { relayEnv } from '../../server/config.ts';
import { Relay } from '../../server/relay.ts';
import { publish } from '../../web/build/publish.ts';
import { readWorkerConfig } from '../../worker/config.ts';
import { http, postParcel } from '../support/http.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { DIFFICULTY, smallForm } from '../support/relay.ts';
import type { Files, PartsWith } from '../support/stand.ts';
import { WholeWorkerStand } from '../support/whole-worker-stand.ts';
import { until } from '../support/worker.ts';
import { setClock } from './calendar.ts';
import type { Team } from './ledger.ts';

/** Many more than a pool of ten needs. */
const MOST_ROUNDS = 200;

export type Start = Readonly<{ open: boolean; reason: string | null; keyring: VerifiedKeyring | null }>;

export class Machine extends WholeWorkerStand {
  readonly dir: string;
  readonly #root: PublicKey;
  #relay: Relay | null = null;
  isUp = false;

  private constructor(parts: PartsWith<Files>, dir: string, root: PublicKey) {
    super(parts);
    this.dir = dir;
    this.#root = root;
  }

  /** @param out what the administrator has carried out: root.pub, and keyrings from which the operator takes the teams' ids */
  static async assemble(dir: string, out: string, nowMs: number): Promise<Machine> {
    for (const folder of ['relay-keyrings', 'worker-keyrings', 'identities', 'inboxes'])
      await mkdir(join(dir, folder), { recursive: true });
    await cp(join(out, 'relay', 'root.pub'), join(dir, 'root.pub'));
    await publish(await smallForm(join(dir, 'staging')), join(dir, 'web'));
    const redis = await startRedis();
    const inboxes = (await teamsIn(join(out, 'relay'))).map(({ name, id }) => ({
      id: name,
      team: id,
      kind: 'maildir',
      path: join(dir, 'inboxes', name),
    }));
    await writeFile(join(dir, 'inboxes.json'), JSON.stringify(inboxes));
    const root = parsePublicKey(await readFile(join(dir, 'root.pub'), 'utf8'));
    const client = await redis.connect('worker');
    await provideFunctions(client);
    const admin = await redis.connect('admin');
    const bench: Files = {
      team: inboxes[0]?.team ?? '',
      workerIdentity: '',
      config: await workerConfig(dir, redis),
      remove: async () => undefined,
    };
    const machine = new Machine({ redis, client, admin, bench }, dir, root);
    machine.now = new Date(nowMs);
    return machine;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#relay?.ports[0])}`;
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** Time passes; a worker whose clock is wrong keeps its error. */
  passes(fromMs: number, toMs: number): void {
    setClock(toMs);
    this.later((toMs - fromMs) / 3_600_000);
  }

  /** The operator copies what was carried out into both folders. */
  async install(out: string): Promise<void> {
    for (const part of ['worker', 'relay']) {
      await cp(join(out, part), this.path(`${part}-keyrings`), { recursive: true });
    }
    // The relay reads them again every ten seconds, which nobody here waits for.
    process.emit('SIGHUP');
    await this.wholeRound();
  }

  async up(): Promise<void> {
    this.#relay = new Relay(
      relayEnv.parse({
        RELAY_LISTEN: '127.0.0.1:0',
        RELAY_PRIVATE_LISTEN: '127.0.0.1:0',
        RELAY_REDIS_SOCKET: this.redis.socketPath,
        RELAY_REDIS_PASSWORD_FILE: this.path('relay.password'),
        RELAY_KEYRINGS: this.path('relay-keyrings'),
        RELAY_ROOT_KEY: this.path('root.pub'),
        RELAY_WEB: this.path('web'),
        RELAY_DIFFICULTY: String(DIFFICULTY),
      }),
    );
    await this.#relay.start();
    this.isUp = true;
  }

  /** Relay and worker end, and Redis is killed. */
  async down(): Promise<void> {
    this.isUp = false;
    await this.#relay?.destroy();
    this.endWorker();
    await this.redis.kill9();
  }

  async restart(): Promise<void> {
    await this.redis.restart();
    for (const client of [this.client, this.admin])
      await until('Redis', () =>
        client.ping().then(
          () => true,
          () => false,
        ),
      );
    await this.up();
  }

  override async stop(): Promise<void> {
    await this.#relay?.destroy();
    await super.stop();
  }

  /** What a page asks for when it is opened. */
  async page(): Promise<Start> {
    const { body } = await http(`${this.url}/start.json`);
    const { door, keyring, signature } = JSON.parse(Buffer.from(body).toString()) as {
      door: { open: boolean; reason: string | null };
      keyring: string | null;
      signature: string;
    };
    return { ...door, keyring: keyring === null ? null : verifyKeyring(Buffer.from(keyring), signature, this.#root) };
  }

  async untilDoor(reason: string | null): Promise<void> {
    await until(`the door: ${String(reason)}`, async () => (await this.page()).reason === reason);
  }

  async post(parcel: Uint8Array): Promise<Result> {
    return parseAnswer((await postParcel(this.url, stampParcel(parcel, DIFFICULTY))).body).result;
  }

  /** Copies the files of Redis as they are once the append-only file was rewritten after a round. */
  async copyRedis(to: string): Promise<void> {
    const settled = /aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/;
    await until('the rewrite', async () => settled.test(await this.admin.info('persistence')));
    await cp(join(this.redis.dir, 'appendonlydir'), join(to, 'appendonlydir'), { recursive: true });
  }

  /** Rounds until the pool is empty: half of it leaves in each. */
  async drain(): Promise<void> {
    for (let rounds = 0; rounds < MOST_ROUNDS && (await this.admin.hlen('pool')) > 0; rounds += 1) await this.wholeRound();
    await this.wholeRound();
  }

  dropped(): Promise<Record<string, string>> {
    return this.admin.hgetall('dropped');
  }
}

/** The operator sees the teams in a keyring; the one that takes legal questions is called so here. */
async function teamsIn(folder: string): Promise<{ name: Team; id: string }[]> {
  const file = (await readdir(folder)).find((name) => name.endsWith('.json')) ?? '';
  const { teams } = JSON.parse(await readFile(join(folder, file), 'utf8')) as Keyring;
  return teams.map(({ id, topics }) => ({ id, name: topics.some((topic) => topic.id === 'legal') ? 'legal' : 'psych' }));
}

async function workerConfig(dir: string, redis: TestRedis): Promise<Files['config']> {
  for (const role of ['relay', 'worker', 'operator'] as const) {
    await writeFile(join(dir, `${role}.password`), redis.passwords[role], { mode: 0o600 });
  }
  return readWorkerConfig({
    WORKER_REDIS_SOCKET: redis.socketPath,
    WORKER_REDIS_PASSWORD_FILE: join(dir, 'worker.password'),
    WORKER_KEYRINGS: join(dir, 'worker-keyrings'),
    WORKER_ROOT_KEY: join(dir, 'root.pub'),
    WORKER_IDENTITIES: join(dir, 'identities'),
    WORKER_INBOXES: join(dir, 'inboxes.json'),
  });
}
