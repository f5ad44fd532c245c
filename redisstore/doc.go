// Package redisstore shares a token among any number of machines, in Redis or in a server
// with its protocol, such as Valkey.
//
// [Open] takes a URL, and [New] takes a go-redis client of your own. Redis may be a single
// server, a master with Sentinels, or a Cluster. Both return a [Store], which shsession.Share,
// Join, Follow and Collect take. Redis 6 or newer is needed, and Redis 7 for the access
// control below.
//
// # What is in Redis
//
// A Store of name NAME has six keys, all in one hash slot:
//
//	shsession:{NAME}:token    the token's JSON, encrypted if there is a key
//	shsession:{NAME}:lock     the holder of the lock: a random id
//	shsession:{NAME}:fence    the last holder of the lock; kept for a day
//	shsession:{NAME}:note     the note about a failed login; kept for an hour after it has ended
//	shsession:{NAME}:sharers  a hash of the processes that keep the token in place; kept for a day
//	shsession:{NAME}:limit    how much of a rate limit is used, with [Store.Limits]; kept for 40 days
//
// The token's key lives for as long as the token. Readers take the time that is left from
// Redis, so the machines' clocks may differ. Redis keeps no expired token, and Publish refuses
// one. All reads go to the master. A value of the wrong kind under a key is replaced.
//
// A follower sends two commands in one round trip, about once in a token's life. Its
// connection stays open in between. docs/cluster.md has the load of many followers. Redis must
// not evict keys: set its maxmemory-policy to noeviction.
//
// # Secrecy
//
// With [Options].Key, the token is encrypted by AES-256-GCM before it leaves the process.
// Redis's memory, files, MONITOR and slow log contain only the encrypted token. Without a key,
// every user who can read the key in Redis has the token.
//
// The key protects against users who can read Redis, and against a forged token from a user
// who can write to Redis. It doesn't protect against the return of an older token, or the
// token's removal. The time that the token has left isn't encrypted. A user who can write to
// Redis can make that time shorter or longer, up to the token's whole life from the moment of
// reading. The API refuses an expired token.
//
// To change the key, stop the sharers, the last of which withdraws the token, and start all
// processes with the new key. The key doesn't protect Redis's password: use rediss:// on a
// network that isn't trusted.
//
// # What can be rotated
//
// The files of certificates that a URL names are read at each new connection.
// [Options].ReadPassword is called before the first login to Redis, and again whenever Redis
// has refused a password. [OptionsFromEnv] sets it for a password in a file.
//
// [Options].ReadKey is called before each Publish and when the token in Redis is under another
// key. With a key that [ClientKey] makes, a client's new secret replaces the old one without a
// restart. A token under the key of another secret of the same client counts as absent: a
// member logs in, and if its secret is accepted it replaces the token. A member whose secret
// is refused replaces nothing. A Publish without the lock doesn't replace such a token either.
//
// # Access control
//
// A user with this ACL, all in one line, can do everything that a Store does:
//
//	ACL SETUSER shsession on >PASSWORD resetchannels -@all ~shsession:{NAME}:*
//	  +get +set +pttl +del +pexpire +hset +hdel +hgetall +time +eval +evalsha
//
// For a follower this ACL is enough. The sharers' key, hgetall and time are for Sharers,
// which shsession status calls:
//
//	ACL SETUSER follower on >PASSWORD resetchannels -@all %R~shsession:{NAME}:token
//	  %R~shsession:{NAME}:sharers +get +pttl +hgetall +time
//
// A database other than 0 needs +select too. A Redis Cluster needs +cluster|slots and
// +command, and +asking while its slots move. At Sentinels that have users, one user is
// enough for sharers and followers:
//
//	ACL SETUSER watcher on >PASSWORD resetchannels &+switch-master &+replica-reconf-done -@all
//	  +sentinel|get-master-addr-by-name +sentinel|sentinels +subscribe +ping
//
// # When Redis fails
//
// A session goes on with the token that it has. An error that may pass by itself wraps
// [ErrUnavailable]: Redis can't be reached, is loading its data, or can't write because memory
// or disk is full. A process that can't reach Redis doesn't log in unless it is the sharer.
// When its token ends, its error gives the reason.
//
// When Redis comes back empty, a sharer that watches puts the token back in about a second.
// Without a sharer, the next member of a Join logs in. A failover to a replica that missed
// the last writes may cost one more login, since Redis replicates asynchronously.
//
// A process that was suspended while it had the lock doesn't replace a newer token. Redis
// compares the publisher's lock with the fence. If Redis has lost the fence with its memory,
// and a sharer has put the token back, Redis compares the time that both tokens have left.
// This doesn't distinguish two tokens that end within a second of each other.
//
// Redis replicates the end of a key's life as a time of day. A replica with a wrong clock
// shifts that end by its error when it becomes the master. So the clocks of Redis's own
// machines have to agree. No reader uses a token for longer than its whole life.
package redisstore
