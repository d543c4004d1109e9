package attr

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// FormError says that JSON has another shape than an attribute value's: DynamoDB calls it a SerializationException.
type FormError struct{ Message string }

func (e *FormError) Error() string { return e.Message }

// ValueError says that a value is well formed and yet not allowed: DynamoDB calls it a ValidationException.
type ValueError struct{ Message string }

func (e *ValueError) Error() string { return e.Message }

func misformed(format string, args ...any) error {
	return &FormError{Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &ValueError{Message: fmt.Sprintf(format, args...)}
}

// UnmarshalJSON decodes an item in DynamoDB's JSON, such as {"Id":{"S":"a"}}. As encoding/json has it, data must be valid JSON.
func (it *Item) UnmarshalJSON(data []byte) error {
	d := decoder{data: data}
	item, err := d.item(1)
	if err = d.end(err); err != nil {
		return err
	}
	*it = item
	return nil
}

// UnmarshalJSON decodes a value in DynamoDB's JSON: an object with exactly one type descriptor. As encoding/json has it, data must be
// valid JSON.
func (v *Value) UnmarshalJSON(data []byte) error {
	d := decoder{data: data}
	value, err := d.value(1)
	if err = d.end(err); err != nil {
		return err
	}
	*v = value
	return nil
}

// decoder reads valid JSON in one pass. A wrong shape ends it; what is wrong with a value is kept until the end, since the service too
// reads the whole request before it looks at any value.
type decoder struct {
	data  []byte
	at    int
	fault error // the first *ValueError
}

// end gives the error of the whole.
func (d *decoder) end(err error) error {
	if err == nil {
		err = d.fault
	}
	return err
}

func (d *decoder) invalid(format string, args ...any) {
	if d.fault == nil {
		d.fault = invalid(format, args...)
	}
}

func (d *decoder) item(depth int) (Item, error) {
	item := Item{}
	err := d.object(wantMap, func(name string) error {
		if name == "" {
			d.invalid("Empty attribute name")
		}
		v, err := d.value(depth)
		item[name] = v
		return err
	})
	return item, err
}

const emptyValue = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"

// value reads {"S":"…"} and the like. A descriptor that holds null is as one that is not there.
func (d *decoder) value(depth int) (v Value, err error) {
	if d.peek() == 'n' {
		d.invalid(emptyValue)
		return v, d.skip()
	}
	if depth > MaxDepth {
		d.invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
		return v, d.skip()
	}
	var given string
	several := false
	err = d.object(wantValue, func(descriptor string) error {
		if d.peek() == 'n' {
			return d.skip()
		}
		several = several || given != "" && given != descriptor
		given = descriptor
		t, known := ParseType(descriptor)
		if !known {
			v = Value{}
			return d.skip()
		}
		v, err = d.content(t, depth)
		return err
	})
	switch {
	case err != nil:
	case several:
		d.invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case v.IsZero():
		d.invalid(emptyValue)
	}
	return v, err
}

// content reads what stands behind a descriptor. A value that is not allowed comes back as null and leaves a fault.
func (d *decoder) content(t Type, depth int) (Value, error) {
	switch t {
	case S, N, B:
		return d.scalar(t)
	case BOOL:
		b, err := d.boolean()
		return Bool(b), err
	case NULL:
		null, err := d.boolean()
		if err == nil && !null {
			d.invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return Null(), err
	case M:
		fields, err := d.item(depth + 1)
		return Map(fields), err
	case L:
		elems := []Value{}
		err := d.array(func() error {
			v, err := d.value(depth + 1)
			elems = append(elems, v)
			return err
		})
		return List(elems), err
	default:
		return d.set(t)
	}
}

func (d *decoder) scalar(t Type) (Value, error) {
	if t == B && d.peek() != '"' {
		return Value{}, d.unexpected(wantBinary)
	}
	s, err := d.text()
	if err != nil {
		return Value{}, err
	}
	switch t {
	case N:
		v, err := Number(s)
		if err != nil {
			d.invalid("%v", err)
			return Null(), nil
		}
		return v, nil
	case B:
		data, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || strings.ContainsAny(s, "\r\n") { // which the decoder skips
			if len(s)%4 != 0 {
				return Value{}, misformed("Base64 encoded length is expected a multiple of 4 bytes but found: %d", len(s))
			}
			return Value{}, misformed("Invalid last non-pad Base64 character dectected") // as the service spells it
		}
		return Binary(data), nil
	default:
		return String(s), nil
	}
}

func (d *decoder) set(t Type) (Value, error) {
	var members []Value
	err := d.array(func() error {
		if d.peek() == 'n' {
			d.invalid("One or more parameter values were invalid: A set may not have a null as a member")
			return d.skip()
		}
		v, err := d.scalar(t.Element())
		members = append(members, v)
		return err
	})
	if err != nil || d.fault != nil {
		return Null(), err
	}
	if len(members) == 0 {
		d.invalid("One or more parameter values were invalid: %s", map[Type]string{
			SS: "An string set  may not be empty", NS: "An number set  may not be empty", BS: "Binary sets should not be empty"}[t])
		return Null(), nil
	}
	set := Set(t, members)
	if set.Len() == len(members) {
		return set, nil
	}
	switch t {
	case SS:
		given := make([]string, len(members))
		for i, m := range members {
			given[i] = m.text
		}
		d.invalid("One or more parameter values were invalid: Input collection [%s] contains duplicates.", strings.Join(given, ", "))
	case NS:
		d.invalid("Input collection contains duplicates")
	default:
		d.invalid("One or more parameter values were invalid: Input collection [%s]of type BS contains duplicates.", strings.Join(encodeAll(members), ", "))
	}
	return set, nil
}

func encodeAll(members []Value) []string {
	encoded := make([]string, len(members))
	for i, m := range members {
		encoded[i] = base64.StdEncoding.EncodeToString([]byte(m.text))
	}
	return encoded
}

// peek is the byte with which the next token begins, 0 at the end of the data.
func (d *decoder) peek() byte {
	for ; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// accept moves past the next token if it is the given byte.
func (d *decoder) accept(c byte) bool {
	found := d.peek() == c
	if found {
		d.at++
	}
	return found
}

// broken is for data that is no JSON, which encoding/json would not have handed over.
func (d *decoder) broken() error { return misformed("no JSON at byte %d", d.at) }

// object calls member for each of an object's, with the value yet to be read.
func (d *decoder) object(what expected, member func(name string) error) error {
	if !d.accept('{') {
		return d.unexpected(what)
	}
	if d.accept('}') {
		return nil
	}
	for {
		name, err := d.text()
		if err != nil {
			return err
		}
		if !d.accept(':') {
			return d.broken()
		}
		if err := member(name); err != nil {
			return err
		}
		if d.accept('}') {
			return nil
		}
		if !d.accept(',') {
			return d.broken()
		}
	}
}

// array calls element for each of an array's, which is yet to be read.
func (d *decoder) array(element func() error) error {
	if !d.accept('[') {
		return d.unexpected(wantList)
	}
	if d.accept(']') {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if d.accept(']') {
			return nil
		}
		if !d.accept(',') {
			return d.broken()
		}
	}
}

func (d *decoder) text() (string, error) {
	if d.peek() != '"' {
		return "", d.unexpected(wantText)
	}
	start := d.at
	plain := true // as it is between the quotes
	for d.at++; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; {
		case c == '"':
			d.at++
			if plain {
				return string(d.data[start+1 : d.at-1]), nil
			}
			var s string
			if err := json.Unmarshal(d.data[start:d.at], &s); err != nil {
				return "", misformed("%v", err)
			}
			return s, nil
		case c == '\\':
			plain = false
			d.at++
		case c >= 0x80: // may be no UTF-8
			plain = false
		}
	}
	return "", d.broken()
}

// boolean reads true or false, or one of the words that the service takes for them.
func (d *decoder) boolean() (bool, error) {
	switch d.peek() {
	case 't':
		return true, d.skip()
	case 'f':
		return false, d.skip()
	case '"':
		word, err := d.text()
		if err != nil {
			return false, err
		}
		switch strings.ToUpper(word) {
		case "TRUE", "YES", "1":
			return true, nil
		case "FALSE", "NO", "0":
			return false, nil
		}
		return false, misformed("Unexpected token received from parser")
	default:
		return false, d.unexpected(wantBoolean)
	}
}

// skip moves past the next value.
func (d *decoder) skip() error {
	switch c := d.peek(); c {
	case '{':
		return d.object(wantMap, func(string) error { return d.skip() })
	case '[':
		return d.array(d.skip)
	case '"':
		_, err := d.text()
		return err
	case 0:
		return d.broken()
	default:
		end := bytes.IndexAny(d.data[d.at:], " \t\r\n,]}")
		if end < 0 {
			end = len(d.data) - d.at
		}
		if end == 0 {
			return d.broken()
		}
		d.at += end
		return nil
	}
}

// expected is what the service's parser wants in a place.
type expected uint8

const (
	wantValue expected = iota // an attribute value
	wantMap                   // a map of attribute values
	wantList
	wantText
	wantBoolean
	wantBinary
)

// class is how the service's parser calls what it wants.
func (e expected) class() string {
	const value = "com.amazonaws.dynamodb.v20120810.AttributeValue"
	return [...]string{
		wantValue: "class " + value, wantMap: "java.util.Map<java.lang.String, " + value + ">", wantList: "java.util.List",
		wantText: "class java.lang.String", wantBoolean: "class java.lang.Boolean", wantBinary: "class java.nio.ByteBuffer",
	}[e]
}

// unexpected words the error as DynamoDB's parser does.
func (d *decoder) unexpected(want expected) error {
	c := d.peek()
	switch {
	case c == '{':
		return misformed("Start of structure or map found where not expected")
	case c == '[':
		return misformed("Unrecognized collection type %s", want.class())
	case want == wantValue:
		return misformed("Unexpected value type in payload")
	case want == wantMap || want == wantList:
		return misformed("Unexpected field type")
	case want == wantBinary:
		return misformed("only base-64-encoded strings are convertible to bytes")
	}
	name := map[expected]string{wantText: "String", wantBoolean: "Boolean"}[want]
	return misformed("%s cannot be converted to %s", d.token(), name)
}

// token is the service's name for the next scalar.
func (d *decoder) token() string {
	start := d.at
	switch d.peek() {
	case '"':
		return "STRING_VALUE"
	case 't':
		return "TRUE_VALUE"
	case 'f':
		return "FALSE_VALUE"
	case 'n':
		return "NULL_VALUE"
	}
	if d.skip() == nil && bytes.ContainsAny(d.data[start:d.at], ".eE") {
		return "DECIMAL_VALUE"
	}
	return "NUMBER_VALUE"
}
