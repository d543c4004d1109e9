package stream

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Record is a change before its images are decoded.
type Record struct{ record *record }

// EventID names the record, see [Change].
func (r Record) EventID() string { return r.record.part(r.record.eventID) }

// Table is the name of the table that the record comes from, by its stream's ARN; empty when that says none.
func (r Record) Table() string { return tableOf(r.record.part(r.record.streamARN)) }

// SequenceNumber is the record's place in its shard, see [Change].
func (r Record) SequenceNumber() string { return r.record.part(r.record.sequenceNumber) }

// Kind says what happened to the item.
func (r Record) Kind() Kind { return r.record.kind() }

// ByTTL says that DynamoDB itself removed the item because its time to live was over, see [Change].
func (r Record) ByTTL() bool { return r.record.byTTL() }

// Event is the record in an event of its own, for the function to handle it anew. It is as it came but for its eventID, which has "-again" behind
// it: under the old one this process, or a store of [Once], would take the record for one that is done.
func (r Record) Event() JSON {
	return JSON(`{"Records":[` + renamed(r.record.part(r.record.raw)) + `]}`)
}

// renamed gives a record with another eventID. One that has none stays as it is.
func renamed(raw string) string {
	var id [1]string
	if !membersOf(raw, []string{"eventID"}, id[:]) || len(id[0]) < 2 {
		return raw
	}
	name := strings.Index(raw, `"eventID"`) // Lambda writes it first
	end := name + strings.Index(raw[name:], id[0]) + len(id[0]) - 1
	return raw[:end] + "-again" + raw[end:]
}

// DynamoDB is the record's "dynamodb" member as it came, see [Change].
func (r Record) DynamoDB() JSON { return JSON(r.record.part(r.record.dynamodb)) }

// Changed reports whether one of the attributes differs between the old and the new image, or is in only one of them. An image
// that the record does not have holds no attribute. What cannot be decoded counts as changed, so that it is not lost.
func (r Record) Changed(attributes ...string) bool {
	var old, current [8]string
	for len(attributes) > len(old) {
		if r.Changed(attributes[:len(old)]...) {
			return true
		}
		attributes = attributes[len(old):]
	}
	o, n := r.record.part(r.record.oldImage), r.record.part(r.record.newImage)
	if o != "" && !membersOf(o, attributes, old[:]) || n != "" && !membersOf(n, attributes, current[:]) {
		return true
	}
	for i := range attributes {
		if !equalJSON(old[i], current[i]) {
			return true
		}
	}
	return false
}

// equalJSON compares two attribute values. AWS writes both images alike, so that other texts are nearly always other values.
func equalJSON(a, b string) bool {
	if a == "" || b == "" || a == b {
		return a == b
	}
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
