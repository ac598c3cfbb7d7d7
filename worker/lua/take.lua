#!lua flags=allow-oom
-- Takes parcels out of the pool into the worker's claim, and renews its lease.
-- KEYS: the pool, the claim, the set of claims, the lease
-- ARGV: the instance, milliseconds that the lease lasts, ids of parcels…
-- Returns the whole claim, an id and its sealed part after the other. Works when the memory is full: it only moves.
local pool, claim, claims, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local instance, leaseMs = ARGV[1], ARGV[2]

for i = 3, #ARGV do
  local sealed = redis.call('HGET', pool, ARGV[i])
  if sealed then
    redis.call('HSET', claim, ARGV[i], sealed)
    redis.call('HDEL', pool, ARGV[i])
  end
end
if redis.call('EXISTS', claim) == 1 then
  redis.call('SADD', claims, instance)
  redis.call('SET', lease, '1', 'PX', leaseMs)
end
return redis.call('HGETALL', claim)
