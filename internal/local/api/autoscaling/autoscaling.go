// Package autoscaling is the front end of Application Auto Scaling in the local stack: scalable targets of DynamoDB's tables and
// indexes and their target tracking policies. They are described and not acted on.
package autoscaling

import (
	"net/http"
	"regexp"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// Target is what stands before the operation in X-Amz-Target.
const Target = "AnyScaleFrontendService"

// Registry is the registry that the front end works on.
type Registry = control.Scaling[Configuration]

// Exists says whether there is a table, or a global index of one when index is not "".
type Exists func(table, index string) bool

// New gives the front end of one region's registry.
func New(registry *Registry, exists Exists) http.Handler {
	s := service{registry, exists}
	return &wire.JSON{Version: "1.1", Target: Target, Operations: map[string]wire.Operation{
		"RegisterScalableTarget":   wire.Func("RegisterScalableTarget", s.registerScalableTarget),
		"DescribeScalableTargets":  wire.Func("DescribeScalableTargets", s.describeScalableTargets),
		"DeregisterScalableTarget": wire.Func("DeregisterScalableTarget", s.deregisterScalableTarget),
		"PutScalingPolicy":         wire.Func("PutScalingPolicy", s.putScalingPolicy),
		"DescribeScalingPolicies":  wire.Func("DescribeScalingPolicies", s.describeScalingPolicies),
		"DeleteScalingPolicy":      wire.Func("DeleteScalingPolicy", s.deleteScalingPolicy),

		"ListTagsForResource": wire.Func("ListTagsForResource", s.listTagsForResource),
		"TagResource":         wire.Func("TagResource", s.tagResource),
		"UntagResource":       wire.Func("UntagResource", s.untagResource),
	}}
}

type service struct {
	registry *Registry
	exists   Exists
}

// none is the output of an operation that has none.
type none struct{}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

// scaled names what a request is about.
type scaled struct {
	ServiceNamespace  string
	ResourceId        string
	ScalableDimension string
}

func scaledOf(s control.Scaled) scaled {
	return scaled{ServiceNamespace: s.Namespace, ResourceId: s.Resource, ScalableDimension: s.Dimension}
}

func (in *scaled) named() control.Scaled {
	return control.Scaled{Namespace: in.ServiceNamespace, Resource: in.ResourceId, Dimension: in.ScalableDimension}
}

var resourceID = regexp.MustCompile(`^table/([a-zA-Z0-9_.-]{3,255})(/index/([a-zA-Z0-9_.-]{3,255}))?$`)

// check wants all three to be there and to go together.
func (in *scaled) check() error {
	for _, member := range []struct{ name, value string }{
		{"serviceNamespace", in.ServiceNamespace}, {"resourceId", in.ResourceId}, {"scalableDimension", in.ScalableDimension},
	} {
		if err := required(member.name, member.value); err != nil {
			return err
		}
	}
	if err := in.checkNamespace(); err != nil {
		return err
	}
	kind := "table"
	if strings.Contains(in.ResourceId, "/index/") {
		kind = "index"
	}
	if !resourceID.MatchString(in.ResourceId) || in.ScalableDimension != "dynamodb:"+kind+":ReadCapacityUnits" && in.ScalableDimension != "dynamodb:"+kind+":WriteCapacityUnits" {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

func (in *scaled) checkNamespace() error {
	if err := required("serviceNamespace", in.ServiceNamespace); err != nil {
		return err
	}
	if in.ServiceNamespace != "dynamodb" {
		return wire.NotEmulated("the ServiceNamespace " + in.ServiceNamespace + " of Application Auto Scaling: it knows dynamodb")
	}
	return nil
}

func required(member, value string) error {
	if value == "" {
		return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
	}
	return nil
}

// pages are the members of a listing.
type pages struct {
	MaxResults *int
	NextToken  string
}

// page gives a part of a list whose items ascend in their places: what lies after the token's place, and the next token.
func page[T any](in pages, all []T, place func(T) string) (items []T, next string, err error) {
	limit := 50
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > limit {
			return nil, "", invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", *in.MaxResults, limit)
		}
		limit = *in.MaxResults
	}
	from := 0
	if in.NextToken != "" {
		for from < len(all) && place(all[from]) != in.NextToken {
			from++
		}
		if from == len(all) {
			return nil, "", wire.Errorf("InvalidNextTokenException", "The specified token is invalid")
		}
		from++
	}
	all = all[from:]
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], place(all[limit-1]), nil
}
