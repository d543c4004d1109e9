package stream

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Decoder reads one image in DynamoDB's JSON, such as {"Id":{"S":"1"},"Paid":{"BOOL":true}}, attribute by attribute:
//
//	for d.Next() {
//		switch d.Name() {
//		case "Id":
//			it.ID = d.String()
//		case "Paid":
//			it.Paid = d.Bool()
//		}
//	}
//
// Attributes that are not read are skipped, whatever their type. Each method that reads asks for one type and notes an error when the
// value has another; after the first error [Decoder.Next] is false and everything reads as zero, so nobody has to look for errors in
// between. NULL is the exception: it fits every type and gives the zero value, the same as an attribute that the image does not
// have, because tables use both to say "nothing here". [Decoder.Null] tells them apart.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
//
// Strings and numbers are parts of a copy of the record's text, and the elements of lists come from memory that lists share. All may
// be kept for good; what is kept keeps its surroundings from being freed, which are 64 KB of records at most, or its own record if that is
// longer. [strings.Clone] and [slices.Clone] cut a small part loose.
type Decoder struct {
	cursor
	// first is true between the start of a map and its first attribute.
	first bool
	// pending is true while the value of an attribute or element is unread.
	pending bool
	// path leads to the value that is read: the image's attribute first.
	path []step
	// slabs are what memory is taken from, one *slab for each type.
	slabs []any
	// texts is what the memory for records' texts is taken from.
	texts strings.Builder
	// works is the memory for what surrounds the handling of a record.
	works []work
}

// step is an attribute's name or, where the name is empty, the index of an element.
type step struct {
	name  string
	index int
}

// largestChunk is the most that records' texts share of memory, in bytes.
const largestChunk = 64 << 10

// own gives a record with a text of its own, which is all that anyone but the invocation itself may get to see: when the invocation is
// over, the event's memory is used for the next. Texts are copied one by one, so that there is never a second copy of the whole event.
func (d *Decoder) own(r *record) record {
	own := *r
	n := len(r.text)
	if n > largestChunk/8 {
		own.text = strings.Clone(r.text) // the end of a chunk that it does not fit in would be lost
		return own
	}
	if d.texts.Cap()-d.texts.Len() < n {
		size := max(n, min(2*d.texts.Cap(), largestChunk))
		d.texts = strings.Builder{}
		d.texts.Grow(size)
	}
	from := d.texts.Len()
	d.texts.WriteString(r.text)
	own.text = d.texts.String()[from:]
	return own
}

// mostWorks is how many records share the memory of what surrounds their handling, which is some 200 bytes each.
const mostWorks = 16

func (d *Decoder) work() *work {
	if len(d.works) == cap(d.works) {
		d.works = make([]work, 0, min(max(1, 2*cap(d.works)), mostWorks))
	}
	d.works = d.works[:len(d.works)+1]
	return &d.works[len(d.works)-1]
}

// start sets the decoder on an image.
func (d *Decoder) start(image string) {
	d.cursor = cursor{s: image}
	d.first, d.pending = true, false
	d.path = append(d.path[:0], step{})
	if !d.take('{') {
		d.fail(errors.New("not a JSON object"))
	}
}

// Next moves to the following attribute of the image, or of the map that [Decoder.Map] has entered, and reports whether there is one. Its
// end is false, as is every error.
func (d *Decoder) Next() bool {
	if d.pending {
		d.Skip()
	}
	if name, ok := d.plainName(); ok {
		d.path[len(d.path)-1].name = name
		d.pending = true
		return true
	}
	if d.next('}', &d.first) {
		d.path[len(d.path)-1].name = d.key()
		d.pending = d.err == nil
		return d.pending
	}
	if d.err == nil && len(d.path) > 1 {
		d.path = d.path[:len(d.path)-1]
		d.first = false
		d.close()
	}
	return false
}

// Name gives the name of the attribute that [Decoder.Next] has moved to.
func (d *Decoder) Name() string { return d.path[len(d.path)-1].name }

// Err gives the first error, with the names of the attributes that lead to it.
func (d *Decoder) Err() error { return d.err }

// Fail notes an error about the current attribute. It counts like the decoder's own.
func (d *Decoder) Fail(err error) {
	if d.err != nil || err == nil {
		return
	}
	for _, s := range slices.Backward(d.path) {
		if s.name != "" {
			err = fmt.Errorf("attribute %q: %w", s.name, err)
		} else if s.index > 0 {
			err = fmt.Errorf("element %d: %w", s.index-1, err)
		}
	}
	d.err = err
}

// Skip steps over a value without a look at it.
func (d *Decoder) Skip() {
	d.pending = false
	d.skip()
}

// Keep adds the attribute, as it is, to those that are kept: for the attributes that an item type does not know.
func (d *Decoder) Keep(extra map[string]JSON) map[string]JSON {
	if extra == nil {
		extra = map[string]JSON{}
	}
	name := d.Name()
	extra[name] = d.Raw()
	return extra
}

// Raw gives a value as it is, such as {"S":"1"}.
func (d *Decoder) Raw() JSON {
	d.pending = false
	return JSON(d.skip())
}

// String reads a value of type S.
func (d *Decoder) String() string { return d.quoted('S') }

// Number reads a value of type N.
func (d *Decoder) Number() Number { return Number(d.quoted('N')) }

// Int64 reads a value of type N that an int64 holds exactly; another number is an error.
func (d *Decoder) Int64() int64 { return numberAs(d, Number.Int64) }

// Float64 reads a value of type N as the nearest float64. A number beyond its range is an error.
func (d *Decoder) Float64() float64 { return numberAs(d, Number.Float64) }

func numberAs[G int64 | float64](d *Decoder, convert func(Number) (G, error)) G {
	n := d.Number()
	if n == "" && d.err == nil {
		return 0
	}
	got, err := convert(n)
	if err != nil {
		d.Fail(err)
		return 0
	}
	return got
}

// Binary reads a value of type B. NULL gives nil, empty binary an empty slice.
func (d *Decoder) Binary() []byte {
	if !d.open("B") {
		return nil
	}
	text := d.scalar("B")
	if d.err != nil {
		return nil
	}
	b, err := d.base64(text)
	if err != nil {
		d.Fail(fmt.Errorf("decode type B: %w", err))
		return nil
	}
	d.close()
	return b
}

// Bool reads a value of type BOOL.
func (d *Decoder) Bool() bool {
	if !d.open("BOOL") {
		return false
	}
	text := d.skip()
	d.close()
	if text != "true" && text != "false" {
		d.Fail(errors.New("decode type BOOL: neither true nor false"))
	}
	return text == "true"
}

// StringSet reads a value of type SS, in the image's order.
func (d *Decoder) StringSet() []string {
	return set(d, "SS", func(s string) (string, error) { return s, nil })
}

// NumberSet reads a value of type NS, in the image's order.
func (d *Decoder) NumberSet() []Number {
	return set(d, "NS", func(s string) (Number, error) { return Number(s), nil })
}

// BinarySet reads a value of type BS, in the image's order.
func (d *Decoder) BinarySet() [][]byte {
	return set(d, "BS", d.base64)
}

// Null reports whether the value has the type NULL, and reads it in this case alone.
func (d *Decoder) Null() bool {
	before := d.cursor
	if !d.pending || d.tag() != "NULL" {
		d.cursor = before
		return false
	}
	d.pending = false
	d.skip()
	d.close()
	return true
}

// OnlyNull reads a value of type NULL and gives true; every other type is an error.
func (d *Decoder) OnlyNull() bool {
	if d.Null() {
		return true
	}
	if d.open("NULL") {
		d.skip()
		d.close()
	}
	return false
}

// Map enters a value of type M: [Decoder.Next] moves over its attributes until their end, and after it over those around it. Map is
// false for NULL and for an error.
func (d *Decoder) Map() bool {
	if !d.open("M") {
		return false
	}
	if !d.take('{') {
		d.Fail(errors.New("decode type M: not a JSON object"))
		return false
	}
	d.path = append(d.path, step{})
	d.first = true
	return true
}

// MapOf reads a value of type M whose attributes are all read alike. NULL gives nil, an empty map an empty one.
func MapOf[T any](d *Decoder, read func(*Decoder) T) map[string]T {
	if !d.Map() {
		return nil
	}
	m := map[string]T{}
	for d.Next() {
		name := d.Name()
		m[name] = read(d)
	}
	return m
}

// ListOf reads a value of type L whose elements are all read alike. NULL gives nil, an empty list an empty slice.
func ListOf[T any](d *Decoder, read func(*Decoder) T) []T {
	if !d.open("L") {
		return nil
	}
	if !d.take('[') {
		d.Fail(errors.New("decode type L: not a JSON array"))
		return nil
	}
	memory := slabOf[T](d)
	list := memory.begin()
	d.path = append(d.path, step{})
	for first := true; d.next(']', &first); {
		at := &d.path[len(d.path)-1]
		at.name, at.index = "", at.index+1
		d.pending = true
		list = memory.add(list, read(d))
		if d.pending {
			d.Skip()
		}
	}
	d.path = d.path[:len(d.path)-1]
	d.close()
	return memory.end(list)
}

// Optional reads a value with read, and gives nil for NULL.
func Optional[T any](d *Decoder, read func(*Decoder) T) *T {
	if d.Null() {
		return nil
	}
	memory := slabOf[T](d)
	return &memory.end(memory.add(memory.begin(), read(d)))[0]
}

// set reads the members of a set, each of which is a string in JSON.
func set[T any](d *Decoder, want string, of func(string) (T, error)) []T {
	if !d.open(want) {
		return nil
	}
	if !d.take('[') {
		d.Fail(fmt.Errorf("decode type %s: not a JSON array", want))
		return nil
	}
	memory := slabOf[T](d)
	list := memory.begin()
	for first := true; d.next(']', &first); {
		c := d.cursor
		text := c.text()
		member, err := of(text)
		if c.err != nil {
			err = c.err
		}
		if err != nil {
			d.Fail(fmt.Errorf("decode type %s: member %d: %w", want, len(list)+1, err))
			return nil
		}
		d.cursor = c
		list = memory.add(list, member)
	}
	d.close()
	return memory.end(list)
}

// quoted reads a value whose type has one letter and whose JSON is a string.
func (d *Decoder) quoted(typ byte) string {
	// What AWS writes has no spaces, and mostly plain text.
	const before = len(`{"S":"`)
	if s, i := d.s, d.i; i+before < len(s) && d.pending && d.err == nil {
		if head := s[i : i+before]; head[0] == '{' && head[1] == '"' && head[2] == typ && head[3] == '"' && head[4] == ':' && head[5] == '"' {
			end, plain := scanPlain(s, i+before)
			if plain && end+1 < len(s) && s[end+1] == '}' {
				d.i, d.pending = end+2, false
				return s[i+before : end]
			}
		}
	}
	want := string(rune(typ))
	if !d.open(want) {
		return ""
	}
	text := d.scalar(want)
	d.close()
	return text
}

// plainName steps over the name of the next attribute and its colon, if they are written as AWS does.
func (d *Decoder) plainName() (string, bool) {
	s, i := d.s, d.i
	if !d.first {
		if i >= len(s) || s[i] != ',' {
			return "", false
		}
		i++
	}
	if i >= len(s) || s[i] != '"' || d.err != nil {
		return "", false
	}
	end, plain := scanPlain(s, i+1)
	if !plain || end+1 >= len(s) || s[end+1] != ':' {
		return "", false
	}
	d.i, d.first = end+2, false
	return s[i+1 : end], true
}

// scalar reads the string that stands for a value of type S, N or B.
func (d *Decoder) scalar(want string) string {
	c := d.cursor
	text := c.text()
	if c.err != nil {
		d.Fail(fmt.Errorf("decode type %s: %w", want, c.err))
		return ""
	}
	d.cursor = c
	return text
}

// strictBase64 refuses what no encoder writes: padding bits other than zero.
var strictBase64 = base64.StdEncoding.Strict()

func (d *Decoder) base64(text string) ([]byte, error) {
	// Even the strict decoder skips line breaks.
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	memory := slabOf[byte](d)
	b, err := strictBase64.AppendDecode(memory.room(memory.begin(), base64.StdEncoding.DecodedLen(len(text))), []byte(text))
	if err != nil {
		return nil, err
	}
	return memory.end(b), nil
}

// open steps into a value of the wanted type. It is false for NULL, which it steps over, and for every other type, which is an error.
func (d *Decoder) open(want string) bool {
	if d.err != nil {
		return false
	}
	if !d.pending {
		d.Fail(errors.New("the value was read before"))
		return false
	}
	d.pending = false
	// What AWS writes has no spaces.
	if s := d.s[d.i:]; len(s) > len(want)+4 && s[0] == '{' && s[1] == '"' && s[2:2+len(want)] == want && s[2+len(want)] == '"' && s[3+len(want)] == ':' {
		d.i += len(want) + 4
		return true
	}
	tag := d.tag()
	switch {
	case d.err != nil:
	case tag == want:
		return true
	case tag == "NULL":
		d.skip()
		d.close()
	case slices.Contains(types, tag):
		d.Fail(fmt.Errorf("want type %s, have %s", want, tag))
	default:
		d.Fail(fmt.Errorf("want type %s, have %q, which is no type of DynamoDB", want, tag))
	}
	return false
}

var types = []string{"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}

// tag reads the name of a value's type, up to the value.
func (d *Decoder) tag() string {
	if d.peek() == 'n' && strings.HasPrefix(d.s[d.i:], "null") {
		d.Fail(errNoType)
		return ""
	}
	if !d.take('{') {
		d.Fail(errors.New("decode attribute value: not a JSON object"))
		return ""
	}
	if d.peek() == '}' {
		d.Fail(errNoType)
		return ""
	}
	c := d.cursor
	name := c.key()
	if c.err != nil {
		d.Fail(c.err)
		return ""
	}
	d.cursor = c
	return name
}

var errNoType = errors.New("an attribute value has exactly one type, this one none")

// close steps out of a value.
func (d *Decoder) close() {
	switch {
	case d.err != nil || d.take('}'):
	case d.peek() == ',':
		d.Fail(errors.New("an attribute value has exactly one type, this one more"))
	default:
		d.Fail(errSyntax)
	}
}

// slab is memory for values of one type. Many short lists share an allocation.
type slab[T any] struct {
	free []T
	size int
}

// largestSlab is in elements: one list that is kept keeps no more than this many from being freed.
const largestSlab = 512

func slabOf[T any](d *Decoder) *slab[T] {
	for _, s := range d.slabs {
		if s, ok := s.(*slab[T]); ok {
			return s
		}
	}
	s := new(slab[T])
	d.slabs = append(d.slabs, s)
	return s
}

// begin gives an empty list with the free memory behind it. Until end there is none for others.
func (s *slab[T]) begin() []T {
	list := s.free
	s.free = nil
	return list[:0]
}

// add is append, with memory for the lists to come.
func (s *slab[T]) add(list []T, v T) []T { return append(s.room(list, 1), v) }

// room gives the list with memory for n more elements behind it.
func (s *slab[T]) room(list []T, n int) []T {
	if cap(list)-len(list) >= n {
		return list
	}
	s.size = min(max(2*s.size, 8), largestSlab)
	return slices.Grow(list, max(s.size, n, len(list)))
}

// end closes a list off from what follows it.
func (s *slab[T]) end(list []T) []T {
	s.free = list[len(list):]
	if len(list) == 0 {
		return []T{}
	}
	return list[:len(list):len(list)]
}
