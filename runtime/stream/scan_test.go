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

// FuzzEnvelope holds the reading of events and records to encoding/json: what is read is the same, or is left to it.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"Records":[{"eventID":"1","eventName":"REMOVE","eventSourceARN":"arn","userIdentity":{"type":"Service","principalId":"x"},"dynamodb":{"SequenceNumber":"1","Keys":{},"OldImage":null}}]}`,
		`{"Records":[{"EVENTID":"1","dynamodb":{"sequencenumber":"1"}}],"window":{"start":"x"},"state":{},"shardId":"s","isFinalInvokeForWindow":true}`,
		`{"records":null}`, `{"Records":[{"eventID":null,"userIdentity":null,"dynamodb":{"SequenceNumber":1}}]}`, `{"Records":[1]}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, ok := readEvent(payload)
		if !ok {
			return
		}
		var want event
		if err := json.Unmarshal(payload, &want); err != nil {
			t.Fatalf("read, and encoding/json says %v", err)
		}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("event %+v, want %+v", e, want)
		}
		for _, raw := range e.Records {
			r, ok := readRecord(raw)
			if !ok || strings.Count(string(raw), "userIdentity") > 1 || strings.Count(string(raw), "dynamodb") > 1 {
				continue // of several with one name encoding/json merges the members
			}
			var want record
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatalf("read, and encoding/json says %v", err)
			}
			if !absent(want.DynamoDB) {
				if err := json.Unmarshal(want.DynamoDB, &want.change); err != nil {
					t.Fatalf("read, and encoding/json says %v", err)
				}
			}
			if !reflect.DeepEqual(r, want) {
				t.Errorf("record %+v, want %+v", r, want)
			}
		}
	})
}
