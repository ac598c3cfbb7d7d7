import { Redis } from 'ioredis';
import { randomBytes, toHex } from '../crypto/bytes.ts';
import { whenReady } from '../redis/connection.ts';
import { keys } from '../redis/keys.ts';
import { Script } from '../redis/script.ts';
import holdLua from './lua/hold.lua';
import releaseLua from './lua/release.lua';

/** For so long a worker that died in an upgrade keeps others from it. */
export const LOCK_MS = 30_000;
/** Renewed so often within that time, and used for no longer than two thirds of it after a renewal. */
const RENEWALS = 3;
const READY_TIMEOUT_MS = 2_500;
const TOKEN_BYTES = 16;

const HOLD = new Script(holdLua);
const RELEASE = new Script(releaseLua);

/**
 * A connection that sends nothing more once the lock on upgrades may be another worker's: a step of an upgrade that two do at once
 * could do something twice.
 */
class LockedConnection extends Redis {
  #usableUntil = Number.POSITIVE_INFINITY;

  /** Has no effect once it was lost. @param until monotonic, in milliseconds */
  extend(until: number): void {
    if (performance.now() < this.#usableUntil) this.#usableUntil = until;
  }

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    // Asked here, and by no timer: a process that stood still wakes in the middle of its work.
    if (performance.now() < this.#usableUntil) return super.sendCommand(...args);
    const [command] = args;
    command.reject(Object.assign(new Error('the lock on the upgrade is lost'), { code: 'UPGRADE_LOCK' }));
    return command.promise;
  }
}

/**
 * Runs `work` with a connection that works only as long as this worker has the lock, which is renewed meanwhile. Returns false when
 * another one has it. Throws what `work` throws; the lock then stays until its time is over, since Redis may still carry out what was sent.
 */
export async function withUpgradeLock(redis: Redis, lockMs: number, work: (redis: Redis) => Promise<void>): Promise<boolean> {
  const token = toHex(randomBytes(TOKEN_BYTES));
  const key = keys.lease('upgrade');
  const connection = new LockedConnection({ ...redis.options, replyMapping: 'legacy' });
  connection.on('error', () => undefined);
  const hold = async (): Promise<boolean> => {
    const askedAt = performance.now();
    const isOurs = (await HOLD.run(redis, [key], [token, lockMs])) === 1;
    connection.extend(isOurs ? askedAt + (lockMs * (RENEWALS - 1)) / RENEWALS : 0);
    return isOurs;
  };
  let renewal: NodeJS.Timeout | undefined;
  try {
    await whenReady(connection, READY_TIMEOUT_MS);
    if (!(await hold())) return false;
    // Where one fails, the next may not; where none does, the connection is of no use in time.
    renewal = setInterval(() => void hold().catch(() => false), lockMs / RENEWALS);
    await work(connection);
  } finally {
    clearInterval(renewal);
    connection.disconnect();
  }
  await RELEASE.run(redis, [key], [token]);
  return true;
}
