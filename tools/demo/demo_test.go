package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDemo is the end-to-end test: what a user sees with 'make demo' is what is asserted here, with the real terraform, the real
// provider and the real handler process.
func TestDemo(t *testing.T) {
	requireProvider(t)
	var out bytes.Buffer
	d := demo{root: "../..", out: &out, story: testWriter{t}}
	res, err := d.run(t.Context())
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}

	type image map[string]map[string]string
	type change struct {
		Keys, OldImage, NewImage image
		StreamViewType           string
	}
	created := image{"Id": {"S": "101"}, "Message": {"S": "New item!"}}
	changed := image{"Id": {"S": "101"}, "Message": {"S": "This item has changed"}}
	key := image{"Id": {"S": "101"}}
	want := []struct {
		name string
		change
	}{
		{"INSERT", change{Keys: key, NewImage: created, StreamViewType: "NEW_AND_OLD_IMAGES"}},
		{"MODIFY", change{Keys: key, OldImage: created, NewImage: changed, StreamViewType: "NEW_AND_OLD_IMAGES"}},
		{"REMOVE", change{Keys: key, OldImage: changed, StreamViewType: "NEW_AND_OLD_IMAGES"}},
	}
	if len(res.records) != len(want) {
		t.Fatalf("the handler logged %d records, want %d", len(res.records), len(want))
	}
	seen := map[string]bool{}
	for i, r := range res.records {
		var got change
		if err := json.Unmarshal(r.DynamoDB, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[i].change, got); d != "" || r.EventName != want[i].name {
			t.Errorf("record %d is %s, want %s:\n%s", i, r.EventName, want[i].name, d)
		}
		if seen[r.EventID] || len(r.EventID) != 32 {
			t.Errorf("record %d: eventID %q is not 32 characters of its own", i, r.EventID)
		}
		seen[r.EventID] = true
	}
	if len(res.pending) != 0 || len(res.left) != 0 {
		t.Errorf("pending %v, left %v", res.pending, res.left)
	}
	var own time.Duration
	for _, s := range res.steps {
		own += s.own
	}
	t.Logf("our share: %s", own)
}
