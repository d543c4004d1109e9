package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"streamgen/internal/local"
)

// children are the process ids of this process's children. ok is false where the system does not tell.
func children(t *testing.T) (ids []string, ok bool) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/children")
	must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		ids = append(ids, strings.Fields(string(text))...)
	}
	return ids, len(files) > 0
}

// TestCloseLeavesNothing closes a stack whose handler process runs.
func TestCloseLeavesNothing(t *testing.T) {
	_, err := handlerZip()
	must(t, err)
	for name, test := range map[string]struct {
		note, line string // of the last record
		limit      time.Duration
	}{
		"at rest":  {"good", `"eventID":`, 2 * time.Second},
		"retrying": {"fail", "told to fail", 2 * time.Second},
		"hanging":  {"hang", "hanging", 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) { closeLeavesNothing(t, test.note, test.line, test.limit) })
	}
}

func closeLeavesNothing(t *testing.T, note, line string, limit time.Duration) {
	before := runtime.NumGoroutine()
	dir := t.TempDir()
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Dir: dir})
	must(t, err)
	s := build(t, stack.Endpoint())
	s.put(t, note)
	s.logged(t, line)
	if ids, ok := children(t); ok && len(ids) == 0 {
		t.Error("no handler process runs")
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	began := time.Now()
	if err := stack.Close(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > limit {
		t.Errorf("closing took %v, more than %v", took, limit)
	}
	if ids, _ := children(t); len(ids) != 0 {
		t.Errorf("processes are left: %v", ids)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("files are left: %v %v", files, err)
	}
	if res, err := http.Get(stack.Endpoint()); err == nil {
		res.Body.Close()
		t.Error("something listens still")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			var stacks bytes.Buffer
			must(t, pprof.Lookup("goroutine").WriteTo(&stacks, 1))
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, &stacks)
		}
	}
}

// BenchmarkStart measures an empty stack up to its first answer, and its end.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		stack, err := local.Start(b.Context(), local.Options{Listen: "127.0.0.1:0"})
		must(b, err)
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, stack.Endpoint(), strings.NewReader("{}"))
		must(b, err)
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		res, err := http.DefaultClient.Do(req)
		must(b, err)
		if res.Body.Close(); res.StatusCode != http.StatusOK {
			b.Fatalf("status %d", res.StatusCode)
		}
		must(b, stack.Close(b.Context()))
	}
}

// TestCloseAnswersInvocations closes a stack while a client waits for a function that does not come back.
func TestCloseAnswersInvocations(t *testing.T) {
	t.Parallel()
	stack := newStack(t, local.Options{})
	s := build(t, stack.Endpoint())
	answered := make(chan error, 1)
	go func() {
		_, err := s.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &s.function, Payload: []byte(`{"Records":[{"eventName":"INSERT",
			"dynamodb":{"Keys":{"Id":{"S":"1"}},"NewImage":{"Id":{"S":"1"},"Note":{"S":"hang"}},"SequenceNumber":"1"}}]}`)})
		answered <- err
	}()
	s.logged(t, "hanging")
	must(t, stack.Close(t.Context()))
	var api smithy.APIError
	if err := <-answered; !errors.As(err, &api) {
		t.Errorf("the client got %v, want an answer", err)
	}
}
