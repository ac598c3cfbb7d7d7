// The settings that the worker insists on are those of deploy/redis/redis.conf.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { differingSettings, REQUIRED_SETTINGS } from '../../redis/settings.ts';
import { ROOT } from '../../runtime/root.ts';

/** What an operator may choose: how much memory, how many clients, where the log goes. */
const FREE = ['unixsocketperm', 'databases', 'maxclients', 'daemonize', 'maxmemory', 'maxmemory-clients', 'proto-max-bulk-len'];
const LOG = ['logfile', 'syslog-enabled'];

const conf = readFileSync(join(ROOT, 'deploy/redis/redis.conf'), 'utf8')
  .split('\n')
  .filter((line) => /^[a-z]/.test(line))
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).replace(/^""$/, '')]);

describe('the settings that Redis must have', () => {
  test('are those of its configuration', () => {
    const chosen = conf.filter(([name = '']) => ![...FREE, ...LOG].includes(name));
    expect(Object.fromEntries(chosen)).toEqual(REQUIRED_SETTINGS);
  });

  test('that differ or are missing are named', () => {
    const reply = Object.entries(REQUIRED_SETTINGS).flat();
    expect(differingSettings(reply)).toEqual([]);
    expect(differingSettings(reply.slice(2))).toEqual(['port']);
    expect(differingSettings(reply.map((word) => (word === 'always' ? 'everysec' : word)))).toEqual(['appendfsync']);
  });
});
