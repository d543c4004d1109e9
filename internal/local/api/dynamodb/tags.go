package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

// checkTagged wants the ARN of a table: nothing else of DynamoDB's has tags.
func checkTagged(arn string) error {
	switch {
	case arn == "":
		return wire.Errorf("ValidationException", "Invalid TableArn")
	case !tableARN.MatchString(arn):
		return wire.Errorf("ValidationException", "Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	default:
		return nil
	}
}

type listTagsOfResourceInput struct {
	ResourceArn string
	NextToken   string
}

type listTagsOfResourceOutput struct{ Tags []tag }

func (s service) listTagsOfResource(in *listTagsOfResourceInput) (*listTagsOfResourceOutput, error) {
	if err := checkTagged(in.ResourceArn); err != nil {
		return nil, err
	}
	if in.NextToken != "" { // one page holds all that there can be
		return nil, wire.Errorf("ValidationException", "Invalid NextToken")
	}
	tags, err := s.engine.Tags(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &listTagsOfResourceOutput{Tags: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, tag{Key: key, Value: tags[key]})
	}
	return out, nil
}

type tagResourceInput struct {
	ResourceArn string
	Tags        []tag
}

func (s service) tagResource(in *tagResourceInput) (*struct{}, error) {
	if err := checkTagged(in.ResourceArn); err != nil {
		return nil, err
	}
	if err := check(required("tags", in.Tags != nil)); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, wire.Errorf("ValidationException", "Atleast one Tag needs to be provided as Input.")
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, s.engine.ChangeTags(in.ResourceArn, tags, nil)
}

type untagResourceInput struct {
	ResourceArn string
	TagKeys     []string
}

func (s service) untagResource(in *untagResourceInput) (*struct{}, error) {
	if err := checkTagged(in.ResourceArn); err != nil {
		return nil, err
	}
	if err := check(required("tagKeys", in.TagKeys != nil)); err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, wire.Errorf("ValidationException", "Atleast one Tag Key needs to be provided as Input.")
	}
	return &struct{}{}, s.engine.ChangeTags(in.ResourceArn, nil, in.TagKeys)
}

// tagMap checks tags and gives them by their keys.
func tagMap(tags []tag) (map[string]string, error) {
	var constraints []constraint
	for i, t := range tags {
		at := fmt.Sprintf("tags.%d.member.", i+1)
		constraints = append(constraints, length(at+"key", t.Key, len([]rune(t.Key)), 1, 128), length(at+"value", t.Value, len([]rune(t.Value)), 0, 256))
	}
	if err := check(constraints...); err != nil {
		return nil, err
	}
	if len(tags) > engine.MaxTags {
		return nil, wire.Errorf("ValidationException", "One or more parameter values were invalid: Too many tags: the limit is %d", engine.MaxTags)
	}
	byKey := make(map[string]string, len(tags))
	for _, t := range tags {
		if _, twice := byKey[t.Key]; twice {
			return nil, wire.Errorf("ValidationException", "One or more parameter values were invalid: Duplicate tag key: %s", t.Key)
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, wire.Errorf("ValidationException", "One or more parameter values were invalid: The tag key prefix aws: is reserved: %s", t.Key)
		}
		byKey[t.Key] = t.Value
	}
	return byKey, nil
}
