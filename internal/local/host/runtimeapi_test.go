package host

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"streamgen/internal/local/peer"
)

// TestRuntimeAPIIsItsProcessesOwn asks for an event as others than the process do: the users of this machine, and pages in a browser.
func TestRuntimeAPIIsItsProcessesOwn(t *testing.T) {
	a, err := serveRuntimeAPI(Function{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	a.user = 1000
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	for name, test := range map[string]struct {
		user   uint32
		change func(*http.Request)
		status int
	}{
		"the process":               {1000, func(*http.Request) {}, http.StatusOK},
		"root":                      {0, func(*http.Request) {}, http.StatusOK},
		"another user":              {1001, func(*http.Request) {}, http.StatusForbidden},
		"a closed connection":       {peer.Nobody, func(*http.Request) {}, http.StatusForbidden},
		"DNS rebinding":             {1000, func(r *http.Request) { r.Host = "attacker.example" }, http.StatusForbidden},
		"localhost":                 {1000, func(r *http.Request) { r.Host = "localhost" }, http.StatusForbidden}, // no runtime calls it so
		"a page's script":           {1000, func(r *http.Request) { r.Header.Set("Origin", "https://attacker.example") }, http.StatusForbidden},
		"a page without":            {1000, func(r *http.Request) { r.Header.Set("Origin", "") }, http.StatusForbidden},
		"a page's image":            {1000, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"an address that was typed": {1000, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, http.StatusForbidden},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://"+a.addr()+"/2018-06-01/runtime/invocation/next", nil)
		test.change(r)
		a.only(mux).ServeHTTP(w, r.WithContext(peer.WithOwner(t.Context(), test.user)))
		if w.Code != test.status {
			t.Errorf("%s: status %d %s, want %d", name, w.Code, w.Body, test.status)
		}
	}
}
