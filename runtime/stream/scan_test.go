package stream

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// FuzzMembers holds the walk over objects and arrays to encoding/json.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, ` { "a" : 1 , "b":[ "]" , {"}":"{"} ] , "a": null } `, `{"\u0061":"\"","a\\":"\\\\"}`, `[1, -2.5e3 ,true,"x" , [] ,{}]`, "{\"\xff\":\"\xff\"}", `"x"`, `null`,
		`{` + strings.TrimSuffix(strings.Repeat(`"n":1,`, 200), ",") + `}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) || isNull(data) {
			return
		}
		var object map[string]json.RawMessage
		got, err := membersOf(data, nil)
		if want := json.Unmarshal(data, &object) == nil; want != (err == nil) {
			t.Fatalf("error %v, encoding/json takes it: %v", err, want)
		}
		if err == nil {
			members := map[string]json.RawMessage{}
			for _, m := range got {
				members[m.name] = m.value
			}
			if !reflect.DeepEqual(members, object) || len(members) != len(got) {
				t.Errorf("members %s, want %s", members, object)
			}
		}
		var array []json.RawMessage
		elements, err := elementsOf(data)
		if want := json.Unmarshal(data, &array) == nil; want != (err == nil) {
			t.Fatalf("error %v, encoding/json takes it: %v", err, want)
		}
		if err == nil && fmt.Sprintf("%s", elements) != fmt.Sprintf("%s", array) {
			t.Errorf("elements %s, want %s", elements, array)
		}
	})
}
