// The folders of a deployment, and Redis' users: what every deployment has, whoever makes its keys.
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../../cli/errors.ts';
import { writeAcl } from '../../cli/operating/acl.ts';
import { INPUT_BYTES_MAX, putFile, readInputText } from '../../cli/files.ts';
import { aclFile } from '../../redis/acl.ts';
import { readUnlinkedFile } from '../../runtime/files.ts';
import { ROLES, SOCKET_FOLDERS, type Layout } from './layout.ts';

export type Say = (step: string) => void;

const FOLDERS = ['keyrings', 'web', 'worker/identities', 'worker/mail', 'inbox', 'redis/data', 'onion', 'tor/onion'];

export async function makeFolders(layout: Layout): Promise<void> {
  await mkdir(layout.dir, { recursive: true, mode: 0o700 });
  await makeSocketFolder(layout);
  const folders = [...FOLDERS.map((name) => join(layout.dir, name)), ...SOCKET_FOLDERS.map((name) => join(layout.run, name))];
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** Of files that are written beside others and then renamed (cli/files.ts), and of a form that is being built. */
const HALF = /\.[0-9a-f]{16}\.tmp$|^web\.new-/;

/** Removes what an earlier run left half written when it was killed. Nobody else may be writing there. */
export async function removeHalves(layout: Layout): Promise<void> {
  for (const folder of ['', 'keyrings', 'worker/mail', 'redis', 'onion'].map((name) => join(layout.dir, name))) {
    const names = (await readdir(folder)).filter((name) => HALF.test(name));
    for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Where all users may write, somebody else could have made this folder first. Throws STATE_FOREIGN when it is not our own. */
export async function makeSocketFolder({ dir, run: path }: Layout): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (path.startsWith(dir)) return;
  const stat = await lstat(path);
  if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0) return;
  throw new CliError('STATE_FOREIGN', `${path} belongs to somebody else`, 'choose a shorter --dir, so that the sockets fit into it');
}

/** Makes Redis' users where one lacks a password. Otherwise keeps the passwords, and gives the users the rights of this version. */
export async function ensureUsers(layout: Layout, say: Say): Promise<void> {
  if (ROLES.every((role) => existsSync(layout.passwordFile(role)))) return renewRights(layout);
  say("making Redis' users");
  for (const file of [layout.acl, ...ROLES.map(layout.passwordFile)]) await rm(file, { force: true });
  await writeAcl({ directory: join(layout.dir, 'redis') });
}

/** The rights of a role belong to the software, not to the state: a newer version brings its own. */
export async function renewRights(layout: Layout): Promise<void> {
  const password = async (role: (typeof ROLES)[number]) => (await readInputText(layout.passwordFile(role), 'the password')).trim();
  const passwords = { relay: await password('relay'), worker: await password('worker'), operator: await password('operator') };
  await replaceFile(layout.acl, aclFile(passwords), 0o600);
}

/** Writes a file of a deployment, unless it is there with this content. @returns whether it was written. Throws OUTPUT_FAILED */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<boolean> {
  const before = await readUnlinkedFile(path, INPUT_BYTES_MAX).catch(() => null);
  if (before?.equals(Buffer.from(content)) === true) return false;
  await putFile(path, content, mode);
  return true;
}
