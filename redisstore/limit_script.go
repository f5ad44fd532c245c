package redisstore

import "github.com/redis/go-redis/v9"

// limitScript is one step of a rate limit's state: ratelimit's record in Lua, with the same
// names, by Redis's clock. The record is kept as MessagePack, which keeps numbers exact.
// A key that holds anything else is replaced. It is in one step all that happens in Redis.
var limitScript = redis.NewScript(`
local key, c, life = KEYS[1], cjson.decode(ARGV[1]), ARGV[2]
local maxPause, firstLeast, firstMost, minPace, maxPace = 300000, 10, 1000, 1, 60000
local slower, faster, muchFaster, quietTime, quietTurns, policyLease = 1.25, 0.98, 0.8, 60000, 20, 60000
local slotPoll, longWait, longNap, slackFrom, slackPortion = 50, 200, 5000, 50, 0.02
local function list(x) if type(x) == 'table' then return x end return {} end
local function usage() return {requests = 0, units = 0, refused = 0} end

local r
local value = redis.pcall('GET', key)
if type(value) == 'string' then
	local ok, old = pcall(cmsgpack.unpack, value)
	if ok and type(old) == 'table' and type(old.month) == 'table' and type(old.gone) == 'number' then r = old end
end
r = r or {skew = 0, last = 0, began = 0, policy = '', policy_at = 0, rules = {}, slots = 0, full = {}, held = {}, queued = {},
	paused = 0, paused_at = 0, epoch = 0, pace = 0, head = 0, head_at = 0, tail = 0, next = 0, late = 0, gone = 0,
	minute_no = 0, minute = usage(), before = usage(), month_no = '', month = usage()}

local function clock()
	local time = redis.call('TIME')
	local now = time[1] * 1000 + time[2] / 1000 + r.skew
	if now < r.last then
		r.skew = r.skew + r.last - now
		now = r.last
	end
	r.last = now
	return now
end
local lost = r.last == 0
local now = clock()

local function count()
	local minute = math.floor(now / 60000)
	if minute ~= r.minute_no then
		if minute == r.minute_no + 1 then r.before = r.minute else r.before = usage() end
		r.minute_no, r.minute = minute, usage()
	end
	if c.month > r.month_no then r.month_no, r.month = c.month, usage() end
end

local function adopt()
	if c.policy == '' or c.op == 'look' then return end
	if c.policy ~= r.policy then
		if r.policy ~= '' and now < r.policy_at + policyLease then return end
		local full = {}
		for i, rule in ipairs(list(c.rules)) do
			full[i] = 0
			for k, old in ipairs(r.rules) do
				if old.amount == rule.amount and old.period == rule.period and old.units == rule.units then full[i] = r.full[k] end
			end
		end
		r.policy, r.rules, r.slots, r.full = c.policy, list(c.rules), c.slots, full
	end
	r.policy_at = now
end

local function recall()
	for i, known in ipairs(list(c.known)) do
		if r.full[i] then r.full[i] = math.min(known, now + r.rules[i].period) end
	end
	if c.known_pace > 0 then r.pace, r.paused_at = c.known_pace, now end
end

local function spend(i, amount)
	r.full[i] = math.max(r.full[i], now) + amount * r.rules[i].period / r.rules[i].amount
end
local function spendAll(requests, units)
	for i, rule in ipairs(r.rules) do
		if rule.units then spend(i, units) else spend(i, requests) end
	end
end

local function expire(leases)
	local live = {}
	for _, l in ipairs(leases) do
		if l['until'] > now then live[#live + 1] = l end
	end
	return live
end
local function find(leases)
	for i, l in ipairs(leases) do
		if l.id == c.id then return i end
	end
end
local function extend(leases)
	local i = find(leases)
	if i then leases[i]['until'] = now + c.lease end
	return i
end
local function remove(leases)
	local i = find(leases)
	if i then table.remove(leases, i) end
end

local function turnAt(turn) return r.head_at + math.max(0, turn - r.head) * r.pace end
local function nextTurn()
	r.tail = r.tail + 1
	if turnAt(r.tail) < now then r.head, r.head_at = r.tail, now end
	return r.tail
end
local function rebase()
	if r.pace > 0 and now > r.head_at then r.head, r.head_at = r.head + (now - r.head_at) / r.pace, now end
end

local function isQuiet() return now > r.paused_at + math.max(quietTime, quietTurns * r.pace) end
local function burst(rule)
	if rule.amount >= slackFrom then return rule.period * (1 - slackPortion) end
	return rule.period
end
local function outlook()
	local at = math.max(now, r.paused)
	for i, rule in ipairs(r.rules) do
		local full = math.max(r.full[i], now)
		if not rule.units then full = full + rule.period / rule.amount end
		at = math.max(at, full - burst(rule))
	end
	if r.pace > 0 then at = math.max(at, turnAt(r.tail + 1)) end
	return at - now
end

local function reserve()
	spendAll(1, c.units)
	local t = {at = now, turn = 0, epoch = r.epoch}
	for i, rule in ipairs(r.rules) do t.at = math.max(t.at, r.full[i] - burst(rule)) end
	if r.pace > 0 and isQuiet() and turnAt(r.tail) <= now then r.pace = 0 end
	if r.pace > 0 and c.ticket.turn > 0 and c.ticket.epoch == r.epoch then
		t.turn = c.ticket.turn
	elseif r.pace > 0 then
		t.turn = nextTurn()
	end
	return t
end

local function takeSlot()
	if r.slots == 0 or extend(r.held) then return 0 end
	if not extend(r.queued) then r.queued[#r.queued + 1] = {id = c.id, ['until'] = now + c.lease} end
	local place, free = find(r.queued) - 1, r.slots - #r.held
	if place >= free then return slotPoll * (place - math.max(free, 0) + 1) end
	table.remove(r.queued, place + 1)
	r.held[#r.held + 1] = {id = c.id, ['until'] = now + c.lease}
	return 0
end

local function isLate(turn) return r.head + (now - r.head_at) / r.pace >= turn + 1 end
local function waitTurn(turn)
	local wait = turnAt(turn) - now
	if wait > longWait then return math.min(wait / 2, longNap) end
	if wait > 0 then return wait end
	if now >= r.next then return 0 end
	if not isLate(turn) then return r.next - now end
	r.late = math.max(r.late, r.next)
	wait = math.min(r.late - now, longNap)
	r.late = r.late + r.pace
	return wait
end
local function takeTurn(turn)
	if isLate(turn) then
		rebase()
		r.head = r.head - 1
	end
	r.next = math.max(r.next, now - r.pace) + r.pace
	r.gone = r.gone + 1
end

local function admit(a)
	local t = a.ticket
	t.epoch = r.epoch
	if r.pace > 0 and (t.turn == 0 or t.turn > r.tail) then t.turn = nextTurn() end
	a.wait = math.max(t.at, r.paused) - now
	local inTurn = t.turn > 0 and r.pace > 0
	if inTurn then a.wait = math.max(a.wait, waitTurn(t.turn)) end
	if a.wait <= 0 then a.wait = math.min(takeSlot(), c.lease / 3) end
	a.go = a.wait == 0
	if a.go and inTurn then takeTurn(t.turn) end
end

local function refused()
	local t = {at = 0, turn = 0, epoch = 0}
	local pause = math.min(math.max(c.pause, 0), maxPause)
	r.paused_at = now
	rebase()
	if c.ticket.epoch == r.epoch or r.pace == 0 then
		r.epoch = r.epoch + 1
		if r.pace == 0 then
			r.pace = math.min(math.max(pause, firstLeast), firstMost)
			r.tail = r.tail + 1
			r.head, r.head_at = r.tail, now
		else
			r.head = math.floor(r.head)
			if r.gone > 1 then r.pace = math.min(r.pace * slower, maxPace) end
		end
		r.gone = 0
		t.turn, t.epoch = r.head, r.epoch
	end
	r.paused = math.max(r.paused, now + pause)
	r.next = math.max(r.next, r.paused)
	r.head_at = math.max(r.head_at, r.next)
	return t
end

local function finish()
	remove(r.held)
	remove(r.queued)
	if not c.sent then
		spendAll(-1, -c.units)
	elseif c.refused then
		spendAll(-1, -c.units)
		r.minute.refused, r.month.refused = r.minute.refused + 1, r.month.refused + 1
		return refused()
	else
		spendAll(0, c.spent - c.units)
		for _, u in ipairs({r.minute, r.month}) do
			u.requests, u.units = u.requests + 1, u.units + c.spent
		end
		if r.pace > 0 and c.ticket.epoch == r.epoch then
			rebase()
			r.pace = math.max(r.pace * (isQuiet() and muchFaster or faster), minPace)
		end
	end
	return {at = 0, turn = 0, epoch = 0}
end

count()
adopt()
if lost then
	r.began = now
	recall()
end
for i, amount in ipairs(list(c.carry)) do
	if r.full[i] then spend(i, amount) end
end
r.held, r.queued = expire(r.held), expire(r.queued)
local a = {go = false, wait = 0, ticket = c.ticket}
if c.op == 'reserve' then
	a.ticket = reserve()
	admit(a)
elseif c.op == 'wait' then
	admit(a)
elseif c.op == 'renew' then
	extend(r.held)
	extend(r.queued)
elseif c.op == 'finish' then
	a.ticket = finish()
elseif c.op == 'look' then
	a.wait = outlook()
end
if c.op ~= 'look' then redis.call('SET', key, cmsgpack.pack(r), 'PX', life) end
a.policy, a.recent, a.minute_no, a.minute, a.month = r.policy, r.minute.requests + r.before.requests, r.minute_no, r.minute, r.month
a.in_use, a.queued, a.paused, a.pace = #r.held, #r.queued, math.max(0, r.paused - now), r.pace
a.began = r.began
a.full = #r.full > 0 and r.full or nil
return cjson.encode(a)`)
