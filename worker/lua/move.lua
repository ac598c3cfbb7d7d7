#!lua flags=allow-oom
-- Moves ids from one set to another, one by one, in the given order: at any moment an id is in exactly one of the two. Works
-- even when memory is full: each id takes up the memory that the one before freed.
-- KEYS: the set they are in, the set they go to
-- ARGV: the anchor of a set (redis/keys.ts), ids…
local from, to = KEYS[1], KEYS[2]
local anchor = ARGV[1]

redis.call('SADD', to, anchor)
for i = 2, #ARGV do
  if redis.call('SREM', from, ARGV[i]) == 1 then redis.call('SADD', to, ARGV[i]) end
end
return 1
