package wire

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
)

func TestDepthOfCBOR(t *testing.T) {
	deep := func(levels int) cbor.Value {
		var v cbor.Value = cbor.String("x")
		for i := range levels {
			switch i % 3 {
			case 0:
				v = cbor.List{cbor.Uint(1 << 40), v, cbor.Bool(true)}
			case 1:
				v = cbor.Map{"a": v}
			default:
				v = &cbor.Tag{ID: 1, Value: v}
			}
		}
		return v
	}
	wide := cbor.List{}
	for range 1000 {
		wide = append(wide, cbor.List{}, cbor.Map{}, cbor.Map{"a": cbor.List{cbor.Slice("b"), cbor.Float64(1.5), cbor.NegInt(300)}}, &cbor.Nil{})
	}
	for name, test := range map[string]struct {
		body   []byte
		deeper bool
	}{
		"at the limit":        {cbor.Encode(deep(maxDepth)), false},
		"past it":             {cbor.Encode(deep(maxDepth + 1)), true},
		"wide":                {cbor.Encode(wide), false},
		"endless values":      {[]byte("\x9f\x9f\x01\xff\x80\xbf\x61a\x01\xff\x7f\x61a\x61b\xff\xff"), false},
		"many endless values": {[]byte("\x9f" + strings.Repeat("\x9f\xff", 1000) + "\xff"), false},
		"cut off":             {[]byte("\x9a\x00"), false},
		"a long text":         {[]byte("\x7b\xff\xff\xff\xff\xff\xff\xff\xfe"), false},
		"lists that promise":  {[]byte(strings.Repeat("\x9b\xff\xff\xff\xff\xff\xff\xff\xfe", maxDepth+1)), true},
	} {
		if got := deeper(test.body, maxDepth); got != test.deeper {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestCompressedCBOR(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(cbor.Encode(cbor.Map{"Namespace": cbor.String("shop")})); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := CBORMembers(http.Header{"Content-Encoding": {"gzip"}}, packed.Bytes())
	if err != nil || in["Namespace"] != cbor.String("shop") {
		t.Errorf("got %v, %v", in, err)
	}
}
