// The doctor: the verdict first, then what to do, worst first, and what it could not look at.
import { appendFile, chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { readQuestion } from '../../redis/asking.ts';
import { keys } from '../../redis/keys.ts';
import { cli, type CliInput, type CliResult } from '../support/cli.ts';
import { startSearchable, type Deployment } from '../support/deployment.ts';
import { toolsCommands } from '../support/documents.ts';
import { OpenedInbox } from '../support/opened-inbox.ts';
import { OperatorStand } from '../support/operator-stand.ts';
import { until } from '../support/worker.ts';

type Told = { complaints: { code: string; runbook: string }[]; tests: object[]; seen: string[]; unseen: { what: string }[] };
const told = ({ text }: CliResult): Told => JSON.parse(text) as Told;
const codes = (result: CliResult): string[] => told(result).complaints.map(({ code }) => code);

describe('a deployment', () => {
  let deployment: Deployment;
  let admin: Redis;
  beforeAll(async () => {
    ({ deployment, admin } = await startSearchable());
    // All keys of a test's deployment are made in it.
    await rename(join(deployment.dir, 'admin/root.key'), join(deployment.dir, 'root.key'));
    await rm(join(deployment.dir, 'run/tor-onion'), { recursive: true });
    await until('a round', async () => (await admin.hexists(keys.state, 'redisSettings')) === 1);
  });
  afterAll(async () => {
    admin.disconnect();
    await deployment.end();
  });

  const doctor = (...more: string[]): Promise<CliResult> =>
    cli(['operator', 'doctor', '--state', deployment.dir, ...more], { pause: async (ms) => (await sleep(ms), true) });

  test('in good health has its verdict in one line, and is told what nobody can see from here', async () => {
    const { code, text, err } = await doctor();
    expect([code, err]).toEqual([EXIT.ok, '']);
    expect(text).toMatch(/^All is well, as far as this can see\.\n/);
    expect(text).toContain("Looked at: Redis, relay, worker, inboxes, keyrings; Redis' settings and file; clocks of the parts; versions;");
    expect(text).toMatch(/\nNot looked at:\n {2}tor and the onion address \(.+\)\n {2}whether the disk is encrypted \(.+\)\n/);
  });

  test('is looked at by the commands of the document', async () => {
    const commands = await toolsCommands('Once a week: the doctor');
    expect(commands.map((words) => words.join(' '))).toEqual(['operator doctor', 'operator doctor --test-letter']);
    const [[, ...looks] = [], [, ...sends] = []] = commands;
    // As the tools' container knows the folder.
    const env = { OPERATOR_STATE: deployment.dir };
    expect((await cli(['operator', ...looks], { env })).code).toBe(EXIT.ok);
    const sent = await cli(['operator', ...sends], { env, pause: async (ms) => (await sleep(ms), true) });
    expect([sent.code, sent.text]).toEqual([EXIT.ok, expect.stringContaining('The test letter is at inbox-1')]);
  });

  test('gets a test letter, which volunteers’ tools pass over', async () => {
    const { code, text, err } = await doctor('--test-letter');
    expect([code, err]).toEqual([EXIT.ok, 'waiting for the test letter to inbox-1; a round every 1 s\n']);
    expect(text).toContain('\nThe test letter is at inbox-1. ');
    const contents = await new OpenedInbox(deployment.inbox, deployment.identity).contents();
    expect(new Set(contents.map(({ kind }) => kind))).toEqual(new Set(['cover']));
    const seen = await cli(['open', '--identity', deployment.identity, deployment.inbox]);
    expect([seen.code, seen.text]).toEqual([EXIT.ok, '']);
  });

  test('whose inbox takes nothing is told so by the letter', async () => {
    await rename(deployment.inbox, `${deployment.inbox}.aside`);
    await writeFile(deployment.inbox, '');
    const stopped = await cli(['operator', 'doctor', '--state', deployment.dir, '--test-letter', 'inbox-1'], {
      pause: async (ms) => (await sleep(ms), !(await admin.hget(keys.tests, 'inbox-1'))?.includes('ENOTDIR')),
    });
    expect(stopped.code).toBe(EXIT.urgent);
    expect(stopped.text).toMatch(/^\d things? to do now/);
    expect(stopped.text).toContain(
      '\nnow    the test letter still waits for inbox inbox-1 (ENOTDIR)\n       docs/operations.md lists the reasons',
    );
    await rm(deployment.inbox);
    await rename(`${deployment.inbox}.aside`, deployment.inbox);
    const mended = await doctor('--test-letter', 'inbox-1', '--json');
    expect([mended.code, told(mended).tests]).toEqual([EXIT.ok, [{ inbox: 'inbox-1', outcome: 'arrived' }]]);
  });

  test('whose Redis has other settings, or files that others may read', async () => {
    const [folder, password] = [join(deployment.dir, 'redis'), deployment.layout.passwordFile('worker')];
    await chmod(folder, 0o711);
    await admin.config('SET', 'appendfsync', 'everysec');
    await chmod(password, 0o644);
    await until('the comparison', async () => (await admin.hget(keys.state, 'redisSettings')) !== '');
    const ill = await doctor('--json');
    expect([ill.code, codes(ill)]).toEqual([EXIT.urgent, ['REDIS_SETTINGS', 'FILE_READABLE']]);
    expect(told(ill).complaints[0]?.runbook).toBe('docs/operations.md#redis_settings');
    await admin.config('SET', 'appendfsync', 'always');
    await chmod(password, 0o600);
    await chmod(folder, 0o700);
    await until('the comparison', async () => (await admin.hget(keys.state, 'redisSettings')) === '');
    expect(codes(await doctor('--json'))).toEqual([]);
  });

  test('with the root key in it has something to do soon', async () => {
    await rename(join(deployment.dir, 'root.key'), join(deployment.dir, 'admin/root.key'));
    const { code, text } = await doctor();
    expect([code, text]).toEqual([
      EXIT.attention,
      expect.stringMatching(/^Nothing is urgent\. 1 thing to do soon\.\n\nsoon {3}the root key lies/),
    ]);
    await rename(join(deployment.dir, 'admin/root.key'), join(deployment.dir, 'root.key'));
  });

  test('says at a terminal what it is looking at', async () => {
    const { err } = await cli(['operator', 'doctor', '--state', deployment.dir], { terminal: { answers: [] } });
    expect(err).toBe('asking Redis, the relay and the worker …\nlooking at files and the machine …\n');
  });

  test('in which a repair has left a copy has something to do soon', async () => {
    const copies = join(deployment.dir, 'redis/data/damaged');
    await mkdir(copies, { mode: 0o700 });
    expect(codes(await doctor('--json'))).toEqual([]);
    await writeFile(join(copies, 'appendonly.aof.1.incr.aof'), '', { mode: 0o600 });
    const { code, text } = await cli(['operator', 'doctor', '--state', deployment.dir], { env: { OPERATOR_INSTALLATION: 'debian' } });
    expect(code).toBe(EXIT.attention);
    expect(text).toContain('if all has been well since the repair: shred -u /var/lib/support-relay/redis/data/damaged/*\n');
    await rm(copies, { recursive: true });
  });

  test('without tor and Redis is looked at all the same', async () => {
    await mkdir(join(deployment.dir, 'run/tor-onion'));
    await writeFile(join(deployment.dir, 'onion/address'), `${'a'.repeat(56)}.onion\n`);
    expect(codes(await doctor('--json'))).toEqual(['TOR_AWAY']);
    admin.disconnect();
    await deployment.kill('redis');
    const { code, text } = await doctor();
    expect([code, text]).toEqual([EXIT.urgent, expect.stringMatching(/^2 things to do now\.\n\nnow {4}Redis does not answer on /)]);
    expect(text).toContain('  Redis, relay, worker, inboxes, keyrings (run this again when Redis answers)\n');
    // Whatever kept it from starting, its file is looked at.
    const folder = join(deployment.dir, 'redis/data/appendonlydir');
    const last = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof')).toSorted();
    await appendFile(join(folder, last.at(-1) ?? ''), Buffer.alloc(100));
    expect(codes(await doctor('--json'))).toEqual(['REDIS_DAMAGED', 'TOR_AWAY']);
  });
});

describe('without the folder of the state', () => {
  let stand: OperatorStand;
  beforeAll(async () => {
    stand = await OperatorStand.start();
  });
  beforeEach(() => stand.reset());
  afterAll(() => stand.stop());

  const doctor = (more: readonly string[], input?: CliInput): Promise<CliResult> => stand.operator(['doctor', ...more], input);

  test('files are not looked at, and neither is what no worker has written', async () => {
    const result = await doctor(['--json']);
    expect([result.code, codes(result)]).toEqual([EXIT.ok, []]);
    expect(
      told(result)
        .unseen.map(({ what }) => what)
        .slice(0, 4),
    ).toEqual(["Redis' settings and file", 'clocks of the parts', 'versions', 'room on the disk']);
    expect(told(result).unseen.map(({ what }) => what)).toContain('permissions, owners and ages of files');
  });

  test('a worker that is gone makes no test letter, and nobody waits for it', async () => {
    await stand.admin.del(keys.alive);
    const result = await doctor(['--test-letter', 'inbox-2', '--json']);
    expect([result.code, codes(result)]).toEqual([EXIT.urgent, ['WORKER_GONE', 'TEST_LETTER']]);
    expect(result.err).toBe('');
  });

  test('one that hangs is waited for no longer than some rounds', async () => {
    await stand.admin.set(keys.alive, '1', 'EX', 3_600);
    let waitedMs = 0;
    const { text } = await doctor(['--test-letter', 'inbox-1'], { pause: (ms) => Promise.resolve((waitedMs += ms) > 0) });
    expect(waitedMs).toBe(63_000);
    expect(text).toContain('now    no worker has made the test letter to inbox inbox-1\n');
  });

  test('a word of the worker about a letter that failed is passed on', async () => {
    const result = await doctor(['--test-letter', 'inbox-1'], {
      pause: async () => {
        const { id = '' } = (await readQuestion(stand.admin, 'tests')) ?? {};
        return (await stand.admin.hset(keys.tests, 'inbox-1', `${id} failed team-not-in-keyring`)) === 0;
      },
    });
    expect(result.text).toContain('now    inbox inbox-1 refused the test letter for good (team-not-in-keyring)\n');
  });

  test.each([
    [['--test-letter', 'inbox-9'], EXIT.input, 'INBOX_UNKNOWN'],
    [['inbox-1'], EXIT.usage, 'USAGE'],
    [['--state', '/nonexistent'], EXIT.input, 'INPUT_MISSING'],
  ])('%j is refused', async (words, exit, error) => {
    const { code, err } = await doctor(words);
    expect([code, err]).toEqual([exit, expect.stringContaining(`(${error})`)]);
  });
});
