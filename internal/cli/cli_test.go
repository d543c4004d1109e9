package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/modfile"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/judge"
	"streamgen/internal/pack"
	"streamgen/internal/spec"
)

// What a new project asks for is what this module is built and tested with.
func TestStarterVersions(t *testing.T) {
	data, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	lambda := slices.IndexFunc(f.Require, func(r *modfile.Require) bool { return r.Mod.Path == "github.com/aws/aws-lambda-go" })
	if f.Go.Version != fileplan.GoVersion || f.Require[lambda].Mod.Version != fileplan.LambdaVersion {
		t.Errorf("go %s and aws-lambda-go %s, but go.mod has %s and %s", fileplan.GoVersion, fileplan.LambdaVersion, f.Go.Version, f.Require[lambda].Mod.Version)
	}
}

func TestProjectName(t *testing.T) {
	for dir, want := range map[string]string{
		"/x/orders":                         "orders",
		"/x/My Orders_2":                    "my-orders-2",
		"/x/2024":                           "app-2024",
		"/x/--":                             "app",
		"/":                                 "app",
		"/x/" + strings.Repeat("long-", 20): strings.TrimRight(strings.Repeat("long-", 20)[:40], "-"),
	} {
		if got := projectName(dir); got != want {
			t.Errorf("projectName(%q) = %q, want %q", dir, got, want)
		}
	}
}

func TestSwitchLocalState(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state", "terraform.tfstate")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(state, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func() string {
		data, err := os.ReadFile(state)
		if err != nil {
			return ""
		}
		return string(data)
	}
	switchTo := func(id string) {
		t.Helper()
		if err := switchLocalState(state, id); err != nil {
			t.Fatal(err)
		}
	}
	switchTo("one")
	write("state of one")
	switchTo("one")
	if read() != "state of one" {
		t.Errorf("the same stack lost its state: %q", read())
	}
	if err := os.WriteFile(state+".backup", []byte("of one"), 0o600); err != nil {
		t.Fatal(err)
	}
	switchTo("two")
	if _, err := os.Stat(state + ".backup"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the backup of another stack is still there: %v", err)
	}
	if read() != "" {
		t.Errorf("a new stack starts with %q", read())
	}
	write("state of two")
	switchTo("one")
	if read() != "state of one" {
		t.Errorf("back on the first stack: %q", read())
	}
	// A crash after the owner was written and before its state was moved in.
	if err := os.Rename(state, state+".one"); err != nil {
		t.Fatal(err)
	}
	switchTo("one")
	if read() != "state of one" {
		t.Errorf("after a crash: %q", read())
	}
}

func TestAllowedNames(t *testing.T) {
	guarded := func(address, name, guard string) judge.Finding {
		return judge.Finding{Address: "module.streams." + address, Name: name, Guard: guard, Summary: "loses " + guard}
	}
	plan := judgedPlan{Judgement: judge.Judgement{Findings: []judge.Finding{
		guarded("aws_dynamodb_table.my_orders", "table.my-orders", "table.my-orders"),
		guarded("aws_dynamodb_table.my_orders", "table.my-orders", "table.my-orders/by-status"),
		guarded("aws_dynamodb_table.gone", "table.gone", "table.gone"),
		guarded("aws_kms_key.k", "", "module.streams.aws_kms_key.k"),
		{Address: "module.streams.aws_iam_role.r", Summary: "harmless"},
	}}}
	const order, index, gone, key = "table.my-orders\n", "table.my-orders/by-status\n", "table.gone\n", "aws_kms_key.k\n"
	for _, c := range []struct {
		flags []string
		left  []string
	}{
		{nil, []string{order, index, gone, key}},
		{[]string{"table.my-orders"}, []string{index, gone, key}},
		{[]string{"table.my_orders", "table.my_orders/by-status"}, []string{gone, key}},
		{[]string{"module.streams.aws_dynamodb_table.my_orders/by-status", "aws_dynamodb_table.gone"}, []string{order, key}},
		{[]string{"table.my-orders", "table.my-orders/by-status", "table.gone", "aws_kms_key.k"}, nil},
		{[]string{"queue.my-orders", "aws_iam_role.r", "stream.my-orders"}, []string{order, index, gone, key}},
	} {
		allowed, err := allowedData(c.flags)
		if err != nil {
			t.Fatal(err)
		}
		err = plan.refuse(allowed)
		if (err == nil) != (c.left == nil) || err != nil && !errors.Is(err, errRefused) {
			t.Errorf("%v: %v", c.flags, err)
		}
		for _, name := range []string{order, index, gone, key} {
			if got := strings.Contains(fmt.Sprint(err)+"\n", name); got != slices.Contains(c.left, name) {
				t.Errorf("%v: %v", c.flags, err)
			}
		}
	}
	for _, bad := range []string{"orders", "table.", ".orders", ""} {
		if _, err := allowedData([]string{bad}); err == nil || !strings.Contains(err.Error(), "want one of table, ") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// TestStamp: whatever a plan was made of makes it stale when it changes.
func TestStamp(t *testing.T) {
	dir := t.TempDir()
	packages := filepath.Join(".gen", "packages", "ship.zip")
	s := session{workplace: workplace{
		project:  &project{dir: dir, stacks: []spec.Stack{{Name: spec.MainStack}}, spec: &spec.Spec{Handlers: []spec.Handler{{Name: "ship"}}}},
		packages: map[string]pack.Package{"ship": {Name: "ship", Path: filepath.Join(dir, packages)}},
	}, stack: spec.Stack{Name: spec.MainStack}}
	for _, file := range []string{"gen.yaml", "generated/terraform/main.tf", "generated/terraform/module/a.tf", packages} {
		write(t, filepath.Join(dir, file), "1")
	}
	made, err := s.stamp()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "generated/terraform/.terraform/providers/x"), "terraform's own")
	write(t, filepath.Join(dir, "generated/terraform/.terraform.lock.hcl"), "terraform's own")
	write(t, filepath.Join(dir, "handlers/ship/handler.go"), "is in the package")
	if err := s.unmoved(made); err != nil {
		t.Errorf("nothing moved: %v", err)
	}
	for file, want := range map[string]string{
		"gen.yaml": "gen.yaml changed", "generated/terraform/module/a.tf": "generated/terraform changed",
		"generated/terraform/new.tf": "generated/terraform changed", packages: "the packages of the functions changed",
	} {
		before, err := os.ReadFile(filepath.Join(dir, file))
		write(t, filepath.Join(dir, file), "2")
		if got := s.unmoved(made); got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%s: %v", file, got)
		}
		if err == nil {
			write(t, filepath.Join(dir, file), string(before))
		} else if err := os.Remove(filepath.Join(dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.unmoved(made); err != nil {
		t.Errorf("all is as it was: %v", err)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRefuseLoopback(t *testing.T) {
	for value, refused := range map[string]bool{
		"http://127.0.0.1:4566": true, "http://LOCALHOST:1": true, "http://[::1]:4566": true, "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com": false, "": false,
	} {
		err := refuseLoopback(map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": value, "AWS_REGION": "us-east-1"})
		if (err != nil) != refused {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestAskEndsWithTheContext(t *testing.T) {
	nobody, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ask(ctx, streams{in: nobody, err: io.Discard}, "sure? ", "yes"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for answer, ok := range map[string]bool{"yes\n": true, "yes": true, "no\n": false, "": false, "yes please\n": false} {
		err := ask(t.Context(), streams{in: strings.NewReader(answer), err: io.Discard}, "sure? ", "yes")
		if (err == nil) != ok {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

func TestOriginOf(t *testing.T) {
	entry := diag.Position{File: "gen.yaml", Line: 5, Column: 3}
	key := diag.Position{File: "gen.yaml", Line: 7, Column: 5}
	origins := map[string]spec.Origin{"table_orders.tf": {Path: "tables.orders", Pos: entry, Keys: map[string]diag.Position{"hash_key": key}}}
	for _, c := range []struct {
		file, argument string
		want           diag.Position
		found          bool
	}{
		{"table_orders.tf", "hash_key", key, true},
		{"table_orders.tf", "billing_mode", entry, true},
		{"providers.tf", "region", diag.Position{}, false},
	} {
		got, found := originOf(origins, c.file, c.argument)
		if d := cmp.Diff(c.want, got); d != "" || found != c.found {
			t.Errorf("%s %s: found %v: %s", c.file, c.argument, found, d)
		}
	}
}

func TestCompleteModule(t *testing.T) {
	got, err := completeModule([]byte("module example.net/have\n\ngo 1.26.0\n\nrequire github.com/aws/aws-lambda-go v1.60.0\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"require streamgen v0.0.0", "replace streamgen => ./generated/streamgen", "aws-lambda-go v1.60.0"} {
		if !strings.Contains(strings.ReplaceAll(string(got), "\t", "require "), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	again, err := completeModule(got, nil)
	if err != nil || string(again) != string(got) {
		t.Errorf("a complete go.mod changed: %v\n%s", err, again)
	}
	if got, err := completeModule([]byte("module example.net/old\n\ngo 1.22\n"), nil); err != nil || !strings.Contains(string(got), "\ngo "+fileplan.GoVersion+"\n") {
		t.Errorf("a go.mod of an older Go: %v\n%s", err, got)
	}
	own := "module streamgen\n"
	if got, err := completeModule([]byte(own), nil); err != nil || string(got) != own {
		t.Errorf("the runtime's own module changed: %v\n%s", err, got)
	}
}
