package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/cli"
	"streamgen/internal/local"
	"streamgen/internal/tf"
)

// TestUpgrade: a project that an earlier gen generated and applied goes on with this one. Each folder is such a project as it was then, with
// the state that its apply left. What is in its tables stays, and nothing is replaced.
func TestUpgrade(t *testing.T) {
	if testing.Short() || !tf.ProviderAvailable(t.Context()) {
		t.Skip("needs the AWS provider: make provider")
	}
	projects, err := filepath.Glob("testdata/upgrade/*")
	if err != nil || len(projects) == 0 {
		t.Fatalf("no projects: %v", err)
	}
	for _, project := range projects {
		t.Run(filepath.Base(project), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "shop")
			copyFolder(t, project, dir)
			root, err := filepath.Abs("../..")
			if err != nil {
				t.Fatal(err)
			}
			rewrite(t, filepath.Join(dir, "go.mod"), "=> ../../../../..", "=> "+filepath.ToSlash(root))
			stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Region: "us-east-1"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				if err := stack.Close(ctx); err != nil {
					t.Error(err)
				}
			})
			state := applyAsBefore(t, dir, stack.Endpoint())
			if d := cmp.Diff(inState(t, filepath.Join(dir, "state", "local.json")), inState(t, state)); d != "" {
				t.Errorf("what the earlier gen had in its state is not what its files make (-then +now):\n%s", d)
			}
			db := dynamodb.NewFromConfig(stackConfig(stack.Endpoint(), "us-east-1"))
			if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
				"Id": &types.AttributeValueMemberS{Value: "1"},
			}}); err != nil {
				t.Fatal(err)
			}

			gen := func(args ...string) (int, string, string) {
				var out, story bytes.Buffer
				code := cli.Run(t.Context(), append([]string{"-C", dir}, append(args, "--env", "local", "--endpoint", stack.Endpoint())...), nil, &out, &story)
				return code, out.String(), story.String()
			}
			code, out, story := gen("plan", "--json")
			var plan struct {
				Findings []struct{ Class, Severity, Action, Address string }
			}
			if err := json.Unmarshal([]byte(out), &plan); err != nil || code != cli.ExitOK && code != cli.ExitChanges {
				t.Fatalf("plan: exit code %d, %v\n%s%s", code, err, out, story)
			}
			for _, f := range plan.Findings {
				if f.Class == "data" || f.Class == "records" || f.Action == "replace" || f.Action == "delete" {
					t.Errorf("an upgrade shows %+v", f)
				}
			}
			if code, out, story = gen("apply"); code != cli.ExitOK || !strings.Contains(out, " 0 removed") {
				t.Fatalf("apply: exit code %d\n%s%s", code, out, story)
			}
			if code, out, story = gen("plan"); code != cli.ExitOK {
				t.Errorf("plan after apply: exit code %d\n%s%s", code, out, story)
			}
			if got, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders")}); err != nil || got.Count != 1 {
				t.Errorf("the table holds %+v, %v", got, err)
			}
		})
	}
}

// applyAsBefore applies the generated files as they are, into a state where gen looks for it, and gives the state's file.
func applyAsBefore(t *testing.T, dir, endpoint string) string {
	t.Helper()
	packages := filepath.Join(dir, ".gen", "packages", runtime.GOARCH)
	functions, err := filepath.Glob(filepath.Join(dir, "generated", "functions", "*"))
	if err != nil || len(functions) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	for _, f := range functions {
		zipFunction(t, dir, f, filepath.Join(packages, filepath.Base(f)+".zip"))
	}
	binary, err := tf.Find(t.Context(), tf.FindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := tf.MirrorDir()
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, ".gen", "local")
	const place = "state/terraform.tfstate"
	state := filepath.Join(work, filepath.FromSlash(place))
	cliConfig := filepath.Join(dir, ".gen", "terraform.rc")
	if err := os.MkdirAll(filepath.Dir(state), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := tf.WriteCLIConfig(cliConfig, mirror); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(state), "stack-id"), []byte(stackID(t, endpoint)), 0o600); err != nil {
		t.Fatal(err)
	}
	terraform, err := tf.Open(tf.Options{
		Binary: binary, Source: filepath.Join(dir, "generated", "terraform"), WorkDir: work, StateFile: place,
		Env:  tf.LocalEnvironment(os.Environ(), endpoint, "us-east-1", true, cliConfig),
		Vars: map[string]string{"packages": packages, "deletion_protection_enabled": "false"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := terraform.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	plan, err := terraform.Plan(t.Context(), tf.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := terraform.Apply(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	return state
}

func zipFunction(t *testing.T, dir, function, to string) {
	t.Helper()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-o", bootstrap, "./"+filepath.ToSlash(strings.TrimPrefix(function, dir+string(filepath.Separator))))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func stackID(t *testing.T, endpoint string) string {
	t.Helper()
	res, err := http.Get(endpoint + "/_streamgen/health") //nolint:gosec // a stack of the test's own
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var health struct{ ID string }
	if err := json.NewDecoder(res.Body).Decode(&health); err != nil || health.ID == "" {
		t.Fatalf("no id: %v", err)
	}
	return health.ID
}

// inState are the resources that a state file has.
func inState(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Resources []struct{ Module, Mode, Type, Name string }
	}
	if err := json.Unmarshal(data, &state); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range state.Resources {
		list = append(list, fmt.Sprintf("%s %s.%s.%s", r.Mode, r.Module, r.Type, r.Name))
	}
	slices.Sort(list)
	return list
}
