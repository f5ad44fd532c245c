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
// A follower sends two commands in one round trip, about once in a token's life. Between
// them its connection idles: with more followers than Redis's maxclients, set Redis's
// timeout to some seconds.
//
// # Secrecy
//
// With [Options].Key, the token is encrypted by AES-256-GCM before it leaves the
// process; Redis's memory, files, MONITOR and slow log have it in no other form. The key
// protects against whoever can read Redis, and against tokens slipped in by whoever can
// write to it, but not against the return of an older token or the token's removal. Without a
// key, whoever can read the name in Redis has the token. To change the key, restart
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
// Followers need no more than this:
//
//	ACL SETUSER follower on >PASSWORD resetchannels -@all %R~shsession:{NAME}:token +get +pttl
//
// To use another database than 0 takes +select, and a Redis Cluster +cluster|slots and +command.
//
// # When Redis fails
//
// A session goes on with the token that it has. A process that can't reach Redis doesn't log in
// unless it is the sharer; when its token ends, its error says why. When Redis comes back
// empty, a sharer that watches puts the token back in about a second, and without a
// sharer the next member of a Join logs in. A failover to a replica that missed the last
// writes may cost one more login: Redis replicates asynchronously. It can't lose a
// token to an older one, since whoever publishes with the lock is checked against the fence.
package redisstore
