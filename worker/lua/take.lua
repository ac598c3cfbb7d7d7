#!lua flags=allow-oom
-- Moves parcels from the pool into the worker's batch, and renews its lease. Works even when memory is full, since it only moves.
-- KEYS: the pool, the batch, the set of batches, the lease
-- ARGV: the instance, the duration of the lease in milliseconds, ids of parcels…
-- Returns the whole batch: each id followed by its sealed part.
local pool, batch, batches, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local instance, leaseMs = ARGV[1], ARGV[2]

for i = 3, #ARGV do
  local sealed = redis.call('HGET', pool, ARGV[i])
  if sealed then
    redis.call('HSET', batch, ARGV[i], sealed)
    redis.call('HDEL', pool, ARGV[i])
  end
end
if redis.call('EXISTS', batch) == 1 then
  redis.call('SADD', batches, instance)
  redis.call('SET', lease, '1', 'PX', leaseMs)
end
return redis.call('HGETALL', batch)
