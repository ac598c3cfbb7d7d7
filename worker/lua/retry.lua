#!lua flags=allow-oom
-- Moves dead letters back into the outbox of their inbox. One with an id that waits there already is the same letter.
-- KEYS: the outbox, the dead letters, their reasons, the notes on what was asked for
-- ARGV: the inbox, the question once all of them are moved or '', ids of letters
local outbox, dead, reasons, notes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local inbox, question = ARGV[1], ARGV[2]

for n = 3, #ARGV do
  local id = ARGV[n]
  local letter = redis.call('HGET', dead, id)
  if letter then
    if redis.call('HEXISTS', outbox, id) == 0 then redis.call('HSET', outbox, id, letter) end
    redis.call('HDEL', dead, id)
    redis.call('HDEL', reasons, id)
  end
end
if question ~= '' then redis.call('HSET', notes, inbox, question) end
return 1
