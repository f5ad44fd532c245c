package netenv_test

import (
	"testing"

	"github.com/shsession/shsession/internal/netenv"
)

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.1.2.3": true, "::1": true,
		"": false, "localhost.example": false, "10.0.0.1": false, "127.0.0.1.example": false,
	} {
		if got := netenv.IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %t", host, got)
		}
	}
}
