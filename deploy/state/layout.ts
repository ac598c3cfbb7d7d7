import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Role } from '../../redis/connection.ts';
import { TRIAL_MARK } from '../../runtime/keyrings.ts';
import { ROOT } from '../../runtime/root.ts';

/** sockaddr_un.sun_path has 108 bytes, including the terminating zero (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107;
const LONGEST_SOCKET = 'operator/operator.sock';

/** The paths of one deployment. Each part gets only its own folders (see docker-compose.yml). */
export type Layout = Readonly<{
  dir: string;
  /** One line: the version of the state (redis/version.ts). */
  version: string;
  rootSecretKey: string;
  rootKey: string;
  keyrings: string;
  /** Says, to relay and worker too, that all keys were made here, to try it out. */
  trialMark: string;
  identities: string;
  /** What the worker needs to send mail: settings, passwords, certificates. */
  mail: string;
  inboxes: string;
  administrator: string;
  /** tor's folder of the onion service: its keys and its name. */
  onionKeys: string;
  onionAddress: string;
  volunteerIdentity: string;
  /** This volunteer's signer (docs/protocol.md, § Key files). */
  volunteerSigner: string;
  acl: string;
  redisData: string;
  web: string;
  /** The operator's changes to the form (web/build/site.ts); optional. */
  site: string;
  /** The folder of Maildirs. */
  maildirs: string;
  /** The Maildir of a deployment with a single team whose keys are all made here. */
  inbox: string;
  logs: string;
  ready: string;
  lock: string;
  run: string;
  redisSocket: string;
  privateSocket: string;
  passwordFile: (role: Role) => string;
  keyringFile: (serial: number) => string;
  identityFile: (serial: number) => string;
}>;

/** Folders of unix sockets in `run`: each is for the parts at its two ends. */
export const SOCKET_FOLDERS = ['redis', 'relay', 'operator', 'tor-mail', 'tor-onion'] as const;

export const ROLES = ['relay', 'worker', 'operator'] as const satisfies readonly Role[];

export function layoutOf(directory: string): Layout {
  const dir = resolve(directory);
  const run = socketFolder(dir);
  return {
    dir,
    version: join(dir, 'version'),
    rootSecretKey: join(dir, 'admin/root.key'),
    rootKey: join(dir, 'keyrings/root.pub'),
    keyrings: join(dir, 'keyrings'),
    trialMark: join(dir, 'keyrings', TRIAL_MARK),
    identities: join(dir, 'worker/identities'),
    mail: join(dir, 'worker/mail'),
    inboxes: join(dir, 'worker/mail/inboxes.json'),
    administrator: join(dir, 'worker/mail/administrator.json'),
    onionKeys: join(dir, 'tor/onion'),
    onionAddress: join(dir, 'onion/address'),
    volunteerIdentity: join(dir, 'volunteer/volunteer-1.txt'),
    volunteerSigner: join(dir, 'volunteer/volunteer-1.signer'),
    acl: join(dir, 'redis/users.acl'),
    redisData: join(dir, 'redis/data'),
    web: join(dir, 'web'),
    site: join(dir, 'site.json'),
    maildirs: join(dir, 'inbox'),
    inbox: join(dir, 'inbox/inbox-1'),
    logs: join(dir, 'log'),
    ready: join(dir, 'ready.json'),
    lock: join(dir, 'demo.lock'),
    run,
    redisSocket: join(run, 'redis/redis.sock'),
    privateSocket: join(run, 'relay/private.sock'),
    passwordFile: (role) => join(dir, `redis/${role}.password`),
    keyringFile: (serial) => join(dir, `keyrings/keyring-${String(serial)}.json`),
    identityFile: (serial) => join(dir, `worker/identities/worker-${String(serial)}.txt`),
  };
}

/** Folder of the sockets: inside the deployment, or a short one in the temporary folder if the path would be too long to bind. */
function socketFolder(dir: string): string {
  const inside = join(dir, 'run');
  if (Buffer.byteLength(join(inside, LONGEST_SOCKET)) <= SOCKET_PATH_BYTES_MAX) return inside;
  const name = `support-relay-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
  const short = join(tmpdir(), name);
  return Buffer.byteLength(short) <= SOCKET_PATH_BYTES_MAX - LONGEST_SOCKET.length - 1 ? short : join('/tmp', name);
}

/** Path of a program that `npm run build` made. Throws when it is missing. */
export function program(name: 'relay' | 'worker' | 'support-relay'): string {
  const path = join(ROOT, 'dist', `${name}.js`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build`);
  return path;
}

export const REDIS_CONF = join(ROOT, 'deploy/redis/redis.conf');
