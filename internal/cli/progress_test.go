package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamgen/internal/fileplan"
	"streamgen/internal/progress"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// Progress is told as lines where there is no terminal and as events in a file; nothing of it goes on after its end.
func TestProgress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.jsonl")
	var story bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		std := newStreams(ctx, nil, io.Discard, &story)
		f, err := newProgress(ctx, std, file)
		if err != nil {
			t.Fatal(err)
		}
		std.printf("gen: terraform apply\n")
		f.expect("billing", tf.Summary{Add: 2, Remove: 1})
		hear := f.of("billing", func(string) string { return "queue q" })
		hear(tf.Event{Kind: tf.InitOutput, Message: "not shown"})
		hear(tf.Event{Kind: tf.ApplyStart, Address: "aws_sqs_queue.q", Action: tf.Create})
		time.Sleep(11 * time.Second)
		synctest.Wait()
		interrupt()
		synctest.Wait()
		hear(tf.Event{Kind: tf.ApplyErrored, Address: "aws_sqs_queue.q", Action: tf.Create, Elapsed: 11 * time.Second})
		for range 2 {
			if err := f.close(); err != nil {
				t.Fatal(err)
			}
		}
		std.printf("gen: the end\n")
	})
	const want = `gen: terraform apply
  billing: aws_sqs_queue.q: create…
  billing: aws_sqs_queue.q: create, still at it after 10s
  terraform finishes billing: aws_sqs_queue.q (create, 11s)
  billing: aws_sqs_queue.q: create failed after 11s
  0 of 3 done, 1 failed
    billing: aws_sqs_queue.q: create failed after 11s
gen: the end
`
	if story.String() != want {
		t.Errorf("got:\n%s", story.String())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for line := range strings.Lines(string(data)) {
		var e struct{ Event, Stack, Name string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, strings.TrimSuffix(e.Event+"/"+e.Stack+"/"+e.Name, "//"))
	}
	if got := strings.Join(kinds, " "); got != "expected/billing/ apply_start/billing/queue q stopping apply_errored/billing/queue q end" {
		t.Error(got)
	}
}

func TestEventsThatCannotBeWritten(t *testing.T) {
	std := streams{err: &bytes.Buffer{}}
	if _, err := newProgress(t.Context(), std, filepath.Join(t.TempDir(), "none", "x")); err == nil {
		t.Error("a file in no folder is no error")
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no full device here")
	}
	f, err := newProgress(t.Context(), std, "/dev/full")
	if err != nil {
		t.Fatal(err)
	}
	f.expect("", tf.Summary{})
	if err := f.close(); err == nil || !strings.Contains(err.Error(), "/dev/full") {
		t.Errorf("a full disk gives %v", err)
	}
}

func TestMovesCursor(t *testing.T) {
	for _, c := range []struct {
		system, env string
		want        bool
	}{
		{"linux", "TERM=xterm-256color", true},
		{"linux", "TERM=xterm CI=false", true},
		{"linux", "TERM=xterm CI=true", false},
		{"linux", "TERM=xterm NO_COLOR=1", false},
		{"linux", "TERM=dumb", false},
		{"linux", "", false},
		{"windows", "", true},
		{"windows", "CI=1", false},
	} {
		env := map[string]string{}
		for _, kv := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(kv, "=")
			env[name] = value
		}
		if got := movesCursor(c.system, func(name string) string { return env[name] }); got != c.want {
			t.Errorf("%s %q: %t", c.system, c.env, got)
		}
	}
}

func TestEntryNames(t *testing.T) {
	const src = `version: 1
project: shop
region: us-east-1
tables:
  my-orders: {hash_key: Id, attributes: {Id: S}, stream_view_type: NEW_IMAGE}
handlers:
  ship: {table: my-orders}
`
	s, findings := spec.Load("gen.yaml", []byte(src))
	if findings.Failed() {
		t.Fatal(findings)
	}
	files, collisions := fileplan.Plan(s, fileplan.Project{Module: "example.com/shop"})
	if len(collisions) > 0 {
		t.Fatal(collisions)
	}
	name := entryNames(files)
	for address, want := range map[string]string{
		"module.streams.aws_dynamodb_table.my_orders":                   "table my-orders",
		"module.streams.aws_lambda_function.ship":                       "handler ship",
		"module.streams.aws_lambda_event_source_mapping.ship_my_orders": "handler ship",
		`module.streams.aws_sqs_queue.ship_failures["us"]`:              "handler ship",
		"module.streams.aws_dynamodb_table.my_orders_of_others":         "",
		"aws_kms_key.mine": "",
	} {
		if got := name(address); got != want {
			t.Errorf("%s is of %q, want %q", address, got, want)
		}
	}
}

// What is printed while a display stands before a stream goes to the display, and to the stream before and after.
func TestOutlet(t *testing.T) {
	var stream, display bytes.Buffer
	std := newStreams(t.Context(), nil, &stream, &stream)
	o := std.out.(*outlet)
	std.printf("1")
	o.put(&display)
	fmt.Fprint(std.out, "2")
	std.printf("3")
	o.put(nil)
	fmt.Fprint(std.out, "4")
	if stream.String() != "134" || display.String() != "2" {
		t.Errorf("stream %q, display %q", stream.String(), display.String())
	}
	var out bytes.Buffer
	a := aside{progress.New(progress.Options{Out: &stream, Now: time.Now}), &out}
	if n, err := fmt.Fprint(a, "aside"); n != 5 || err != nil || out.String() != "aside" {
		t.Errorf("%d, %v, %q", n, err, out.String())
	}
}

// terraform's kinds are those of the display: an event of another kind would be lost without a word.
func TestKinds(t *testing.T) {
	for ours, theirs := range map[progress.Kind]tf.Kind{
		progress.RefreshStart: tf.RefreshStart, progress.RefreshComplete: tf.RefreshComplete, progress.ApplyStart: tf.ApplyStart,
		progress.ApplyProgress: tf.ApplyProgress, progress.ApplyComplete: tf.ApplyComplete, progress.ApplyErrored: tf.ApplyErrored,
	} {
		if string(ours) != string(theirs) {
			t.Errorf("%s is %s", ours, theirs)
		}
	}
}
