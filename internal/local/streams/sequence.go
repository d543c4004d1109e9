package streams

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// sequence is a sequence number without its form: a decimal of 21 digits that begins with 1.
type sequence uint64

const sequenceDigits = 21

func (n sequence) String() string { return fmt.Sprintf("1%0*d", sequenceDigits-1, uint64(n)) }

func (n sequence) compare(m sequence) int { return cmp.Compare(n, m) }

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
