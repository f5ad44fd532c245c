// Package check_test checks the Kubernetes manifests in the directories above: against the schema of Kubernetes's API, and
// against what docs/cluster.md promises of them. And it runs what they run, in an image's root.
//
// It is a module of its own, since Kubernetes brings many dependencies.
package check_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
)

// manifests returns each document in the manifests, by file name and number.
func manifests(t *testing.T) map[string][]byte {
	t.Helper()
	documents := map[string][]byte{}
	for _, pattern := range []string{"../*.yaml", "../node/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no manifests in %s: %v", pattern, err)
		}
		for _, file := range files {
			if filepath.Base(file) == "kustomization.yaml" { // which is no object
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, document := range bytes.Split(data, []byte("\n---\n")) {
				documents[fmt.Sprint(strings.TrimPrefix(file, "../"), " ", i+1)] = document
			}
		}
	}
	return documents
}

// newValidator returns kubeconform with the schemas of the Kubernetes version whose types are
// imported here. kubeconform fetches schemas from a site by default; these come from Kubernetes's
// own source.
func newValidator(t *testing.T) validator.Validator {
	t.Helper()
	dir := t.TempDir()
	writeSchemas(t, dir)
	v, err := validator.New([]string{dir + "/{{.ResourceKind}}{{.KindSuffix}}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// writeSchemas writes a JSON schema of each kind that Kubernetes's OpenAPI document defines, as
// kubeconform looks for it: in KIND-GROUP-VERSION.json, or KIND-VERSION.json for the core.
func writeSchemas(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(kubernetes(t), "api", "openapi-spec", "swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	for name, definition := range document.Definitions {
		switch {
		case strings.HasSuffix(name, ".IntOrString"):
			definition["type"] = []string{"string", "integer"}
		case strings.HasSuffix(name, ".Quantity"):
			definition["type"] = []string{"string", "number"}
		case definition["properties"] != nil: // what isn't documented is a mistake
			definition["additionalProperties"] = false
		}
		if kind, ok := strings.CutPrefix(name, "io.k8s.api."); ok {
			group, versioned, _ := strings.Cut(kind, ".")
			version, kind, _ := strings.Cut(versioned, ".")
			file := strings.Replace(strings.ToLower(kind+"-"+group+"-"+version+".json"), "-core-", "-", 1)
			writeJSON(t, filepath.Join(dir, file), map[string]string{"$ref": "definitions.json#/definitions/" + name})
		}
	}
	writeJSON(t, filepath.Join(dir, "definitions.json"), document)
}

func writeJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// kubernetes returns the directory of Kubernetes's own source, of the version of its types that are imported here.
func kubernetes(t *testing.T) string {
	t.Helper()
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "k8s.io/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	minor := strings.TrimPrefix(strings.TrimSpace(string(version)), "v0.")
	out, err := exec.Command("go", "mod", "download", "-json", "k8s.io/kubernetes@v1."+minor).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	return module.Dir
}

func TestSchema(t *testing.T) {
	v := newValidator(t)
	for name, manifest := range manifests(t) {
		if r := v.ValidateResource(resource.Resource{Path: name, Bytes: manifest}); r.Status != validator.Valid {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
}

// TestSchemaRefuses checks that the schema would tell.
func TestSchemaRefuses(t *testing.T) {
	v := newValidator(t)
	sharer := string(manifests(t)["sharer.yaml 1"])
	for what, change := range map[string][2]string{
		"an unknown field":         {"automountServiceAccountToken:", "automountServiceAccountTokens:"},
		"an unknown field, deeper": {"readOnlyRootFilesystem: true", "readonlyRootFileSystem: true"},
		"a field twice":            {"replicas: 2", "replicas: 2\n  replicas: 2"},
		"text for a number":        {"replicas: 2", "replicas: two"},
		"a name for a port":        {"containerPort: 9464", "containerPort: metrics"},
		"a missing field":          {"selector:\n    matchLabels: *labels", "minReadySeconds: 1"},
		"a missing field, deeper":  {"containerPort: 9464", "protocol: TCP"},
		"a value for a list":       {"drop: [ALL]", "drop: ALL"},
		"an unknown version":       {"apiVersion: apps/v1", "apiVersion: apps/v2"},
	} {
		changed := strings.Replace(sharer, change[0], change[1], 1)
		if changed == sharer {
			t.Fatalf("%s: %q isn't there", what, change[0])
		}
		r := v.ValidateResource(resource.Resource{Path: what, Bytes: []byte(changed)})
		if r.Status != validator.Invalid && r.Status != validator.Error {
			t.Errorf("%s is taken", what)
		}
	}
}
