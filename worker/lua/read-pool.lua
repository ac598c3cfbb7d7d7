#!lua flags=no-writes
-- Reads which instances have a batch and which parcels are in the pool, at the same moment: a parcel in neither has left for good.
-- KEYS: the set of batches, the pool
-- Returns the instances, and the ids of the parcels in the pool.
return {redis.call('SMEMBERS', KEYS[1]), redis.call('HKEYS', KEYS[2])}
