#!lua flags=allow-oom
-- Moves ids from one set to another, one by one, in the order that is given: at any moment an id is in one of the two. The
-- memory that one leaves is taken by the next. Works when the memory is full, since it needs none.
-- KEYS: the set they are in, the set they go to
-- ARGV: the anchor of a set (redis/keys.ts), ids…
local from, to = KEYS[1], KEYS[2]
local anchor = ARGV[1]

redis.call('SADD', to, anchor)
for i = 2, #ARGV do
  if redis.call('SREM', from, ARGV[i]) == 1 then redis.call('SADD', to, ARGV[i]) end
end
return 1
