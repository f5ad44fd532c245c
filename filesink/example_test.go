package filesink_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
)

// A file that GDAL reads when GDAL_HTTP_HEADER_FILE names it, and curl with -H @PATH.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	sink, err := filesink.Open(filepath.Join(dir, "header"), filesink.Options{Format: filesink.Header})
	if err != nil {
		log.Fatal(err)
	}
	token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token":"abc","expires_at":%d}`, time.Now().Add(time.Hour).Unix()))
	if err != nil {
		log.Fatal(err)
	}
	// shsession.Share does this, and renews the token.
	if err := sink.Publish(context.Background(), token); err != nil {
		log.Fatal(err)
	}
	line, err := os.ReadFile(sink.Path())
	fmt.Printf("%q %v\n", line, err)
	// Output: "Authorization: Bearer abc\n" <nil>
}
