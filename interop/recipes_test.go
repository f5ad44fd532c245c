package interop_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/shm"
)

// A recipe is a block of docs/recipes.md that can be run.
type recipe struct {
	title    string // what it's below
	language string
	needs    []string // programs, and proxy or share for what has to run meanwhile
	text     string
}

// recipes returns the blocks that say what they need.
func recipes(t *testing.T) []recipe {
	t.Helper()
	page, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []recipe
	title, block := "", (*recipe)(nil)
	for line := range strings.Lines(string(page)) {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && block == nil:
			language, needs, _ := strings.Cut(fence, " needs=")
			block = &recipe{title: title, language: language, needs: strings.Fields(needs)}
		case isFence:
			if len(block.needs) > 0 {
				found = append(found, *block)
			}
			block = nil
		case block != nil:
			block.text += line
		case strings.HasPrefix(line, "#"):
			title = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return found
}

// command returns the command that runs the recipe in a directory.
func (r recipe) command(ctx context.Context, t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	var cmd *exec.Cmd
	switch r.language {
	case "bash":
		cmd = exec.CommandContext(ctx, needProgram(t, "bash"), "-euo", "pipefail", "-c", r.text)
	case "python":
		cmd = exec.CommandContext(ctx, needPython(t), "-c", r.text)
	case "js":
		cmd = exec.CommandContext(ctx, needProgram(t, "node"), "--input-type=module", "--eval", r.text)
	default:
		t.Fatalf("nothing runs %q", r.language)
	}
	cmd.Dir = dir
	return cmd
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	found := recipes(t)
	if len(found) < 9 {
		t.Fatalf("found %d recipes only", len(found))
	}
	path := buildCommand(t)
	for _, r := range found {
		t.Run(r.title+", "+strings.Join(r.needs, " "), func(t *testing.T) {
			for _, need := range r.needs {
				if !slices.Contains([]string{"proxy", "share", "python"}, need) {
					needProgram(t, need)
				}
			}
			server, url := imageService(t, identity.DefaultLifetime)
			c := commandAt(t, path, url)
			places := []string{"https://services.sentinel-hub.com", url, "http://127.0.0.1:8081", url}
			if slices.Contains(r.needs, "proxy") {
				places = append(places, "http://127.0.0.1:8888", c.proxy(t))
			}
			if slices.Contains(r.needs, "share") {
				c.start(t, "share", "--name", ownName(t))
				places = append(places, shm.DefaultName, ownName(t))
			}
			r.text = strings.NewReplacer(places...).Replace(r.text)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			dir := t.TempDir()
			cmd := r.command(ctx, t, dir)
			cmd.Env = append(slices.Clone(c.env), "HOME="+dir, "XDG_RUNTIME_DIR="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			counters := server.Counters()
			if asks := !slices.Contains(r.needs, "share"); asks && counters.APIAuthorized == 0 || counters.APIUnauthorized != 0 {
				t.Errorf("counters %+v: the API wasn't asked with the token", counters)
			}
			if counters.TokensIssued != 1 {
				t.Errorf("%d logins, want one", counters.TokensIssued)
			}
			checkDownloads(t, dir)
		})
	}
}

// checkDownloads looks at the image, if the recipe has left it there.
func checkDownloads(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "image.tif")
	if _, err := os.Stat(path); err == nil {
		if err := sameAs(path, geoTIFF(pixels())); err != nil {
			t.Error(err)
		}
	}
}
