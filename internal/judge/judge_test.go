package judge_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"

	"streamgen/internal/diag"
	"streamgen/internal/judge"
)

var update = flag.Bool("update", false, "rewrite the golden files of the cases")

// A case is a folder: plan.json as `terraform show -json` gives it, want.txt, want.json, and places.txt where the spec has places for
// it: a line "ADDRESS ARGUMENT LINE COLUMN" each, with "-" for the entry itself.
func TestCases(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			j := judgeFile(t, filepath.Join(folder, "plan.json"), judge.Options{Where: places(t, folder), Name: name})
			var text, machine bytes.Buffer
			if err := j.Text(&text, judge.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := j.WriteJSON(&machine); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(folder, "want.txt"), text.Bytes())
			golden(t, filepath.Join(folder, "want.json"), machine.Bytes())
			var back judge.Judgement
			if err := json.Unmarshal(machine.Bytes(), &back); err != nil {
				t.Fatal(err)
			}
			var again bytes.Buffer
			if err := back.WriteJSON(&again); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(machine.String(), again.String()); d != "" {
				t.Errorf("read back (-want +got):\n%s", d)
			}
		})
	}
}

func judgeFile(t *testing.T, file string, o judge.Options) judge.Judgement {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	j, err := judge.Plan(parse(t, data), o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func parse(t *testing.T, data []byte) *tfjson.Plan {
	t.Helper()
	var p tfjson.Plan
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// name is like the names of gen: of what lies in module.streams.
func name(address string) string {
	for kind, prefix := range map[string]string{
		"table": "module.streams.aws_dynamodb_table.", "handler": "module.streams.aws_lambda_function.",
		"mapping": "module.streams.aws_lambda_event_source_mapping.",
	} {
		if rest, found := strings.CutPrefix(address, prefix); found {
			return kind + "." + rest
		}
	}
	return ""
}

func places(t *testing.T, folder string) func(address, argument string) (diag.Position, bool) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "places.txt"))
	if err != nil {
		return nil
	}
	known := map[[2]string]diag.Position{}
	for line := range strings.Lines(string(data)) {
		var address, argument string
		pos := diag.Position{File: "gen.yaml"}
		if _, err := fmt.Sscan(line, &address, &argument, &pos.Line, &pos.Column); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		known[[2]string{address, strings.TrimPrefix(argument, "-")}] = pos
	}
	return func(address, argument string) (diag.Position, bool) {
		pos, ok := known[[2]string{address, argument}]
		return pos, ok
	}
}

// TestNoPlan: what cannot be judged is an error, and not a judgement without findings.
func TestNoPlan(t *testing.T) {
	for name, p := range map[string]*tfjson.Plan{"none": nil, "no format": {}, "another format": {FormatVersion: "2.0"}, "no version": {FormatVersion: "x"}} {
		if j, err := judge.Plan(p, judge.Options{}); err == nil {
			t.Errorf("%s: %+v", name, j)
		}
	}
}

func TestUnallowed(t *testing.T) {
	j := judgeFile(t, "testdata/cases/index-remade/plan.json", judge.Options{Name: name})
	const address = "module.streams.aws_dynamodb_table.orders"
	for _, c := range []struct {
		allowed string
		stops   bool
	}{
		{"", true}, {"table.orders", true}, {address, true}, {"table.orders/by-date", true},
		{"table.orders/by-status", false}, {address + "/by-status", false},
	} {
		stop := j.Unallowed(map[string]bool{c.allowed: true})
		if got := len(stop) > 0; got != c.stops {
			t.Errorf("allowed %q: stops %v, want %v", c.allowed, got, c.stops)
		}
		var b bytes.Buffer
		if err := j.Text(&b, judge.TextOptions{Allowed: map[string]bool{c.allowed: true}}); err != nil {
			t.Fatal(err)
		}
		if asks := strings.Contains(b.String(), "--allow-destroy"); asks != c.stops {
			t.Errorf("allowed %q: the text asks for it: %v", c.allowed, asks)
		}
	}
	if stop := (judge.Judgement{}).Unallowed(nil); stop != nil {
		t.Errorf("nothing to do: %v", stop)
	}
}

func TestTextOptions(t *testing.T) {
	j := judgeFile(t, "testdata/cases/code-changed/plan.json", judge.Options{})
	text := func(o judge.TextOptions) string {
		var b bytes.Buffer
		if err := j.Text(&b, o); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got := text(judge.TextOptions{Arguments: true}); !strings.Contains(got, `source_code_hash: "a" -> "b"`) || !strings.Contains(got, "TOKEN: (sensitive)") {
		t.Errorf("arguments: %s", got)
	}
	j = judgeFile(t, "testdata/cases/table-removed/plan.json", judge.Options{})
	if got := text(judge.TextOptions{Color: true}); !strings.HasPrefix(got, "\x1b[31mdata   \x1b[0m  delete ") {
		t.Errorf("colors: %q", got)
	}
	if got := text(judge.TextOptions{}); strings.Contains(got, "\x1b") {
		t.Errorf("no colors: %q", got)
	}
}

// Names and values of a plan do no harm to a terminal, and no name breaks out of its line.
func TestTextIsHarmless(t *testing.T) {
	p := parse(t, []byte(`{"format_version":"1.2","resource_changes":[{"address":"aws_sqs_queue.q[\"a\u001b[2J\nb\u202ec\"]",
		"mode":"managed","type":"aws_sqs_queue","change":{"actions":["delete"],"before":{}}}]}`))
	j, err := judge.Plan(p, judge.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := j.Text(&b, judge.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.ContainsAny(got, "\x1b\u202e") || strings.Count(got, "\n") != 3 {
		t.Errorf("%q", got)
	}
}

// What AWS changes by itself is no drift; capacity is, unless Application Auto Scaling has it.
func TestDriftOfAWS(t *testing.T) {
	const plan = `{"format_version": "1.2", "terraform_version": "1.11.4", "resource_drift": [
		{"address": "aws_lambda_event_source_mapping.ship", "mode": "managed", "type": "aws_lambda_event_source_mapping", "name": "ship", "change": {"actions": ["update"],
			"before": {"batch_size": 100, "last_processing_result": "No records processed", "state": "Creating"}, "after": {"batch_size": %d, "last_processing_result": "OK", "state": "Enabled"}}},
		{"address": "aws_dynamodb_table.orders", "mode": "managed", "type": "aws_dynamodb_table", "name": "orders", "change": {"actions": ["update"],
			"before": {"read_capacity": 5}, "after": {"read_capacity": 9}}}]}`
	for name, c := range map[string]struct {
		batch  int
		scaled bool
		want   []string
	}{
		"only AWS":                     {100, true, nil},
		"somebody's capacity":          {100, false, []string{"aws_dynamodb_table.orders read_capacity"}},
		"somebody's batch among AWS's": {10, true, []string{"aws_lambda_event_source_mapping.ship batch_size"}},
	} {
		j, err := judge.Plan(parse(t, fmt.Appendf(nil, plan, c.batch)), judge.Options{Scaled: func(string) bool { return c.scaled }})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range j.Drift {
			for _, a := range d.Arguments {
				got = append(got, d.Address+" "+a.Path)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
