package autoscaling

import (
	"maps"
	"unicode/utf8"
)

type listTagsForResourceInput struct{ ResourceARN string }

type listTagsForResourceOutput struct{ Tags map[string]string }

func (s service) listTagsForResource(in *listTagsForResourceInput) (*listTagsForResourceOutput, error) {
	out := &listTagsForResourceOutput{Tags: map[string]string{}}
	err := s.registry.UpdateTags(in.ResourceARN, func(tags map[string]string) { maps.Copy(out.Tags, tags) })
	return out, err
}

type tagResourceInput struct {
	ResourceARN string
	Tags        map[string]string
}

func (s service) tagResource(in *tagResourceInput) (*none, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return nil, s.registry.UpdateTags(in.ResourceARN, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

type untagResourceInput struct {
	ResourceARN string
	TagKeys     []string
}

func (s service) untagResource(in *untagResourceInput) (*none, error) {
	return nil, s.registry.UpdateTags(in.ResourceARN, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func checkTags(tags map[string]string) error {
	for key, value := range tags {
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 {
			return invalid("The tag key %q must have 1 to 128 characters", key)
		}
		if utf8.RuneCountInString(value) > 256 {
			return invalid("The value of tag %q must have at most 256 characters", key)
		}
	}
	return nil
}
