package streamtest

import (
	"encoding/json"
	"strconv"
	"strings"

	"streamgen/runtime/stream"
)

// imageSize gives the size of an image as DynamoDB counts it, in bytes. What cannot be read counts nothing.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func imageSize(image stream.JSON) int {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal([]byte(image), &attributes); err != nil {
		return 0
	}
	return attributesSize(attributes)
}

func attributesSize(attributes map[string]json.RawMessage) int {
	size := 0
	for name, value := range attributes {
		size += len(name) + valueSize(value)
	}
	return size
}

func valueSize(text json.RawMessage) int {
	var v struct {
		S, N       *string
		B          []byte
		BOOL, NULL *bool
		SS, NS     []string
		BS         [][]byte
		L          []json.RawMessage
		M          map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return 0
	}
	size := len(v.B)
	switch {
	case v.S != nil:
		size = len(*v.S)
	case v.N != nil:
		size = numberSize(*v.N)
	case v.BOOL != nil, v.NULL != nil:
		size = 1
	case v.L != nil:
		size = 3 + len(v.L)
	case v.M != nil:
		size = 3 + len(v.M) + attributesSize(v.M)
	}
	for _, s := range v.SS {
		size += len(s)
	}
	for _, n := range v.NS {
		size += numberSize(n)
	}
	for _, b := range v.BS {
		size += len(b)
	}
	for _, element := range v.L {
		size += valueSize(element)
	}
	return size
}

// numberSize counts a byte, one for a minus, and one for every two significant digits on either side of the point; zero has one byte.
// AWS says "approximately"; this is what the service was measured to do: https://github.com/paritysuite/dynamodb-conformance
func numberSize(number string) int {
	unsigned := strings.TrimLeft(number, "+-")
	mantissa, power, _ := strings.Cut(strings.ToLower(unsigned), "e")
	point, _ := strconv.Atoi(power) // without an exponent it is 0
	whole, fraction, _ := strings.Cut(mantissa, ".")
	// The digits that count, and how many of them are before the point.
	digits := strings.TrimRight(whole+fraction, "0")
	before := len(whole) + point
	before -= len(digits) - len(strings.TrimLeft(digits, "0"))
	digits = strings.TrimLeft(digits, "0")
	size := 1
	if digits == "" {
		return size
	}
	if strings.HasPrefix(number, "-") {
		size++
	}
	if before <= 0 || before >= len(digits) {
		return size + (len(digits)+1)/2
	}
	return size + (before+1)/2 + (len(digits)-before+1)/2
}
