package stream

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Record is a change before its images are decoded.
type Record struct{ record record }

// Kind says what happened to the item.
func (r Record) Kind() Kind { return Kind(r.record.EventName) }

// ByTTL says that DynamoDB itself removed the item because its time to live was over, see [Change].
func (r Record) ByTTL() bool { return r.record.byTTL() }

// Changed reports whether one of the attributes differs between the old and the new image, or is in only one of them. An image
// that the record does not have holds no attribute. What cannot be decoded counts as changed, so that it is not lost.
func (r Record) Changed(attributes ...string) bool {
	var old, current map[string]json.RawMessage
	for image, into := range map[*json.RawMessage]*map[string]json.RawMessage{
		&r.record.change.OldImage: &old, &r.record.change.NewImage: &current,
	} {
		if absent(*image) {
			continue
		}
		if err := json.Unmarshal(*image, into); err != nil {
			return true
		}
	}
	for _, name := range attributes {
		if !equalJSON(old[name], current[name]) {
			return true
		}
	}
	return false
}

// equalJSON compares two attribute values. AWS writes both images alike, so that other texts are nearly always other values.
func equalJSON(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
