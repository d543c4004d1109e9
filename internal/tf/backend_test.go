package tf

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStageBackend(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		want    string
	}{
		"none":       {Options{}, ""},
		"state file": {Options{StateFile: "../../state/x.tfstate"}, "terraform {\n  backend \"local\" {\n    path = \"../../state/x.tfstate\"\n  }\n}\n"},
		"s3": {
			Options{StateFile: "unused", Backend: Backend{Type: "s3", Arguments: []BackendArgument{
				{"bucket", "${a}\""}, {"use_lockfile", true}, {"max_retries", 3}, {"assume_role", []BackendArgument{{"role_arn", "r"}}},
			}}},
			"terraform {\n  backend \"s3\" {\n    bucket       = \"$${a}\\\"\"\n    use_lockfile = true\n    max_retries  = 3\n    assume_role = {\n      role_arn = \"r\"\n    }\n  }\n}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			work := filepath.Join(t.TempDir(), "p", ".gen", "default")
			if err := os.MkdirAll(work, 0o755); err != nil {
				t.Fatal(err)
			}
			c.options.WorkDir = work
			if err := (&Terraform{Options: c.options}).stageBackend(); err != nil {
				t.Fatal(err)
			}
			got, _ := os.ReadFile(filepath.Join(work, backendFile)) // there need not be one
			if d := cmp.Diff(c.want, string(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
