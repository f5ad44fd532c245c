package check_test

import (
	"os"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// overlay is what a user of the base writes, as docs/cluster.md has it.
const overlay = `
resources: [../base]
namespace: team
images:
  - {name: registry.example/shsession, newName: registry.team/shsession, newTag: "1.2"}
  - {name: registry.example/worker, newName: registry.team/worker, newTag: "3"}
`

// The base builds, and an overlay changes the namespace and every image.
func TestKustomize(t *testing.T) {
	fs := filesys.MakeFsInMemory()
	for _, name := range []string{"kustomization.yaml", "sharer.yaml", "workers.yaml"} {
		data, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := fs.WriteFile("/base/"+name, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := fs.WriteFile("/overlay/kustomization.yaml", []byte(overlay)); err != nil {
		t.Fatal(err)
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fs, "/overlay")
	if err != nil {
		t.Fatal(err)
	}
	if built.Size() != 4 {
		t.Errorf("the base has %d objects", built.Size())
	}
	v := newValidator(t)
	for _, object := range built.Resources() {
		text, err := object.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if r := v.ValidateResource(resource.Resource{Bytes: text}); r.Status != validator.Valid {
			t.Errorf("%s: %v", object.GetName(), r.Err)
		}
		if object.GetNamespace() != "team" || strings.Contains(string(text), "registry.example") {
			t.Errorf("%s isn't changed:\n%s", object.GetName(), text)
		}
	}
}
