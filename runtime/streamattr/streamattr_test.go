package streamattr_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamattr"
)

// everything is an item of every type, in the form in which item types are generated.
type everything struct {
	S    string
	N    stream.Number
	B    []byte
	BOOL bool
	NULL bool
	SS   []string
	NS   []stream.Number
	BS   [][]byte
	M    map[string]int64
	L    [][]float64
}

func (it *everything) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "S":
			it.S = d.String()
		case "N":
			it.N = d.Number()
		case "B":
			it.B = d.Binary()
		case "BOOL":
			it.BOOL = d.Bool()
		case "NULL":
			it.NULL = d.OnlyNull()
		case "SS":
			it.SS = d.StringSet()
		case "NS":
			it.NS = d.NumberSet()
		case "BS":
			it.BS = d.BinarySet()
		case "M":
			it.M = stream.MapOf(d, (*stream.Decoder).Int64)
		case "L":
			it.L = stream.ListOf(d, func(d *stream.Decoder) []float64 { return stream.ListOf(d, (*stream.Decoder).Float64) })
		}
	}
}

func (it *everything) MarshalImage(e *stream.Encoder) {
	e.Attr("S")
	e.String(it.S)
	e.Attr("N")
	e.Number(it.N)
	e.Attr("B")
	e.Binary(it.B)
	e.Attr("BOOL")
	e.Bool(it.BOOL)
	e.Attr("NULL")
	e.Null(it.NULL)
	e.Attr("SS")
	e.StringSet(it.SS)
	e.Attr("NS")
	e.NumberSet(it.NS)
	e.Attr("BS")
	e.BinarySet(it.BS)
	e.Attr("M")
	stream.WriteMap(e, it.M, (*stream.Encoder).Int64)
	e.Attr("L")
	stream.WriteList(e, it.L, func(e *stream.Encoder, v []float64) { stream.WriteList(e, v, (*stream.Encoder).Float64) })
}

func (*everything) KeyNames() []string { return []string{"S"} }

func TestRoundTrip(t *testing.T) {
	for name, c := range map[string]struct {
		item *everything
		want map[string]types.AttributeValue
	}{
		"nothing": {&everything{}, map[string]types.AttributeValue{"S": &types.AttributeValueMemberS{}, "BOOL": &types.AttributeValueMemberBOOL{}}},
		"everything": {
			&everything{"é", "-1.50", []byte{0, 255}, true, true, []string{"a"}, []stream.Number{"1", "2"}, [][]byte{{1}, {}}, map[string]int64{"x": -1}, [][]float64{{0.5}, {}}},
			map[string]types.AttributeValue{
				"S": &types.AttributeValueMemberS{Value: "é"}, "N": &types.AttributeValueMemberN{Value: "-1.50"}, "B": &types.AttributeValueMemberB{Value: []byte{0, 255}},
				"BOOL": &types.AttributeValueMemberBOOL{Value: true}, "NULL": &types.AttributeValueMemberNULL{Value: true},
				"SS": &types.AttributeValueMemberSS{Value: []string{"a"}}, "NS": &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
				"BS": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {}}},
				"M":  &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": &types.AttributeValueMemberN{Value: "-1"}}},
				"L": &types.AttributeValueMemberL{Value: []types.AttributeValue{
					&types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "0.5"}}},
					&types.AttributeValueMemberL{Value: []types.AttributeValue{}},
				}},
			},
		},
		"empty": {
			&everything{B: []byte{}, M: map[string]int64{}, L: [][]float64{}},
			map[string]types.AttributeValue{
				"S": &types.AttributeValueMemberS{}, "BOOL": &types.AttributeValueMemberBOOL{}, "B": &types.AttributeValueMemberB{Value: []byte{}},
				"M": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}, "L": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			values, err := streamattr.Marshal(c.item)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(values, c.want) {
				t.Errorf("values (-want +got):\n%s", cmp.Diff(c.want, values, cmpopts.IgnoreUnexported(types.AttributeValueMemberS{})))
			}
			got, err := streamattr.Unmarshal[everything](values)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.item, got); d != "" {
				t.Errorf("item (-want +got):\n%s", d)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	if _, err := streamattr.Marshal(&everything{N: "x"}); err == nil || !strings.Contains(err.Error(), `attribute "N": not a decimal number`) {
		t.Errorf("error %v", err)
	}
	for want, a := range map[string]types.AttributeValue{
		`attribute "N": want type N, have S`: &types.AttributeValueMemberS{Value: "1"},
		`is unknown`:                         &types.UnknownUnionMember{Tag: "X"},
	} {
		if _, err := streamattr.Unmarshal[everything](map[string]types.AttributeValue{"N": a}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
