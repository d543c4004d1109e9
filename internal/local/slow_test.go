package local

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose one connection is a pipe.
type pipes struct {
	net.Listener
	conn   chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conn:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { return nil }

// TestSlowClientsAreCutOff begins a request and does not go on.
func TestSlowClientsAreCutOff(t *testing.T) {
	s := start(t, Options{})
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		l := pipes{s.listener, make(chan net.Conn, 1), make(chan struct{})}
		l.conn <- server
		same := &http.Server{Handler: s.server.Handler, ConnContext: s.server.ConnContext, ReadTimeout: s.server.ReadTimeout, ReadHeaderTimeout: s.server.ReadHeaderTimeout}
		go same.Serve(l) //nolint:errcheck // it ends when the listener does
		began := time.Now()
		if _, err := fmt.Fprint(client, "GET /_streamgen/health HTTP/1.1\r\nHost: "); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(client); err != nil || len(answer) > 0 {
			t.Errorf("got %q, %v", answer, err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
		close(l.closed)
	})
}
