// Package logs is the front end of CloudWatch Logs in the local stack: log groups, their streams and events.
package logs

import (
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
		"CreateLogGroup":        wire.Func("CreateLogGroup", s.createLogGroup),
		"DescribeLogGroups":     wire.Func("DescribeLogGroups", s.describeLogGroups),
		"DeleteLogGroup":        wire.Func("DeleteLogGroup", s.deleteLogGroup),
		"PutRetentionPolicy":    wire.Func("PutRetentionPolicy", s.putRetentionPolicy),
		"DeleteRetentionPolicy": wire.Func("DeleteRetentionPolicy", s.deleteRetentionPolicy),

		"AssociateKmsKey":               wire.Func("AssociateKmsKey", s.associateKMSKey),
		"DisassociateKmsKey":            wire.Func("DisassociateKmsKey", s.disassociateKMSKey),
		"PutLogGroupDeletionProtection": wire.Func("PutLogGroupDeletionProtection", s.putProtection),

		"TagResource":         wire.Func("TagResource", s.tagResource),
		"UntagResource":       wire.Func("UntagResource", s.untagResource),
		"ListTagsForResource": wire.Func("ListTagsForResource", s.listTagsForResource),

		"CreateLogStream":    wire.Func("CreateLogStream", s.createLogStream),
		"DescribeLogStreams": wire.Func("DescribeLogStreams", s.describeLogStreams),
		"DeleteLogStream":    wire.Func("DeleteLogStream", s.deleteLogStream),

		"PutLogEvents":    wire.Func("PutLogEvents", s.putLogEvents),
		"GetLogEvents":    wire.Func("GetLogEvents", s.getLogEvents),
		"FilterLogEvents": wire.Func("FilterLogEvents", s.filterLogEvents),
	}}
}

type service struct {
	groups    *control.Logs
	keyUsable func(arn string) bool
}

// none is the output of an operation that has none.
type none struct{}

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
