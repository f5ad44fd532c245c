package identity_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// Under httptest, for programs that want a real address.
func Example() {
	service, err := identity.New(identity.Options{Lifetime: time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(service)
	defer server.Close()

	login := func() {
		resp, err := http.PostForm(server.URL+"/auth/realms/main/protocol/openid-connect/token", url.Values{
			"grant_type":    {"client_credentials"},
			"client_id":     {identity.DevelopmentID},
			"client_secret": {identity.DevelopmentSecret},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		var token struct {
			ExpiresIn int `json:"expires_in"`
		}
		if resp.StatusCode == http.StatusOK {
			err = json.NewDecoder(resp.Body).Decode(&token)
		}
		fmt.Println(resp.Status, token.ExpiresIn, err)
	}
	service.Inject(identity.MustParseFault("503"), 1)
	login()
	login()
	fmt.Println(service.Counters().TokensIssued)
	// Output:
	// 503 Service Unavailable 0 <nil>
	// 200 OK 60 <nil>
	// 1
}

func ExampleParseRule() {
	for _, text := range []string{"503*3", "429:retry-after=7~0.1", "api/cut", "slow:2000ms"} {
		rule, err := identity.ParseRule(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(rule)
	}
	// Output:
	// 503*3
	// 429:retry-after=7~0.1
	// api/cut
	// slow:2s
}

// How to use a Server inside a synctest bubble: a day with a token of an hour takes no time.
func TestExampleInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := testkit.NewService(t, identity.Options{})
		client := &http.Client{Transport: service.RoundTripper()}
		for range 24 {
			resp, err := client.PostForm("https://services.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token", url.Values{
				"grant_type":    {"client_credentials"},
				"client_id":     {identity.DevelopmentID},
				"client_secret": {identity.DevelopmentSecret},
			})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			time.Sleep(time.Hour)
		}
		if n := service.Counters().TokensIssued; n != 24 {
			t.Errorf("%d tokens in a day", n)
		}
	})
}
