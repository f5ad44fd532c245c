package tokenendpoint

import (
	"encoding/json"
	"net/http"
)

// serveDiscovery describes the endpoint under the address of the client's request: clients check
// that the issuer is the address that they asked (OpenID Connect Discovery 1.0 section 4.3, RFC
// 8414 section 3.3).
func (e *Endpoint) serveDiscovery(w http.ResponseWriter, r *http.Request) *refusal {
	if err := onlyGet(w, r); err != nil {
		return err
	}
	issuer := "http://" + r.Host
	body, err := json.Marshal(map[string]any{
		"issuer":                                issuer,
		"token_endpoint":                        issuer + tokenPath,
		"jwks_uri":                              issuer + keysPath,
		"grant_types_supported":                 []string{"client_credentials"},
		"response_types_supported":              []string{"none"},
		"subject_types_supported":               []string{"public"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
	if err != nil {
		panic("strings can be marshalled")
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// serveKeys answers with the keys (RFC 7517) of the token's issuer.
func (e *Endpoint) serveKeys(w http.ResponseWriter, r *http.Request) *refusal {
	if err := onlyGet(w, r); err != nil {
		return err
	}
	t, err := e.tokens.session.Token(ended)
	if err != nil {
		return unavailable(err)
	}
	body, err := e.keys.of(r.Context(), t.Account().Issuer)
	if err != nil {
		return unavailable(err)
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

func onlyGet(w http.ResponseWriter, r *http.Request) *refusal {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	w.Header().Set("Allow", "GET, HEAD")
	return httpError(http.StatusMethodNotAllowed)
}
