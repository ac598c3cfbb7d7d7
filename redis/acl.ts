import { createHash } from 'node:crypto';
import { channels } from './presence.ts';
import type { Role } from './connection.ts';

/*
 * One Redis user per role. Each list names what the role's code sends, so a seized process can do no more.
 *
 * The relay: adds to the pool and counts it. No command in its list gives a field's name or value back, and
 * HSETNX, unlike HSET, cannot overwrite what is there. `~pool` rather than `%W~pool`, because FCALL counts as reading
 * and writing every key it declares. Of the replies it reads those whose places it can name. It can send no code: what it needs done in
 * one step is a function (redis/functions.ts), and what that calls is judged by this list as well.
 */
const relay = [
  ...['~pool', '~seen:*', '~arrived:*'],
  words('ping fcall hlen hsetnx sadd sismember scard'),
  selector('%R~worker:alive', 'get pttl'),
  selector('%R~replies:*', 'fcall_ro hexists hget'),
  selector(`&${channels.ask}`, 'subscribe'),
  selector(`&${channels.answer}`, 'publish'),
];

/*
 * The worker: everything about its own structures, and what BullMQ 6.7 sends for job schedulers, workers and stalled
 * jobs on `ticks:*`. It gives Redis the relay's functions, and asks whether they are there. BGREWRITEAOF is the worker's, so that
 * the append-only file never holds the order of more than a round.
 */
const worker = [
  ...['~pool', '~seen:*', '~arrived:*', '~opened:*', '~claim:*', '~claims', '~lease:*', '~outbox:*', '~dead:*', '~inboxes', '~replies:*'],
  ...['~dropped', '~worker:alive', '~state', '~ticks:*'],
  words('ping info client|setname eval evalsha bgrewriteaof fcall_ro function|load'),
  words('get set incr del unlink exists pttl rename'),
  words('hset hmset hget hmget hgetall hdel hlen hkeys hexists hincrby'),
  words('sadd srem scard smembers'),
  words('lpush rpush lrange lrem llen rpoplpush'),
  words('zadd zcard zpopmin bzpopmin zrange zrangebyscore zrem zremrangebyrank zremrangebyscore'),
  words('zrevrange zrevrangebyscore zscore xadd xtrim'),
];

/*
 * The operator counts what the worker lets it, and drives dead letters again: reads and removes them in `dead:*`, and puts them
 * back into `outbox:*`, where it can neither read, overwrite nor remove anything. Counting the pool at any moment would tell when a
 * parcel came.
 */
const operator = [
  words('ping multi exec'),
  selector('%R~outbox:* %R~dead:*', 'hlen'),
  selector('%R~inboxes', 'smembers'),
  selector('%R~worker:alive', 'get pttl'),
  selector('%R~dropped %R~state', 'hgetall'),
  selector(`&${channels.ask}`, 'publish'),
  selector(`&${channels.answer}`, 'subscribe'),
  selector('%W~outbox:*', 'hsetnx'),
  selector('~dead:*', 'hkeys hget hdel hsetnx'),
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
