// What the doctor finds on the machine: each ailment is made to happen, is named, and goes away.
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandsOf } from '../../runtime/installation.ts';
import { AILMENTS, type Examined } from '../../operator/doctor/complaint.ts';
import { examineMachine } from '../../operator/doctor/machine.ts';
import { examineState } from '../../operator/doctor/state-folder.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doctor-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function put(path: string, content = '', mode = 0o600): Promise<string> {
  const file = join(dir, path);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

const codes = ({ ailments }: Examined): string[] => ailments.map(({ code }) => code);

test('the document says of each ailment what to do', async () => {
  const text = await readFile('docs/operations.md', 'utf8');
  const [, section = ''] = /\n### What the doctor finds\n([^]+?)\n## /.exec(text) ?? [];
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code);
  expect(rows.toSorted()).toEqual(Object.keys(AILMENTS).toSorted());
});

describe('the machine', () => {
  const NO_SWAP = 'Filename\tType\tSize\tUsed\tPriority\n';
  const LIMITS =
    'Limit                     Soft Limit           Hard Limit           Units\n' +
    'Max core file size        0                    unlimited            bytes\n';
  beforeEach(async () => {
    await put('proc/swaps', NO_SWAP);
    await put('proc/sys/kernel/core_pattern', 'core\n');
    await put('proc/self/limits', LIMITS);
  });

  test('in good health', async () => {
    const { ailments, seen, unseen } = await examineMachine(dir);
    expect([ailments, seen]).toEqual([[], ['swap', 'core dumps']]);
    expect(unseen.map(({ what }) => what)).toEqual(['whether the disk is encrypted', 'whether a time service sets the clock']);
  });

  test('that may refuse Redis a copy of itself gets a hint, which is no ailment', async () => {
    await put('proc/sys/vm/overcommit_memory', '0\n');
    const found = await examineMachine(dir);
    expect([found.ailments, found.hints]).toEqual([[], [expect.stringContaining('vm.overcommit_memory=1')]]);
    await put('proc/sys/vm/overcommit_memory', '1\n');
    expect((await examineMachine(dir)).hints).toEqual([]);
  });

  test('that writes memory to a disk', async () => {
    await put('proc/swaps', `${NO_SWAP}/dev/zram0 partition 1 0 100\n`);
    expect(codes(await examineMachine(dir))).toEqual([]);
    await put('proc/swaps', `${NO_SWAP}/dev/sda2                               partition\t1000\t0\t-2\n`);
    const [swap] = (await examineMachine(dir)).ailments;
    expect([swap?.code, swap?.what]).toEqual(['SWAP_ON', expect.stringContaining('(swap on /dev/sda2)')]);
    // A container that may not be swapped out.
    await put('sys/fs/cgroup/memory.swap.max', '0\n');
    expect(codes(await examineMachine(dir))).toEqual([]);
    await put('sys/fs/cgroup/memory.swap.max', 'max\n');
    expect(codes(await examineMachine(dir))).toEqual(['SWAP_ON']);
  });

  test.each([
    ['a file, where none may be written', 'core', '0', []],
    ['a file', 'core', 'unlimited', ['CORE_DUMPS']],
    ['a program, which no limit stops', '|/usr/lib/systemd/systemd-coredump %P', '0', ['CORE_DUMPS']],
    ['nowhere', '|/bin/false', 'unlimited', []],
  ])('whose core dumps go to %s', async (_where, pattern, limit, found) => {
    await put('proc/sys/kernel/core_pattern', `${pattern}\n`);
    await put('proc/self/limits', LIMITS.replace(/ 0 /, ` ${limit} `));
    expect(codes(await examineMachine(dir))).toEqual(found);
  });

  test('of which nothing can be seen', async () => {
    await rm(join(dir, 'proc'), { recursive: true });
    const { ailments, unseen } = await examineMachine(dir);
    expect([ailments, unseen.slice(0, 2).map(({ what }) => what)]).toEqual([[], ['swap', 'core dumps']]);
  });

  test('is this one', async () => {
    expect((await examineMachine()).seen).toEqual(['swap', 'core dumps']);
  });
});

describe('the folder of the state', () => {
  const NOW = new Date('2026-11-30T12:00:00Z');
  const examined = (now = NOW, aheadDays = 0): Promise<Examined> => examineState(dir, now, aheadDays, commandsOf('debian'));
  beforeEach(async () => {
    for (const path of ['redis/users.acl', 'redis/worker.password', 'worker/identities/week-2026-11-30.txt', 'worker/mail/inboxes.json'])
      await put(path);
    for (const path of ['keyrings/root.pub', 'web/index.html', 'onion/address']) {
      await put(path, '', 0o644);
      await chmod(dirname(join(dir, path)), 0o755);
    }
    // Redis makes its files so, behind a folder that nobody else may enter.
    await put('redis/data/appendonlydir/appendonly.aof.1.base.rdb', '', 0o644);
    await chmod(join(dir, 'redis/data'), 0o700);
    for (const path of ['redis', 'worker']) await chmod(join(dir, path), 0o711);
  });

  test('in good health', async () => {
    expect(await examined()).toEqual({ ailments: [], seen: ['permissions and owners', 'ages of keys'], unseen: [] });
  });

  test.each([
    ['redis/worker.password', 0o640, 'FILE_READABLE'],
    ['worker/identities', 0o755, 'FILE_READABLE'],
    ['redis/data', 0o755, 'FILE_READABLE'],
    ['web/index.html', 0o664, 'FILE_WRITABLE'],
    ['keyrings', 0o777, 'FILE_WRITABLE'],
  ])('with %s of mode %o', async (path, mode, code) => {
    await chmod(join(dir, path), mode);
    const { ailments } = await examined();
    expect(ailments.map((each) => each.code)).toEqual([code]);
    expect(ailments[0]?.what).toContain(path);
    await chmod(join(dir, path), mode & (code === 'FILE_READABLE' ? 0o700 : 0o755));
    expect(codes(await examined())).toEqual([]);
  });

  test('names three of many, and passes over links', async () => {
    for (let n = 1; n <= 5; n += 1) await put(`worker/mail/${String(n)}.password`, '', 0o644);
    await chmod(join(dir, 'worker/mail'), 0o711);
    await symlink('/etc/passwd', join(dir, 'worker/mail/link'));
    expect((await examined()).ailments[0]?.what).toBe(
      'others on this machine may read worker/mail/1.password, worker/mail/2.password, worker/mail/3.password and 2 more',
    );
  });

  test.runIf(process.getuid?.() === 0)('with a file of another user', async () => {
    const file = await put('worker/identities/week-2026-12-07.txt');
    await chown(file, 12_345, 12_345);
    const { ailments } = await examined();
    expect(ailments).toMatchObject([
      {
        code: 'FILE_OWNER',
        advice: expect.stringContaining('chown --reference=worker/identities worker/identities/week-2026-12-07.txt') as string,
      },
    ]);
    await chown(file, 0, 0);
    expect(codes(await examined())).toEqual([]);
  });

  test('with keys that should be gone', async () => {
    await put('worker/identities/former-week-2026-11-09.txt');
    expect(codes(await examined(new Date('2026-11-27T00:00:00Z')))).toEqual([]);
    const late = new Date('2026-11-27T00:00:01Z');
    expect((await examined(late)).ailments).toMatchObject([
      { code: 'KEY_OVERDUE', what: expect.stringContaining('former-week-2026-11-09.txt') as string },
    ]);
    // The worker waits as long as its clock is ahead.
    expect(codes(await examined(late, 1))).toEqual([]);
  });

  test('with the root key in it', async () => {
    await put('admin/root.key');
    expect(codes(await examined())).toEqual(['ROOT_KEY_HERE']);
  });
});
