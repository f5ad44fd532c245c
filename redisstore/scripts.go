package redisstore

import "github.com/redis/go-redis/v9"

// The scripts are what has to happen at once in Redis. They are called by their
// digest, and sent again when Redis has forgotten them. Times are in milliseconds.
// None is given the token but in the form that it is kept in. Whatever is under the keys
// that isn't what they are for is replaced.
var (
	// takeScript takes the lock, or keeps it for another lease. It returns the other holder,
	// if there is one, and until when the caller has the lock by Redis's clock. A caller that
	// had the lock passes that time. The fence names the last holder, so that a holder knows
	// whether another one had the lock since. If Redis has lost its memory, and the fence with
	// it, no other had the lock while the lease hasn't ended. A caller who takes the lock also
	// gets the note that the last holder left, and the time that the note has left to live. A
	// lock without an end has no holder.
	takeScript = newScript(`
local lock, fence, note = KEYS[1], KEYS[2], KEYS[3]
local id, lease, memory, before = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now = time()
local holder = text(lock)
if holder and redis.call('PTTL', lock) < 0 then holder = false end
if holder and holder ~= id then return {holder, '', '', 0} end
if not holder and before ~= '' then
	local last = text(fence)
	if last and last ~= id then return {last, '', '', 0} end
	if not last and now > tonumber(before) then return {'unknown', '', '', 0} end
end
redis.call('SET', lock, id, 'PX', lease)
redis.call('SET', fence, id, 'PX', memory)
return {'', string.format('%.0f', now + lease), text(note) or '', redis.call('PTTL', note)}`)

	// releaseScript releases the lock if it is still the caller's, and leaves a note if
	// there is one to leave.
	releaseScript = newScript(`
local lock, noted = KEYS[1], KEYS[2]
local id, note, life = ARGV[1], ARGV[2], ARGV[3]
if text(lock) ~= id then return 0 end
if note ~= '' then redis.call('SET', noted, note, 'PX', life) end
redis.call('DEL', lock)
return 1`)

	// publishScript replaces the token, unless the publisher had the lock and somebody
	// else has had it since. If Redis has lost the memory of that, a sharer may have put
	// the token back that this somebody published: it stays if it outlives the
	// publisher's, by more than the second that the same token's life may seem to differ
	// by. Without the lock it doesn't replace a token whose header begins like those of
	// the same client and is another. A sharer notes that the sharers published it, and
	// forgets the sharers that died, whose token this one replaces.
	publishScript = newScript(`
local token, fence, sharers, note = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local value, life, id, digest, memory = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local client, header = ARGV[6], tonumber(ARGV[7])
if id == '' and client ~= '' then
	local there = text(token) or ''
	local another = string.sub(there, 1, header) ~= string.sub(value, 1, header)
	if string.sub(there, 1, #client) == client and another then return -1 end
end
if id ~= '' then
	local last = text(fence)
	if last and last ~= id then return 0 end
	if not last and redis.call('PTTL', token) > life + 1000 then return 0 end
end
redis.call('SET', token, value, 'PX', life)
redis.call('DEL', note)
if digest ~= '' then
	for name, sharer in pairs(registered(sharers, memory)) do
		if not sharer['live'] then redis.call('HDEL', sharers, name) end
	end
	redis.call('HSET', sharers, 'token', digest)
	redis.call('PEXPIRE', sharers, memory)
end
return 1`)

	// heartbeatScript says that a sharer is alive, and returns the digest of the token,
	// '' if there is none. At the first time it is given the client and the names of its
	// issuer, and returns a live sharer of another account, '' if there is none, beside
	// which there can't be this one. What can't be told of an account, '', matches
	// anything.
	heartbeatScript = newScript(`
local token, sharers = KEYS[1], KEYS[2]
local name, alive, own, memory, client = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local function differ(a, ...)
	if type(a) ~= 'string' or a == '' then return false end
	for _, b in ipairs({...}) do
		if b == '' or a == b then return false end
	end
	return true
end
for rival, sharer in pairs(registered(sharers, memory)) do
	if ARGV[6] and sharer['live'] and (differ(sharer['client_id'], client) or differ(sharer['issuer'], unpack(ARGV, 6))) then
		return {'', rival}
	end
end
redis.call('HSET', sharers, name, string.format('%.0f', time() + alive))
local value = text(token)
local there = value and redis.sha1hex(value) or ''
if there ~= '' and there == own then redis.call('HSET', sharers, 'token', own) end
redis.call('PEXPIRE', sharers, memory)
return {there, ''}`)

	// withdrawScript removes the token if it's the one that the caller published or,
	// if the caller was a sharer, that any sharer did; and if no sharer is left.
	withdrawScript = newScript(`
local token, sharers, note = KEYS[1], KEYS[2], KEYS[3]
local own, name, memory = ARGV[1], ARGV[2], ARGV[3]
local all, shared = registered(sharers, memory)
for other, sharer in pairs(all) do
	if sharer['live'] and other ~= name then
		redis.call('HDEL', sharers, name)
		return 0
	end
end
redis.call('DEL', note)
local value = text(token)
local there = value and redis.sha1hex(value) or ''
if there == own or name ~= '' and there == shared then redis.call('DEL', token) end
if name ~= '' then redis.call('DEL', sharers) end
return 1`)
)

// newScript makes a script that can call these functions:
//
//	time()                    Redis's clock
//	text(key)                 the string under a key, false if there is none
//	registered(key, memory)   the sharers by the names of their fields, each a table with what
//	                          it says of itself and whether it is live, and the digest of the
//	                          token that they share. A key that holds no hash is deleted. A
//	                          registration that ends later than memory allows isn't live.
func newScript(body string) *redis.Script {
	return redis.NewScript(`
local function time()
	local now = redis.call('TIME')
	return now[1] * 1000 + math.floor(now[2] / 1000)
end
local function read(command, key)
	local value = redis.pcall(command, key)
	if type(value) ~= 'table' or not value['err'] then return value end
	if string.find(value['err'], 'WRONGTYPE', 1, true) then return false end
	return redis.call(command, key) -- which raises the error
end
local function text(key) return read('GET', key) end
local function registered(key, memory)
	local all, now = read('HGETALL', key), time()
	if not all then redis.call('DEL', key); all = {} end
	local sharers, digest = {}, nil
	for i = 1, #all, 2 do
		if all[i] == 'token' then
			digest = all[i + 1]
		else
			local ok, sharer = pcall(cjson.decode, all[i])
			local isSharer = ok and type(sharer) == 'table' and type(sharer['host']) == 'string' and type(sharer['pid']) == 'number'
			if not isSharer then sharer = {} end
			local till = tonumber(all[i + 1]) or 0
			sharer['live'] = isSharer and till > now and till <= now + memory
			sharers[all[i]] = sharer
		end
	end
	return sharers, digest
end` + body)
}
