// The version of the state, with made-up ones after the first: what is done to files and to Redis, and when nothing is.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { ensureUsers, makeFolders } from '../../deploy/state/folders.ts';
import { layoutOf, type Layout } from '../../deploy/state/layout.ts';
import { oneAtATime } from '../../deploy/state/one-at-a-time.ts';
import { makeReady } from '../../deploy/state/making-ready.ts';
import { writeVersion, type FileStep } from '../../deploy/state/upgrade.ts';
import { keys } from '../../redis/keys.ts';
import { versionText } from '../../redis/version.ts';
import { bringUpToDate, type DataStep, type Upgrade } from '../../worker/upgrade.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

describe('of what is in Redis', () => {
  let redis: TestRedis;
  let worker: Redis;
  let admin: Redis;
  /** Each leaves a mark, once more each time it runs. */
  const steps: DataStep[] = [2, 3].map((to) => ({
    to,
    change: `change ${String(to)}`,
    run: async (client) => void (await client.hincrby(keys.state, `step-${String(to)}`, 1)),
  }));
  const third = { version: 3, steps };
  const marks = () => worker.hmget(keys.state, 'step-2', 'step-3');
  const version = () => worker.get(keys.version);
  const problem = async (...args: Parameters<typeof bringUpToDate>): Promise<string> => {
    const found = await bringUpToDate(...args);
    return found === null ? 'none' : versionText(found);
  };

  beforeAll(async () => {
    redis = await startRedis();
    [worker, admin] = [await redis.connect('worker'), await redis.connect('admin')];
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    await admin.flushall();
    await worker.hset(keys.state, 'pool', '0');
  });

  test('what was written before there were versions is of the first', async () => {
    expect([await problem(worker, null), await version()]).toEqual(['none', '1']);
  });

  test('an empty Redis needs no steps', async () => {
    await admin.flushall();
    expect([await problem(worker, null, third), await version(), await marks()]).toEqual(['none', '3', [null, null]]);
  });

  test('nothing is done without the word, or with that for another version', async () => {
    for (const agreed of [null, 2, 4]) {
      expect(await problem(worker, agreed, third)).toMatch(
        /version 1 to 3 \(change 2; change 3\).*SUPPORT_RELAY_UPGRADE=3.*\(UPGRADE_WAITS\)/,
      );
    }
    expect([await version(), await marks()]).toEqual([null, [null, null]]);
  });

  test('with it the steps run in order, each once', async () => {
    expect([await problem(worker, 3, third), await version(), await marks()]).toEqual(['none', '3', ['1', '1']]);
    expect([await problem(worker, 3, third), await version(), await marks()]).toEqual(['none', '3', ['1', '1']]);
  });

  test('what broke off goes on where it was, once the lock of the one that died is over', async () => {
    const [second] = steps;
    const dying: DataStep = { to: 3, change: 'change 3', run: () => Promise.reject(new Error('no power')) };
    await expect(bringUpToDate(worker, 3, { version: 3, steps: [second ?? dying, dying] })).rejects.toThrow('no power');
    expect([await version(), await marks()]).toEqual(['2', ['1', null]]);
    expect(await problem(worker, 3, third)).toContain('(UPGRADE_RUNS)');
    await admin.del(keys.lease('upgrade'));
    expect([await problem(worker, 3, third), await version(), await marks()]).toEqual(['none', '3', ['1', '1']]);
  });

  describe('a step that takes longer than the lock lasts', () => {
    const LOCK_MS = 1_200;
    const PIECES = 60;
    const pieces = async (): Promise<number> => Number(await admin.hget(keys.state, 'pieces'));
    /** Each piece leaves a mark, and does something besides. */
    const slowly = (meanwhile: (piece: number) => Promise<void> | void): Upgrade => ({
      version: 2,
      lockMs: LOCK_MS,
      steps: [
        {
          to: 2,
          change: 'change 2',
          async run(client) {
            for (let piece = 1; piece <= PIECES; piece += 1) {
              await client.hincrby(keys.state, 'pieces', 1);
              await meanwhile(piece);
            }
          },
        },
      ],
    });

    test('keeps it, and no other worker does the same', async () => {
      const other = await redis.connect('worker');
      const found: string[] = [];
      const slow = slowly(async (piece) => {
        await sleep(30);
        if (piece % 20 === 0) found.push(await problem(other, 2, slow));
      });
      expect(await problem(worker, 2, slow)).toBe('none');
      expect(found).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('(UPGRADE_RUNS)') as unknown));
      expect([await version(), await pieces()]).toEqual(['2', PIECES]);
    });

    test('stops once another worker has the lock', async () => {
      const taken = slowly(async (piece) => {
        await sleep(30);
        if (piece === 5) await admin.set(keys.lease('upgrade'), 'another');
      });
      await expect(bringUpToDate(worker, 2, taken)).rejects.toMatchObject({ code: 'UPGRADE_LOCK' });
      const done = await pieces();
      expect(done).toBeLessThan(PIECES);
      await sleep(LOCK_MS);
      expect([await version(), await pieces()]).toEqual([null, done]);
    });

    test('does nothing more after it stood still for longer than that', async () => {
      const still = slowly((piece) => {
        if (piece === 5) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_MS);
      });
      await expect(bringUpToDate(worker, 2, still)).rejects.toMatchObject({ code: 'UPGRADE_LOCK' });
      expect([await version(), await pieces()]).toEqual([null, 5]);
    });
  });

  test.each([
    ['2', 'version 2'],
    ['10', 'version 10'],
    ['x', 'a version that is no number'],
    ['', 'a version that is no number'],
  ])('a version "%s" that is not known is left alone', async (found, named) => {
    await admin.set(keys.version, found);
    expect(await problem(worker, 1)).toMatch(new RegExp(`^the state is of ${named}, .*\\(DATA_NEWER\\)$`));
    expect(await version()).toBe(found);
  });
});

describe('of the files', () => {
  let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
  let layout: Layout;
  let told: string;
  const steps: FileStep[] = [{ to: 2, change: 'site.json moves', run: ({ site }) => writeFile(site, 'moved') }];
  const ready = (agreed = '', version = 1, waitSeconds = 0): Promise<number> =>
    makeReady(
      { args: ['--dir', layout.dir, '--for', 'here'], agreed, upgrade: { version, steps, dataSteps: [] }, waitSeconds },
      (line) => (told += line),
    );

  beforeEach(async () => {
    told = '';
    dir = await temporaryDirectory();
    layout = layoutOf(dir.path('state'));
    await makeFolders(layout);
    await ensureUsers(layout, () => undefined);
    await writeVersion(layout, 1);
  });
  afterEach(() => dir.remove());

  test('nothing is changed while a setup works on it; one that is soon over is waited for', async () => {
    const version = () => readFile(layout.version, 'utf8');
    let isOver = (): void => undefined;
    const working = oneAtATime(layout, () => new Promise<void>((resolve) => (isOver = resolve)));
    await expect.poll(() => ready('2', 2, 0)).toBe(EXIT.unavailable);
    expect([told, await version()]).toEqual([expect.stringContaining('(SETUP_RUNS)'), '1\n']);
    const waiting = ready('2', 2, 30);
    isOver();
    expect([await waiting, await version()]).toEqual([EXIT.ok, '2\n']);
    await working;
  });

  test('where nothing was set up, it says how', async () => {
    layout = layoutOf(dir.path('other'));
    expect([await ready(), told]).toEqual([EXIT.input, expect.stringContaining('docker compose run --rm --build setup (SETUP_MISSING)')]);
  });

  test('a former version waits for the word; then its files are changed', async () => {
    expect([await ready('', 2), told]).toEqual([EXIT.attention, expect.stringMatching(/1 to 2 \(site.json moves\).*\(UPGRADE_WAITS\)/)]);
    expect(await readFile(layout.version, 'utf8')).toBe('1\n');
    expect(await ready('2', 2)).toBe(EXIT.ok);
    expect([await readFile(layout.version, 'utf8'), await readFile(layout.site, 'utf8')]).toEqual(['2\n', 'moved']);
    // Without the word from then on.
    expect(await ready('', 2)).toBe(EXIT.ok);
  });

  test('a newer one is left alone', async () => {
    await writeVersion(layout, 2);
    const before = await readFile(layout.acl, 'utf8');
    await writeFile(layout.acl, `${before}# of the newer version\n`);
    expect([await ready(), told]).toEqual([EXIT.input, expect.stringContaining('(DATA_NEWER)')]);
    expect(await readFile(layout.acl, 'utf8')).toContain('# of the newer version');
  });

  test("Redis' users get the rights of this version, with the passwords that they had", async () => {
    const [acl, password] = [await readFile(layout.acl, 'utf8'), await readFile(layout.passwordFile('relay'), 'utf8')];
    await writeFile(layout.acl, acl.replace('+hsetnx', '+hset'));
    expect(await ready()).toBe(EXIT.ok);
    expect([await readFile(layout.acl, 'utf8'), await readFile(layout.passwordFile('relay'), 'utf8')]).toEqual([acl, password]);
  });

  test('folders that this version needs are there afterwards', async () => {
    await mkdir(dirname(layout.acl), { recursive: true });
    expect(await ready()).toBe(EXIT.ok);
    for (const folder of ['operator', 'tor-onion'])
      await expect(mkdir(`${layout.run}/${folder}`)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
