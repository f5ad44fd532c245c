package child_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession/internal/child"
)

func TestEnviron(t *testing.T) {
	base := []string{
		"PATH=/bin", "SH_CLIENT_ID=id", "SH_CLIENT_SECRET=s", "SH_CLIENT_SECRET_FILE=/s", "SHSESSION_STORE_KEY=k", "SHSESSION_STORE_KEY_FILE=/k",
		"SHSESSION_REDIS_PASSWORD=p", "SHSESSION_REDIS_PASSWORD_FILE=/p",
		"SHSESSION_REDIS_SENTINEL_PASSWORD=s", "SHSESSION_REDIS_SENTINEL_PASSWORD_FILE=/s", "SHSESSION_NAME=outer", "GDAL_HTTP_HEADER_FILE=/outer",
		"NOTIFY_SOCKET=/run/n", "WATCHDOG_USEC=1", "WATCHDOG_PID=1", "EMPTY=", "SH_CLIENT_SECRETS=not one",
	}
	untouched := slices.Clone(base)
	tests := []struct {
		name   string
		shared child.Shared
		want   []string
	}{
		{
			name: "nothing shared",
			want: []string{"PATH=/bin", "SH_CLIENT_ID=id", "GDAL_HTTP_HEADER_FILE=/outer", "EMPTY=", "SH_CLIENT_SECRETS=not one"},
		},
		{
			name:   "a segment and a header file",
			shared: child.Shared{Name: "inner", HeaderFile: "/h=1"},
			want: []string{"PATH=/bin", "SH_CLIENT_ID=id", "EMPTY=", "SH_CLIENT_SECRETS=not one",
				"SHSESSION_NAME=inner", "GDAL_HTTP_HEADER_FILE=/h=1", "SHSESSION_HEADER_FILE=/h=1"},
		},
		{
			name:   "secrets kept",
			shared: child.Shared{KeepSecret: true},
			want: []string{"PATH=/bin", "SH_CLIENT_ID=id", "SH_CLIENT_SECRET=s", "SH_CLIENT_SECRET_FILE=/s", "SHSESSION_STORE_KEY=k", "SHSESSION_STORE_KEY_FILE=/k",
				"SHSESSION_REDIS_PASSWORD=p", "SHSESSION_REDIS_PASSWORD_FILE=/p",
				"SHSESSION_REDIS_SENTINEL_PASSWORD=s", "SHSESSION_REDIS_SENTINEL_PASSWORD_FILE=/s", "GDAL_HTTP_HEADER_FILE=/outer", "EMPTY=", "SH_CLIENT_SECRETS=not one"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, child.Environ(base, test.shared)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if diff := cmp.Diff(untouched, base); diff != "" {
		t.Errorf("base was changed: %s", diff)
	}
}

// The command of a share in another share's command gets nothing of the outer one's, and keeps what the user has set.
func TestEnvironOfShareInShare(t *testing.T) {
	outer := child.Environ([]string{"PATH=/bin"}, child.Shared{Name: "outer", HeaderFile: "/outer"})
	if diff := cmp.Diff([]string{"PATH=/bin"}, child.Environ(outer, child.Shared{})); diff != "" {
		t.Error(diff)
	}
	outer = child.Environ([]string{"GDAL_HTTP_HEADER_FILE=/own"}, child.Shared{Name: "outer"})
	want := []string{"GDAL_HTTP_HEADER_FILE=/own", "SHSESSION_NAME=inner"}
	if diff := cmp.Diff(want, child.Environ(outer, child.Shared{Name: "inner"})); diff != "" {
		t.Error(diff)
	}
}

func ExampleEnviron() {
	env := child.Environ([]string{"PATH=/bin", "SH_CLIENT_SECRET=hidden"}, child.Shared{Name: "sh-session-token"})
	fmt.Println(env)
	// Output: [PATH=/bin SHSESSION_NAME=sh-session-token]
}
