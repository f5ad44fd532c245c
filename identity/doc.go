// Package identity is for development and testing only, never for production: an identity service that logs
// clients in as Sentinel Hub and the Copernicus Data Space Ecosystem do, and misbehaves on demand.
//
// Both services run Keycloak. A [Server] answers at the same paths, with the same JSON and the same errors: the token
// endpoint (grant client_credentials), discovery, the key set, token information and revocation. It also has an API and
// files that need a token. The files are served with Range requests, as GDAL reads them.
//
// One Server serves in three ways:
//
//   - as an [http.Handler], for example under [net/http/httptest.NewServer];
//   - in process, without socket and goroutine, through [Server.RoundTripper]: this works inside a
//     [testing/synctest] bubble, where hours pass at once;
//   - on a port, with [Server.ListenAndServe].
//
// A [Fault] is a failure to serve, written as text: "503", "429:retry-after=7", "slow:2s", "cut". [Server.Inject] and
// [Server.AddRule] put a fault in force, as POST /faults does over HTTP. [Server.Counters] counts what the Server did.
//
// Absent on purpose: users, browsers, refresh tokens, TLS, storage. Tokens and keys end with their Server, unless
// [Options].KeyFile keeps the key.
package identity
