package streamtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
	"streamgen/runtime/streamtest/testdata/orders"
)

// asFunction makes the test binary run as a function instead of the tests.
const asFunction = "STREAMTEST_FUNCTION"

func TestMain(m *testing.M) {
	if name := os.Getenv(asFunction); name != "" {
		run(name)
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	t.end()
	os.Exit(code)
}

// function gives the command that runs the test binary as a function.
func function(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(append(cmd.Environ(), asFunction+"="+name), env...)
	return cmd
}

func run(name string) {
	ctx := context.Background()
	switch name {
	case "orders": // an order's ID says what becomes of it
		stream.Start(func(ctx context.Context, c stream.Change[orders.Item]) error {
			slog.InfoContext(ctx, "handled")
			switch c.Keys.ID {
			case "fail":
				return errors.New("not yet")
			case "panic":
				panic("out of cheese")
			case "exit":
				os.Exit(3)
			case "leave":
				os.Exit(0)
			}
			return nil
		})
	case "environment":
		lambda.StartWithOptions(func() ([]string, error) { return os.Environ(), nil })
	case "panics":
		lambda.StartWithOptions(func() {
			fmt.Println(os.Getpid())
			panic("out of cheese")
		})
	case "hangs":
		lambda.StartWithOptions(func(e struct{ Hang bool }) (int, error) {
			if e.Hang {
				select {}
			}
			return os.Getpid(), nil
		})
	case "deadline":
		lambda.StartWithOptions(func(ctx context.Context) (int64, error) {
			deadline, _ := ctx.Deadline()
			return deadline.UnixMilli(), nil
		})
	case "large":
		lambda.StartWithOptions(func() (string, error) { return strings.Repeat("x", 6<<20+99), nil })
	case "no runtime":
		fmt.Println("hello")
	case "never asks":
		signal.Ignore(syscall.SIGTERM)
		select {}
	case "unregistered": // it waits for SIGTERM, which Lambda does not send
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		go func() {
			<-signals
			fmt.Println("SIGTERM")
			os.Exit(0)
		}()
		lambda.StartWithOptions(func() {})
	case "deaf":
		lambda.StartWithOptions(func() {}, lambda.WithEnableSIGTERM(func() {}))
	case "panics, extended":
		lambda.StartWithOptions(func() { panic("out of cheese") }, lambda.WithEnableSIGTERM(func() {}))
	case "ends badly":
		lambda.StartWithOptions(func() {}, lambda.WithEnableSIGTERM(func() { os.Exit(4) }))
	case "parent": // it starts a process that outlives it
		self, _ := os.Executable()
		cmd := exec.CommandContext(ctx, self)
		cmd.Env = append(os.Environ(), asFunction+"=child")
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		lambda.StartWithOptions(func() {})
	case "child":
		if _, err := net.Dial("tcp", os.Getenv("DIAL")); err != nil {
			panic(err)
		}
		select {}
	}
}

// t stands in examples for the *testing.T of a test.
var t = &exampleT{}

type exampleT struct {
	testing.TB
	cleanups []func()
}

func (*exampleT) Helper()                           {}
func (*exampleT) Context() context.Context          { return context.Background() }
func (*exampleT) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (*exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (*exampleT) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (*exampleT) Failed() bool                      { return false }
func (t *exampleT) Cleanup(f func())                { t.cleanups = append(t.cleanups, f) }

func (t *exampleT) TempDir() string {
	dir, err := os.MkdirTemp("", "streamtest")
	if err != nil {
		panic(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what stays is in the system's folder for it
	return dir
}

func (t *exampleT) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

// failing is a test that is meant to fail.
type failing struct {
	*testing.T
	ctx     context.Context
	message string
}

func (f *failing) Context() context.Context { return f.ctx }
func (f *failing) Cleanup(cleanup func())   { f.T.Cleanup(cleanup) }

func (f *failing) Errorf(format string, args ...any) { f.message += fmt.Sprintf(format, args...) }

func (f *failing) Fatal(args ...any) {
	f.message += fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *failing) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

// failure gives the message with which a test fails that does what do does.
func failure(t *testing.T, do func(testing.TB)) string {
	t.Helper()
	f := &failing{T: t, ctx: t.Context()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(f)
	}()
	<-done
	return f.message
}

// script is a handler that answers event after event, and with success once it has no more answers. An error's text begins with "!".
type script struct {
	answers []string
	events  []string
}

func (s *script) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	s.events = append(s.events, string(payload))
	if len(s.answers) == 0 {
		return []byte("{}"), nil
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	if text, failed := strings.CutPrefix(a, "!"); failed {
		return nil, errors.New(text)
	}
	return []byte(a), nil
}

// unfinishedFrom reports the n-th record of all that are delivered.
func unfinishedFrom(n int) string {
	return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"1%020d"}]}`, n)
}

func inserts(ids ...string) []streamtest.Record {
	var list []streamtest.Record
	for _, id := range ids {
		list = append(list, streamtest.Insert(&orders.Item{ID: id}))
	}
	return list
}

func decode[T any](t *testing.T, text []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
