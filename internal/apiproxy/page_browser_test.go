package apiproxy_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// palettes returns the colours of the page's style by their names, light and dark.
func palettes(t *testing.T) (light, dark map[string]color.RGBA) {
	t.Helper()
	text, err := os.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(text), "prefers-color-scheme: dark")
	after, _, _ = strings.Cut(after, "body {")
	read := func(part string) map[string]color.RGBA {
		found := map[string]color.RGBA{}
		for _, m := range regexp.MustCompile(`--(\w+): #([0-9a-f]{6})`).FindAllStringSubmatch(part, -1) {
			n, err := strconv.ParseUint(m[2], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			found[m[1]] = color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}
		}
		return found
	}
	light, dark = read(before), read(after)
	if len(light) < 9 || len(dark) != len(light) {
		t.Fatalf("the style has the colours %v and %v", light, dark)
	}
	return light, dark
}

// contrast returns the contrast ratio of two colours (WCAG 2.2).
func contrast(a, b color.RGBA) float64 {
	luminance := func(c color.RGBA) float64 {
		linear := func(v uint8) float64 {
			x := float64(v) / 255
			if x <= 0.04045 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text has the contrast that WCAG 2.2 asks for at level AA (1.4.3), and so have the bars
// with what is beside them (1.4.11).
func TestPageContrast(t *testing.T) {
	light, dark := palettes(t)
	for scheme, colours := range map[string]map[string]color.RGBA{"light": light, "dark": dark} {
		for _, c := range []struct {
			upon  string
			names []string
			least float64
		}{
			{"page", []string{"text", "muted", "good", "due", "bad", "link"}, 4.5},
			{"code", []string{"text"}, 4.5},
			{"rail", []string{"good", "due", "bad"}, 3},
		} {
			for _, name := range c.names {
				if got := contrast(colours[name], colours[c.upon]); got < c.least {
					t.Errorf("%s: %s on %s has the contrast %.2f, want %.1f", scheme, name, c.upon, got, c.least)
				}
			}
		}
	}
}

// busyScene has an hour of traffic behind it.
func busyScene(t *testing.T) *scene {
	sc := newScene(t)
	for minute := range 90 {
		for n := range 3 + minute*minute%17 {
			sc.code = http.StatusOK
			if n%7 == 6 {
				sc.code = http.StatusTooManyRequests
			}
			sc.get("/x")
		}
		time.Sleep(time.Minute)
	}
	return sc
}

// expiredScene can't renew its token any more.
func expiredScene(t *testing.T) *scene {
	sc := newScene(t)
	sc.get("/x")
	sc.service.Inject(identity.MustParseFault("503"), 0)
	time.Sleep(2 * time.Hour)
	sc.get("/x")
	return sc
}

// A browser shows each state of the page in the colours of the scheme that its user has
// chosen, light on a wide screen and dark on a narrow one, with nothing cut off. The pictures are the test's artifacts
// (go test -artifacts).
func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	chromium := testkit.Need(t, "chromium")
	light, dark := palettes(t)
	for name, c := range map[string]struct {
		begin func(*testing.T) *scene
		shows []string // colours
		never []string
	}{
		"new":     {newScene, []string{"due"}, []string{"good", "bad"}},
		"busy":    {busyScene, []string{"good", "rail", "link", "bad"}, []string{"due"}},
		"expired": {expiredScene, []string{"bad", "rail"}, []string{"good", "due"}},
	} {
		var answer *httptest.ResponseRecorder
		synctest.Test(t, func(t *testing.T) { answer = c.begin(t).get("/") })
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			maps.Copy(w.Header(), answer.Header())
			w.Write(answer.Body.Bytes())
		}))
		t.Cleanup(server.Close)
		for _, look := range []struct {
			width   int
			dark    bool
			colours map[string]color.RGBA
		}{{900, false, light}, {400, true, dark}} {
			t.Run(fmt.Sprintf("%s/%d", name, look.width), func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.ArtifactDir(), fmt.Sprintf("%s-%d.png", name, look.width))
				picture := shoot(t, chromium, server.URL, file, look.width, look.dark)
				for _, want := range append(c.shows, "page", "text", "muted", "code") {
					if !has(picture, look.colours[want]) {
						t.Errorf("there is no %s in %s", want, file)
					}
				}
				for _, never := range c.never {
					if has(picture, look.colours[never]) {
						t.Errorf("there is %s in %s", never, file)
					}
				}
				bounds := picture.Bounds()
				for y := range bounds.Dy() { // a word or a table that is too wide reaches the edge
					if got := color.RGBAModel.Convert(picture.At(bounds.Max.X-4, y)); got != look.colours["page"] {
						t.Fatalf("at the right edge of %s, %d from above, the colour is %v", file, y, got)
					}
				}
			})
		}
	}
}

// shoot returns a picture of a page as a browser shows it.
func shoot(t *testing.T, chromium, url, file string, width int, dark bool) image.Image {
	t.Helper()
	args := []string{"--headless", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
		"--no-first-run", "--no-proxy-server", "--user-data-dir=" + profileDir(t), fmt.Sprintf("--window-size=%d,1700", width), "--screenshot=" + file}
	if os.Getuid() == 0 {
		args = append(args, "--no-sandbox")
	}
	if dark {
		args = append(args, "--blink-settings=preferredColorScheme=0")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, append(args, url)...)
	cmd.WaitDelay = 5 * time.Second // for its children, who have the pipe
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// profileDir returns a directory for a browser's profile. The browser's processes may write
// there for a moment longer than the one lives that was started.
func profileDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "shsession-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range 200 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			<-tick.C
		}
		t.Error(err)
	})
	return dir
}

// has reports whether a picture has a colour.
func has(picture image.Image, want color.RGBA) bool {
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if color.RGBAModel.Convert(picture.At(x, y)) == want {
				return true
			}
		}
	}
	return false
}
