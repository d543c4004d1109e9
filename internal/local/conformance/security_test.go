package conformance_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"streamgen/internal/local"
)

// TestWebPagesAreRefused speaks HTTP by hand, as a browser that was led astray would.
func TestWebPagesAreRefused(t *testing.T) {
	address := strings.TrimPrefix(newStack(t, local.Options{}).Endpoint(), "http://")
	_, port, err := net.SplitHostPort(address)
	must(t, err)
	const request = "POST / HTTP/1.1\r\nHost: %s\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\nContent-Length: 2\r\nConnection: close\r\n%s\r\n{}"
	for name, test := range map[string]struct {
		host, header string
		status       int
	}{
		"a client":          {address, "", http.StatusOK},
		"localhost":         {"localhost:" + port, "", http.StatusOK},
		"DNS rebinding":     {"attacker.example:" + port, "", http.StatusForbidden},
		"the wrong port":    {"127.0.0.1:1", "", http.StatusForbidden},
		"no host":           {"", "", http.StatusForbidden},
		"a page":            {address, "Origin: https://attacker.example\r\n", http.StatusForbidden},
		"a sandboxed frame": {address, "Origin: null\r\n", http.StatusForbidden},
		"a page's image":    {address, "Sec-Fetch-Site: cross-site\r\n", http.StatusForbidden},
		"a page of ours":    {address, "Sec-Fetch-Site: same-origin\r\n", http.StatusForbidden},
		"a typed address":   {address, "Sec-Fetch-Site: none\r\n", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			must(t, err)
			defer conn.Close()
			_, err = fmt.Fprintf(conn, request, test.host, test.header)
			must(t, err)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			defer res.Body.Close()
			if res.StatusCode != test.status {
				t.Errorf("status %d, want %d", res.StatusCode, test.status)
			}
		})
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		if stack, err := local.Start(t.Context(), local.Options{Listen: address}); err == nil {
			_ = stack.Close(t.Context())
			t.Errorf("listens on %s", address)
		} else if !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
