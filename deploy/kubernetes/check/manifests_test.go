// Package check_test checks the Kubernetes manifests in the directories above: against the schema of Kubernetes's API, and
// against what docs/cluster.md promises of them. And it runs what they run, in an image's root.
//
// It is a module of its own, since Kubernetes brings many dependencies.
package check_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	openapi "github.com/google/gnostic-models/openapiv2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/kube-openapi/pkg/util/proto"
	"k8s.io/kube-openapi/pkg/util/proto/validation"
	"sigs.k8s.io/yaml"
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

// A validator knows what manifests may say.
type validator struct {
	models  proto.Models    // of the API, from its OpenAPI document
	decoder runtime.Decoder // into Go's types, which refuses what these don't know and what is there twice
}

func newValidator(t *testing.T) *validator {
	t.Helper()
	scheme := runtime.NewScheme()
	add := runtime.NewSchemeBuilder(appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme)
	if err := add.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(kubernetes(t), "api", "openapi-spec", "swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi.ParseDocument(data)
	if err != nil {
		t.Fatal(err)
	}
	models, err := proto.NewOpenAPIData(document)
	if err != nil {
		t.Fatal(err)
	}
	return &validator{models, serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()}
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

// validate returns the object that a manifest describes, or everything that is wrong with it.
func (v *validator) validate(manifest []byte) (runtime.Object, error) {
	object, kind, err := v.decoder.Decode(manifest, nil, nil)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := yaml.UnmarshalStrict(manifest, &fields); err != nil {
		return nil, err
	}
	group, _, _ := strings.Cut(kind.Group, ".")
	if group == "" {
		group = "core"
	}
	name := fmt.Sprintf("io.k8s.api.%s.%s.%s", group, kind.Version, kind.Kind)
	model := v.models.LookupModel(name)
	if model == nil {
		return nil, errors.New("no schema of " + name)
	}
	return object, errors.Join(validation.ValidateModel(fields, model, kind.Kind)...)
}

func TestSchema(t *testing.T) {
	v := newValidator(t)
	for name, manifest := range manifests(t) {
		if _, err := v.validate(manifest); err != nil {
			t.Errorf("%s: %v", name, err)
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
		if _, err := v.validate([]byte(changed)); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
