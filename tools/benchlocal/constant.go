package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// answers are the last ones that were seen, by the target of their requests.
type answers struct {
	mu       sync.Mutex
	ByTarget map[string]answer
}

type answer struct {
	Type, Checksum string
	Body           []byte
}

func (a *answers) save(file string) error {
	text, err := json.Marshal(a.ByTarget)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// RoundTrip hands a request on and keeps its answer.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if res.StatusCode == http.StatusOK {
		a.mu.Lock()
		a.ByTarget[r.Header.Get("X-Amz-Target")] = answer{Type: res.Header.Get("Content-Type"), Checksum: res.Header.Get("X-Amz-Crc32"), Body: body}
		a.mu.Unlock()
	}
	return res, nil
}

// serveConstant reads each request and gives the answer that the file has for its target.
func serveConstant(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	byTarget := map[string]answer{}
	if err := json.Unmarshal(text, &byTarget); err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client went away
		}
		a := byTarget[r.Header.Get("X-Amz-Target")]
		w.Header().Set("Content-Type", a.Type)
		w.Header().Set("X-Amz-Crc32", a.Checksum)
		_, _ = w.Write(a.Body)
	})}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	fmt.Fprintf(os.Stderr, "http://%s\n", listener.Addr())
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
