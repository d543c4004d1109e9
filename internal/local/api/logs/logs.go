// Package logs is the front end of CloudWatch Logs in the local stack: log groups, their streams and events.
package logs

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// Target is what stands before the operation in X-Amz-Target.
const Target = "Logs_20140328"

// New gives the front end of one region's registry. keyUsable says whether a KMS key of an ARN can be used.
func New(groups *control.Logs, keyUsable func(arn string) bool) http.Handler {
	s := service{groups, keyUsable}
	return &wire.JSON{Version: "1.1", Target: Target, Operations: map[string]wire.Operation{
		"CreateLogGroup":        operation("CreateLogGroup", s.createLogGroup),
		"DescribeLogGroups":     operation("DescribeLogGroups", s.describeLogGroups),
		"DeleteLogGroup":        operation("DeleteLogGroup", s.deleteLogGroup),
		"PutRetentionPolicy":    operation("PutRetentionPolicy", s.putRetentionPolicy),
		"DeleteRetentionPolicy": operation("DeleteRetentionPolicy", s.deleteRetentionPolicy),

		"AssociateKmsKey":               operation("AssociateKmsKey", s.associateKMSKey),
		"DisassociateKmsKey":            operation("DisassociateKmsKey", s.disassociateKMSKey),
		"PutLogGroupDeletionProtection": operation("PutLogGroupDeletionProtection", s.putProtection),

		"TagResource":         operation("TagResource", s.tagResource),
		"UntagResource":       operation("UntagResource", s.untagResource),
		"ListTagsForResource": operation("ListTagsForResource", s.listTagsForResource),

		"CreateLogStream":    operation("CreateLogStream", s.createLogStream),
		"DescribeLogStreams": operation("DescribeLogStreams", s.describeLogStreams),
		"DeleteLogStream":    operation("DeleteLogStream", s.deleteLogStream),

		"PutLogEvents":    operation("PutLogEvents", s.putLogEvents),
		"GetLogEvents":    operation("GetLogEvents", s.getLogEvents),
		"FilterLogEvents": operation("FilterLogEvents", s.filterLogEvents),
	}}
}

type service struct {
	groups    *control.Logs
	keyUsable func(arn string) bool
}

// none is the output of an operation that has none.
type none struct{}

func operation[In, Out any](name string, do func(*In) (*Out, error)) wire.Operation {
	return wire.Typed(name, func(_ context.Context, in *In) (*Out, error) {
		out, err := do(in)
		var e *control.Error
		if errors.As(err, &e) {
			return nil, wire.Errorf(e.Code, "%s", e.Message)
		}
		return out, err
	})
}

// named is the name of the group that has an ARN, which may end in the ":*" of listings.
func (s service) named(arn string) (name string, found bool) {
	for _, g := range s.groups.Groups() {
		if g.ARN == strings.TrimSuffix(arn, ":*") {
			return g.Name, true
		}
	}
	return "", false
}

// group is the name of the group that a request means by its name or by its identifier, which is a name or an ARN.
func (s service) group(name, identifier string) (string, error) {
	if name != "" && identifier != "" {
		return "", invalid("LogGroup name and LogGroup identifier are mutually exclusive parameters.")
	}
	if strings.HasPrefix(identifier, "arn:") {
		name, found := s.named(identifier)
		if !found {
			return "", wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
		}
		return name, nil
	}
	name += identifier
	return name, checkGroupName(name)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

// milliseconds is a time as the API writes it, or nil for none.
func milliseconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
