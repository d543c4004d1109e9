package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type listTagsOfResourceInput struct{ ResourceArn string }

type listTagsOfResourceOutput struct{ Tags []tag }

func (s service) listTagsOfResource(in *listTagsOfResourceInput) (*listTagsOfResourceOutput, error) {
	if err := check(required("resourceArn", in.ResourceArn != "")); err != nil {
		return nil, err
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
	if err := check(required("resourceArn", in.ResourceArn != ""), required("tags", in.Tags != nil)); err != nil {
		return nil, err
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
	if err := check(required("resourceArn", in.ResourceArn != ""), required("tagKeys", in.TagKeys != nil)); err != nil {
		return nil, err
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
