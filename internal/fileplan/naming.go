package fileplan

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
)

// LocalName gives the name of an entry's resources in terraform: its own, with _ for what an identifier cannot hold.
func LocalName(name string) string {
	local := mapASCII(name)
	if local == "" || !isLetter(local[0]) && local[0] != '_' {
		local = "_" + local
	}
	return local
}

// packageName gives the Go package of an entry: the letters and digits of its name, in lower case, since Go's package names have
// no underscores. The kind, such as "table", sets names apart that Go reserves.
// https://go.dev/doc/effective_go#package-names
func packageName(name, kind string) string {
	pkg := strings.ReplaceAll(strings.ToLower(mapASCII(name)), "_", "")
	if pkg == "" || !isLetter(pkg[0]) {
		return kind + pkg
	}
	if isReserved(pkg) {
		return pkg + kind
	}
	return pkg
}

// isReserved reports whether a package or its folder must not have a name, though it is an identifier.
func isReserved(pkg string) bool {
	switch pkg {
	case "main", "init": // cannot be imported under its name
	case "cmp", "context", "handler", "os", "slog", "stream", "streamtest", "testing", "logger": // imported or declared by the same files
	default:
		return token.IsKeyword(pkg) || types.Universe.Lookup(pkg) != nil || isReservedFolder(pkg)
	}
	return true
}

// isReservedFolder reports whether Go or Windows gives a folder's name, in lower case, a meaning of its own.
// https://go.dev/ref/mod#go-mod-file-ident
func isReservedFolder(name string) bool {
	switch name {
	case "internal", "testdata", "vendor", "con", "prn", "aux", "nul":
		return true
	}
	port, isPort := strings.CutPrefix(name, "com")
	if !isPort {
		port, isPort = strings.CutPrefix(name, "lpt")
	}
	return isPort && len(port) == 1 && '0' <= port[0] && port[0] <= '9'
}

// fieldName gives the exported Go identifier of an attribute, whose name may hold any character: order_url, orderUrl
// and "order url" become OrderURL. What has no upper case of its own gets an X before it.
func fieldName(attribute string) string {
	var b strings.Builder
	for _, word := range words(attribute) {
		if upper := strings.ToUpper(string(word)); isInitialism(upper) {
			b.WriteString(upper)
			continue
		}
		b.WriteRune(unicode.ToUpper(word[0]))
		b.WriteString(string(word[1:]))
	}
	name := b.String()
	switch {
	case !token.IsExported(name):
		return "X" + name
	case name == "UnmarshalImage", name == "MarshalImage", name == "KeyNames": // the item's methods
		return name + "Attribute"
	}
	return name
}

// words takes a name apart at what an identifier cannot hold, at _, and where its case begins a word.
func words(name string) [][]rune {
	var all [][]rune
	var word []rune
	flush := func() {
		if len(word) > 0 {
			all = append(all, word)
		}
		word = nil
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if len(word) > 0 && unicode.IsUpper(r) {
			endsAcronym := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if !unicode.IsUpper(runes[i-1]) || endsAcronym {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return all
}

// isInitialism reports whether Go writes a word in capitals throughout.
// https://go.dev/wiki/CodeReviewComments#initialisms
func isInitialism(upper string) bool {
	return slices.Contains([]string{
		"ACL", "API", "ARN", "ASCII", "CPU", "CSS", "DNS", "EOF", "GUID", "HTML", "HTTP", "HTTPS", "ID", "IP", "JSON",
		"QPS", "RAM", "RPC", "SLA", "SMTP", "SQL", "SSH", "TCP", "TLS", "TTL", "UDP", "UI", "UID", "URI", "URL", "UTF8",
		"UUID", "VM", "XML",
	}, upper)
}

func mapASCII(name string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (isLetter(byte(r)) || '0' <= r && r <= '9') {
			return r
		}
		return '_'
	}, name)
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
