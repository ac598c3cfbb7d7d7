// What setup does, as root, in folders that parts may write to.
import { mkdtempSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { giveToOwners } from '../../deploy/state/owners.ts';

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'owners-'));
  mkdirSync(join(dir, 'state/inbox/new'), { recursive: true, mode: 0o755 });
  mkdirSync(join(dir, 'elsewhere'), { mode: 0o755 });
  for (const name of ['state/inbox/new/letter', 'elsewhere/passwd']) writeFileSync(join(dir, name), '', { mode: 0o644 });
});
afterEach(() => rmSync(dir, { recursive: true }));

const modeOf = (name: string): number => statSync(join(dir, name)).mode & 0o777;

it('all that is in a folder is given, however deep', async () => {
  await giveToOwners(join(dir, 'state'), [{ path: 'inbox', owner, rights: 'secret' }]);
  expect(['state/inbox', 'state/inbox/new', 'state/inbox/new/letter'].map(modeOf)).toEqual([0o700, 0o700, 0o600]);
});

it('folders nested deeper than any part makes are refused', async () => {
  const deep = join(dir, 'state/inbox', ...Array.from({ length: 17 }, () => 'a'));
  mkdirSync(deep, { recursive: true });
  await expect(giveToOwners(join(dir, 'state'), [{ path: 'inbox', owner, rights: 'as-is' }])).rejects.toMatchObject({
    code: 'STATE_FOREIGN',
    message: expect.stringContaining('inbox in the state folder has folders within folders') as string,
  });
});

it('nothing that a link in it leads to is touched, be it a file or a folder', async () => {
  symlinkSync(join(dir, 'elsewhere/passwd'), join(dir, 'state/inbox/file'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'state/inbox/folder'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'state/web'));
  await giveToOwners(
    join(dir, 'state'),
    ['inbox', 'web'].map((path) => ({ path, owner, rights: 'secret' as const })),
  );
  expect(['elsewhere', 'elsewhere/passwd'].map(modeOf)).toEqual([0o755, 0o644]);
});
