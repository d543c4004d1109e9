package wire

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// CBOROperation is one action of a service over Smithy RPC v2 CBOR.
type CBOROperation struct {
	// Members are those that the action takes; a request with another is refused by its name.
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
	in := cbor.Map{}
	if len(body) > 0 {
		value, err := cbor.Decode(body)
		if err != nil {
			return nil, Errorf("SerializationException", "%s: %v", name, err)
		}
		var ok bool
		if in, ok = value.(cbor.Map); !ok {
			return nil, Errorf("SerializationException", "%s: the body is no map", name)
		}
	}
	for member := range in {
		if !slices.Contains(op.Members, member) {
			return nil, NotEmulated(member + " of " + name)
		}
	}
	return op.Do(r.Context(), in)
}
