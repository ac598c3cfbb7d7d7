import { createHash } from 'node:crypto';
import { channels } from './presence.ts';
import type { Role } from './connection.ts';

/*
 * One Redis user per role. Each list names the commands that the role's code sends, so that a seized process can do no more.
 *
 * The relay: adds to the pool and counts it. None of its commands returns a field's name or value from there, and HSETNX, unlike
 * HSET, cannot overwrite one. `~pool` rather than `%W~pool`, because FCALL counts as reading and writing every key it declares.
 * It reads only those replies whose places it can name. It cannot send code: what has to happen in one step is a function
 * (redis/functions.ts), and this list governs the commands in it too.
 */
const relay = [
  ...['~pool', '~seen:*', '~arrived:*'],
  allow('ping fcall hlen hsetnx sadd sismember scard'),
  selector('%R~worker:alive', 'get pttl'),
  selector('%R~version', 'get'),
  selector('%R~drain', 'exists'),
  selector('%R~replies:*', 'fcall_ro hexists hget'),
  selector(`&${channels.ask}`, 'subscribe'),
  selector(`&${channels.answer}`, 'publish'),
];

/*
 * The worker: everything on its own structures, and what BullMQ 6.7 sends for job schedulers, workers and stalled jobs on
 * `ticks:*`. It loads the relay's functions and checks that they are there, and reads Redis' settings to compare them with those
 * that promises rest on. BGREWRITEAOF is the worker's, so that the append-only
 * file never holds the order of more than one round.
 */
const worker = [
  ...['~pool', '~seen:*', '~arrived:*', '~opened:*', '~claim:*', '~claims', '~lease:*', '~outbox:*', '~dead:*', '~inboxes', '~replies:*'],
  ...['~dropped', '~worker:alive', '~state', '~tests', '~retries', '~version', '~ticks:*'],
  allow('ping info config|get client|setname eval evalsha bgrewriteaof fcall_ro function|load'),
  allow('get set incr del unlink exists pttl rename'),
  allow('hset hmset hget hmget hgetall hdel hlen hkeys hexists hincrby'),
  allow('sadd srem scard smembers'),
  allow('lpush rpush lrange lrem llen rpoplpush'),
  allow('zadd zcard zpopmin bzpopmin zrange zrangebyscore zrem zremrangebyrank zremrangebyscore'),
  allow('zrevrange zrevrangebyscore zscore xadd xtrim'),
  selector('%R~drain %R~asked:tests %R~asked:retries', 'get'),
];

/*
 * The operator counts what the worker lets it, and reads and removes dead letters. It cannot count the pool or an outbox: repeated counts
 * would tell when something came. It closes the door for maintenance, and asks for test letters and for another try with dead letters,
 * which the worker makes: all that it can write are three strings.
 */
const operator = [
  allow('ping multi exec'),
  selector('%R~dead:*', 'hlen'),
  selector('%R~inboxes', 'smembers'),
  selector('%R~worker:alive', 'get pttl'),
  selector('%R~version', 'get'),
  selector('%R~dropped %R~state', 'hgetall'),
  selector('~drain', 'get set del'),
  selector('~asked:tests ~asked:retries', 'get set'),
  selector('%R~tests %R~retries', 'hget'),
  selector(`&${channels.ask}`, 'publish'),
  selector(`&${channels.answer}`, 'subscribe'),
  selector('~dead:*', 'hkeys hget hdel'),
];

const rules: Record<Role, readonly string[]> = { relay, worker, operator };

/*
 * Nobody can be `default`: it is off and has no password. It keeps its permissions nevertheless, because Redis reads its
 * append-only file as this user and silently skips every command inside MULTI that it may not run: with `-@all`, everything that
 * scripts had written was gone after a restart (seen with 7.0.15).
 */
const NOBODY = 'user default off resetpass sanitize-payload ~* &* +@all';

/** Redis' ACL file, one user per line. It holds passwords as SHA-256 only, so the file itself opens nothing. */
export function aclFile(passwords: Readonly<Record<Role, string>>): string {
  const users = (Object.keys(rules) as Role[]).map((role) => {
    const digest = createHash('sha256').update(passwords[role]).digest('hex');
    return `user ${role} on #${digest} resetchannels -@all ${rules[role].join(' ')}`;
  });
  return [NOBODY, ...users, ''].join('\n');
}

function allow(commands: string): string {
  return commands
    .split(' ')
    .map((command) => `+${command}`)
    .join(' ');
}

function selector(keyPatterns: string, commands: string): string {
  return `(${keyPatterns} ${allow(commands)})`;
}
