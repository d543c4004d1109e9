package lambda

import (
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"

	"streamgen/internal/local/wire"
)

// maxTags is how many tags a resource may have.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
const maxTags = 50

// checkTags refuses tags that a resource with the tags in present cannot get.
func checkTags(added, present map[string]string) error {
	var c constraints
	for key, value := range added {
		c.need(key != "" && utf8.RuneCountInString(key) <= 128, "tags", key, "have keys of 1 to 128 characters")
		c.need(utf8.RuneCountInString(value) <= 256, "tags", value, "have values of at most 256 characters")
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("Tag keys that begin with aws: are reserved: %s", key)
		}
	}
	if err := c.err(); err != nil {
		return err
	}
	all := maps.Clone(present)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, added)
	if len(all) > maxTags {
		return invalid("A resource has at most %d tags, not %d", maxTags, len(all))
	}
	return nil
}

// tagged is a resource with tags.
type tagged struct {
	tags   map[string]string
	update func(change func(map[string]string)) error
}

// resource gives the function or mapping whose ARN is in the path.
func (a *api) resource(r *http.Request) (tagged, error) {
	arn := r.PathValue("arn")
	if _, uuid, is := strings.Cut(arn, ":event-source-mapping:"); is {
		m, err := a.mappings.Get(uuid)
		if err == nil && m.ARN != arn {
			err = wire.StatusErrorf(http.StatusNotFound, "ResourceNotFoundException", "The resource you requested does not exist.")
		}
		return tagged{m.Tags, func(change func(map[string]string)) error { return a.mappings.UpdateTags(uuid, change) }}, err
	}
	ref, err := a.functions.Parse(arn)
	if err != nil {
		return tagged{}, err
	}
	if ref.Qualifier != "" || !strings.HasPrefix(arn, "arn:") {
		return tagged{}, invalid("Tags are on a function's unqualified ARN, which %s is not", arn)
	}
	f, err := a.functions.Get(ref)
	return tagged{f.Tags, func(change func(map[string]string)) error { return a.functions.UpdateTags(ref, change) }}, err
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html
func (a *api) listTags(r *http.Request) (wire.Response, error) {
	res, err := a.resource(r)
	if err != nil {
		return wire.Response{}, err
	}
	if res.tags == nil {
		res.tags = map[string]string{}
	}
	return wire.Response{Body: struct{ Tags map[string]string }{res.tags}}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
func (a *api) tag(r *http.Request) (wire.Response, error) {
	in, err := decode[struct{ Tags map[string]string }](r, "TagResource")
	if err != nil {
		return wire.Response{}, err
	}
	res, err := a.resource(r)
	if err != nil {
		return wire.Response{}, err
	}
	if err := checkTags(in.Tags, res.tags); err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusNoContent}, res.update(func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html
func (a *api) untag(r *http.Request) (wire.Response, error) {
	res, err := a.resource(r)
	if err != nil {
		return wire.Response{}, err
	}
	keys := r.URL.Query()["tagKeys"]
	return wire.Response{Status: http.StatusNoContent}, res.update(func(tags map[string]string) {
		for _, key := range keys {
			delete(tags, key)
		}
	})
}
