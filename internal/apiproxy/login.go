package apiproxy

import "strings"

// isTokenPath reports whether a path is that of the services' token endpoint: Keycloak's in
// any realm, which before version 17 and at the services begins with /auth, or the old one
// of Sentinel Hub.
func isTokenPath(path string) bool {
	if path == "/oauth/token" {
		return true
	}
	path, isToken := strings.CutSuffix(path, "/protocol/openid-connect/token")
	realm, isRealm := strings.CutPrefix(strings.TrimPrefix(path, "/auth"), "/realms/")
	return isToken && isRealm && realm != "" && !strings.Contains(realm, "/")
}
