package local

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"streamgen/internal/local/wire"
)

// guard refuses requests of other users of this machine, and those that a web page may have sent. A page's script reaches a loopback address too: then its Origin
// is in the request, or, where the page's host name was pointed at this machine (DNS rebinding), that name is. An image's address has neither,
// and the browser says on whose behalf it asks: "none" is the user's own, who typed the address.
// https://www.w3.org/TR/fetch-metadata/
func (s *Stack) guard(next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String()) // a TCP address always has both
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stranger := checkUser(r.Context(), s.user)
		switch {
		case stranger != nil && !s.opts.AnyUser:
			wire.WriteRESTError(w, stranger)
		case !isLoopback(r.Host, port):
			wire.WriteRESTError(w, wire.StatusErrorf(http.StatusForbidden, "AccessDeniedException",
				"streamgen local refuses Host %q: want localhost or a loopback address, with port %s", r.Host, port))
		case len(r.Header.Values("Origin")) > 0:
			wire.WriteRESTError(w, wire.StatusErrorf(http.StatusForbidden, "AccessDeniedException",
				"streamgen local refuses requests of web pages: Origin %q", r.Header.Get("Origin")))
		case slices.ContainsFunc(r.Header.Values("Sec-Fetch-Site"), func(v string) bool { return v != "none" }):
			wire.WriteRESTError(w, wire.StatusErrorf(http.StatusForbidden, "AccessDeniedException",
				"streamgen local refuses requests of web pages: Sec-Fetch-Site %q", r.Header.Get("Sec-Fetch-Site")))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isLoopback says whether a Host header names this machine and the port.
func isLoopback(hostPort, port string) bool {
	host, p, err := net.SplitHostPort(hostPort)
	if err != nil {
		host, p = strings.Trim(hostPort, "[]"), "80"
	}
	// Clients of S3 Control put the account before an address, which makes no name that anybody can own.
	ip, err := netip.ParseAddr(strings.TrimPrefix(host, Account+"."))
	// Names below localhost, as buckets have, lead nowhere else: RFC 6761.
	name := strings.ToLower(host)
	return p == port && (name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && ip.IsLoopback())
}
