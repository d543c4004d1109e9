package streams

import (
	"strconv"
	"strings"
)

// sequence is a sequence number without its form: a decimal of 21 digits that begins with 1, so that the numbers of a stream, which
// grow across its shards, sort as text as they do as numbers.
type sequence uint64

const sequenceDigits = 21

func (n sequence) String() string { return string(n.append(nil)) }

// append appends the number in its form.
func (n sequence) append(b []byte) []byte {
	form := [sequenceDigits]byte{'1'}
	for i := sequenceDigits - 1; i > 0; i-- {
		form[i] = '0' + byte(n%10)
		n /= 10
	}
	return append(b, form[:]...)
}

// parseSequence reads a sequence number. One that this package never gave away is an error.
func parseSequence(text string) (sequence, error) {
	digits := strings.TrimLeft(text, "0") // numbers are compared as numbers, whatever their length
	if len(digits) == sequenceDigits && digits[0] == '1' {
		if n, err := strconv.ParseUint(digits[1:], 10, 64); err == nil {
			return sequence(n), nil
		}
	}
	return 0, fail("ValidationException", "Invalid SequenceNumber: %s", text)
}
