#!lua flags=allow-oom
-- Moves a letter from an outbox to the dead letters of its inbox, so that no crash can lose it.
-- KEYS: the outbox, the dead letters, their reasons
-- ARGV: the letter's id, the reason
-- Returns 0 when the letter is not in the outbox, otherwise 1.
local outbox, dead, reasons = KEYS[1], KEYS[2], KEYS[3]
local id, reason = ARGV[1], ARGV[2]

local letter = redis.call('HGET', outbox, id)
if not letter then return 0 end
redis.call('HSET', dead, id, letter)
redis.call('HSET', reasons, id, reason)
redis.call('HDEL', outbox, id)
return 1
