package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzCursor holds the walk over objects and arrays, and the reading of strings, to encoding/json.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, ` { "a" : 1 , "b":[ "]" , {"}":"{"} ] , "a": null } `, `{"\u0061":"\"","a\\":"\\\\"}`, `[1, -2.5e3 ,true,"x" , [] ,{}]`, "{\"\xff\":\"\xff\"}", `"x"`, `null`,
		`{` + strings.TrimSuffix(strings.Repeat(`"n":1,`, 200), ",") + `}`, `"a text that is longer than a word, with é and \u00e9 in it"`, `["` + "\x01" + `"]`, `[1,]`, `{"a":1,}`, `[`, `[["a","","\"","\\","ab",""]]`,
		`[[[[[[[[]]]]]]]]`, `{"a":{"b":["} ]","x\\","\\\"]",{}]}}`, `{"text with é":"[[{{\\\\"}`, `["{","[",["}"],"]"] `, `{"a":"\"}"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		valid := json.Valid(data)

		if got, want := bracketEnd(string(data), 0), plainBracketEnd(string(data)); got != want {
			t.Errorf("the bracket ends at %d, want %d", got, want)
		}

		members, c := map[string]json.RawMessage{}, cursor{s: string(data)}
		if c.take('{') {
			for first := true; c.next('}', &first); {
				name := c.key()
				members[name] = json.RawMessage(c.skip())
			}
			var want map[string]json.RawMessage
			if err := json.Unmarshal(data, &want); valid && (err != nil || c.err != nil || !reflect.DeepEqual(members, want)) {
				t.Errorf("members %s, %v; want %s, %v", members, c.err, want, err)
			}
		}

		var elements []json.RawMessage
		c = cursor{s: string(data)}
		if c.take('[') {
			for first := true; c.next(']', &first); {
				c.peek()
				elements = append(elements, json.RawMessage(c.skip()))
			}
			var want []json.RawMessage
			if err := json.Unmarshal(data, &want); valid && (err != nil || c.err != nil || fmt.Sprintf("%s", elements) != fmt.Sprintf("%s", want)) {
				t.Errorf("elements %s, %v; want %s, %v", elements, c.err, want, err)
			}
		}

		if trimmed := bytes.TrimSpace(data); bytes.HasPrefix(trimmed, []byte{'"'}) {
			c = cursor{s: string(data)}
			got := c.text()
			whole := c.err == nil && c.peek() == 0 && c.i == len(c.s)
			var want string
			if err := json.Unmarshal(data, &want); whole != (err == nil) || whole && got != want {
				t.Errorf("text %q, %v; want %q, %v", got, c.err, want, err)
			}
		}
	})
}

// plainBracketEnd is bracketEnd without an eye to speed.
func plainBracketEnd(s string) int {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func parts(r *record) []string {
	var texts []string
	for _, s := range []span{r.raw, r.eventID, r.eventName, r.streamARN, r.identityType, r.identityPrincipalID, r.dynamodb, r.createdAt, r.keys, r.newImage, r.oldImage, r.sequenceNumber} {
		texts = append(texts, r.part(s))
	}
	return texts
}

// FuzzEvent holds the reading of events and records to encoding/json: what is read is the same, or is left to it.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"Records":[{"eventID":"1","eventName":"REMOVE","eventSourceARN":"arn","userIdentity":{"type":"Service","principalId":"x"},"dynamodb":{"SequenceNumber":"1","Keys":{},"OldImage":null}}]}`,
		`{"Records":[{"EVENTID":"1","dynamodb":{"sequencenumber":"1"}}],"window":{"start":"x"},"state":{},"shardId":"s","isFinalInvokeForWindow":true}`,
		`{"records":null}`, `{"Records":[{"eventID":null,"userIdentity":null,"dynamodb":{"SequenceNumber":1}}]}`, `{"Records":[1]}`, `null`, `[]`, `{"Records":[]} x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		text := string(payload)
		got, ok := readEvent(text)
		if !ok || !json.Valid(payload) || strings.Count(text, "userIdentity") != strings.Count(text, "eventID") || strings.Count(text, "dynamodb") != strings.Count(text, "eventID") {
			return // of several members with one name encoding/json merges the values
		}
		want, err := decodeEvent(payload)
		if err != nil {
			t.Fatalf("read, and encoding/json says %v", err)
		}
		for i := range want.records {
			got, want := got.records[i], want.records[i]
			if (got.err == nil) != (want.err == nil) {
				t.Errorf("record %d: error %v, want %v", i, got.err, want.err)
			}
			if got, want := parts(&got), parts(&want); !slices.Equal(got, want) {
				t.Errorf("record %d: %q, want %q", i, got, want)
			}
		}
		if got.records, want.records = nil, nil; !reflect.DeepEqual(got, want) {
			t.Errorf("event %+v, want %+v", got, want)
		}
	})
}
