#!lua flags=allow-oom
-- Releases a lease, if it is this instance's.
-- KEYS: the lease
-- ARGV: the instance
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
