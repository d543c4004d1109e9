package stream_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamgen/runtime/stream"
	"streamgen/runtime/stream/testdata/purchase"
)

// BenchmarkSchedule gives what the ordered lanes cost for a record beyond a plain loop.
func BenchmarkSchedule(b *testing.B) {
	const records = 1000
	payload := make([]string, records)
	for i := range payload {
		payload[i] = insertRecord(fmt.Sprint(1000+i), fmt.Sprint("order-", i%300))
	}
	for _, lanes := range []int{1, 8} {
		b.Run(strconv.Itoa(lanes), func(b *testing.B) {
			run, loop := stream.Scheduled(event(payload...), lanes)
			var beyond []time.Duration
			for b.Loop() {
				started := time.Now()
				loop()
				between := time.Now()
				run(b.Context())
				beyond = append(beyond, time.Since(between)-between.Sub(started))
			}
			b.ReportMetric(float64(median(beyond))/records, "ns/record")
		})
	}
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// buildFunction builds a function as it is for Lambda.
func buildFunction(b *testing.B, name string) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), name)
	cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "-o", binary, "./testdata/function/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return binary
}

// function is a function's process and Lambda's side of it.
type function struct {
	binary   string
	cmd      *exec.Cmd
	next     chan []byte
	asked    chan struct{} // a request for the next invocation has come
	answered chan string
	server   *httptest.Server
}

func newFunction(b *testing.B, binary string) *function {
	b.Helper()
	f := &function{binary: binary, next: make(chan []byte), asked: make(chan struct{}, 1), answered: make(chan string)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case f.asked <- struct{}{}:
		default:
		}
		select {
		case payload := <-f.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_, _ = w.Write(payload)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{outcome}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		f.answered <- strings.TrimSpace(string(body))
	})
	f.server = httptest.NewServer(mux)
	b.Cleanup(func() {
		f.server.CloseClientConnections()
		f.server.Close()
	})
	return f
}

// start starts the process and waits until it asks for an invocation.
func (f *function) start(b *testing.B) {
	b.Helper()
	f.cmd = exec.CommandContext(b.Context(), f.binary)
	f.cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(f.server.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128"}
	if err := f.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	<-f.asked
}

func (f *function) stop() {
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait() // it was killed
}

func (f *function) invoke(b *testing.B, payload []byte) {
	f.next <- payload
	if got := <-f.answered; got != allDone {
		b.Fatalf("answer %s", got)
	}
}

// peak is the most memory that the process has had, in MB; 0 where the system does not say it.
func (f *function) peak() float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	kilobytes := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if kilobytes == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(string(kilobytes[1]), 64)
	return n / 1024
}

// functions are the function whose handler does nothing and one that is written by hand on aws-lambda-go.
var functions = [...]string{"stream", "byhand"}

// BenchmarkFunction compares a warm invocation of the processes of both functions, over a Runtime API.
func BenchmarkFunction(b *testing.B) {
	var binaries [len(functions)]string
	for i, name := range functions {
		binaries[i] = buildFunction(b, name)
	}
	for _, records := range []int{1, 100, 1000} {
		payload := purchase.Event(records)
		for i, name := range functions {
			b.Run(fmt.Sprintf("%d/%s", records, name), func(b *testing.B) {
				f := newFunction(b, binaries[i])
				f.start(b)
				defer f.stop()
				for range 20 { // until the heap has found its size
					f.invoke(b, payload)
				}
				for b.Loop() {
					f.invoke(b, payload)
				}
				b.ReportMetric(f.peak(), "MB-peak")
			})
		}
	}
}

// BenchmarkStart compares both functions from the start of the process to the first request for an invocation, in turns, and their binaries.
func BenchmarkStart(b *testing.B) {
	var list [len(functions)]*function
	var took [len(functions)][]time.Duration
	for i, name := range functions {
		list[i] = newFunction(b, buildFunction(b, name))
	}
	for b.Loop() {
		for i, f := range list {
			started := time.Now()
			f.start(b)
			took[i] = append(took[i], time.Since(started))
			f.stop()
		}
	}
	for i, name := range functions {
		b.ReportMetric(median(took[i]).Seconds()*1e3, "ms-"+name)
		info, err := os.Stat(list[i].binary)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB-"+name)
	}
}
