package shsession_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/shsession/shsession"
)

func TestParseToken(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		ok   bool
		want time.Time
	}{
		"as Python writes it": {`{"access_token": "abc", "expires_in": 3599, "expires_at": 1732300000.25, "scope": ["a"]}`, true, time.Unix(1732300000, 25e7)},
		"whole seconds":       {`{"access_token":"abc","expires_at":1732300000}`, true, time.Unix(1732300000, 0)},
		"a far future":        {`{"access_token":"abc","expires_at":1e300}`, true, time.Unix(253402300799, 0)},
		"a negative expiry":   {`{"access_token":"abc","expires_at":-5}`, true, time.Unix(0, 0)},
		"no expires_at":       {`{"access_token":"abc"}`, false, time.Time{}},
		"no access_token":     {`{"expires_at":1}`, false, time.Time{}},
		"an empty token":      {`{"access_token":"","expires_at":1}`, false, time.Time{}},
		"another case":        {`{"Access_Token":"abc","expires_at":1}`, false, time.Time{}},
		"a null token":        {`{"access_token":null,"expires_at":1}`, false, time.Time{}},
		"expires_at in words": {`{"access_token":"abc","expires_at":"soon"}`, false, time.Time{}},
		"expires_at null":     {`{"access_token":"abc","expires_at":null}`, false, time.Time{}},
		"NaN":                 {`{"access_token":"abc","expires_at":NaN}`, false, time.Time{}},
		"a header split":      {`{"access_token":"a\nb","expires_at":1}`, false, time.Time{}},
		"not ASCII":           {`{"access_token":"é","expires_at":1}`, false, time.Time{}},
		"trailing bytes":      {`{"access_token":"abc","expires_at":1}x`, false, time.Time{}},
		"a list":              {`["abc"]`, false, time.Time{}},
		"null":                {`null`, false, time.Time{}},
		"nothing":             {``, false, time.Time{}},
		"too much":            {`{"access_token":"abc","expires_at":1,"x":"` + strings.Repeat("y", shsession.MaxTokenSize) + `"}`, false, time.Time{}},
	} {
		token, err := shsession.ParseToken([]byte(c.text))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.ok && !token.ExpiresAt().Equal(c.want) {
			t.Errorf("%s: expires at %v, want %v", name, token.ExpiresAt(), c.want)
		}
		if c.ok && !bytes.Equal(token.Encode(), []byte(c.text)) {
			t.Errorf("%s: encoding changes the text", name)
		}
		if err != nil && strings.Contains(err.Error(), "abc") {
			t.Errorf("%s: the error shows the token", name)
		}
	}
}

func TestWithExpiry(t *testing.T) {
	token, err := shsession.ParseToken([]byte(`{"access_token":"abc","expires_at":1,"n":1.50}`))
	if err != nil {
		t.Fatal(err)
	}
	later := time.Unix(2_000_000_000, 5e8)
	moved := token.WithExpiry(later)
	if !moved.Equal(token) || !moved.ExpiresAt().Equal(later) || !token.ExpiresAt().Equal(time.Unix(1, 0)) {
		t.Errorf("moved to %v, was %v", moved, token)
	}
	again, err := shsession.ParseToken(moved.Encode())
	if err != nil || !again.ExpiresAt().Equal(later) || !bytes.Contains(moved.Encode(), []byte(`1.50`)) {
		t.Errorf("encoded: %v, %v", again, err)
	}
	if _, err := shsession.ParseToken(token.WithExpiry(time.Unix(-5, 5e8)).Encode()); err != nil {
		t.Errorf("an expiry before 1970 is encoded wrong: %v", err)
	}
}

// A token that grows past MaxTokenSize by a longer expiry can't be published, and is a token
// all the same.
func TestWithExpiryOfALargeToken(t *testing.T) {
	head, tail := `{"access_token":"abc","expires_at":1,"x":"`, `"}`
	text := head + strings.Repeat("y", shsession.MaxTokenSize-len(head)-len(tail)) + tail
	token, err := shsession.ParseToken([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, expiry := range []time.Time{time.Unix(2_000_000_000, 0), time.Unix(2_000_000_001, 0)} {
		if token = token.WithExpiry(expiry); !token.ExpiresAt().Equal(expiry) {
			t.Errorf("expires at %v, want %v", token.ExpiresAt(), expiry)
		}
	}
}

// jwt makes an unsigned access token of a payload.
func jwt(payload string) string {
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func tokenOf(t *testing.T, access string) shsession.Token {
	t.Helper()
	text, _ := json.Marshal(map[string]any{"access_token": access, "expires_at": 4e9})
	token, err := shsession.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestClaims(t *testing.T) {
	payload := `{"iss":"https://i","sub":"user","aud":["account","x"],"azp":"client-7","exp":1732300000,"iat":1732296400.5,"scope":"openid","jti":"j","name":"Ðr. Þóra 語 >>>???","account":{"id":1}}`
	claims, err := tokenOf(t, jwt(payload)).Claims()
	if err != nil {
		t.Fatal(err)
	}
	if claims.Issuer != "https://i" || claims.Subject != "user" || len(claims.Audience) != 2 || claims.ClientID() != "client-7" ||
		claims.Scope != "openid" || claims.ID != "j" || !claims.ExpiresAt.Equal(time.Unix(1732300000, 0)) || !claims.IssuedAt.Equal(time.Unix(1732296400, 5e8)) {
		t.Errorf("claims: %+v", claims)
	}
	if string(claims.Raw) != payload {
		t.Errorf("raw claims: %s", claims.Raw)
	}
}

func TestClaimsOfOtherShapes(t *testing.T) {
	for name, c := range map[string]struct {
		access, wantClient string
		want               error // nil: any error if wantClient is "!"
	}{
		"before December 2023": {jwt(`{"aud":"client-7"}`), "client-7", nil},
		"client_id":            {jwt(`{"client_id":"client-7"}`), "client-7", nil},
		"no client":            {jwt(`{"aud":["a","b"]}`), "", nil},
		"nulls":                {jwt(`{"aud":null,"exp":null}`), "", nil},
		"padded":               {"e30." + base64.URLEncoding.EncodeToString([]byte(`{"azp":"client-7"}`)) + ".x", "client-7", nil},
		"opaque":               {"abcdef", "", shsession.ErrOpaque},
		"two parts":            {"a.b", "", shsession.ErrOpaque},
		"not base64":           {"a.!!!!.c", "!", nil},
		"not JSON":             {"a." + base64.RawURLEncoding.EncodeToString([]byte("hello")) + ".c", "!", nil},
		"a number for iss":     {jwt(`{"iss":5}`), "!", nil},
		"a word for exp":       {jwt(`{"exp":"soon"}`), "!", nil},
	} {
		claims, err := tokenOf(t, c.access).Claims()
		switch {
		case c.want != nil && !errors.Is(err, c.want):
			t.Errorf("%s: %v, want %v", name, err, c.want)
		case c.wantClient == "!" && err == nil:
			t.Errorf("%s: decoded", name)
		case c.want == nil && c.wantClient != "!" && (err != nil || claims.ClientID() != c.wantClient):
			t.Errorf("%s: client %q, %v; want %q", name, claims.ClientID(), err, c.wantClient)
		}
	}
}

// Whatever a token is made of, it comes back the same.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		access := rapid.StringMatching(`[!-~]{1,200}`).Draw(t, "access")
		at := rapid.Float64Range(0, 2e10).Draw(t, "expires_at")
		extra := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "extra")
		object := map[string]any{}
		for k, v := range extra {
			object[k] = v
		}
		object["access_token"], object["expires_at"] = access, at
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		token, err := shsession.ParseToken(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := shsession.ParseToken(token.WithExpiry(token.ExpiresAt()).Encode())
		if err != nil || again.AccessToken() != access || again.ExpiresAt().Sub(token.ExpiresAt()).Abs() > 2*time.Microsecond { // cut off twice
			t.Fatalf("came back as %v, %v", again, err)
		}
		var fields map[string]any
		if err := json.Unmarshal(again.Encode(), &fields); err != nil || len(fields) != len(object) {
			t.Fatalf("%d fields came back of %d", len(fields), len(object))
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add([]byte(`{"access_token":"abc","expires_at":1732300000.25,"expires_in":3599}`))
	f.Add([]byte(`{"access_token":"a.e30.c","expires_at":1e300}`))
	f.Add([]byte("{\"access_token\":\"\\u0000\",\"expires_at\":-1}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := shsession.ParseToken(data)
		if err != nil {
			return
		}
		if token.AccessToken() == "" || strings.ContainsAny(token.AccessToken(), " \r\n\x00") {
			t.Error("a token that can't be sent in a header")
		}
		again, err := shsession.ParseToken(token.WithExpiry(token.ExpiresAt()).Encode())
		if err != nil || !again.Equal(token) {
			t.Errorf("encoded, it is read as %v, %v", again, err)
		}
		token.Claims()
	})
}

func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"aud":["a"],"exp":1.5,"azp":"x"}`))
	f.Add([]byte(`{"aud":{},"exp":1e999}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		claims, err := tokenOf(t, jwt(string(payload))).Claims()
		if err == nil && !bytes.Equal(claims.Raw, payload) {
			t.Error("the raw claims differ from what was encoded")
		}
		claims.ClientID()
	})
}
