#!lua flags=allow-oom
-- Takes or renews a lease, unless another instance holds it.
-- KEYS: the lease
-- ARGV: the instance, the duration of a lease in milliseconds
-- Returns 1 when the lease is this instance's, otherwise 0.
local lease = KEYS[1]
local instance, leaseMs = ARGV[1], ARGV[2]

local holder = redis.call('GET', lease)
-- A lease with more time left than any lease lasts was granted before the clock was set back.
if holder and holder ~= instance and redis.call('PTTL', lease) <= tonumber(leaseMs) then return 0 end
redis.call('SET', lease, instance, 'PX', leaseMs)
return 1
