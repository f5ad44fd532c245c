package shconfig_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// An example's config.toml, in place of the one at shconfig.Path.
func exampleFile() (path string, cleanUp func()) {
	dir, err := os.MkdirTemp("", "shconfig-example-")
	if err != nil {
		log.Fatal(err)
	}
	return filepath.Join(dir, "config.toml"), func() { os.RemoveAll(dir) }
}

func ExampleFile_Set() {
	path, cleanUp := exampleFile()
	defer cleanUp()

	f, err := shconfig.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	settings, err := shconfig.Preset("cdse")
	if err != nil {
		log.Fatal(err)
	}
	settings.ClientID = "sh-0123"
	settings.ClientSecret = shsession.NewSecret("hunter2")
	if err := f.Set("cdse", settings); err != nil {
		log.Fatal(err)
	}
	if err := f.Save(); err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// [cdse]
	// sh_client_id = "sh-0123"
	// sh_client_secret = "hunter2"
	// sh_base_url = "https://sh.dataspace.copernicus.eu"
	// sh_token_url = "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
}

func ExampleLoad() {
	path, cleanUp := exampleFile()
	defer cleanUp()
	if err := os.WriteFile(path, []byte("[work]\nsh_client_id = 'sh-0123'\ndownload_sleep_time = 2\n"), 0o600); err != nil {
		log.Fatal(err)
	}

	p, err := shconfig.Load(shconfig.Options{File: path, Profile: "work", Preset: "cdse"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.BaseURL, "from", p.Sources[shconfig.BaseURL])
	fmt.Println(p.Config().RetryWait, "from the file:", p.Sources[shconfig.DownloadSleepTime] == path)
	// Output:
	// https://sh.dataspace.copernicus.eu from preset cdse
	// 2s from the file: true
}

func ExampleMask() {
	fmt.Println(shconfig.Mask("0123456789abcdef"))
	// Output: ************cdef
}
