-- What Redis does for the relay in one step. redis/functions.ts puts the constants in capitals in front of this and the
-- registrations after it. Anyone with the relay's password chooses all arguments, so no argument may add to a call's work.

-- Adds a parcel to the pool. `seen` and `arrived` hold the short ids of the parcels accepted for its key.
-- keys: the pool, seen, arrived
-- args: the parcel's id, its sealed part, most parcels in the pool, most remembered ids
-- Returns 1 when the parcel is there, now or from an earlier call, however full the pool is, and 0 when there is no room.
local function put(keys, args)
  local pool, seen, arrived = keys[1], keys[2], keys[3]
  local id, sealed, poolLimit, seenLimit = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  local short = id:sub(1, REMEMBERED_ID_BYTES)
  if redis.call('SISMEMBER', arrived, short) == 1 or redis.call('SISMEMBER', seen, short) == 1 then return 1 end
  -- Every non-empty set of ids has the anchor (redis/keys.ts), which does not count.
  local function idsIn(set) return math.max(redis.call('SCARD', set) - 1, 0) end
  if redis.call('HLEN', pool) >= poolLimit or idsIn(seen) + idsIn(arrived) >= seenLimit then return 0 end
  redis.call('SADD', arrived, SET_ANCHOR, short)
  redis.call('HSETNX', pool, id, sealed)
  return 1
end

-- The places of a mailbox in all weeks, in the order in which they are filled.
local function placesOf(weeks, fields, firstField)
  local places = {}
  for _, week in ipairs(weeks) do
    for _ = 1, REPLIES_A_WEEK do
      places[#places + 1] = {key = week, field = fields[firstField + #places]}
    end
  end
  return places
end

-- Reads a page of a mailbox. In one step, so that nothing is removed between looking and reading, and with the same number of
-- looks and reads whatever is in the mailbox.
-- keys: the hash of the blank reply, the hash of each week
-- args: number of replies before this page, REPLIES_A_WEEK fields of the first week, as many of the second…
-- Returns the number of replies, then REPLIES_A_PAGE of them, blank ones where there are no more.
local function read(keys, args)
  local blank, weeks = {key = keys[1], field = BLANK_FIELD}, {unpack(keys, 2, MAX_WEEKS + 2)}
  if #weeks < 1 or #weeks > MAX_WEEKS or #args ~= 1 + #weeks * REPLIES_A_WEEK then
    return redis.error_reply('ERR not the places of a mailbox')
  end
  local before, filled, total = tonumber(args[1]), {}, 0
  for _, place in ipairs(placesOf(weeks, args, 2)) do
    filled[total + 1] = place
    total = total + redis.call('HEXISTS', place.key, place.field)
  end
  local answer = {total}
  -- Adds `n` to `before` each time, since doubles cannot count up by one from 2^53.
  for n = 1, REPLIES_A_PAGE do
    local place = before + n <= total and filled[before + n] or blank
    answer[n + 1] = redis.call('HGET', place.key, place.field)
  end
  return answer
end

-- Answers when the functions of this version are loaded.
local function ping() return 1 end
