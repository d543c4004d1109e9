package expr

import (
	"strconv"
	"unicode/utf16"

	"streamgen/internal/local/attr"
)

// evaluate gives an operand's value, the zero value when it has none.
func evaluate(n node, item attr.Item) attr.Value {
	switch n := bare(n).(type) {
	case *pathNode:
		return n.path.lookup(item)
	case *valueNode:
		return n.value
	case *callNode:
		return size(evaluate(n.args[0], item))
	default:
		return attr.Value{}
	}
}

// size is the function of that name: UTF-16 units of a string, bytes of a binary, elements of the rest.
func size(v attr.Value) attr.Value {
	var n int
	switch v.Type() {
	case attr.S:
		n = len(utf16.Encode([]rune(v.Text())))
	case attr.B:
		n = len(v.Text())
	case attr.M, attr.L, attr.SS, attr.NS, attr.BS:
		n = v.Len()
	default:
		return attr.Value{}
	}
	number, err := attr.Number(strconv.Itoa(n))
	if err != nil {
		return attr.Value{}
	}
	return number
}
