package sqs

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// messageAttribute is a message attribute in a request and in an answer.
type messageAttribute struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
}

const (
	mostMessageAttributes = 10
	longestAttributeName  = 255
)

var (
	attributeName = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\.|$)`)
)

// decodeMessageAttributes checks message attributes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-attributes
func decodeMessageAttributes(in map[string]messageAttribute) (control.MessageAttributes, error) {
	if n := len(in); n > mostMessageAttributes {
		return nil, invalidParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].", n, mostMessageAttributes)
	}
	out := control.MessageAttributes{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		a, err := in[name].decode(name)
		if err != nil {
			return nil, err
		}
		out[name] = a
	}
	return out, nil
}

func (in messageAttribute) decode(name string) (control.MessageAttribute, error) {
	a := control.MessageAttribute{DataType: in.DataType}
	lower := strings.ToLower(name)
	switch {
	case len(name) > longestAttributeName:
		return a, invalidParameter("Message (user) attribute names must be shorter than %d Bytes", longestAttributeName+1)
	case !attributeName.MatchString(name):
		return a, invalidParameter("Message (user) attributes name can only contain upper and lower score characters, digits, periods, hyphens and underscores. ")
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") || name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, ".."):
		return a, invalidParameter("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use. Additionally, they cannot start or end with '.'.")
	case len(in.DataType) > longestAttributeName:
		return a, invalidParameter("Message (user) attribute types must be shorter than %d Bytes", longestAttributeName+1)
	case !attributeType.MatchString(in.DataType):
		return a, invalidParameter("The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
	}
	set, other := in.StringValue != "", len(in.BinaryValue) > 0
	a.Value = []byte(in.StringValue)
	if a.Binary() {
		set, other = other, set
		a.Value = in.BinaryValue
	}
	switch {
	case !set:
		return a, invalidParameter("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, in.DataType)
	case other:
		return a, invalidParameter("Message (user) attribute '%s' has a value of another type than '%s'.", name, in.DataType)
	case !allowed(in.StringValue):
		return a, invalidParameter("Message (user) attribute '%s' contains characters outside the allowed set.", name)
	}
	if strings.HasPrefix(in.DataType, "Number") {
		if _, err := strconv.ParseFloat(in.StringValue, 64); err != nil {
			return a, invalidParameter("Can't cast the value of message (user) attribute '%s' to a number.", name)
		}
	}
	return a, nil
}

func encodeMessageAttributes(all control.MessageAttributes) map[string]messageAttribute {
	out := map[string]messageAttribute{}
	for name, a := range all {
		if a.Binary() {
			out[name] = messageAttribute{DataType: a.DataType, BinaryValue: a.Value}
		} else {
			out[name] = messageAttribute{DataType: a.DataType, StringValue: string(a.Value)}
		}
	}
	return out
}

// wantedAttributes are those that a receiver names: each, all that begin with "prefix.*", or "All".
func wantedAttributes(all control.MessageAttributes, names []string) control.MessageAttributes {
	out := control.MessageAttributes{}
	for name, a := range all {
		if slices.ContainsFunc(names, func(want string) bool {
			prefix, isPrefix := strings.CutSuffix(want, ".*")
			return want == "All" || want == name || isPrefix && strings.HasPrefix(name, prefix)
		}) {
			out[name] = a
		}
	}
	return out
}

// allowed reports whether SQS takes a text as it is. Its documentation says of others both that they are refused and that such characters
// are replaced; the stack refuses them, so that nobody loses any.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func allowed(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}

func invalidParameter(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValue", format, args...)
}
