package spec

import (
	"regexp"
	"slices"

	"github.com/invopop/jsonschema"
)

var regionPattern = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)

// region is the name of an AWS region. A name that has the form but is not in the list is a warning: AWS opens regions.
type region struct{}

func (region) decode(d *decoder, v value) string {
	got, ok := d.scalar(v)
	known := regions()
	switch {
	case !ok || slices.Contains(known, got):
	case !regionPattern.MatchString(got):
		detail := `Write one such as "us-east-1".`
		if near := nearest(got, known); near != "" {
			detail = "Did you mean " + near + "?"
		} else if interpolates(got) {
			detail += " An HCL interpolation is not evaluated."
		}
		d.fail(v, codeInvalidValue, detail, "region: %s is not the name of an AWS region", quote(got))
	default:
		detail := "If the region is new, go on."
		if near := nearest(got, known); near != "" {
			detail = "Did you mean " + near + "? " + detail
		}
		d.findings.Warn(string(codeUnknownRegion), v.pos, "the region "+quote(got)+" is not one that streamgen knows", detail)
	}
	return got
}

func (region) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: regionPattern.String(), Examples: []any{"us-east-1", "eu-central-1"}}
}

// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
func regions() []string {
	return []string{
		"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
		"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
		"ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2",
		"eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "eusc-de-east-1", "il-central-1",
		"me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1",
		"us-west-1", "us-west-2",
	}
}
