package redisstore

import "github.com/redis/go-redis/v9"

// The scripts are what has to happen at once in Redis. They are called by their
// digest, and sent again when Redis has forgotten them. Times are in milliseconds.
// None is given the token but in the form that it is kept in. They never change.
var (
	// takeScript takes the lock, or keeps it for another lease. It returns who has it if
	// it's another, and until when the caller has it by Redis's clock. A caller that had
	// it passes that. The fence says who had the lock last, so that a holder can tell
	// whether anybody had it since. If Redis has lost its memory, and the fence with it,
	// nobody had it while the lease hasn't ended.
	takeScript = redis.NewScript(`
local lock, fence = KEYS[1], KEYS[2]
local id, lease, memory, before = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local holder = redis.call('GET', lock)
if holder and holder ~= id then return {holder, ''} end
if not holder and before ~= '' then
	local last = redis.call('GET', fence)
	if last and last ~= id then return {last, ''} end
	if not last and now > tonumber(before) then return {'unknown', ''} end
end
redis.call('SET', lock, id, 'PX', lease)
redis.call('SET', fence, id, 'PX', memory)
return {'', string.format('%.0f', now + lease)}`)

	// releaseScript releases the lock if it is still the caller's.
	releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)

	// publishScript replaces the token, unless the publisher had the lock and
	// somebody else has had it since. If Redis has lost the memory of that, a sharer may
	// have put the token back that this somebody published: it stays if it outlives the
	// publisher's, by more than the second that the same token's life may seem to differ
	// by. A sharer notes that the sharers published it.
	publishScript = redis.NewScript(`
local token, fence, sharers = KEYS[1], KEYS[2], KEYS[3]
local value, life, id, digest, memory = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if id ~= '' then
	local last = redis.call('GET', fence)
	if last and last ~= id then return 0 end
	if not last and redis.call('PTTL', token) > life + 1000 then return 0 end
end
redis.call('SET', token, value, 'PX', life)
if digest ~= '' then
	redis.call('HSET', sharers, 'token', digest)
	redis.call('PEXPIRE', sharers, memory)
end
return 1`)

	// beatScript says that a sharer is alive, forgets the sharers that died, and
	// returns the digest of the token, '' if there is none. With a client it is the
	// first time, and another client's sharer is returned, '' if there is none,
	// beside which there can't be this one.
	beatScript = redis.NewScript(`
local token, sharers = KEYS[1], KEYS[2]
local member, alive, own, memory, client = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all = redis.call('HGETALL', sharers)
for i = 1, #all, 2 do
	if all[i] ~= 'token' and tonumber(all[i + 1]) > now and client ~= '' then
		local ok, card = pcall(cjson.decode, all[i])
		local other = ok and card['client_id'] or client
		if other ~= client then return {'', all[i]} end
	elseif all[i] ~= 'token' and tonumber(all[i + 1]) <= now then
		redis.call('HDEL', sharers, all[i])
	end
end
redis.call('HSET', sharers, member, string.format('%.0f', now + alive))
local value = redis.call('GET', token)
local there = value and redis.sha1hex(value) or ''
if there ~= '' and there == own then redis.call('HSET', sharers, 'token', own) end
redis.call('PEXPIRE', sharers, memory)
return {there, ''}`)

	// withdrawScript removes the token if it's the one that the caller published or,
	// if the caller was a sharer, that any sharer did; and if no sharer is left.
	withdrawScript = redis.NewScript(`
local token, sharers = KEYS[1], KEYS[2]
local own, member = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live, shared = false, ''
redis.call('HDEL', sharers, member)
local all = redis.call('HGETALL', sharers)
for i = 1, #all, 2 do
	if all[i] == 'token' then
		shared = all[i + 1]
	elseif tonumber(all[i + 1]) > now then
		live = true
	end
end
if live then return 0 end
local value = redis.call('GET', token)
local there = value and redis.sha1hex(value) or ''
if there == own or member ~= '' and there == shared then redis.call('DEL', token) end
if member ~= '' then redis.call('DEL', sharers) end
return 1`)
)
