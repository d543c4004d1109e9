package attr

import (
	"encoding/binary"
	"errors"
)

// The binary form of an item is the number of its attributes, and each one's name and value. A value is its type and its content:
// a text, one byte, or a number of parts. Every text has its length before it. The form is this package's own and keeps items on disk.

var errBinary = errors.New("it is no item's binary form")

// AppendBinary implements [encoding.BinaryAppender]. The error is nil.
func (it Item) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(it)))
	for name, v := range it {
		b = v.appendBinary(appendSized(b, name))
	}
	return b, nil
}

func appendSized(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func (v Value) appendBinary(b []byte) []byte {
	b = append(b, byte(v.typ))
	switch v.typ {
	case S, N, B:
		return appendSized(b, v.text)
	case BOOL:
		if v.flag {
			return append(b, 1)
		}
		return append(b, 0)
	case M:
		b, _ = v.more.fields.AppendBinary(b)
		return b
	case L:
		b = binary.AppendUvarint(b, uint64(len(v.more.elems)))
		for _, elem := range v.more.elems {
			b = elem.appendBinary(b)
		}
		return b
	case SS, NS, BS:
		b = binary.AppendUvarint(b, uint64(len(v.more.set)))
		for _, text := range v.more.set {
			b = appendSized(b, text)
		}
	}
	return b // NULL has no content
}

// ParseBinary reads what [Item.AppendBinary] wrote. The item's texts are parts of data, which they keep in memory.
func ParseBinary(data string) (Item, error) {
	d := binaryReader{data}
	it, err := d.item(0)
	if err == nil && d.rest != "" {
		return nil, errBinary
	}
	return it, err
}

// binaryReader reads a binary form from its beginning.
type binaryReader struct{ rest string }

func (d *binaryReader) byte() (byte, error) {
	if d.rest == "" {
		return 0, errBinary
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c, nil
}

// count reads a length, which is that of no more than there is.
func (d *binaryReader) count() (int, error) {
	n := uint64(0)
	for shift := 0; shift < 64; shift += 7 {
		c, err := d.byte()
		if err != nil {
			return 0, err
		}
		if n |= uint64(c&0x7f) << shift; c < 0x80 {
			if n > uint64(len(d.rest)) {
				return 0, errBinary
			}
			return int(n), nil //nolint:gosec // see above
		}
	}
	return 0, errBinary
}

func (d *binaryReader) text() (string, error) {
	n, err := d.count()
	if err != nil {
		return "", err
	}
	text := d.rest[:n]
	d.rest = d.rest[n:]
	return text, nil
}

func (d *binaryReader) item(depth int) (Item, error) {
	n, err := d.count()
	if err != nil || depth > MaxDepth {
		return nil, errBinary
	}
	it := make(Item, n)
	for range n {
		name, err := d.text()
		if err != nil {
			return nil, err
		}
		if it[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return it, nil
}

func (d *binaryReader) value(depth int) (v Value, err error) {
	typ, err := d.byte()
	if err != nil {
		return Value{}, err
	}
	switch v.typ = Type(typ); v.typ {
	case S, N, B:
		v.text, err = d.text()
	case BOOL:
		var truth byte
		truth, err = d.byte()
		v.flag = truth != 0
	case NULL:
	case M:
		v.more = new(parts)
		v.more.fields, err = d.item(depth)
	case L:
		v.more = new(parts)
		v.more.elems, err = d.elements(depth)
	case SS, NS, BS:
		v.more = new(parts)
		v.more.set, err = d.texts()
	default:
		err = errBinary
	}
	return v, err
}

func (d *binaryReader) elements(depth int) ([]Value, error) {
	n, err := d.count()
	if err != nil || depth > MaxDepth {
		return nil, errBinary
	}
	elems := make([]Value, n)
	for i := range elems {
		if elems[i], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return elems, nil
}

func (d *binaryReader) texts() ([]string, error) {
	n, err := d.count()
	if err != nil {
		return nil, err
	}
	texts := make([]string, n)
	for i := range texts {
		if texts[i], err = d.text(); err != nil {
			return nil, err
		}
	}
	return texts, nil
}
