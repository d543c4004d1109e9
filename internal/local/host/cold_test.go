package host_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"streamgen/internal/local/host"
)

// BenchmarkColdStart measures by how much a cold invocation is longer than what the process itself needs from its start to its answer,
// which a server that does nothing else measures.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	h, err := host.New(host.Options{Account: account, Region: region, Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	if _, err := h.Create(config("echo"), nil, pack(b, file{"bootstrap", 0o755, bootstrap})); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "bootstrap")
	if err := os.WriteFile(path, bootstrap, 0o700); err != nil { //nolint:gosec // it is run
		b.Fatal(err)
	}
	var hosted, bare []time.Duration
	for n := 0; b.Loop(); n++ {
		if _, err := h.UpdateConfiguration(fn, "", func(c *host.Config) error { c.Description = strconv.Itoa(n); return nil }); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if r, err := h.Invoke(b.Context(), "fn", []byte(`1`)); err != nil || r.FunctionError != "" {
			b.Fatal(err, string(r.Payload))
		}
		hosted = append(hosted, time.Since(began))
		bare = append(bare, bareStart(b, path))
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2]) / float64(time.Millisecond)
	}
	b.ReportMetric(median(hosted), "ms-cold")
	b.ReportMetric(max(0, median(hosted)-median(bare)), "ms-overhead")
}

// bareStart runs the function once against a Runtime API of one answer.
func bareStart(b *testing.B, path string) time.Duration {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	asked := false
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if asked {
			close(done)
			<-r.Context().Done()
			return
		}
		asked = true
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "id")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
		_, _ = w.Write([]byte(`1`))
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
	})
	server := &http.Server{Handler: mux}
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	defer server.Close()
	cmd := exec.Command(path)
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "MODE=echo"}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	<-done
	took := time.Since(began)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return took
}
