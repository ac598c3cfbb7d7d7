import type { Redis } from 'ioredis';
import { shuffled } from '../crypto/bytes.ts';
import type { DropReason } from '../redis/drops.ts';
import { keys, SET_ANCHOR, shortId } from '../redis/keys.ts';
import type { Bucket } from '../redis/mailboxes.ts';
import { Script } from '../redis/script.ts';
import { LEASE_MS } from './lease.ts';

export type Sealed = { readonly id: Buffer; readonly sealed: Buffer };

/** `serial` is that of the key that opened it, null when none did. */
export type Outcome =
  | { readonly kind: 'drop'; readonly id: Buffer; readonly serial: number | null; readonly reason: DropReason }
  | { readonly kind: 'letter'; readonly id: Buffer; readonly serial: number; readonly letter: Buffer; readonly to: readonly { inbox: string; letterId: Buffer }[] }
  /** A reply for one of the places, the first that is free. */
  | { readonly kind: 'reply'; readonly id: Buffer; readonly serial: number; readonly reply: Buffer; readonly bucket: Bucket }
  /** What a requester removes: in these places the replies with these digests (SHA-1, hex), wherever each stands by then. */
  | { readonly kind: 'delete'; readonly id: Buffer; readonly serial: number; readonly digests: readonly string[]; readonly buckets: readonly Bucket[] }
  /** Back into the pool: this worker could not decide, or there is no room for it yet. */
  | { readonly kind: 'back'; readonly id: Buffer };

// What takes parcels out of the pool and letters out of Redis must work when its memory is full: `allow-oom`.
const TAKE = new Script(`#!lua flags=allow-oom
local pool, claim, claims, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
for i = 3, #ARGV do
  local sealed = redis.call('HGET', pool, ARGV[i])
  if sealed then
    redis.call('HSET', claim, ARGV[i], sealed)
    redis.call('HDEL', pool, ARGV[i])
  end
end
if redis.call('EXISTS', claim) == 1 then
  redis.call('SADD', claims, ARGV[1])
  redis.call('SET', lease, '1', 'PX', ARGV[2])
end
return redis.call('HGETALL', claim)
`);

const REPLAY: DropReason = 'replay';
const MAILBOX_FULL: DropReason = 'mailbox-full';

// Both at one moment: what is in neither was taken out for good.
const LOOK = new Script(`#!lua flags=no-writes
return {redis.call('SMEMBERS', KEYS[1]), redis.call('HKEYS', KEYS[2])}
`);

// A lease that runs longer than any is given was given before the clock was set back.
const TAKE_UP = new Script(`#!lua flags=allow-oom
local theirLease, theirClaim, claims, myClaim, myLease = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local left = redis.call('PTTL', theirLease)
if (left >= 0 and left <= tonumber(ARGV[3])) or redis.call('EXISTS', myClaim) == 1 then return 0 end
redis.call('SREM', claims, ARGV[1])
if redis.call('EXISTS', theirClaim) == 0 then return 0 end
redis.call('RENAME', theirClaim, myClaim)
redis.call('SADD', claims, ARGV[2])
redis.call('SET', myLease, '1', 'PX', ARGV[3])
return 1
`);

// First nothing but looking, then nothing but writing: a script that gives up has changed nothing; so it does for a kind of
// outcome that it does not know, since a parcel that went back into the pool for that would do so for ever. What came in is written
// by its name, then by chance what comes of it, and by its name again what is done: in the append-only file, which holds the
// order in which parcels came, nothing stands beside the parcel that it was in.
const COMMIT = new Script(`#!lua flags=allow-oom
local claim, claims, dropped, pool, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local at = 2
local function take()
  at = at + 1
  return ARGV[at]
end
local write = {
  back = function(id)
    redis.call('HSET', pool, id, redis.call('HGET', claim, id))
  end,
  letter = function(_, new)
    local letter = take()
    for _ = 1, tonumber(take()) do
      local outbox, letterId = KEYS[tonumber(take())], take()
      if new then redis.call('HSET', outbox, letterId, letter) end
    end
    if not new then redis.call('HINCRBY', dropped, '${REPLAY}', 1) end
  end,
  reply = function(_, new)
    local bucket, reply = KEYS[tonumber(take())], take()
    local free, known
    for _ = 1, tonumber(take()) do
      local field = take()
      local there = redis.call('HGET', bucket, field)
      if there == reply then known = true end
      if not there and not free then free = field end
    end
    if not new then
      redis.call('HINCRBY', dropped, '${REPLAY}', 1)
    elseif not known and free then
      redis.call('HSET', bucket, free, reply)
    elseif not known then
      redis.call('HINCRBY', dropped, '${MAILBOX_FULL}', 1)
    end
  end,
  delete = function(_, new)
    local unwanted = {}
    for _ = 1, tonumber(take()) do unwanted[take()] = true end
    for _ = 1, tonumber(take()) do
      local bucket, filled, there, kept = KEYS[tonumber(take())], {}, {}, {}
      for _ = 1, tonumber(take()) do
        local field = take()
        local reply = redis.call('HGET', bucket, field)
        if reply then
          filled[#filled + 1], there[#there + 1] = field, reply
          if not unwanted[redis.sha1hex(reply)] then kept[#kept + 1] = reply end
        end
      end
      -- Those behind move up, so that places are filled from the first and in order. No other place is named: what is
      -- written here stands together in the append-only file until that is rewritten.
      if new then
        for n = 1, #filled do
          if not kept[n] then
            redis.call('HDEL', bucket, filled[n])
          elseif kept[n] ~= there[n] then
            redis.call('HSET', bucket, filled[n], kept[n])
          end
        end
      end
    end
    if not new then redis.call('HINCRBY', dropped, '${REPLAY}', 1) end
  end,
  drop = function(_, new)
    local reason = take()
    if not new then reason = '${REPLAY}' end
    redis.call('HINCRBY', dropped, reason, 1)
  end,
}
local count = tonumber(take())
local ids, opened, short, new, order = {}, {}, {}, {}, {}
for i = 1, count do
  ids[i], opened[i], short[i] = take(), tonumber(take()), take()
  if redis.call('HEXISTS', claim, ids[i]) == 0 then return 0 end
end
for i = 1, count do
  local n, kind = tonumber(take()), take()
  if not write[kind] then return redis.error_reply('OUTCOME unknown kind') end
  order[i] = {n, write[kind]}
end
for i = 1, count do
  new[i] = true
  if opened[i] > 0 then
    redis.call('SADD', KEYS[opened[i]], ARGV[2])
    new[i] = redis.call('SADD', KEYS[opened[i]], short[i]) == 1
  end
end
for _, entry in ipairs(order) do entry[2](ids[entry[1]], new[entry[1]]) end
if count > 0 then redis.call('HDEL', claim, unpack(ids)) end
if redis.call('EXISTS', claim) == 0 then
  redis.call('SREM', claims, ARGV[1])
  redis.call('DEL', lease)
end
return 1
`);

/**
 * What this worker took out of the pool and has not finished. A claim outlives its worker: another takes it up by
 * renaming it, after which the first one's commit fails, so that a parcel never is done twice.
 */
export class Claims {
  readonly #redis: Redis;
  readonly #instance: string;

  constructor(redis: Redis, instance: string) {
    this.#redis = redis;
    this.#instance = instance;
  }

  /** Moves those of `ids` that still are in the pool into the claim; returns the whole claim. */
  async take(ids: readonly Buffer[]): Promise<Sealed[]> {
    const names = [keys.pool, keys.claim(this.#instance), keys.claims, keys.lease(this.#instance)];
    return pairs(await TAKE.run(this.#redis, names, [this.#instance, LEASE_MS, ...ids]));
  }

  /** Parcels of a worker that is no more, or of a commit of our own that failed. */
  async takeUp(): Promise<Sealed[]> {
    for (const other of await this.#others()) {
      const names = [keys.lease(other), keys.claim(other), keys.claims, keys.claim(this.#instance), keys.lease(this.#instance)];
      if ((await TAKE_UP.run(this.#redis, names, [other, this.#instance, LEASE_MS])) === 1) break;
    }
    return this.take([]);
  }

  /** What is in the pool, and whether any other worker, alive or not, had parcels out of it just then. */
  async look(): Promise<{ ids: Buffer[]; elsewhere: boolean }> {
    const [instances, ids] = (await LOOK.run(this.#redis, [keys.claims, keys.pool], [])) as [Buffer[], Buffer[]];
    return { ids, elsewhere: instances.some((instance) => instance.toString() !== this.#instance) };
  }

  /**
   * Writes all outcomes in one step and in random order, and the ids of what was opened in an order of their own.
   * @returns false when the claim is no longer ours; then nothing was written
   */
  async commit(outcomes: readonly Outcome[]): Promise<boolean> {
    const names: string[] = [keys.claim(this.#instance), keys.claims, keys.dropped, keys.pool, keys.lease(this.#instance)];
    const place = (key: string): number => {
      const known = names.indexOf(key);
      return (known === -1 ? names.push(key) - 1 : known) + 1;
    };
    const byName = outcomes.toSorted((a, b) => a.id.compare(b.id));
    const parcels = byName.flatMap((outcome) => [outcome.id, ...remembered(outcome, place)]);
    const inTurn = shuffled(outcomes);
    const order = inTurn.flatMap((outcome) => [byName.indexOf(outcome) + 1, outcome.kind]);
    const args = [this.#instance, SET_ANCHOR, outcomes.length, ...parcels, ...order, ...inTurn.flatMap((outcome) => record(outcome, place))];
    return (await COMMIT.run(this.#redis, names, args)) === 1;
  }

  async #others(): Promise<string[]> {
    return (await this.#redis.smembers(keys.claims)).filter((instance) => instance !== this.#instance);
  }
}

/** Only what a key has opened has a name of its own. */
function remembered(outcome: Outcome, place: (key: string) => number): (string | number | Buffer)[] {
  return outcome.kind === 'back' || outcome.serial === null ? [0, ''] : [place(keys.opened(outcome.serial)), shortId(outcome.id)];
}

/** What the script takes for an outcome of its kind. */
function record(outcome: Outcome, place: (key: string) => number): (string | number | Buffer)[] {
  switch (outcome.kind) {
    case 'back':
      return [];
    case 'drop':
      return [outcome.reason];
    case 'reply':
      return places(outcome.bucket, place, outcome.reply);
    case 'delete':
      return [outcome.digests.length, ...outcome.digests, outcome.buckets.length, ...outcome.buckets.flatMap((bucket) => places(bucket, place))];
    case 'letter':
      return [outcome.letter, outcome.to.length, ...outcome.to.flatMap(({ inbox, letterId }) => [place(keys.outbox(inbox)), letterId])];
  }
}

function places({ key, fields }: Bucket, place: (key: string) => number, ...value: readonly Buffer[]): (number | Buffer)[] {
  return [place(key), ...value, fields.length, ...fields];
}

function pairs(reply: unknown): Sealed[] {
  const flat = reply as Buffer[];
  return flat.flatMap((id, index) => {
    const sealed = flat[index + 1];
    return index % 2 === 0 && sealed ? [{ id, sealed }] : [];
  });
}
