// Package shsession logs in to Sentinel Hub or the Copernicus Data Space once, keeps the
// token fresh, and gives every goroutine, process and machine that needs it the same one.
//
// # Which call to use
//
//   - A program with credentials: [New], then [Session.Client] for HTTP requests, or
//     [Session.Token] and [Session.Headers].
//   - Any number of equal processes on one machine or on many, with one token between
//     them and no owner: [Join], with a [Store].
//   - One process that logs in for others, whatever they are written in: [Share].
//   - Workers without credentials: [Follow], which stays up to date, or [Collect], which
//     reads once.
//   - A token from elsewhere: [ParseToken] and [FromToken].
//   - To bring a cluster's token to one machine: [Share] with a session from [Follow].
//
// Tokens come from a [Session] and go to a [Sink]; a [Store] is a Sink that can be read.
// Package shm is a Store in shared memory that the Python package sentinelhub can read
// and write, package redisstore one for many machines, and package filesink has Sinks
// that GDAL and curl can read. Package shconfig reads the Python package's config.toml,
// and package identity is a service to develop against.
//
// # What is absent on purpose
//
// There is no grant but client credentials, no refresh token (the services give none with
// it), no verification of the token's signature (that is for the services; the command's
// info --verify does it) and no retry of API requests but after a 401: rate limits are
// the caller's to handle. Nothing starts on import, and nothing runs in the background
// but a [Sharing], until it is closed.
package shsession
