// The state that an earlier commit left (tests/cases/earlier-state/README.md), run by today's code. Names in Redis are
// written out here and in the test: taken from the code, they would change with it unnoticed.
import { chmod, cp, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type { Redis } from 'ioredis';
import { parseIdentityFile } from '../../crypto/age/identity.ts';
import { codeRoot, readCode } from '../../crypto/code.ts';
import { verifyKeyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import type { LetterContent } from '../../crypto/letter.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';
import type { DeadStatus } from '../../operator/dead-letters.ts';
import type { Status } from '../../operator/status.ts';
import { provideFunctions } from '../../redis/functions.ts';
import { keyId } from '../../runtime/key-id.ts';
import { relayEnv } from '../../server/config.ts';
import { Relay } from '../../server/relay.ts';
import { publish } from '../../web/build/publish.ts';
import { readWorkerConfig } from '../../worker/config.ts';
import type { InboxSettings } from '../../worker/inboxes/kinds.ts';
import { wordList } from './conversation.ts';
import { WholeWorkerStand } from './whole-worker-stand.ts';
import { maildirPaths } from './maildir.ts';
import { OpenedInbox } from './opened-inbox.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { DIFFICULTY, smallForm } from './relay.ts';
import type { Files, PartsWith } from './stand.ts';
import { until } from './worker.ts';

const CASE = fileURLToPath(new URL('../cases/earlier-state', import.meta.url));
const PACKED = '.br';

/** Well within the shortest lease, five seconds. */
const RENEWED_MS = 500;

type Expected = Readonly<{
  now: string;
  environment: Readonly<Record<string, string>>;
  /** By Redis key: its remaining lifetime in ms. */
  leftMs: Readonly<Record<string, number>>;
  claim: Readonly<{ instance: string; parcel: string }>;
  /** By inbox: the text of each letter, by file name. */
  inboxes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  dead: Readonly<{ inbox: string; file: string; text: string }>;
  replies: Readonly<{ before: string[]; after: string[] }>;
  dropped: Readonly<Record<string, string>>;
  status: Omit<Status, 'attention'> & { attention: string[] };
  deadList: DeadStatus[];
}>;

type State = PartsWith<Files> &
  Readonly<{ dir: string; expected: Expected; keyring: VerifiedKeyring; thread: Thread; keyIds: readonly string[] }>;

export class EarlierState extends WholeWorkerStand {
  readonly dir: string;
  readonly expected: Expected;
  /** The current one. */
  readonly keyring: VerifiedKeyring;
  /** Of the access code. */
  readonly thread: Thread;
  /** Of the worker's keys of serials 1 and 2 (runtime/key-id.ts). */
  readonly keyIds: readonly string[];
  #inboxes = new Map<string, OpenedInbox>();
  /** The keys with a lifetime, by name, as Redis dumps them. */
  readonly #dumps = new Map<string, Buffer>();

  constructor(state: State) {
    super(state);
    this.dir = state.dir;
    this.expected = state.expected;
    this.keyring = state.keyring;
    this.keyIds = state.keyIds;
    this.thread = state.thread;
    this.now = new Date(state.expected.now);
  }

  static async restore(): Promise<EarlierState> {
    await ready;
    const dir = await mkdtemp(join(tmpdir(), 'relay-earlier-'));
    await cp(CASE, dir, { recursive: true });
    await unpack(dir);
    const redis = await startRedis({ dir });
    const [admin, client] = [await redis.connect('admin'), await redis.connect('worker')];
    await provideFunctions(client);
    const expected = JSON.parse(await text(dir, 'expected.json')) as Expected;
    const bench = await filesIn(dir, redis, expected.environment);
    const keyrings = [await keyringIn(dir, 1), await keyringIn(dir, 2)] as const;
    const keyIds = keyrings.map((each) => keyId(each.keyring.worker));
    await renameSets(admin, keyIds);
    const [, keyring] = keyrings;
    const state = new EarlierState({ redis, admin, client, bench, dir, expected, keyring, thread: await threadIn(dir), keyIds });
    for (const key of Object.keys(expected.leftMs)) state.#dumps.set(key, (await admin.dumpBuffer(key)) ?? Buffer.alloc(0));
    await state.live();
    return state;
  }

  /** Restores what had a lifetime, with as much of it as then: on a slow machine it may have run out in the meantime. */
  async live(): Promise<void> {
    for (const [key, dump] of this.#dumps) await this.admin.restore(key, this.expected.leftMs[key] ?? 0, dump, 'REPLACE');
  }

  /** Does something while the killed worker seems alive, since its leases are renewed. */
  async meanwhile(work: () => Promise<void>): Promise<void> {
    let renewed = this.live();
    const renewal = setInterval(() => {
      renewed = renewed.then(() => this.live());
    }, RENEWED_MS);
    try {
      await renewed;
      await work();
    } finally {
      clearInterval(renewal);
      await renewed;
    }
  }

  /** Lets the killed worker's leases run out. */
  async outlive(): Promise<void> {
    const leases = Object.keys(this.expected.leftMs).filter((key) => key.startsWith('lease:'));
    for (const key of leases) await this.admin.pexpire(key, 1);
    await until('the end of the leases', async () => (await this.admin.exists(...leases)) === 0);
  }

  override async wholeRound(): Promise<void> {
    await super.wholeRound();
    this.later(this.bench.config.roundSeconds / 3_600);
  }

  /** The text of each letter in an inbox, by file name. */
  async inbox(id: string): Promise<Record<string, string>> {
    const path = join(this.dir, 'inboxes', id);
    const opened = this.#inboxes.get(id) ?? new OpenedInbox(path, join(this.dir, 'volunteer.txt'));
    this.#inboxes.set(id, opened);
    const letters: Record<string, string> = {};
    for (const file of await maildirPaths(path)) letters[basename(file)] = (await opened.contentsOf(file)).map(textOf).join('\n');
    return letters;
  }

  /** Starts the relay with a small form. */
  async relay(): Promise<{ url: string; relay: Relay }> {
    const password = await secret(this.dir, 'relay-password', this.redis.passwords.relay);
    const [web, files] = [join(this.dir, 'web'), this.bench.config];
    await publish(await smallForm(join(this.dir, 'staging')), web);
    const relay = new Relay(
      relayEnv.parse({
        RELAY_LISTEN: '127.0.0.1:0',
        RELAY_PRIVATE_LISTEN: '127.0.0.1:0',
        RELAY_REDIS_SOCKET: this.redis.socketPath,
        RELAY_REDIS_PASSWORD_FILE: password,
        RELAY_KEYRINGS: files.keyrings,
        RELAY_ROOT_KEY: files.rootKeyFile,
        RELAY_WEB: web,
        RELAY_DIFFICULTY: String(DIFFICULTY),
      }),
    );
    await relay.start();
    return { url: `http://127.0.0.1:${String(relay.ports[0])}`, relay };
  }
}

const text = (dir: string, name: string): Promise<string> => readFile(join(dir, name), 'utf8');

async function secret(dir: string, name: string, content: string): Promise<string> {
  await writeFile(join(dir, name), content, { mode: 0o600 });
  return join(dir, name);
}

async function unpack(dir: string): Promise<void> {
  for (const name of await readdir(dir, { recursive: true })) {
    if (!name.endsWith(PACKED)) continue;
    await writeFile(join(dir, name.slice(0, -PACKED.length)), brotliDecompressSync(await readFile(join(dir, name))));
    await unlink(join(dir, name));
  }
}

/** Uses the worker's own parsing of its environment, since those names are the operators' interface. */
async function filesIn(dir: string, redis: TestRedis, environment: Readonly<Record<string, string>>): Promise<Files> {
  const identities = join(dir, 'identities');
  // Of file modes Git keeps only the executable bit.
  for (const name of await readdir(identities)) await chmod(join(identities, name), 0o600);
  const inboxes = join(dir, 'inboxes.json');
  await writeFile(inboxes, (await readFile(inboxes, 'utf8')).replaceAll('/srv/inboxes', join(dir, 'inboxes')));
  const config = readWorkerConfig({
    WORKER_REDIS_SOCKET: redis.socketPath,
    WORKER_REDIS_PASSWORD_FILE: await secret(dir, 'worker-password', redis.passwords.worker),
    WORKER_KEYRINGS: join(dir, 'keyrings'),
    WORKER_ROOT_KEY: join(dir, 'root.pub'),
    WORKER_IDENTITIES: identities,
    WORKER_INBOXES: inboxes,
    ...environment,
  });
  const [{ team }] = config.inboxes as [InboxSettings];
  const [workerIdentity = ''] = parseIdentityFile(await text(dir, 'identities/worker-2.txt'));
  return { team, workerIdentity, config, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Since then the sets of ids are named by the worker's key and not by the serial (docs/decisions/008-keys-by-recipient.md). */
async function renameSets(admin: Redis, keyIds: readonly string[]): Promise<void> {
  for (const [index, id] of keyIds.entries()) {
    for (const set of ['seen', 'arrived', 'opened']) {
      const name = `${set}:${String(index + 1)}`;
      if ((await admin.exists(name)) === 1) await admin.rename(name, `${set}:${id}`);
    }
  }
}

async function keyringIn(dir: string, serial: number): Promise<VerifiedKeyring> {
  const [file, root] = [join(dir, `keyrings/keyring-${String(serial)}.json`), parsePublicKey(await text(dir, 'root.pub'))];
  return verifyKeyring(await readFile(file), await readFile(`${file}.minisig`, 'utf8'), root);
}

async function threadIn(dir: string): Promise<Thread> {
  const read = readCode(await text(dir, 'code.txt'), await wordList('ru'));
  if (!('code' in read)) throw new Error(`no access code: ${read.problem.kind}`);
  return threadOf(codeRoot('ru', read.code));
}

function textOf(content: LetterContent): string {
  if (content.kind === 'cover') throw new Error('nobody wrote a cover');
  return content.kind === 'note' ? content.note.text : content.message;
}
