package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/fileplan"
	"streamgen/internal/tree"
)

func TestModuleFiles(t *testing.T) {
	const needs = `module streamgen

go 1.26.0

require github.com/aws/aws-lambda-go v1.55.1

require (
	github.com/aws/aws-sdk-go-v2 v1.41.2
	github.com/aws/smithy-go v1.24.1
)
`
	const sums = "a v1 h1:x\nb v1 h1:y\n"
	copied := tree.Tree{{Path: fileplan.RuntimeFolder + "/go.mod", Data: []byte(needs)}, {Path: fileplan.RuntimeFolder + "/go.sum", Data: []byte(sums)}}
	const mod = `module example.com/orders

go 1.26.0

require streamgen v0.0.0

require github.com/aws/aws-lambda-go v1.55.1 // indirect

replace streamgen => ./generated/streamgen
`
	complete := mod[:len(mod)-len("replace streamgen => ./generated/streamgen\n")]
	for name, c := range map[string]struct {
		tree     tree.Tree
		mod, sum string
		want     map[string]string
	}{
		"no copy": {tree: tree.Tree{{Path: "x"}}, mod: mod, want: map[string]string{}},
		"missing": {
			tree: copied, mod: mod, sum: "b v1 h1:y",
			want: map[string]string{
				"go.mod": `module example.com/orders

go 1.26.0

require streamgen v0.0.0

require (
	github.com/aws/aws-lambda-go v1.55.1 // indirect
	github.com/aws/aws-sdk-go-v2 v1.41.2 // indirect
	github.com/aws/smithy-go v1.24.1 // indirect
)

replace streamgen => ./generated/streamgen
`,
				"go.sum": "b v1 h1:y\na v1 h1:x\n",
			},
		},
		"older is raised, newer and direct stay": {
			tree: copied, sum: sums,
			mod: complete + "require (\n\tgithub.com/aws/aws-sdk-go-v2 v1.41.1\n\tgithub.com/aws/smithy-go v1.99.0\n)\n",
			want: map[string]string{
				"go.mod": `module example.com/orders

go 1.26.0

require streamgen v0.0.0

require github.com/aws/aws-lambda-go v1.55.1 // indirect

require (
	github.com/aws/aws-sdk-go-v2 v1.41.2
	github.com/aws/smithy-go v1.99.0
)
`,
			},
		},
		"nothing is touched where nothing is missing": {
			tree: copied, sum: sums, want: map[string]string{},
			mod: "module m\nrequire (\n github.com/aws/aws-lambda-go   v1.55.1\n\n github.com/aws/aws-sdk-go-v2 v1.41.2\ngithub.com/aws/smithy-go v1.24.1\n)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"go.mod": c.mod, "go.sum": c.sum} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			files, err := moduleFiles(dir, c.tree)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, f := range files {
				got[f.name] = string(f.data)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}
