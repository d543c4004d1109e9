package logs

import "streamgen/internal/local/wire"

func (s service) taggedGroup(arn string) (string, error) {
	if name, found := s.named(arn); found {
		return name, nil
	}
	return "", wire.Errorf("ResourceNotFoundException", "The specified resource does not exist.")
}

type tagResourceInput struct {
	ResourceARN string            `json:"resourceArn"`
	Tags        map[string]string `json:"tags"`
}

func (s service) tagResource(in *tagResourceInput) (*none, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	group, err := s.taggedGroup(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return nil, s.groups.TagGroup(group, in.Tags)
}

type untagResourceInput struct {
	ResourceARN string   `json:"resourceArn"`
	TagKeys     []string `json:"tagKeys"`
}

func (s service) untagResource(in *untagResourceInput) (*none, error) {
	group, err := s.taggedGroup(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return nil, s.groups.UntagGroup(group, in.TagKeys)
}

type listTagsForResourceInput struct {
	ResourceARN string `json:"resourceArn"`
}

type listTagsForResourceOutput struct {
	Tags map[string]string `json:"tags"`
}

func (s service) listTagsForResource(in *listTagsForResourceInput) (*listTagsForResourceOutput, error) {
	group, err := s.taggedGroup(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags, err := s.groups.GroupTags(group)
	if err != nil {
		return nil, err
	}
	if tags == nil {
		tags = map[string]string{}
	}
	return &listTagsForResourceOutput{tags}, nil
}
