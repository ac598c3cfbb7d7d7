#!lua flags=allow-oom
-- Writes the outcomes of a batch of parcels in one step. Works even when memory is full, since it frees some.
-- Returns 1, or 0 when one of the parcels is no longer in the batch: another worker has taken it over.
--
-- KEYS: the batch, the set of batches, the counters of drops, the pool, the lease; then those that ARGV refers to by number.
-- ARGV is a tape of tokens, written by worker/commit.ts. `x{n}` is n times x, and a `key` is an index of KEYS:
--
--   tape    = instance anchor n parcel{n} outcome{n}
--   parcel  = id remembering short-id         sorted by id; remembering: the key of the set of opened ids, or 0
--   outcome = i kind arguments                in random order; i: index of the parcel
--
--   kind      arguments
--   back      (none)
--   drop      reason
--   letter    letter n {outbox letter-id}{n}          outbox: a key
--   reply     bucket reply                            goes into the first free place of the bucket
--   delete    n digest{n} m bucket{m}                 digest: SHA-1 of a reply, in hex
--
--   bucket  = key n field{n}
--
-- It first only reads, tape and Redis, and then only writes, so if it fails it has changed nothing. It fails on an unknown
-- kind of outcome: if such a parcel went back into the pool instead, it would do so for ever.
--
-- The append-only file holds the order of writes. So the remembered ids are written first, sorted, then the results,
-- shuffled, and then the ids that leave the batch, sorted: no entry stands next to the parcel that it came from.
local batch, batches, dropped, pool, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local at = 0
local function readToken()
  at = at + 1
  return ARGV[at]
end
local function readNumber() return tonumber(readToken()) end
local function readList(readItem)
  local items = {}
  for n = 1, readNumber() do items[n] = readItem() end
  return items
end
local function readBucket() return {key = KEYS[readNumber()], fields = readList(readToken)} end
local function readCopy() return {outbox = KEYS[readNumber()], letterId = readToken()} end

local instance, anchor = readToken(), readToken()

-- The drop reasons that only this script can detect are named here: `by: 'script'` in redis/drops.ts.
local function countDrop(reason) redis.call('HINCRBY', dropped, reason, 1) end

-- Each of the following reads the arguments of one kind from the tape, and returns a function that writes the outcome.

local function putBack()
  return function(id) redis.call('HSET', pool, id, redis.call('HGET', batch, id)) end
end

local function drop()
  local reason = readToken()
  return function() countDrop(reason) end
end

local function letter()
  local bytes, copies = readToken(), readList(readCopy)
  return function()
    for _, copy in ipairs(copies) do redis.call('HSET', copy.outbox, copy.letterId, bytes) end
  end
end

local function reply()
  local bucket, bytes = readBucket(), readToken()
  return function()
    local free
    for _, field in ipairs(bucket.fields) do
      local stored = redis.call('HGET', bucket.key, field)
      if stored == bytes then return end
      if not stored and not free then free = field end
    end
    if free then redis.call('HSET', bucket.key, free, bytes) else countDrop('mailbox-full') end
  end
end

-- Later replies move up, so that places are filled from the first, in order. Only places that change are written, since all that
-- is written here stands together in the append-only file until its next rewrite.
local function removeFrom(bucket, unwanted)
  local filled, present, kept = {}, {}, {}
  for _, field in ipairs(bucket.fields) do
    local bytes = redis.call('HGET', bucket.key, field)
    if bytes then
      filled[#filled + 1], present[#present + 1] = field, bytes
      if not unwanted[redis.sha1hex(bytes)] then kept[#kept + 1] = bytes end
    end
  end
  for n, field in ipairs(filled) do
    if not kept[n] then
      redis.call('HDEL', bucket.key, field)
    elseif kept[n] ~= present[n] then
      redis.call('HSET', bucket.key, field, kept[n])
    end
  end
end

local function removal()
  local unwanted = {}
  for _, digest in ipairs(readList(readToken)) do unwanted[digest] = true end
  local buckets = readList(readBucket)
  return function()
    for _, bucket in ipairs(buckets) do removeFrom(bucket, unwanted) end
  end
end

local kinds = {back = putBack, drop = drop, letter = letter, reply = reply, delete = removal}

local parcels = readList(function() return {id = readToken(), remembering = readNumber(), shortId = readToken()} end)
for _, parcel in ipairs(parcels) do
  if redis.call('HEXISTS', batch, parcel.id) == 0 then return 0 end
end
local outcomes = {}
for n = 1, #parcels do
  local parcel, kind = parcels[readNumber()], kinds[readToken()]
  if not kind then return redis.error_reply('OUTCOME unknown kind') end
  outcomes[n] = {parcel = parcel, write = kind()}
end

for _, parcel in ipairs(parcels) do
  parcel.isNew = true
  if parcel.remembering > 0 then
    local opened = KEYS[parcel.remembering]
    redis.call('SADD', opened, anchor)
    parcel.isNew = redis.call('SADD', opened, parcel.shortId) == 1
  end
end
for _, outcome in ipairs(outcomes) do
  if outcome.parcel.isNew then outcome.write(outcome.parcel.id) else countDrop('replay') end
end
local ids = {}
for n, parcel in ipairs(parcels) do ids[n] = parcel.id end
if #ids > 0 then redis.call('HDEL', batch, unpack(ids)) end
if redis.call('EXISTS', batch) == 0 then
  redis.call('SREM', batches, instance)
  redis.call('DEL', lease)
end
return 1
