// Package shsession logs in to Sentinel Hub or the Copernicus Data Space once, keeps the
// token fresh, and gives the same token to every goroutine, process and machine.
//
// # Which call to use
//
//   - A program with credentials: [New], then [Session.Client] for HTTP requests, or
//     [Session.Token] and [Session.Headers].
//   - Any number of equal processes on one machine or on many, which share one token that
//     none of them owns: [Join], with a [Store].
//   - One process that logs in for others, in any language: [Share].
//   - Workers without credentials: [Follow], which stays up to date, or [Collect], which
//     reads once.
//   - A token from elsewhere: [ParseToken] and [FromToken].
//   - To bring a cluster's token to one machine: [Share] with a session from [Follow].
//   - A library that takes an oauth2.TokenSource: [Session.TokenSource].
//   - After a server has refused a token: [Session.Reject]. [Session.Client] calls it on a
//     401.
//
// Tokens come from a [Session] and go to a [Sink]. A [Store] is a Sink that other
// processes can read. The Sinks and Stores are packages of their own:
//
//   - shm: a Store in shared memory that the Python package sentinelhub reads and writes
//   - redisstore: a Store for many machines
//   - filesink: files that GDAL, curl and htslib read
//   - storetest: the tests of a Store, and a Store in memory for your own tests
//
// Package shconfig reads the Python package's config.toml and environment. Package
// ratelimit has one rate limit for all processes that share a token. Package metrics shows
// a session or a sharing to Prometheus. Package identity is an identity service for
// development and tests.
//
// # Errors
//
// [ErrUnavailable], [ErrExpired], [ErrNotShared], [ErrLocked] and [ErrNotRefreshing] are
// for errors.Is. [AuthError], [EndpointError], [ConflictError] and [LockedError] are for
// errors.As, and hold details.
//
// # What is absent on purpose
//
//   - Grants other than client credentials, and refresh tokens: with that grant the
//     services give no refresh tokens.
//   - Verification of a token's signature: the service that receives the token verifies
//     it. The command's info --verify does too.
//   - Retries of API requests, except one after a 401. Package ratelimit repeats requests
//     that the service's rate limit refused.
//   - Work in the background. Nothing starts on import. A [Sharing] runs until it is
//     closed, and a login runs until it ends.
//
// # What stays compatible
//
//   - The segment in shared memory: every version reads what the Python package
//     sentinelhub 3.11 and 3.12 writes, and writes what the Python package reads.
//   - The keys in Redis: processes of different versions share a token. When a version
//     has to change a key, it gives the key a new name and the changelog says so.
//   - The API of this package and the packages beside it, from version 1.0 on. Until then
//     a minor version may change it, and the changelog says how. Packages under internal
//     and the texts of errors and logs may change at any time.
package shsession

// Version is this module's version, as sent in the User-Agent header.
const Version = "0.1.0"
