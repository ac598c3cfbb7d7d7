#!lua flags=no-writes
-- Reads who has a claim and what is in the pool, both at one moment: what is in neither was taken out for good.
-- KEYS: the set of claims, the pool
-- Returns the instances, and the ids of the parcels.
return {redis.call('SMEMBERS', KEYS[1]), redis.call('HKEYS', KEYS[2])}
