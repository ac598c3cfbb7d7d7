// The folder with all that a deployment has: who may read and write what is in it, and which keys should be gone.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperatorCommands } from '../../runtime/installation.ts';
import type { Ailment, Examined, Unseen } from './complaint.ts';

/** Nobody but the part that it belongs to may read what is in these. */
const SECRET = ['redis', 'worker/identities', 'worker/mail', 'inbox', 'tor', 'admin', 'volunteer'];
/** Public, but nobody else may change it. */
const PUBLIC = ['keyrings', 'web', 'onion', 'site.json', 'version'];
/** One part alone works on all of what is in these. */
const OF_ONE_USER = ['redis/data', 'worker/identities', 'worker/mail', 'inbox', 'tor'];

const IDENTITIES = 'worker/identities';
/** Where operator repair puts a copy (cli/operating/aof-repair.ts). */
const DAMAGED = 'redis/data/damaged';
const WEEK_FILE = /^(?:former-)*week-(\d{4}-\d\d-\d\d)\.txt$/;
const DAY_MS = 86_400_000;
/** The week itself, a day's grace, three days that parcels may wait (WORKER_BACKLOG_HOURS), and a week of patience. */
const KEPT_DAYS = 7 + 1 + 3 + 7;
/** Named of each kind; an operator mends them all in the same way. */
const MAX_NAMED = 3;

type Entry = { readonly path: string; readonly mode: number; readonly uid: number; readonly kind: 'file' | 'folder' };

/** @param clockAheadDays as long the worker keeps keys beyond their time */
export async function examineState(dir: string, now: Date, clockAheadDays: number, commands: OperatorCommands): Promise<Examined> {
  const unreadable: string[] = [];
  const below = (path: string): Promise<Entry[]> => entriesBelow(dir, path, unreadable);
  const secret = (await Promise.all(SECRET.map(below))).flatMap(readableIn);
  const shared = (await Promise.all(PUBLIC.map(below))).flat().filter(({ mode }) => (mode & 0o022) !== 0);
  const foreign = (await Promise.all(OF_ONE_USER.map(below))).flatMap(([folder, ...entries]) =>
    entries.filter(({ uid }) => uid !== folder?.uid),
  );
  const overdue = (await readdir(join(dir, IDENTITIES)).catch(() => [])).filter((name) => isOverdue(name, now, clockAheadDays));
  const copies = await readdir(join(dir, DAMAGED)).catch(() => []);
  const rootKey = await lstat(join(dir, 'admin/root.key')).catch(() => null);
  const unseen: Unseen[] = unreadable.map((path) => ({
    what: `what is in ${path}`,
    how: 'run this as root, or as the user that it belongs to',
  }));
  return {
    ailments: [
      ...ailment(
        secret.map(({ path }) => path),
        readableByOthers(commands),
      ),
      ...ailment(
        shared.map(({ path }) => path),
        writableByOthers(commands),
      ),
      ...ailment(
        foreign.map(({ path }) => path),
        ofAnotherUser(commands),
      ),
      ...ailment(overdue, keptTooLong),
      ...(copies.length === 0 ? [] : [damagedCopy(commands)]),
      ...(rootKey === null ? [] : [ROOT_KEY]),
    ],
    seen: ['permissions and owners', 'ages of keys'],
    unseen,
  };
}

/** The entry itself first. Links, sockets and pipes are passed over: no part is asked for any. */
async function entriesBelow(dir: string, path: string, unreadable: string[]): Promise<Entry[]> {
  const stats = await lstat(join(dir, path)).catch((error: unknown) => {
    if (!isMissing(error)) unreadable.push(path);
    return null;
  });
  if (stats === null || !(stats.isFile() || stats.isDirectory())) return [];
  const entry: Entry = { path, mode: stats.mode, uid: stats.uid, kind: stats.isFile() ? 'file' : 'folder' };
  if (entry.kind === 'file') return [entry];
  const names = await readdir(join(dir, path)).catch((error: unknown) => {
    if (!isMissing(error)) unreadable.push(path);
    return [];
  });
  const entries: Entry[] = [entry];
  for (const name of names.toSorted()) entries.push(...(await entriesBelow(dir, `${path}/${name}`, unreadable)));
  return entries;
}

/** A file may vanish while we look: letters are read, keys are shredded. */
const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** What somebody else could read. Behind a folder that nobody else may enter, modes do not matter: Redis' own files have others. */
function readableIn(entries: readonly Entry[]): Entry[] {
  const closed = entries.filter(({ kind, mode }) => kind === 'folder' && (mode & 0o077) === 0).map(({ path }) => `${path}/`);
  const isBehind = (path: string): boolean => closed.some((folder) => path.startsWith(folder));
  return entries.filter(({ path, mode, kind }) => !isBehind(path) && (mode & (kind === 'file' ? 0o077 : 0o066)) !== 0);
}

function isOverdue(name: string, now: Date, clockAheadDays: number): boolean {
  const begin = Date.parse(`${WEEK_FILE.exec(name)?.[1] ?? ''}T00:00:00Z`);
  return now.getTime() - begin > (KEPT_DAYS + clockAheadDays) * DAY_MS;
}

function ailment(paths: readonly string[], describe: (names: string, first: string) => Ailment): Ailment[] {
  const [first] = paths;
  if (first === undefined) return [];
  const more = paths.length > MAX_NAMED ? ` and ${String(paths.length - MAX_NAMED)} more` : '';
  return [describe(paths.slice(0, MAX_NAMED).join(', ') + more, first)];
}

const mending = (setup: string): string => `run the setup again, which takes that away: ${setup}. If somebody else uses this machine`;

const readableByOthers =
  ({ setup }: OperatorCommands) =>
  (names: string): Ailment => ({
    code: 'FILE_READABLE',
    what: `others on this machine may read ${names}`,
    advice: `${mending(setup())}, make the keys and passwords in it anew`,
  });

const writableByOthers =
  ({ setup }: OperatorCommands) =>
  (names: string): Ailment => ({
    code: 'FILE_WRITABLE',
    what: `others on this machine may change ${names}`,
    advice: `${mending(setup())}, compare the form with its manifest, and the keyrings`,
  });

const ofAnotherUser =
  ({ setup, state }: OperatorCommands) =>
  (names: string, first: string): Ailment => ({
    code: 'FILE_OWNER',
    what: `the part whose folder it is may not be able to read or remove what belongs to another user there: ${names}`,
    advice: `run the setup again: ${setup()}; or in ${state}: chown --reference=${first.slice(0, first.lastIndexOf('/'))} ${first}`,
  });

const damagedCopy = ({ state }: OperatorCommands): Ailment => ({
  code: 'DAMAGED_COPY',
  what: `a copy of Redis' file, as it was before a repair, is still there (${DAMAGED}), with sealed letters in it`,
  advice: `if all has been well since the repair: shred -u ${state}/${DAMAGED}/*`,
});

const keptTooLong = (names: string): Ailment => ({
  code: 'KEY_OVERDUE',
  what: `keys of weeks that are long over are still there (${names}): they open what was sealed then`,
  advice: 'the worker shreds them once nothing waits for them: see that it runs, and what the status says of its housekeeping',
});

const ROOT_KEY: Ailment = {
  code: 'ROOT_KEY_HERE',
  what: 'the root key lies on this server: whoever gets in decides who the volunteers are',
  advice: 'good for a trial. For people in danger have an administrator make it on a computer that is never online (docs/administrator.md)',
};
