package records

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// ParseItem reads an item that a person wrote: in DynamoDB's JSON, or as plain JSON, whose types are those of the attributes. What is not
// among the attributes has the type that plain JSON gives it.
func ParseItem(text []byte, attributes []spec.Attribute) (Image, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the JSON")
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is no JSON object")
	}
	item := Image{}
	typed := isTyped(fields)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		if !typed {
			var err error
			if value, err = plain(value, find(attributes, name), name); err != nil {
				return nil, err
			}
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(value); err != nil {
			return nil, err
		}
		item[name] = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	}
	return item, nil
}

func find(attributes []spec.Attribute, name string) *spec.Attribute {
	i := slices.IndexFunc(attributes, func(a spec.Attribute) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return &attributes[i]
}

// isTyped reports whether an object is an item in DynamoDB's JSON: each of its members is a type with a value.
func isTyped(fields map[string]any) bool {
	for _, v := range fields {
		if !isValue(v) {
			return false
		}
	}
	return len(fields) > 0
}

func isValue(v any) bool {
	o, ok := v.(map[string]any)
	if !ok || len(o) != 1 {
		return false
	}
	for kind, v := range o {
		switch spec.AttributeType(kind) {
		case spec.String, spec.Number, spec.Binary:
			_, ok = v.(string)
		case spec.Bool, spec.Null:
			_, ok = v.(bool)
		case spec.StringSet, spec.NumberSet, spec.BinarySet:
			list, is := v.([]any)
			ok = is && len(list) > 0 && !slices.ContainsFunc(list, func(e any) bool { _, text := e.(string); return !text })
		case spec.List:
			list, is := v.([]any)
			ok = is && !slices.ContainsFunc(list, func(e any) bool { return !isValue(e) })
		case spec.Map:
			var below map[string]any
			below, ok = v.(map[string]any)
			ok = ok && (len(below) == 0 || isTyped(below))
		default:
			return false
		}
	}
	return ok
}

// plain gives a value of plain JSON its type: the attribute's, or where there is none the one that JSON gives it. path leads to it.
func plain(v any, a *spec.Attribute, path string) (any, error) {
	if v == nil {
		return map[string]any{"NULL": true}, nil
	}
	kind := typeOf(v)
	if a != nil {
		kind = a.Type
	}
	wrong := func(want string) error {
		return fmt.Errorf("%s is %s, and the attribute is %s: want %s", path, mustJSON(v), kind, want)
	}
	switch kind {
	case spec.String:
		text, ok := v.(string)
		if !ok {
			return nil, wrong("a text")
		}
		return map[string]any{"S": text}, nil
	case spec.Number:
		text, ok := number(v)
		if !ok {
			return nil, wrong("a number")
		}
		return map[string]any{"N": text}, nil
	case spec.Binary:
		text, ok := v.(string)
		if _, err := base64.StdEncoding.DecodeString(text); !ok || err != nil {
			return nil, wrong("a text in base64")
		}
		return map[string]any{"B": text}, nil
	case spec.Bool:
		if _, ok := v.(bool); !ok {
			return nil, wrong("true or false")
		}
		return map[string]any{"BOOL": v}, nil
	case spec.Null:
		return nil, wrong("null")
	case spec.StringSet, spec.NumberSet, spec.BinarySet:
		return plainSet(v, kind, wrong)
	case spec.List:
		return plainList(v, a, path, wrong)
	default:
		return plainMap(v, a, path, wrong)
	}
}

// typeOf is the type that a value of plain JSON has by itself.
func typeOf(v any) spec.AttributeType {
	switch v.(type) {
	case string:
		return spec.String
	case json.Number:
		return spec.Number
	case bool:
		return spec.Bool
	case []any:
		return spec.List
	default:
		return spec.Map
	}
}

var numberText = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// number takes a number or a text of one: 38 digits are more than many programs write as a number of JSON.
func number(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return v.String(), true
	case string:
		return v, numberText.MatchString(v)
	}
	return "", false
}

func plainSet(v any, kind spec.AttributeType, wrong func(string) error) (any, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, wrong("a list with at least one element")
	}
	set := make([]string, len(list))
	for i, e := range list {
		switch kind {
		case spec.NumberSet:
			set[i], ok = number(e)
		default:
			set[i], ok = e.(string)
		}
		if !ok {
			return nil, wrong("a list of the set's elements")
		}
	}
	return map[string]any{string(kind): set}, nil
}

func plainList(v any, a *spec.Attribute, path string, wrong func(string) error) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, wrong("a list")
	}
	typed := make([]any, len(list))
	for i, e := range list {
		var err error
		if typed[i], err = plain(e, elementOf(a), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return nil, err
		}
	}
	return map[string]any{"L": typed}, nil
}

func plainMap(v any, a *spec.Attribute, path string, wrong func(string) error) (any, error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, wrong("an object")
	}
	typed := make(map[string]any, len(fields))
	for name, value := range fields {
		of := elementOf(a)
		if a != nil && a.Of == nil {
			of = find(a.Attributes, name)
		}
		var err error
		if typed[name], err = plain(value, of, path+"."+name); err != nil {
			return nil, err
		}
	}
	return map[string]any{"M": typed}, nil
}

func elementOf(a *spec.Attribute) *spec.Attribute {
	if a == nil {
		return nil
	}
	return a.Of
}

// size is the image's size in bytes as the stream counts it, but that of numbers, which is about that.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (i Image) size() int {
	n := 0
	for name, v := range i {
		n += len(name) + valueSize(v)
	}
	return n
}

func valueSize(v json.RawMessage) int {
	var typed map[string]json.RawMessage
	_ = json.Unmarshal(v, &typed) // what is no value has no size
	for kind, raw := range typed {
		switch spec.AttributeType(kind) {
		case spec.String, spec.Number, spec.Binary:
			var text string
			_ = json.Unmarshal(raw, &text)
			return textSize(kind, text)
		case spec.StringSet, spec.NumberSet, spec.BinarySet:
			var set []string
			_ = json.Unmarshal(raw, &set)
			n := 0
			for _, text := range set {
				n += textSize(kind, text)
			}
			return n
		case spec.List:
			var list []json.RawMessage
			_ = json.Unmarshal(raw, &list)
			n := 3
			for _, e := range list {
				n += 1 + valueSize(e)
			}
			return n
		case spec.Map:
			var below Image
			_ = json.Unmarshal(raw, &below)
			return 3 + len(below) + below.size()
		}
	}
	return 1 // BOOL and NULL
}

func textSize(kind, text string) int {
	switch {
	case strings.HasPrefix(kind, "N"):
		return 1 + (len(text)+1)/2
	case strings.HasPrefix(kind, "B"):
		return base64.StdEncoding.DecodedLen(len(text)) - strings.Count(text, "=")
	default:
		return len(text)
	}
}

// Made says of which stream a record is that [Made.Record] makes.
type Made struct {
	StreamARN, Region string
	// ViewType says which images the record has.
	ViewType string
	// Keys are the table's key attributes.
	Keys []string
}

// Record makes a record of a change as the stream would have it: a nil old item was not there before, a nil new one is not there any more.
func (m Made) Record(old, item Image, id, sequence string, at int64) (Record, error) {
	kind := Modify
	whole := item
	switch {
	case old == nil && item == nil:
		return Record{}, errors.New("want the item as it is, as it was, or both")
	case old == nil:
		kind = Insert
	case item == nil:
		kind, whole = Remove, old
	}
	keys := Image{}
	for _, name := range m.Keys {
		if whole[name] == nil {
			return Record{}, fmt.Errorf("the item has no %s, which is a key of the table", name)
		}
		if old != nil && item != nil && string(old[name]) != string(item[name]) {
			return Record{}, fmt.Errorf("the item has another %s than the old one, and a change does not change the key", name)
		}
		keys[name] = whole[name]
	}
	if m.ViewType == "KEYS_ONLY" || m.ViewType == "OLD_IMAGE" {
		item = nil
	}
	if m.ViewType == "KEYS_ONLY" || m.ViewType == "NEW_IMAGE" {
		old = nil
	}
	return Wire{
		EventID: id, EventName: kind, Region: m.Region, StreamARN: m.StreamARN,
		Change: WireChange{
			At: Seconds(at), Keys: keys, New: item, Old: old, SequenceNumber: sequence,
			SizeBytes: int64(keys.size() + item.size() + old.size()), ViewType: m.ViewType,
		},
	}.Record()
}

// Wire is a record in the members and the order in which Lambda hands it to a function.
type Wire struct {
	EventID      string     `json:"eventID"`
	EventName    string     `json:"eventName"`
	EventVersion string     `json:"eventVersion"` // 1.1 when it is left out
	EventSource  string     `json:"eventSource"`  // aws:dynamodb when it is left out
	Region       string     `json:"awsRegion"`
	Change       WireChange `json:"dynamodb"`
	// Identity is that of a removal by DynamoDB itself.
	Identity  *WireIdentity `json:"userIdentity,omitempty"`
	StreamARN string        `json:"eventSourceARN"`
}

// WireChange is what changed.
type WireChange struct {
	At             Seconds `json:"ApproximateCreationDateTime"`
	Keys           Image   `json:"Keys,omitempty"`
	New            Image   `json:"NewImage,omitempty"`
	Old            Image   `json:"OldImage,omitempty"`
	SequenceNumber string  `json:"SequenceNumber"`
	SizeBytes      int64   `json:"SizeBytes"`
	ViewType       string  `json:"StreamViewType"`
}

// WireIdentity is who removed an item.
type WireIdentity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
}

// Seconds are those since 1970. Lambda writes them with a fraction.
type Seconds int64

// MarshalJSON implements [json.Marshaler].
func (s Seconds) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%d.0", int64(s)), nil }

// Record is the record with its JSON.
func (w Wire) Record() (Record, error) {
	if w.EventVersion == "" {
		w.EventVersion = "1.1"
	}
	if w.EventSource == "" {
		w.EventSource = "aws:dynamodb"
	}
	text, err := encode(w)
	if err != nil {
		return Record{}, err
	}
	return Parse(bytes.TrimSuffix(text, []byte("\n")))
}

// mustJSON encodes what was JSON before.
func mustJSON(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}
