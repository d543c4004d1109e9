package stream

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// Item is implemented by the pointer of an item type that can be written as well as read, as all generated ones are.
type Item[T any] interface {
	Image[T]
	// MarshalImage writes the item's attributes, see [Encoder].
	MarshalImage(e *Encoder)
	// KeyNames are the names of the attributes that are the table's primary key: the hash key and, if there is one, the range key.
	KeyNames() []string
}

// Marshal gives an item as an image in DynamoDB's JSON, such as {"Id":{"S":"1"}}. [Unmarshal] gives the same item again. Its errors are
// those of [Encoder].
func Marshal[T any, P Item[T]](item P) ([]byte, error) {
	e := Encoder{b: []byte{'{'}}
	item.MarshalImage(&e)
	if e.err != nil {
		return nil, e.err
	}
	return append(e.b, '}'), nil
}

// Unmarshal reads an image in DynamoDB's JSON. The item does not share the image's memory.
func Unmarshal[T any, P Image[T]](image []byte) (*T, error) {
	d := new(Decoder)
	text := string(image)
	c := cursor{s: text}
	value := c.skip()
	if c.err == nil && c.peek() != 0 {
		c.fail(errSyntax)
	}
	if c.err != nil {
		return nil, fmt.Errorf("decode image: %w", c.err)
	}
	item := new(T)
	if value == "null" {
		return item, nil
	}
	if err := decodeImage(d, "image", text, P(item)); err != nil {
		return nil, err
	}
	return item, nil
}

// Encoder writes an image in DynamoDB's JSON: a call of [Encoder.Attr] for each attribute, and after it one that writes its value.
//
// What DynamoDB cannot hold is left out: a [Number] that is none because it is "", nil binary, a set without members, nil lists, maps
// and pointers. As the element of a list such a value becomes NULL. The first error stays.
type Encoder struct {
	b    []byte
	name string
	err  error
}

// Attr says which attribute the next value is for.
func (e *Encoder) Attr(name string) { e.name = name }

// Fail notes an error about the current attribute.
func (e *Encoder) Fail(err error) {
	if e.err == nil && err != nil {
		e.err = fmt.Errorf("encode attribute %q: %w", e.name, err)
	}
}

// Raw writes a value that is DynamoDB's JSON already, such as {"S":"1"}.
func (e *Encoder) Raw(value JSON) {
	if !json.Valid([]byte(value)) {
		e.Fail(errSyntax)
		return
	}
	e.begin()
	e.b = append(e.b, value...)
}

// Extra writes attributes that [Decoder.Keep] has kept, in the order of their names.
func (e *Encoder) Extra(extra map[string]JSON) {
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		e.Attr(name)
		e.Raw(extra[name])
	}
}

// String writes a value of type S.
func (e *Encoder) String(s string) {
	e.open("S")
	e.quote(s)
	e.b = append(e.b, '}')
}

// Number writes a value of type N. What is no number is an error.
func (e *Encoder) Number(n Number) {
	if n == "" {
		e.absent()
		return
	}
	if _, err := n.parse(); err != nil {
		e.Fail(err)
		return
	}
	e.open("N")
	e.quote(string(n))
	e.b = append(e.b, '}')
}

// Int64 writes a value of type N.
func (e *Encoder) Int64(i int64) {
	e.open("N")
	e.b = append(strconv.AppendInt(append(e.b, '"'), i, 10), '"', '}')
}

// Float64 writes a value of type N, with as many digits as it takes to read the same again. NaN and infinities are errors.
func (e *Encoder) Float64(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.Fail(errors.New("DynamoDB has no NaN and no infinity"))
		return
	}
	e.open("N")
	e.b = append(strconv.AppendFloat(append(e.b, '"'), f, 'g', -1, 64), '"', '}')
}

// Bool writes a value of type BOOL.
func (e *Encoder) Bool(b bool) {
	e.open("BOOL")
	e.b = append(strconv.AppendBool(e.b, b), '}')
}

// Null writes a value of type NULL, or nothing if it is not.
func (e *Encoder) Null(null bool) {
	if !null {
		e.absent()
		return
	}
	e.begin()
	e.b = append(e.b, `{"NULL":true}`...)
}

// Binary writes a value of type B.
func (e *Encoder) Binary(b []byte) {
	if b == nil {
		e.absent()
		return
	}
	e.open("B")
	e.base64(b)
	e.b = append(e.b, '}')
}

// StringSet writes a value of type SS.
func (e *Encoder) StringSet(s []string) { writeSet(e, "SS", s, e.quote) }

// NumberSet writes a value of type NS.
func (e *Encoder) NumberSet(s []Number) {
	writeSet(e, "NS", s, func(n Number) {
		if _, err := n.parse(); err != nil {
			e.Fail(err)
		}
		e.quote(string(n))
	})
}

// BinarySet writes a value of type BS.
func (e *Encoder) BinarySet(s [][]byte) { writeSet(e, "BS", s, e.base64) }

// Map writes a value of type M; write writes its attributes.
func (e *Encoder) Map(write func(*Encoder)) {
	e.open("M")
	e.b = append(e.b, '{')
	write(e)
	e.name = ""
	e.b = append(e.b, '}', '}')
}

// WriteMap writes a value of type M whose attributes are all written alike, in the order of their names.
func WriteMap[T any](e *Encoder, m map[string]T, write func(*Encoder, T)) {
	if m == nil {
		e.absent()
		return
	}
	e.Map(func(e *Encoder) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			e.Attr(name)
			write(e, m[name])
		}
	})
}

// WriteList writes a value of type L whose elements are all written alike.
func WriteList[T any](e *Encoder, list []T, write func(*Encoder, T)) {
	if list == nil {
		e.absent()
		return
	}
	e.open("L")
	e.b = append(e.b, '[')
	for _, v := range list {
		e.name = ""
		write(e, v)
	}
	e.b = append(e.b, ']', '}')
}

// WriteOptional writes a value unless the pointer is nil.
func WriteOptional[T any](e *Encoder, v *T, write func(*Encoder, T)) {
	if v == nil {
		e.absent()
		return
	}
	write(e, *v)
}

func writeSet[T any](e *Encoder, typ string, members []T, write func(T)) {
	if len(members) == 0 {
		e.absent()
		return
	}
	e.open(typ)
	e.b = append(e.b, '[')
	for i, m := range members {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		write(m)
	}
	e.b = append(e.b, ']', '}')
}

// inList reports whether the value to write is an element and not an attribute.
func (e *Encoder) inList() bool { return e.name == "" }

// begin writes what stands before a value.
func (e *Encoder) begin() {
	switch e.b[len(e.b)-1] {
	case '{', '[':
	default:
		e.b = append(e.b, ',')
	}
	if !e.inList() {
		e.quote(e.name)
		e.b = append(e.b, ':')
	}
}

func (e *Encoder) open(typ string) {
	e.begin()
	e.b = append(append(append(e.b, '{', '"'), typ...), '"', ':')
}

func (e *Encoder) absent() {
	if e.inList() {
		e.Null(true)
	}
}

func (e *Encoder) quote(s string) {
	if at, _ := scanPlain(s, 0); at == len(s) {
		e.b = append(append(append(e.b, '"'), s...), '"')
		return
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		e.Fail(err)
		return
	}
	e.b = append(e.b, quoted...)
}

func (e *Encoder) base64(b []byte) {
	e.b = append(base64.StdEncoding.AppendEncode(append(e.b, '"'), b), '"')
}
