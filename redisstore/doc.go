// Package redisstore shares a token among any number of machines, in Redis or what
// speaks its protocol, such as Valkey.
//
// [Open] takes a URL, and [New] a go-redis client of your own, for a single Redis, one
// behind Sentinels or a Redis Cluster. The [Store] that they return is what
// shsession.Share, Join, Follow and Collect take. Redis 6 or newer is needed, and 7 for
// the access control below.
//
// # What is in Redis
//
// A Store of name NAME has four keys, all in one hash slot:
//
//	shsession:{NAME}:token    the token's JSON, or what encryption made of it
//	shsession:{NAME}:lock     who has the lock: a random id
//	shsession:{NAME}:fence    who took the lock last; kept for a day
//	shsession:{NAME}:sharers  a hash of who keeps the token in place; kept for a day
//
// The token's key lives for as long as the token does, and readers take the time that is left
// from there: the machines' clocks needn't agree. So Redis keeps no expired token, and
// Publish refuses one. All reads go to the master.
//
// A follower sends two commands in one round trip, about once in a token's life, over a connection
// that stays open in between: see docs/cluster.md for what many of them take. Redis must not
// evict keys: its maxmemory-policy is noeviction, or the keys go before their time.
//
// # Secrecy
//
// With [Options].Key, the token is encrypted by AES-256-GCM before it leaves the
// process; Redis's memory, files, MONITOR and slow log have it in no other form. The key
// protects against whoever can read Redis, and against tokens slipped in by whoever can
// write to it, but not against the return of an older token or the token's removal. The time that
// the token has left isn't encrypted: whoever can write can make it seem longer, though from
// no look on longer than the token's whole life, and shorter. A token that has ended is no use to
// anybody, and the API refuses it. Without a key, whoever can read the name in Redis has the token. To change the key, restart
// everybody with the new one once the token has been deleted or has ended.
//
// The password of Redis isn't protected by that: use rediss:// where the network isn't trusted.
//
// # Access control
//
// Everything that a Store does is permitted to a user with this ACL, all in one line:
//
//	ACL SETUSER shsession on >PASSWORD resetchannels -@all ~shsession:{NAME}:*
//	  +get +set +pttl +del +pexpire +hset +hdel +hgetall +time +eval +evalsha
//
// Followers need no more than this, and without the sharers, hgetall and time if nobody
// asks for Sharers, as shsession status does:
//
//	ACL SETUSER follower on >PASSWORD resetchannels -@all %R~shsession:{NAME}:token
//	  %R~shsession:{NAME}:sharers +get +pttl +hgetall +time
//
// To use another database than 0 takes +select, and a Redis Cluster +cluster|slots, +command and,
// while its slots move, +asking. At Sentinels that have users, this one will do for everybody:
//
//	ACL SETUSER watcher on >PASSWORD resetchannels &+switch-master &+replica-reconf-done -@all
//	  +sentinel|get-master-addr-by-name +sentinel|sentinels +subscribe +ping
//
// # When Redis fails
//
// A session goes on with the token that it has. What may pass by itself is an [ErrUnavailable]. A
// process that can't reach Redis doesn't log in unless it is the sharer; when its token ends, its
// error says why. When Redis comes back empty, a sharer that watches puts the token back in
// about a second, and without a sharer the next member of a Join logs in. A failover to a
// replica that missed the last writes may cost one more login: Redis replicates asynchronously.
//
// Nobody who slept through their turn replaces a newer token: whoever publishes with the lock is
// checked against the fence or, if Redis has lost that with its memory and a sharer has put
// the token back, against the time that this token has left. The latter can't tell two tokens
// that end within a second of each other, nor anything when no token is there.
//
// Redis replicates the end of a key's life as a time of day. A replica whose clock is wrong, once it
// is the master, ends the token that much earlier or later; no look takes it for longer than the token's
// whole life. So the clocks of Redis's own machines have to agree.
package redisstore
