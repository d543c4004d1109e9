package fileplan

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// checkCollisions finds entries that would write the same file. Case does not tell files apart: on macOS and Windows
// it cannot.
func checkCollisions(files []File, findings *diag.Findings) {
	first := make(map[string]spec.Origin)
	told := make(map[[2]string]bool) // pairs of entries: one finding for all files that they share
	for _, f := range files {
		key := strings.ToLower(f.Path)
		other, taken := first[key]
		if !taken {
			first[key] = f.Origin
			continue
		}
		pair := [2]string{other.Path, f.Origin.Path}
		if told[pair] {
			continue
		}
		told[pair] = true
		findings.Add("colliding-names", f.Origin.Pos,
			fmt.Sprintf("%s and %s would share the generated file %s", other.Path, f.Origin.Path, f.Path),
			fmt.Sprintf("Rename one of them; the other stands at %s. In generated code every character but letters and "+
				"digits becomes _, and file systems may not tell upper from lower case.", other.Pos))
	}
}

// check finds attributes that would be the same field.
func (item Item) check(t spec.Table, findings *diag.Findings) {
	first := make(map[string]spec.Attribute)
	for _, f := range item.Fields {
		other, taken := first[f.Name]
		if !taken {
			first[f.Name] = f.Attribute
			continue
		}
		findings.Add("colliding-names", f.Attribute.Pos,
			fmt.Sprintf("attributes %q and %q of table %q both become the Go field %s",
				other.Name, f.Attribute.Name, t.Name, f.Name),
			fmt.Sprintf("Leave one of them out of the spec; the other stands at %s. Handlers still find an attribute that "+
				"the spec does not type in Change.DynamoDB.", other.Pos))
	}
}

// checkText finds texts that terraform would change on their way to AWS: it composes all text to Unicode's normal form C.
// https://developer.hashicorp.com/terraform/language/expressions/types
func checkText(s *spec.Spec, findings *diag.Findings) {
	check := func(pos diag.Position, what string, texts ...string) {
		for _, text := range texts {
			if !norm.NFC.IsNormalString(text) {
				findings.Add("not-normalized", pos,
					fmt.Sprintf("%s %+q is not in Unicode's normal form C", what, text),
					fmt.Sprintf("Terraform would change it on the way to AWS. Write it as %q.", norm.NFC.String(text)))
			}
		}
	}
	check(s.Origin.Keys["project"], "project", s.Project)
	for _, t := range s.Tags {
		check(s.Origin.Keys["tags"], "tag", t.Key, t.Value)
	}
	for _, t := range s.Tables {
		for _, a := range newTable(t).IndexedAttributes() {
			check(a.Pos, "key attribute", a.Name)
		}
		for _, g := range t.GlobalSecondaryIndexes {
			check(g.Pos, "non-key attribute", g.NonKeyAttributes...)
		}
	}
	for _, h := range s.Handlers {
		check(h.Origin.Keys["description"], "description", h.Description)
		for _, v := range h.Environment {
			check(h.Origin.Keys["variables"], "environment variable", v.Name, v.Value)
		}
	}
}
