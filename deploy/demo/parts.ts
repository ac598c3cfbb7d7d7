import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { program, REDIS_CONF, type Layout } from '../state/layout.ts';

export const PARTS = ['redis', 'relay', 'worker'] as const;
export type Part = (typeof PARTS)[number];

export type PartSettings = Readonly<{
  /** unix:/path or 127.0.0.1:PORT */
  listen: string;
  roundSeconds: number;
  /** The worker's, for a shallow pool. */
  flushProbability: number;
  /** Environment variables of single parts, which add to the settings above or override them. */
  environment?: Partial<Record<Part, Readonly<Record<string, string>>>>;
}>;

/** Starts one part as a child process. Its output goes to DIR/log, never to a terminal. */
export function spawnPart(part: Part, layout: Layout, settings: PartSettings): ChildProcess {
  const [command, ...args] = endingWithParent([...commandLine(part, layout)]);
  mkdirSync(layout.logs, { recursive: true, mode: 0o700 });
  const log = openSync(join(layout.logs, `${part}.log`), 'a', 0o600);
  try {
    return spawn(command ?? '', args, {
      cwd: layout.dir,
      env: partEnvironment(part, layout, settings),
      stdio: ['ignore', log, log],
      // Its own process group: Ctrl-C in the terminal must reach only us, who end the parts in the right order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

function commandLine(part: Part, layout: Layout): readonly string[] {
  switch (part) {
    case 'redis':
      return ['redis-server', REDIS_CONF, '--unixsocket', layout.redisSocket, '--dir', layout.redisData, '--aclfile', layout.acl];
    case 'relay':
    case 'worker':
      return [process.execPath, program(part)];
  }
}

/** All that a part gets from its environment. */
export function partEnvironment(part: Part, layout: Layout, settings: PartSettings): Record<string, string> {
  return { PATH: searchPath(), ...environment(part, layout, settings), ...settings.environment?.[part] };
}

function environment(part: Part, layout: Layout, settings: PartSettings): Record<string, string> {
  switch (part) {
    case 'redis':
      // Freed memory is overwritten; the second name is for builds of Redis that bundle jemalloc.
      return { MALLOC_CONF: 'junk:free', JE_MALLOC_CONF: 'junk:free' };
    case 'relay':
      return {
        NODE_ENV: 'production',
        RELAY_LISTEN: settings.listen,
        RELAY_PRIVATE_LISTEN: `unix:${layout.privateSocket}`,
        RELAY_REDIS_SOCKET: layout.redisSocket,
        RELAY_REDIS_PASSWORD_FILE: layout.passwordFile('relay'),
        RELAY_KEYRINGS: layout.keyrings,
        RELAY_ROOT_KEY: layout.rootKey,
        RELAY_WEB: layout.web,
      };
    case 'worker':
      return {
        NODE_ENV: 'production',
        WORKER_REDIS_SOCKET: layout.redisSocket,
        WORKER_REDIS_PASSWORD_FILE: layout.passwordFile('worker'),
        WORKER_KEYRINGS: layout.keyrings,
        WORKER_ROOT_KEY: layout.rootKey,
        WORKER_IDENTITIES: layout.identities,
        WORKER_INBOXES: layout.inboxes,
        WORKER_ROUND_SECONDS: String(settings.roundSeconds),
        WORKER_SHARE: String(settings.flushProbability),
      };
  }
}

/** Debian installs some servers in sbin, which is not on every user's PATH. */
function searchPath(): string {
  return [process.env['PATH'], '/usr/bin', '/bin', '/usr/sbin', '/sbin'].filter(Boolean).join(':');
}

let setpriv: boolean | undefined;

/** Makes the kernel end the part when this process is killed and cannot do it itself (prctl(2), PR_SET_PDEATHSIG). */
function endingWithParent(command: readonly string[]): readonly string[] {
  const wrapper = ['setpriv', '--pdeathsig', 'TERM', '--'];
  setpriv ??= spawnSync('setpriv', [...wrapper.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
  return setpriv ? [...wrapper, ...command] : command;
}
