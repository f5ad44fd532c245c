// Package identity is for development and testing only, never for production: an identity service that logs
// clients in as Sentinel Hub and the Copernicus Data Space Ecosystem do, and misbehaves on demand.
//
// Both services run Keycloak. A [Server] answers at the same paths, with the same JSON and the same errors: the token
// endpoint (grant client_credentials), discovery, the key set, token information and revocation. Next to them it has an API
// that wants a token, and files behind a token, which are served with Range requests as GDAL reads them.
//
// One Server serves in three ways:
//
//   - as an [http.Handler], for example under [net/http/httptest.NewServer];
//   - in process, with no socket and no goroutine, through [Server.RoundTripper]: this one works inside a
//     [testing/synctest] bubble, where hours pass at once;
//   - on a port, with [Server.ListenAndServe].
//
// A [Fault] is a way to misbehave, written as text: "503", "429:retry-after=7", "slow:2s", "cut". [Server.Inject] and
// [Server.AddRule] say when it is served, and POST /faults says it over HTTP. [Server.Counters] says what happened.
//
// Absent on purpose: users, browsers, refresh tokens, TLS, storage. Tokens and keys live and die with their Server.
package identity
