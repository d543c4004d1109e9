package attr

import "strings"

// MaxItemSize is the largest item that a table takes, in bytes as [Item.Size] counts them.
const MaxItemSize = 400 << 10

// MaxDepth is how deep values may nest: an attribute of a table's item is at level 1.
const MaxDepth = 32

// Size is the item's size in bytes by the rules that DynamoDB documents; stream records count their images the same way.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (it Item) Size() int {
	size := 0
	for name, v := range it {
		size += len(name) + v.Size()
	}
	return size
}

// Size is the value's size in bytes without its attribute's name.
func (v Value) Size() int {
	switch v.typ {
	case S, B:
		return len(v.text)
	case N:
		return numberSize(v.text)
	case BOOL, NULL:
		return 1
	case M:
		return 3 + len(v.more.fields) + v.more.fields.Size()
	case L:
		size := 3
		for _, e := range v.more.elems {
			size += 1 + e.Size()
		}
		return size
	case NS:
		size := 0
		for _, text := range v.more.set {
			size += numberSize(text)
		}
		return size
	case SS, BS:
		size := 0
		for _, text := range v.more.set {
			size += len(text)
		}
		return size
	default:
		return 0
	}
}

// numberSize counts a byte, one for a minus, and one for every two significant digits on either side of the point; zero has one
// byte. AWS's page only says "approximately"; this is what the service was measured to do at the limit of an item's size:
// https://github.com/paritysuite/dynamodb-conformance
func numberSize(normal string) int {
	unsigned := strings.TrimPrefix(normal, "-")
	whole, fraction, _ := strings.Cut(unsigned, ".")
	switch {
	case unsigned == "0":
		return 1
	case fraction == "":
		whole = strings.TrimRight(whole, "0")
	case whole == "0":
		whole, fraction = "", strings.TrimLeft(fraction, "0")
	}
	return 1 + len(normal) - len(unsigned) + (len(whole)+1)/2 + (len(fraction)+1)/2
}

// Depth is how many levels of values the item has: 1 when it holds no maps and lists, 0 when it is empty.
func (it Item) Depth() int {
	deepest := 0
	for _, v := range it {
		deepest = max(deepest, v.depth())
	}
	return deepest
}

func (v Value) depth() int {
	if v.more == nil {
		return 1
	}
	deepest := v.more.fields.Depth()
	for _, e := range v.more.elems {
		deepest = max(deepest, e.depth())
	}
	return deepest + 1
}
