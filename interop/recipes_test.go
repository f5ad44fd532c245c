package interop_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// A recipe is a block of docs/recipes.md that is run.
type recipe struct {
	title    string // what it's below
	language string
	needs    []string // programs, and what helpers has
	cannot   string   // why it can't be run here, "" if it can
	text     string
	files    map[string]string // that are below the same title, by name
}

// helpers are what a recipe can need beside programs.
var helpers = []string{
	"proxy", "share", "header", // what has to run meanwhile
	"python", "rasterio", "dask", "sentinelhub", // packages of Python
	"openid-client", // a package of Node
	"identity",      // the service itself is what it's about
}

// recipes returns the blocks. Each says behind its language what it needs, why it can't be run, or which file it is.
func recipes(t *testing.T) []recipe {
	t.Helper()
	page, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []recipe
	files := map[string]map[string]string{} // by title
	title, block, file := "", (*recipe)(nil), ""
	for line := range strings.Lines(string(page)) {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && block == nil:
			block = &recipe{title: title}
			var about string
			block.language, about, _ = strings.Cut(fence, " ")
			kind, value, _ := strings.Cut(about, "=")
			block.needs, block.cannot, file = nil, "", ""
			switch kind {
			case "needs":
				block.needs = strings.Fields(value)
			case "cannot":
				block.cannot = value
			case "file":
				file = value
			}
			if value == "" {
				t.Errorf("a block below %q says neither what it needs nor why it can't be run: %s", title, fence)
			}
		case isFence && file != "":
			if files[title] == nil {
				files[title] = map[string]string{}
			}
			files[title][file], block = block.text, nil
		case isFence:
			found, block = append(found, *block), nil
		case block != nil:
			block.text += line
		case strings.HasPrefix(line, "#"):
			title = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	for i := range found {
		found[i].files = files[found[i].title]
	}
	return found
}

// recipeService is imageService with more that recipes ask for: a file of htslib's, and a map that is the image whatever part
// of the world is asked for.
func recipeService(t *testing.T) (server *identity.Server, url string) {
	t.Helper()
	const reads = "@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:100\nread\t0\tchr1\t1\t60\t4M\t*\t0\t0\tACGT\tIIII\n"
	server, err := identity.New(identity.Options{Files: fstest.MapFS{"image.tif": {Data: geoTIFF(pixels())}, "reads.sam": {Data: []byte(reads)}}})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/ogc/wms/") && strings.EqualFold(r.URL.Query().Get("request"), "GetMap") {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawQuery = imagePath, ""
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	return server, ts.URL
}

// check skips the recipe if something that it needs is missing.
func (r recipe) check(t *testing.T) {
	t.Helper()
	if r.cannot != "" {
		t.Skip(r.cannot)
	}
	for _, need := range r.needs {
		if !slices.Contains(helpers, need) {
			needProgram(t, need)
		}
	}
	for need, module := range map[string]string{"rasterio": "rasterio", "dask": "distributed", "sentinelhub": "sentinelhub"} {
		if !slices.Contains(r.needs, need) {
			continue
		}
		if err := exec.CommandContext(t.Context(), needPython(t), "-c", "import "+module).Run(); err != nil {
			testkit.Missing(t, "Python's package "+module)
		}
	}
}

// start starts what has to run meanwhile, and returns pairs of what the page has and what is here instead of it.
func (r recipe) start(t *testing.T, c command, url, dir string, env []string) []string {
	t.Helper()
	places := []string{"https://services.sentinel-hub.com", url, "http://127.0.0.1:8081", url}
	for _, need := range r.needs {
		switch need {
		case "proxy":
			places = append(places, "http://127.0.0.1:8790", c.proxy(t))
		case "share":
			c.start(t, "share", "--name", ownName(t))
			places = append(places, shm.DefaultName, ownName(t))
		case "header":
			c.start(t, "share", "--to", "header:"+filepath.Join(dir, "sh-header"))
		case "openid-client":
			modules := needVariable(t, "SHSESSION_NODE_MODULES", "the packages of Node")
			if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
				t.Fatal(err)
			}
		case "dask":
			places = append(places, "scheduler.example:8786", startDask(t, env))
		}
	}
	return places
}

// startDask starts a scheduler and a worker, and returns the scheduler's address.
func startDask(t *testing.T, env []string) string {
	t.Helper()
	dask := filepath.Join(filepath.Dir(needPython(t)), "dask")
	file := filepath.Join(t.TempDir(), "scheduler.json")
	start := func(args ...string) {
		ctx, stop := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, dask, append(args, "--scheduler-file", file, "--no-dashboard")...)
		cmd.Env = env
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 10 * time.Second
		var said strings.Builder
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			stop()
			_ = cmd.Wait() // it was interrupted
			if t.Failed() {
				t.Logf("dask %s:\n%s", args[0], said.String())
			}
		})
	}
	start("scheduler", "--host", "127.0.0.1", "--port", "0")
	var scheduler struct{ Address string }
	testkit.EventuallyWithin(t, time.Minute, "Dask's scheduler", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &scheduler) == nil && scheduler.Address != ""
	})
	start("worker", "--nworkers", "1", "--nthreads", "1")
	return scheduler.Address
}

// schedule is that of a line of crontab(5).
var schedule = regexp.MustCompile(`^(\S+\s+){5}`)

// command returns the command that runs the recipe in a directory.
func (r recipe) command(ctx context.Context, t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	var cmd *exec.Cmd
	switch r.language {
	case "bash":
		cmd = exec.CommandContext(ctx, needProgram(t, "bash"), "-euo", "pipefail", "-c", r.text)
	case "crontab":
		cmd = exec.CommandContext(ctx, needProgram(t, "sh"), "-c", schedule.ReplaceAllString(r.text, ""))
	case "python":
		cmd = exec.CommandContext(ctx, needPython(t), "-c", r.text)
	case "r":
		cmd = exec.CommandContext(ctx, needProgram(t, "Rscript"), "-e", r.text)
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
	if len(found) < 18 {
		t.Fatalf("found %d recipes only", len(found))
	}
	path := buildCommand(t)
	for _, r := range found {
		t.Run(r.title+", "+strings.Join(r.needs, " "), func(t *testing.T) {
			r.check(t)
			server, url := recipeService(t)
			c := commandAt(t, path, url)
			dir := t.TempDir()
			env := append(slices.Clone(c.env), "HOME="+dir, "XDG_RUNTIME_DIR="+dir,
				"HTS_ALLOW_UNENCRYPTED_AUTHORIZATION_HEADER=I understand the risks") // our service speaks http
			if python := os.Getenv("SHSESSION_PYTHON"); python != "" {
				env = append(env, "PATH="+filepath.Dir(path)+":"+filepath.Dir(python)+":"+os.Getenv("PATH"))
			}
			here := strings.NewReplacer(r.start(t, c, url, dir, env)...)
			for name, text := range r.files {
				writeProgram(t, filepath.Join(dir, name), here.Replace(text))
			}
			r.text = here.Replace(r.text)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := r.command(ctx, t, dir)
			cmd.Env = env
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if !slices.Contains(r.needs, "identity") {
				checkCounters(t, server.Counters())
			}
			checkDownloads(t, dir)
		})
	}
}

func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// checkCounters looks at whether the API was asked, always with the token, after one login.
func checkCounters(t *testing.T, c identity.Counters) {
	t.Helper()
	if c.APIAuthorized == 0 || c.APIUnauthorized != 0 {
		t.Errorf("counters %+v: the API wasn't asked with the token", c)
	}
	if c.TokensIssued != 1 {
		t.Errorf("%d logins, want one", c.TokensIssued)
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
