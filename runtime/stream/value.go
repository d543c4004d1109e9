package stream

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// DecodeImage calls set for each attribute of an image in DynamoDB's JSON, such as {"Id":{"S":"1"},"Paid":{"BOOL":true}}.
// The order of the calls says nothing. Of attributes with the same name the last one counts. An error of set ends the
// decoding and is returned with the attribute's name.
//
// Attributes that set does not look at are skipped, whatever their type, so an item may hold more than its Go type
// knows.
func DecodeImage(image []byte, set func(name string, v Value) error) error {
	if !json.Valid(image) {
		var anything any
		return fmt.Errorf("decode image: %w", json.Unmarshal(image, &anything))
	}
	if isNull(image) {
		return nil
	}
	return each(image, "decode image", set)
}

// each calls set for each attribute of a valid JSON object.
func each(object []byte, what string, set func(name string, v Value) error) error {
	var buffer [32]member
	attributes, err := membersOf(object, buffer[:0])
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, a := range attributes {
		if err := set(a.name, Value{a.value}); err != nil {
			return fmt.Errorf("attribute %q: %w", a.name, err)
		}
	}
	return nil
}

func isNull(value []byte) bool { return string(bytes.TrimSpace(value)) == "null" }

// Value is one attribute's value, of the type that its image names. It holds only while [DecodeImage] runs; what
// its methods return may be kept.
//
// Each method asks for one type and gives an error when the value has another. NULL is the exception: it fits
// every type and gives the zero value, the same as an attribute that the image does not have, because tables
// use both to say "nothing here". [Value.IsNull] tells them apart.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
type Value struct {
	json []byte // such as {"S":"1"}; valid JSON
}

// IsNull says whether the value has the type NULL.
func (v Value) IsNull() bool {
	descriptor, _, err := v.split()
	return err == nil && descriptor == "NULL"
}

// String gives a value of type S.
func (v Value) String() (string, error) { return get(v, "S", unquote) }

// Number gives a value of type N.
func (v Value) Number() (Number, error) { return get(v, "N", decodeNumber) }

// Binary gives a value of type B, decoded from base64. NULL gives nil, empty binary an empty slice.
func (v Value) Binary() ([]byte, error) { return get(v, "B", decodeBinary) }

// Bool gives a value of type BOOL.
func (v Value) Bool() (bool, error) { return get(v, "BOOL", decodeBool) }

// StringSet gives a value of type SS, in the image's order.
func (v Value) StringSet() ([]string, error) { return get(v, "SS", decodeSet(unquote)) }

// NumberSet gives a value of type NS, in the image's order.
func (v Value) NumberSet() ([]Number, error) { return get(v, "NS", decodeSet(decodeNumber)) }

// BinarySet gives a value of type BS, decoded from base64, in the image's order.
func (v Value) BinarySet() ([][]byte, error) { return get(v, "BS", decodeSet(decodeBinary)) }

// Null gives true for a value of type NULL, and an error for every other.
func (v Value) Null() (bool, error) {
	descriptor, _, err := v.split()
	if err == nil && descriptor != "NULL" {
		err = fmt.Errorf("want type NULL, have %s", descriptor)
	}
	return err == nil, err
}

// Map calls set for each attribute of a value of type M, as [DecodeImage] does.
func (v Value) Map(set func(name string, v Value) error) error {
	object, err := get(v, "M", func(m []byte) ([]byte, error) { return m, nil })
	if err != nil || object == nil {
		return err
	}
	return each(object, "decode type M", set)
}

// MapOf gives a value of type M whose attributes are all decoded alike. NULL gives nil, an empty map an empty one.
func MapOf[T any](v Value, decode func(Value) (T, error)) (map[string]T, error) {
	var out map[string]T
	if !v.IsNull() {
		out = map[string]T{}
	}
	err := v.Map(func(name string, v Value) (err error) {
		out[name], err = decode(v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListOf gives a value of type L whose elements are all decoded alike. NULL gives nil, an empty list an empty slice.
func ListOf[T any](v Value, decode func(Value) (T, error)) ([]T, error) {
	elements, err := get(v, "L", elementsOf)
	if err != nil || elements == nil {
		return nil, err
	}
	out := make([]T, len(elements))
	for i, e := range elements {
		if out[i], err = decode(Value{e}); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return out, nil
}

// Optional gives a pointer to what decode gives, and nil for NULL.
func Optional[T any](v Value, decode func(Value) (T, error)) (*T, error) {
	if v.IsNull() {
		return nil, nil
	}
	got, err := decode(v)
	if err != nil {
		return nil, err
	}
	return &got, nil
}

// split takes {"S":"1"} apart.
func (v Value) split() (descriptor string, value []byte, err error) {
	if isNull(v.json) {
		return "", nil, errors.New("an attribute value has exactly one type, this one 0")
	}
	var buffer [2]member
	members, err := membersOf(v.json, buffer[:0])
	if err != nil {
		return "", nil, fmt.Errorf("decode attribute value: %w", err)
	}
	if len(members) != 1 {
		return "", nil, fmt.Errorf("an attribute value has exactly one type, this one %d", len(members))
	}
	return members[0].name, members[0].value, nil
}

func get[G any](v Value, want string, decode func([]byte) (G, error)) (G, error) {
	var zero G
	descriptor, value, err := v.split()
	if err != nil {
		return zero, err
	}
	switch descriptor {
	case want:
	case "NULL":
		return zero, nil
	case "S", "N", "B", "BOOL", "M", "L", "SS", "NS", "BS":
		return zero, fmt.Errorf("want type %s, have %s", want, descriptor)
	default:
		return zero, fmt.Errorf("want type %s, have %q, which is no type of DynamoDB", want, descriptor)
	}
	got, err := decode(value)
	if err != nil {
		return zero, fmt.Errorf("decode type %s: %w", want, err)
	}
	return got, nil
}

func decodeNumber(m []byte) (Number, error) {
	s, err := unquote(m)
	return Number(s), err
}

// strictBase64 refuses what no encoder writes: padding bits other than zero.
var strictBase64 = base64.StdEncoding.Strict()

func decodeBinary(m []byte) ([]byte, error) {
	s, err := unquote(m)
	if err != nil {
		return nil, err
	}
	// Even the strict decoder skips line breaks.
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	return strictBase64.DecodeString(s)
}

func decodeBool(m []byte) (bool, error) {
	switch string(m) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("neither true nor false")
}

func decodeSet[G any](decode func([]byte) (G, error)) func([]byte) ([]G, error) {
	return func(m []byte) ([]G, error) {
		members, err := elementsOf(m)
		if err != nil {
			return nil, err
		}
		set := make([]G, len(members))
		for i, member := range members {
			if set[i], err = decode(member); err != nil {
				return nil, fmt.Errorf("member %d: %w", i+1, err)
			}
		}
		return set, nil
	}
}
