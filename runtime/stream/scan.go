package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// What follows walks over JSON that json.Valid has accepted: it needs to look for the ends of things and for nothing else.

// member is one member of a JSON object.
type member struct {
	name  string
	value []byte
}

// membersOf gives the members of a valid JSON object in their order; of several with the same name the last one. buffer may
// lend its memory.
func membersOf(object []byte, buffer []member) ([]member, error) {
	list := buffer[:0]
	err := walk(object, func(name, value []byte) error {
		list = put(list, member{string(name), value})
		return nil
	})
	return unique(list), err
}

// walk calls f for each member of a valid JSON object, in their order. A name holds only while f runs.
func walk(object []byte, f func(name, value []byte) error) error {
	i := skipSpace(object, 0)
	if i == len(object) || object[i] != '{' {
		return errors.New("not a JSON object")
	}
	for i = skipSpace(object, i+1); object[i] != '}'; {
		end := skipValue(object, i)
		name := object[i+1 : end-1]
		if !plain(name) {
			plain, err := unquote(object[i:end])
			if err != nil {
				return err
			}
			name = []byte(plain)
		}
		i = skipSpace(object, skipSpace(object, end)+1) // the colon
		end = skipValue(object, i)
		if err := f(name, object[i:end:end]); err != nil {
			return err
		}
		if i = skipSpace(object, end); object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
	return nil
}

// many is how many members make a search worth a map: nearly all objects have fewer.
const many = 64

// put adds a member, in the place of one with the same name.
func put(list []member, m member) []member {
	if len(list) > many {
		return append(list, m) // duplicates are dropped at the end, see unique
	}
	for i := range list {
		if list[i].name == m.name {
			list[i].value = m.value
			return list
		}
	}
	return append(list, m)
}

// unique gives each name once, with its last value.
func unique(list []member) []member {
	if len(list) <= many {
		return list
	}
	at := make(map[string]int, len(list))
	out := list[:0]
	for _, m := range list {
		if i, seen := at[m.name]; seen {
			out[i].value = m.value
			continue
		}
		at[m.name] = len(out)
		out = append(out, m)
	}
	return out
}

// elementsOf gives the elements of a valid JSON array.
func elementsOf(array []byte) ([][]byte, error) {
	i := skipSpace(array, 0)
	if i == len(array) || array[i] != '[' {
		return nil, errors.New("not a JSON array")
	}
	list := [][]byte{}
	for i = skipSpace(array, i+1); array[i] != ']'; {
		end := skipValue(array, i)
		list = append(list, array[i:end:end])
		if i = skipSpace(array, end); array[i] == ',' {
			i = skipSpace(array, i+1)
		}
	}
	return list, nil
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue gives the offset after the value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		default:
			if depth == 0 {
				return literalEnd(b, i)
			}
		}
	}
	return i
}

// stringEnd gives the offset of the quote that ends the string which begins at i.
func stringEnd(b []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		i += n
		escapes := 0
		for j := i - 1; b[j] == '\\'; j-- {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
}

func literalEnd(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return i
}

// plain reports whether what stands between the quotes of a string is its text.
func plain(text []byte) bool { return bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text) }

// unquote gives the text of a valid JSON string. What is not UTF-8, and escapes, are encoding/json's to decide.
func unquote(quoted []byte) (string, error) {
	if len(quoted) < 2 || quoted[0] != '"' {
		return "", errors.New("not a JSON string")
	}
	text := quoted[1 : len(quoted)-1]
	if plain(text) {
		return string(text), nil
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", fmt.Errorf("decode a string: %w", err)
	}
	return s, nil
}
