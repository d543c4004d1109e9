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
func checkCollisions(files []File, told map[[2]string]bool, findings *diag.Findings) {
	first := make(map[string]spec.Origin)
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

// checkAddresses finds entries whose resources would bear the same name in terraform.
func checkAddresses(m Module, told map[[2]string]bool, findings *diag.Findings) {
	first := map[string]spec.Origin{}
	check := func(origin spec.Origin, addresses []string) {
		for _, address := range addresses {
			other, taken := first[address]
			pair := [2]string{other.Path, origin.Path}
			if !taken {
				first[address] = origin
			} else if !told[pair] {
				told[pair] = true
				findings.Add("colliding-names", origin.Pos, fmt.Sprintf("%s and %s would share the terraform resource %s", other.Path, origin.Path, address),
					fmt.Sprintf("Rename one of them; the other stands at %s. A table keeps its name in AWS by the key name, a function by function_name.", other.Pos))
			}
		}
	}
	for _, t := range m.Tables {
		check(t.Origin, t.Addresses())
	}
	for _, h := range m.Handlers {
		check(h.Origin, h.Addresses())
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
	for _, t := range newModule(s).Tables {
		for _, a := range t.IndexedAttributes() {
			check(a.Pos, "key attribute", a.Name)
		}
		for _, g := range t.GlobalSecondaryIndexes {
			check(g.Pos, "non-key attribute", g.NonKeyAttributes...)
		}
		for _, l := range t.LocalSecondaryIndexes {
			check(l.Pos, "non-key attribute", l.NonKeyAttributes...)
		}
		check(t.Origin.Keys["ttl.attribute_name"], "attribute", t.TTLAttribute)
		checkTags(check, t.Origin, t.Tags)
	}
	for _, h := range s.Handlers {
		check(h.Origin.Keys["description"], "description", h.Description)
		for _, v := range h.Environment {
			check(h.Origin.Keys["environment.variables"], "environment variable", v.Name, v.Value)
		}
		checkTags(check, h.Origin, h.Tags)
		for _, m := range h.Sources {
			check(m.Origin.Keys["filter_criteria.filter"], "filter pattern", m.Patterns...)
		}
	}
	for _, e := range s.Environments {
		for _, t := range e.Tags {
			check(e.Origin.Pos, "tag", t.Key, t.Value)
		}
		for _, h := range e.Handlers {
			for _, v := range h.Environment {
				check(e.Origin.Pos, "environment variable", v.Name, v.Value)
			}
		}
	}
}

func checkTags(check func(diag.Position, string, ...string), origin spec.Origin, tags []spec.Tag) {
	for _, t := range tags {
		check(origin.Keys["tags"], "tag", t.Key, t.Value)
	}
}
