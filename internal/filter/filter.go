// Package filter says which changes of a table a mapping wants, and turns that into the filter patterns of AWS as far as these
// reach. What they cannot say is left to the function.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
package filter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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
}

// Compiled is a selection as patterns of AWS.
type Compiled struct {
	// Patterns let every wanted change through, and perhaps others. There are none where AWS can leave out nothing.
	Patterns []string
	// Reasons say what the patterns cannot, a sentence each; without any they are exact.
	Reasons []string
}

// Exact reports whether the patterns let through what is wanted and nothing else.
func (c Compiled) Exact() bool { return len(c.Reasons) == 0 }

// Compile gives the patterns of a selection.
func (s Selection) Compile() Compiled {
	c := Compiled{Patterns: s.patterns()}
	if len(s.Changed) > 0 && s.wants(Modify) {
		c.Reasons = append(c.Reasons, "AWS's filters compare a record with constants, not its two images with one another, so that changed is checked in the function")
	}
	return c
}

func (s Selection) wants(k Kind) bool { return len(s.On) == 0 || slices.Contains(s.On, k) }

// pattern is a filter pattern; its fields are all that a selection asks for.
type pattern struct {
	EventName    []string      `json:"eventName"`
	UserIdentity *userIdentity `json:"userIdentity,omitempty"`
}

// userIdentity is set in records of removals that DynamoDB makes itself.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
type userIdentity struct {
	Type        []string `json:"type"`
	PrincipalID []string `json:"principalId"`
}

func (s Selection) patterns() []string {
	var names []string
	for _, k := range []Kind{Insert, Modify, Remove} {
		if s.wants(k) {
			names = append(names, strings.ToUpper(string(k)))
		}
	}
	if len(names) == 3 {
		return nil
	}
	var list []string
	if len(names) > 0 {
		list = append(list, encode(pattern{EventName: names}))
	}
	if slices.Contains(s.On, TTLDelete) && !s.wants(Remove) {
		list = append(list, encode(pattern{
			EventName: []string{"REMOVE"}, UserIdentity: &userIdentity{[]string{"Service"}, []string{"dynamodb.amazonaws.com"}},
		}))
	}
	return list
}

func encode(p pattern) string {
	text, _ := json.Marshal(p) // strings alone cannot fail
	return string(text)
}

// GoExpr is a condition in Go over a stream.Record in the named variable: what the patterns let through is wanted when it holds.
// It is empty where the patterns are exact.
func (s Selection) GoExpr(record string) string {
	if s.Compile().Exact() {
		return ""
	}
	names := make([]string, len(s.Changed))
	for i, name := range s.Changed {
		names[i] = strconv.Quote(name)
	}
	return fmt.Sprintf("%s.Kind() != stream.Modify || %s.Changed(%s)", record, record, strings.Join(names, ", "))
}

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
	return strings.Join(parts, "; ")
}
