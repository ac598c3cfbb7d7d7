#!lua flags=allow-oom
-- Takes over the batch of another worker whose lease has expired, unless this worker has a batch itself.
-- KEYS: their lease, their batch, the set of batches, my batch, my lease
-- ARGV: their instance, my instance, the duration of a lease in milliseconds
-- Returns 1 when their batch is now mine, otherwise 0.
local theirLease, theirBatch, batches, myBatch, myLease = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local theirs, mine, leaseMs = ARGV[1], ARGV[2], ARGV[3]

-- A lease with more time left than any lease lasts was granted before the clock was set back.
local left = redis.call('PTTL', theirLease)
if (left >= 0 and left <= tonumber(leaseMs)) or redis.call('EXISTS', myBatch) == 1 then return 0 end
redis.call('SREM', batches, theirs)
if redis.call('EXISTS', theirBatch) == 0 then return 0 end
redis.call('RENAME', theirBatch, myBatch)
redis.call('SADD', batches, mine)
redis.call('SET', myLease, '1', 'PX', leaseMs)
return 1
