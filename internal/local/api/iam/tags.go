package iam

import (
	"maps"
	"slices"
)

func sortedTags(tags map[string]string) []tag {
	var all []tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tag{key, tags[key]})
	}
	return all
}

func (s service) tagRole(r *request) (any, error) {
	tags, err := r.tags()
	if err != nil {
		return nil, err
	}
	return nil, s.roles.Tag(r.get("RoleName"), tags)
}

func (s service) untagRole(r *request) (any, error) {
	keys, err := r.tagKeys()
	if err != nil {
		return nil, err
	}
	return nil, s.roles.Untag(r.get("RoleName"), keys)
}

func (s service) listRoleTags(r *request) (any, error) {
	role, err := s.roles.Get(r.get("RoleName"))
	if err != nil {
		return nil, err
	}
	items, next := page(r, sortedTags(role.Tags), func(t tag) string { return t.Key })
	return struct {
		Tags []tag `xml:"Tags>member"`
		marker
	}{items, next}, nil
}
