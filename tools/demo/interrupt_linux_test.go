package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestInterruptLeavesNoProcess interrupts the demo in the middle of each of its longer steps, of the later ones in the long run alone.
func TestInterruptLeavesNoProcess(t *testing.T) {
	requireProvider(t)
	steps := []string{"local stack on", "aws_dynamodb_table.lambda_dynamodb_stream: create…"}
	if os.Getenv("STREAMGEN_LONG") != "" {
		steps = append(steps, "INSERT", "second plan", "aws_lambda_function.process_dynamodb_records: delete…")
	}
	for _, at := range steps {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w := &trigger{text: at, pull: cancel}
			d := demo{root: "../..", out: w, story: w}
			if _, err := d.run(ctx); err == nil {
				t.Errorf("the demo ran to its end:\n%s", w.seen.String())
			}
			if left := demoProcesses(t); len(left) > 0 {
				t.Errorf("processes are left: %v", left)
			}
		})
	}
}

// trigger interrupts when it sees a text.
type trigger struct {
	text string
	pull func()

	mu   sync.Mutex // gen and the stack write at once
	seen bytes.Buffer
}

func (w *trigger) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Write(p)
	if strings.Contains(w.seen.String(), w.text) {
		w.pull()
	}
	return len(p), nil
}

// demoProcesses are the processes that run gen, terraform, its provider or a handler for the demo.
func demoProcesses(t *testing.T) []string {
	t.Helper()
	work, err := filepath.Abs("../../.gen")
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, kind := range []string{"cwd", "exe"} {
		links, err := filepath.Glob("/proc/[0-9]*/" + kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			target, err := os.Readlink(link)
			if err != nil {
				continue // gone, or another's
			}
			handler := strings.Contains(target, "/"+function+"-") && strings.Contains(target, "/bootstrap")
			if strings.HasPrefix(target, work+string(filepath.Separator)) || handler {
				left = append(left, link+" → "+target)
			}
		}
	}
	return left
}
