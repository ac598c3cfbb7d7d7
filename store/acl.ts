import { createHash } from 'node:crypto';
import type { Role } from './redis.ts';

/*
 * One Redis user per role. Each list names what the role's code sends, so a seized process can do no more.
 *
 * The relay: adds to the pool and counts it. No command in its list gives a field's name or value back, and
 * HSETNX, unlike HSET, cannot overwrite what is there. `~pool` rather than `%W~pool`, because EVAL counts as reading
 * and writing every key it declares.
 */
const relay = ['~pool', '~seen:*', words('ping eval evalsha hlen hsetnx sadd sismember scard'), selector('%R~worker:alive', 'get pttl')];

/*
 * The worker: everything about its own structures, and what BullMQ 6.7 sends for job schedulers, workers and stalled
 * jobs on `ticks:*`. BGREWRITEAOF is the worker's, so that the append-only file never holds the order of more than a round.
 */
const worker = [
  ...['pool', 'seen:*', 'opened:*', 'claim:*', 'claims', 'lease:*', 'outbox:*', 'dead:*', 'inboxes', 'dropped', 'worker:alive', 'ticks:*'].map(
    (key) => `~${key}`,
  ),
  words('ping info time multi exec discard watch unwatch eval evalsha script|load bgrewriteaof client|setname client|list client|id'),
  words('get set incr incrby del unlink exists expire pexpire pexpireat persist pttl ttl type rename'),
  words('hset hmset hsetnx hget hmget hgetall hdel hlen hkeys hexists hincrby hscan hrandfield'),
  words('sadd srem scard sismember smismember smembers sscan'),
  words('lindex llen lpop lpos lpush lrange lrem lset ltrim rpop rpoplpush rpush'),
  words('zadd zcard zcount zlexcount zpopmin bzpopmin zrange zrangebylex zrangebyscore zrem zremrangebyrank zremrangebyscore'),
  words('zrevrange zrevrangebyscore zscore xadd xdel xlen xrange xread xtrim'),
];

/*
 * The operator counts, and drives dead letters again: reads them from `dead:*` and puts them back into `outbox:*`,
 * which it cannot read.
 */
const operator = [
  words('ping multi exec'),
  selector('%R~pool %R~claim:* %R~outbox:* %R~dead:* %R~seen:* %R~opened:* %R~lease:* %R~ticks:*', 'hlen scard exists pttl zcard llen'),
  selector('%R~claims %R~inboxes', 'smembers scard'),
  selector('%R~worker:alive', 'get pttl'),
  selector('%R~dropped', 'hgetall'),
  selector('~dead:* %W~outbox:*', 'hkeys hget hdel hsetnx'),
];

const rules: Record<Role, readonly string[]> = { relay, worker, operator };

/*
 * Nobody can be `default`: it is off and has no password. It keeps its permissions nevertheless, because Redis reads
 * its append-only file as this user and skips, without a word, every command inside MULTI that it may not run: with
 * `-@all` all that scripts had written was gone after a restart (seen with 7.0.15).
 */
const NOBODY = 'user default off resetpass sanitize-payload ~* &* +@all';

/** Redis' ACL file, one user a line. Passwords stand in it as SHA-256, so the file itself opens nothing. */
export function aclFile(passwords: Readonly<Record<Role, string>>): string {
  const users = (Object.keys(rules) as Role[]).map((role) => {
    const digest = createHash('sha256').update(passwords[role]).digest('hex');
    return `user ${role} on #${digest} resetchannels -@all ${rules[role].join(' ')}`;
  });
  return [NOBODY, ...users, ''].join('\n');
}

function words(commands: string): string {
  return commands
    .split(' ')
    .map((command) => `+${command}`)
    .join(' ');
}

function selector(keyPatterns: string, commands: string): string {
  return `(${keyPatterns} ${words(commands)})`;
}
