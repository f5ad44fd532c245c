package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// lives is how many lives of a token the programs go on for.
const (
	lives    = 20
	lifetime = 2 * time.Second
)

// imagePath is where a service of imageService has the image.
const imagePath = "/files/image.tif"

// imageService starts an identity service that serves a GeoTIFF to those with a token.
func imageService(t *testing.T, lifetime time.Duration) (server *identity.Server, url string) {
	t.Helper()
	return listen(t, identity.Options{Lifetime: lifetime, Files: fstest.MapFS{"image.tif": {Data: geoTIFF(pixels())}}})
}

// runs returns what a program prints, or an error if it fails, complains or takes a minute.
func runs(ctx context.Context, env []string, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil || complaint.Len() > 0 {
		return "", fmt.Errorf("%s: %v, %s", filepath.Base(program), err, complaint.String())
	}
	return out.String(), nil
}

// A reader is a way to read the image: each call starts a program, which asks the API in its own way.
type reader func(ctx context.Context, dir string) error

// gdalinfo reads what the image is.
func gdalinfo(t *testing.T, url string, env ...string) reader {
	t.Helper()
	program := needProgram(t, "gdalinfo")
	return func(ctx context.Context, _ string) error {
		out, err := runs(ctx, env, program, "/vsicurl/"+url)
		if err != nil {
			return err
		}
		if !strings.Contains(out, "Size is 1024, 1024") || !strings.Contains(out, `ID["EPSG",4326]`) || !strings.Contains(out, "Origin = (10.0") {
			return fmt.Errorf("gdalinfo says %s", out)
		}
		return nil
	}
}

// gdalTranslate reads the image's pixels.
func gdalTranslate(t *testing.T, url string, env ...string) reader {
	t.Helper()
	program := needProgram(t, "gdal_translate")
	want := pixels()
	return func(ctx context.Context, dir string) error {
		raw := filepath.Join(dir, "image.raw") // in ENVI's format a file of one band is its pixels
		if _, err := runs(ctx, env, program, "-q", "-of", "ENVI", "/vsicurl/"+url, raw); err != nil {
			return err
		}
		return sameAs(raw, want)
	}
}

// curl reads the image with curl.
func curl(t *testing.T, url string, args ...string) reader {
	t.Helper()
	program := needProgram(t, "curl")
	want := geoTIFF(pixels())
	return func(ctx context.Context, dir string) error {
		file := filepath.Join(dir, "image.tif")
		if _, err := runs(ctx, nil, program, append([]string{"-sSf", "-o", file, url}, args...)...); err != nil {
			return err
		}
		return sameAs(file, want)
	}
}

func sameAs(path string, want []byte) error {
	got, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%s isn't what was served", path)
	}
	return err
}

// TestProgramsThroughTokenLives has GDAL and curl read an image all the time, while the token is renewed again and again.
func TestProgramsThroughTokenLives(t *testing.T) {
	t.Parallel()
	server, url := imageService(t, lifetime)
	command := newCommand(t, url)
	header, proxy := command.shareHeader(t), command.proxy(t)
	byHeader, byProxy := url+imagePath, proxy+imagePath
	var running sync.WaitGroup // and no parallel subtests, of which there are no more at once than processors
	for name, readers := range map[string][]reader{
		"GDAL, header": {gdalinfo(t, byHeader, "GDAL_HTTP_HEADER_FILE="+header), gdalTranslate(t, byHeader, "GDAL_HTTP_HEADER_FILE="+header)},
		"GDAL, proxy":  {gdalinfo(t, byProxy), gdalTranslate(t, byProxy)},
		"curl, header": {curl(t, byHeader, "-H", "@"+header)},
		"curl, proxy":  {curl(t, byProxy)},
	} {
		dir := t.TempDir()
		running.Go(func() {
			times := 0
			for start := time.Now(); time.Since(start) < lives*lifetime; times++ {
				err := testkit.Steady(t, func() error { return readers[times%len(readers)](t.Context(), dir) })
				if err != nil {
					t.Errorf("%s, after %v: %v", name, time.Since(start), err)
				}
			}
			if times < lives {
				t.Errorf("%s: %d times only", name, times)
			}
			t.Logf("%s: %d times", name, times)
		})
	}
	running.Wait()
	// The proxy may be refused now and then, where the machine is so busy that a request takes a second, and asks again.
	if c := server.Counters(); c.TokensIssued < lives {
		t.Errorf("counters %+v, want %d tokens at least", c, lives)
	}
}

// TestHeaderFileDeleted deletes the header file again and again: it's back before the next program reads it. It isn't
// parallel, since what it shows is how soon the sharer gets a processor.
func TestHeaderFileDeleted(t *testing.T) {
	const tries = 100
	_, url := imageService(t, identity.DefaultLifetime)
	header := newCommand(t, url).shareHeader(t)
	for name, read := range map[string]reader{
		"GDAL": gdalinfo(t, url+imagePath, "GDAL_HTTP_HEADER_FILE="+header),
		"curl": curl(t, url+imagePath, "-H", "@"+header),
	} {
		t.Run(name, func(t *testing.T) {
			dir, failed := t.TempDir(), 0
			for range tries {
				testkit.Eventually(t, "the header file is there", func() bool { return os.Remove(header) == nil })
				if err := read(t.Context(), dir); err != nil {
					failed++
					t.Log(err)
				}
			}
			if failed > tries/4 { // none on an idle machine
				t.Errorf("%d of %d tries failed", failed, tries)
			}
		})
	}
}
