package local

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// Client is an HTTP client for AWS SDKs in the stack's own process. With the usual one an answer of more than a few KB can fail: the SDK
// for Go closes its request's body as soon as the answer begins, net/http takes that for an error when it has not yet seen that the
// body is at its end, and gives up the connection. A service at a distance never answers so early.
func Client() *http.Client {
	return &http.Client{Transport: whole{http.DefaultTransport.(*http.Transport).Clone()}}
}

// whole sends requests whose bodies net/http knows to be in memory: it sends them in one piece and looks for their end before.
type whole struct{ next http.RoundTripper }

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return w.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return w.next.RoundTrip(r)
}
