// The settings of Redis that promises rest on: that nothing accepted is lost, and that nothing says when it came.

/** As deploy/redis/redis.conf has them and CONFIG GET answers. What an operator may choose (how much memory, which clients) is not here. */
export const REQUIRED_SETTINGS: Readonly<Record<string, string>> = {
  port: '0',
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'aof-load-truncated': 'yes',
  'aof-timestamp-enabled': 'no',
  save: '',
  'maxmemory-policy': 'noeviction',
  'hash-max-listpack-entries': '0',
  'hash-max-listpack-value': '0',
  'slowlog-log-slower-than': '-1',
  'slowlog-max-len': '0',
  'latency-tracking': 'no',
  'latency-monitor-threshold': '0',
  'acllog-max-len': '0',
  'notify-keyspace-events': '',
  'crash-log-enabled': 'no',
  'crash-memcheck-enabled': 'no',
  loglevel: 'warning',
  'enable-protected-configs': 'no',
  'enable-debug-command': 'no',
  'enable-module-command': 'no',
};

/** @param reply to CONFIG GET of all of them: names and values in turn. @returns the names of those that differ or are unknown */
export function differingSettings(reply: readonly string[]): string[] {
  const found = new Map(reply.flatMap((name, index) => (index % 2 === 0 ? [[name, reply[index + 1] ?? '']] : [])) as [string, string][]);
  return Object.entries(REQUIRED_SETTINGS).flatMap(([name, value]) => (found.get(name) === value ? [] : [name]));
}
