package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"streamgen/internal/diag"
)

// version looks at the key version before anything else: of another version nothing is known. It reports whether to go on.
func (d *decoder) version(root value) bool {
	m, ok := root.node.(*ast.MappingNode)
	if !ok {
		return true
	}
	for _, pair := range m.Values {
		key, isText := pair.Key.(*ast.StringNode)
		if !isText || key.Value != "version" {
			continue
		}
		if n, ok := pair.Value.(*ast.IntegerNode); ok && n.Token.Value != "1" {
			d.findings = nil
			d.report(codeVersion, d.start(n), "Write version: 1, or use a newer gen.",
				"this gen reads version 1 of the spec's format, not version %s", clip(n.Token.Value))
			return false
		}
		return true
	}
	return true
}

// check holds the decoded spec to the rules that concern more than one value.
func (d *decoder) check(s *Spec) {
	for _, t := range s.Tables {
		d.checkTable(t)
	}
	readers := map[string][]string{}
	for _, h := range s.Handlers {
		d.checkEnvironment(h)
		if d.checkSource(s, h) {
			d.checkReaders(h, readers)
		}
	}
}

func (d *decoder) checkTable(t Table) {
	d.checkKeys(t, t.Origin.Path, "the table", t.HashKey, t.RangeKey, t.Origin.Keys)
	names := map[string]int{}
	projected := 0
	for i, g := range t.GlobalSecondaryIndexes {
		path := join(join(t.Origin.Path, "global_secondary_index"), strconv.Itoa(i))
		d.checkKeys(t, path, "the index", g.HashKey, g.RangeKey, g.Keys)
		d.checkProjection(path, g)
		projected += len(g.NonKeyAttributes)
		if g.Name == "" || d.broken[join(path, "name")] {
			continue
		}
		if line, ok := names[g.Name]; ok {
			d.report(codeDuplicateItem, g.Keys["name"], "Rename one of the two.",
				"the table has an index %s in line %d already", quote(g.Name), line)
		} else {
			names[g.Name] = g.Keys["name"].Line
		}
	}
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	const mostProjected = 100
	if projected > mostProjected {
		d.report(codeTooMany, t.Origin.Keys["global_secondary_index"], fmt.Sprintf("AWS allows %d; use projection_type ALL for some.", mostProjected),
			"the indexes of the table project %d attributes in all", projected)
	}
}

func (d *decoder) checkKeys(t Table, path, owner, hash, rangeKey string, keys map[string]diag.Position) {
	d.checkKey(t, path, owner, "hash_key", hash, keys)
	d.checkKey(t, path, owner, "range_key", rangeKey, keys)
	if hash != "" && hash == rangeKey {
		d.report(codeSameKeys, keys["range_key"], "Remove range_key, or choose another attribute.",
			"the range key of %s is its hash key", owner)
	}
}

func (d *decoder) checkKey(t Table, path, owner, key, name string, keys map[string]diag.Position) {
	attributes := join(t.Origin.Path, "attributes")
	if name == "" || d.broken[join(path, key)] {
		return
	}
	a, ok := t.Attribute(name)
	if !ok {
		if d.broken[attributes] {
			return
		}
		var names []string
		for _, a := range t.Attributes {
			names = append(names, a.Name)
		}
		detail := fmt.Sprintf("Add it to attributes with its type, such as %s: S.", clip(name))
		if near := nearest(name, names); near != "" {
			detail = fmt.Sprintf("Did you mean %s?", clip(near))
		}
		d.report(codeUnknownAttribute, keys[key], detail, "the %s of %s, %s, is not among the table's attributes", key, owner, quote(name))
		return
	}
	switch a.Type {
	case String, Number, Binary:
	default:
		if !d.broken[join(attributes, name)] {
			d.report(codeKeyType, keys[key], "A key is S, N or B.", "the %s of %s, %s, has the type %s", key, owner, quote(name), a.Type)
		}
	}
}

func (d *decoder) checkProjection(path string, g GlobalSecondaryIndex) {
	at, set := g.Keys["non_key_attributes"]
	include := g.ProjectionType == "INCLUDE"
	switch {
	case d.broken[join(path, "projection_type")], d.broken[join(path, "non_key_attributes")]:
	case include && !set:
		d.report(codeProjection, g.Keys["projection_type"], "List the attributes to project in non_key_attributes.",
			"projection_type INCLUDE needs non_key_attributes")
	case !include && set:
		d.report(codeProjection, at, "Write projection_type: INCLUDE, or remove non_key_attributes.",
			"non_key_attributes has no effect with projection_type %s", g.ProjectionType)
	}
	seen := map[string]bool{}
	for _, name := range g.NonKeyAttributes {
		if name != "" && seen[name] {
			d.report(codeDuplicateItem, at, "Remove one of the two.", "non_key_attributes lists %s twice", quote(name))
		}
		seen[name] = true
	}
}

// checkSource reports whether the handler's table is there and has a stream.
func (d *decoder) checkSource(s *Spec, h Handler) bool {
	if h.Table == "" || d.broken[join(h.Origin.Path, "table")] {
		return false
	}
	t, ok := s.Table(h.Table)
	if !ok {
		if d.broken["tables"] {
			return false
		}
		var names []string
		for _, t := range s.Tables {
			names = append(names, t.Name)
		}
		detail := "Add the table to tables."
		if interpolates(h.Table) {
			detail = "Names are taken literally: an HCL interpolation is not evaluated."
		} else if len(names) > 0 {
			detail = oneOf(h.Table, names, "The tables are")
		}
		d.report(codeUnknownTable, h.Origin.Keys["table"], detail, "the handler reads the table %s, which is not in this spec", quote(h.Table))
		return false
	}
	if _, set := t.Origin.Keys["stream_view_type"]; !set && !d.broken[t.Origin.Path] && !d.broken[join(t.Origin.Path, "stream_view_type")] {
		d.report(codeTableWithoutStream, h.Origin.Keys["table"],
			fmt.Sprintf("Give the table a stream_view_type, such as NEW_AND_OLD_IMAGES; it stands in line %d.", t.Origin.Pos.Line),
			"the handler reads the table %s, which has no stream", quote(h.Table))
		return false
	}
	return true
}

// checkReaders holds to the two functions that may read a shard at the same time.
func (d *decoder) checkReaders(h Handler, readers map[string][]string) {
	const most = 2
	others := readers[h.Table]
	if len(others) >= most {
		d.report(codeStreamReaders, h.Origin.Keys["table"],
			fmt.Sprintf("AWS throttles a stream with more than two readers: let one of %s do this handler's work too.", enumerate(others)),
			"the stream of the table %s has two handlers already", quote(h.Table))
		return
	}
	readers[h.Table] = append(others, h.Name)
}

// checkEnvironment measures the environment as Lambda does: as JSON.
func (d *decoder) checkEnvironment(h Handler) {
	const most = 4 << 10
	if len(h.Environment) == 0 {
		return
	}
	variables := map[string]string{}
	for _, v := range h.Environment {
		variables[v.Name] = v.Value
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(variables); err != nil {
		d.report(codeInvalidValue, h.Origin.Keys["variables"], "Write them as text.", "the environment variables cannot be encoded: %v", err)
		return
	}
	if n := len(strings.TrimSuffix(out.String(), "\n")); n > most {
		d.report(codeEnvironmentSize, h.Origin.Keys["variables"], "Keep large values in Parameter Store, Secrets Manager or S3 and pass their names.",
			"the environment has %d bytes as JSON, more than the %d that Lambda allows", n, most)
	}
}
