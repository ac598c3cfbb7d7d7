// What differs by how the parts run: whose their files are, what these are called where the worker runs, and what an operator types.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { commandsOf, type OperatorCommands } from '../../runtime/installation.ts';
import { ownerFrom, userOf, type Belonging } from './owners.ts';
import { ROLES, type Layout } from './layout.ts';

export const HOSTS = ['docker', 'debian', 'here'] as const;
export type HostName = (typeof HOSTS)[number];

export type Host = {
  /** The worker's name for a file in `worker/mail`, and for a Maildir. */
  readonly mailFile: (layout: Layout, name: string) => string;
  readonly maildir: (layout: Layout, name: string) => string;
  /** Who owns what; empty where everything stays with whoever runs setup. */
  readonly belongings: (layout: Layout) => Promise<readonly Belonging[]>;
  readonly commands: OperatorCommands;
};

/** Volunteers' programs may have been given rights there. */
const MAILDIRS = 'inbox';
const isRoot = (): boolean => process.getuid?.() === 0;

const docker: Host = {
  mailFile: (_layout, name) => `/etc/support-relay/mail/${name}`,
  maildir: (_layout, name) => `/inbox/${name}`,
  belongings: async (layout) => {
    if (!isRoot()) return [];
    const user = process.env['SUPPORT_RELAY_USER'] ?? '';
    const owner = ownerFrom(user === '' ? '1000:1000' : user, 'SUPPORT_RELAY_USER');
    const names = await readdir(layout.dir);
    const parts = names.map((path): Belonging => ({ path, owner, rights: path === MAILDIRS ? 'as-is' : 'secret' }));
    return [{ path: '', owner, rights: 'top' }, ...parts];
  },
  commands: commandsOf('docker'),
};

const here: Host = {
  mailFile: (layout, name) => join(layout.mail, name),
  maildir: (layout, name) => join(layout.maildirs, name),
  belongings: () => Promise.resolve([]),
  commands: docker.commands,
};

const debian: Host = {
  ...here,
  belongings: async () => {
    const root = { uid: 0, gid: 0 };
    const names = ['support-relay-redis', 'support-relay-worker', 'support-relay-operator', 'support-relay-tor'];
    const [redis = root, worker = root, operator = root, tor = root] = await Promise.all(names.map(userOf));
    return [
      { path: '', owner: root, rights: 'entry' },
      { path: 'version', owner: root, rights: 'open' },
      { path: 'keyrings', owner: root, rights: 'open' },
      { path: 'web', owner: root, rights: 'open' },
      { path: 'redis', owner: root, rights: 'entry' },
      // systemd hands each part its own.
      ...ROLES.map((role) => ({ path: `redis/${role}.password`, owner: root, rights: 'secret' as const })),
      { path: 'redis/users.acl', owner: redis, rights: 'secret' },
      { path: 'redis/data', owner: redis, rights: 'secret' },
      { path: 'worker', owner: root, rights: 'entry' },
      { path: 'worker/identities', owner: worker, rights: 'secret' },
      { path: 'worker/mail', owner: worker, rights: 'secret' },
      { path: MAILDIRS, owner: worker, rights: 'as-is' },
      { path: 'onion', owner: operator, rights: 'secret' },
      { path: 'tor', owner: tor, rights: 'secret' },
      { path: 'admin', owner: root, rights: 'secret' },
      { path: 'volunteer', owner: root, rights: 'secret' },
    ];
  },
  commands: commandsOf('debian'),
};

export const hosts: Readonly<Record<HostName, Host>> = { docker, debian, here };
