package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// CBOROperation is one action of a service over Smithy RPC v2 CBOR.
type CBOROperation struct {
	// Members are those that the action takes; a request with another is refused by its name. Nil leaves that to Do.
	Members []string
	Do      func(ctx context.Context, in cbor.Map) (cbor.Map, error)
}

// CBOR serves one service over Smithy RPC v2 CBOR, whose path is /service/SERVICE/operation/OPERATION.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
type CBOR struct {
	// Operations by name. Any other name is answered with UnknownOperationException.
	Operations map[string]CBOROperation
}

// CBORName gives the operation that a path of the protocol names.
func CBORName(path string) string {
	_, name, _ := strings.Cut(path, "/operation/")
	return name
}

// ServeHTTP implements [http.Handler].
func (c *CBOR) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := c.call(r)
	if err != nil {
		WriteCBORError(w, err)
		return
	}
	if out == nil {
		out = cbor.Map{}
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	write(w, http.StatusOK, cbor.Encode(out))
}

func (c *CBOR) call(r *http.Request) (cbor.Map, error) {
	name := CBORName(r.URL.Path)
	op, found := c.Operations[name]
	if !found {
		return nil, Errorf("UnknownOperationException", "streamgen local does not emulate %s", name)
	}
	body, err := ReadBody(r)
	if err != nil {
		return nil, err
	}
	in, err := CBORMembers(r.Header, body)
	if err != nil {
		return nil, err
	}
	for member := range in {
		if op.Members != nil && !slices.Contains(op.Members, member) {
			return nil, NotEmulated(member + " of " + name)
		}
	}
	return op.Do(r.Context(), in)
}

// CBORMembers gives the members of a request's body, which the client may have compressed, as that of PutMetricData is when it is large.
// https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait
func CBORMembers(header http.Header, body []byte) (cbor.Map, error) {
	if header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = unpack(body); err != nil {
			return nil, err
		}
	}
	if len(body) == 0 {
		return cbor.Map{}, nil
	}
	if deeper(body, maxDepth) {
		return nil, Errorf("SerializationException", "the body is nested more than %d deep", maxDepth)
	}
	value, err := cbor.Decode(body)
	if err != nil {
		return nil, Errorf("SerializationException", "%v", err)
	}
	in, ok := value.(cbor.Map)
	if !ok {
		return nil, Errorf("SerializationException", "the body is no map")
	}
	return in, nil
}

func unpack(body []byte) ([]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(unpacked, MaxBody+1))
	}
	if err != nil {
		return nil, Errorf("SerializationException", "unpacking the request body: %v", err)
	}
	if len(body) > MaxBody {
		return nil, StatusErrorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the request body is over %d bytes", MaxBody)
	}
	return body, nil
}

// maxDepth is how deep a CBOR body may be nested; no operation's is half as deep. The decoder calls itself for each level, and what
// overflows the stack ends the process.
const maxDepth = 64

// unending is the length of a value that ends with a mark of its own.
const unending = math.MaxUint64

// deeper says whether what the decoder would make of a body is nested more than most deep. Where the decoder would stop, it does.
// https://www.rfc-editor.org/rfc/rfc8949.html#section-3
func deeper(body []byte, most int) bool {
	var open []uint64 // the items that each value around this place has still to come
	for {
		for len(open) > 0 && open[len(open)-1] == 0 {
			open = open[:len(open)-1]
		}
		major, n, rest, ok := cborHead(body)
		if !ok {
			return false
		}
		body = rest
		inner := len(open) - 1
		if major == 7 && n == unending {
			if inner < 0 || open[inner] != unending {
				return false
			}
			open[inner] = 0
			continue
		}
		if inner >= 0 && open[inner] != unending {
			open[inner]--
		}
		switch {
		case major <= 1, major == 7: // a number and the like
		case major <= 3 && n != unending: // bytes, a text
			if n > uint64(len(body)) {
				return false
			}
			body = body[n:]
		case major == 5 && n < math.MaxUint64/2: // a map's names and values
			open = append(open, 2*n)
		case major == 6: // a tag
			open = append(open, 1)
		default:
			open = append(open, n)
		}
		if len(open) > most {
			return true
		}
	}
}

// cborHead reads what each item begins with: its kind, and its value or length.
func cborHead(body []byte) (major byte, n uint64, rest []byte, ok bool) {
	if len(body) == 0 {
		return 0, 0, nil, false
	}
	major, minor, rest := body[0]>>5, body[0]&31, body[1:]
	switch {
	case minor < 24:
		return major, uint64(minor), rest, true
	case minor == 31:
		return major, unending, rest, true
	case minor > 27 || len(rest) < 1<<(minor-24):
		return 0, 0, nil, false
	}
	var argument [8]byte
	size := 1 << (minor - 24)
	copy(argument[8-size:], rest)
	return major, binary.BigEndian.Uint64(argument[:]), rest[size:], true
}

// TypedCBOR makes an operation of a function whose input is a Go type with the members' names; it is decoded by [DecodeStrict]. Times
// are seconds since 1970.
func TypedCBOR[In any](name string, f func(*In) (cbor.Map, error)) CBOROperation {
	return CBOROperation{Do: func(_ context.Context, in cbor.Map) (cbor.Map, error) {
		body, err := json.Marshal(plain(in))
		if err != nil { // it has a NaN or an infinity
			return nil, Errorf("SerializationException", "%s: %v", name, err)
		}
		into := new(In)
		if err := DecodeStrict(body, name, into); err != nil {
			return nil, err
		}
		return f(into)
	}}
}

// AsJSON gives the operation over AWS JSON.
func (op CBOROperation) AsJSON() Operation {
	return func(ctx context.Context, body []byte) (any, error) {
		m, err := JSONMembers(body)
		if err != nil {
			return nil, err
		}
		out, err := op.Do(ctx, m)
		if err != nil || out == nil {
			return nil, err
		}
		return plain(out), nil
	}
}

// JSONMembers gives the members of a JSON body as those of a CBOR one.
func JSONMembers(body []byte) (cbor.Map, error) {
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil && len(bytes.TrimSpace(body)) > 0 {
		return nil, Errorf("SerializationException", "%v", err)
	}
	m, _ := tagged(in).(cbor.Map)
	return m, nil
}

// plain gives a CBOR value as [encoding/json] writes it.
func plain(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		m := make(map[string]any, len(v))
		for key, member := range v {
			if _, null := member.(*cbor.Nil); !null {
				m[key] = plain(member)
			}
		}
		return m
	case cbor.List:
		list := make([]any, len(v))
		for i, member := range v {
			list[i] = plain(member)
		}
		return list
	case cbor.String:
		return string(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Uint:
		return uint64(v)
	case cbor.NegInt:
		return json.Number(fmt.Sprintf("-%d", uint64(v)))
	case cbor.Float32:
		return float64(v)
	case cbor.Float64:
		return float64(v)
	case cbor.Slice:
		return []byte(v)
	case *cbor.Tag:
		return plain(v.Value)
	default:
		return nil
	}
}

// tagged is the reverse of [plain], for the values that JSON has.
func tagged(v any) cbor.Value {
	switch v := v.(type) {
	case map[string]any:
		m := cbor.Map{}
		for key, member := range v {
			m[key] = tagged(member)
		}
		return m
	case []any:
		list := make(cbor.List, len(v))
		for i, member := range v {
			list[i] = tagged(member)
		}
		return list
	case string:
		return cbor.String(v)
	case bool:
		return cbor.Bool(v)
	case float64:
		if v >= 0 && v == float64(uint64(v)) {
			return cbor.Uint(v)
		}
		return cbor.Float64(v)
	default:
		return &cbor.Nil{}
	}
}
