#!lua flags=allow-oom
-- Takes up the claim of another worker whose lease is over, unless this worker has a claim itself.
-- KEYS: their lease, their claim, the set of claims, my claim, my lease
-- ARGV: their instance, my instance, milliseconds that a lease lasts
-- Returns 1 when their claim is mine now, otherwise 0.
local theirLease, theirClaim, claims, myClaim, myLease = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local theirs, mine, leaseMs = ARGV[1], ARGV[2], ARGV[3]

-- A lease that runs longer than any is given was given before the clock was set back.
local left = redis.call('PTTL', theirLease)
if (left >= 0 and left <= tonumber(leaseMs)) or redis.call('EXISTS', myClaim) == 1 then return 0 end
redis.call('SREM', claims, theirs)
if redis.call('EXISTS', theirClaim) == 0 then return 0 end
redis.call('RENAME', theirClaim, myClaim)
redis.call('SADD', claims, mine)
redis.call('SET', myLease, '1', 'PX', leaseMs)
return 1
