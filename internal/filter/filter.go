// Package filter says which changes of a table a mapping wants, and turns that into the filter patterns of AWS as far as these
// reach. What they cannot say is left to the function. It also reads patterns and matches records with them, as AWS does.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
package filter

import (
	"slices"
	"strings"
)

// Kind is a kind of change.
type Kind string

// The kinds of change. Remove is every removal, TTLDelete only what DynamoDB removed because its time to live was over.
const (
	Insert    Kind = "insert"
	Modify    Kind = "modify"
	Remove    Kind = "remove"
	TTLDelete Kind = "ttl_delete"
)

// Selection is what a mapping wants. The zero Selection wants every change.
type Selection struct {
	// On are the kinds of change; empty for all.
	On []Kind
	// Changed are attributes of which one must differ between the images of a modification. Insertions and removals pass.
	Changed []string
	// Where is a condition that every wanted change meets.
	Where Where
}

// Compiled is a selection as patterns of AWS.
type Compiled struct {
	// Patterns let every wanted change through, and perhaps others. There are none where AWS can leave out nothing.
	Patterns []string
	// Reasons say what the patterns cannot, a sentence each; without any they are exact.
	Reasons []Reason
	// Never is set for a selection that no change meets.
	Never bool
}

// Reason is why the patterns alone cannot do what a key of the spec, "changed" or "where", asks for.
type Reason struct{ Key, Text string }

// Exact reports whether the patterns let through what is wanted and nothing else.
func (c Compiled) Exact() bool { return len(c.Reasons) == 0 }

// inFunction reports whether the function checks what the key asks for.
func (c Compiled) inFunction(key string) bool {
	return slices.ContainsFunc(c.Reasons, func(r Reason) bool { return r.Key == key })
}

// Compile gives the patterns of a selection.
func (s Selection) Compile() Compiled {
	var c Compiled
	if len(s.Changed) > 0 && s.wants(Modify) {
		c.Reasons = append(c.Reasons, Reason{"changed", "AWS's filters compare a record with constants, not its two images with one another; changed is checked in the function"})
	}
	kinds := s.kinds()
	where, reasons := s.Where.alternatives()
	wanted, _ := products(kinds, where) // kinds and conditions share no leaf
	wanted = merge(wanted)
	texts := encodeAll(wanted)
	if reason := beyond(texts); reason != "" && s.Where.root != nil {
		texts, reasons = encodeAll(kinds), append(reasons, reason)
	}
	for _, r := range reasons {
		c.Reasons = append(c.Reasons, Reason{"where", r})
	}
	c.Never = len(wanted) == 0
	if !slices.Contains(texts, "{}") { // which every record matches
		c.Patterns = texts
	}
	return c
}

func (s Selection) wants(k Kind) bool { return len(s.On) == 0 || slices.Contains(s.On, k) }

// kinds are the alternatives that the wanted kinds of change are: one without a test for all of them.
func (s Selection) kinds() []conjunction {
	var names []match
	for _, k := range []Kind{Insert, Modify, Remove} {
		if s.wants(k) {
			names = append(names, value(strings.ToUpper(string(k))))
		}
	}
	var list []conjunction
	switch len(names) {
	case 3:
		return []conjunction{{}}
	case 0:
	default:
		list = append(list, conjunction{eventName: names})
	}
	if slices.Contains(s.On, TTLDelete) && !s.wants(Remove) {
		list = append(list, conjunction{eventName: {value("REMOVE")}, identityType: {value("Service")}, identityPrincipal: {value("dynamodb.amazonaws.com")}})
	}
	return list
}

// The leaves of a record that tell the kinds of change apart. The identity is set in removals that DynamoDB makes itself.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
var (
	eventName         = leafOf("eventName")
	identityType      = leafOf("userIdentity", "type")
	identityPrincipal = leafOf("userIdentity", "principalId")
)

// String is the selection in the words of a spec.
func (s Selection) String() string {
	var parts []string
	if len(s.On) > 0 {
		kinds := make([]string, len(s.On))
		for i, k := range s.On {
			kinds[i] = string(k)
		}
		parts = append(parts, "on "+strings.Join(kinds, ", "))
	}
	if len(s.Changed) > 0 {
		parts = append(parts, "changed "+strings.Join(s.Changed, ", "))
	}
	if s.Where.root != nil {
		parts = append(parts, "where "+s.Where.text)
	}
	return strings.Join(parts, "; ")
}
