package spec

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
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

// profile looks at the key profile before anything else: it decides what other keys are when they are not set.
func (d *decoder) profile(root value) {
	m, ok := root.node.(*ast.MappingNode)
	if !ok {
		return
	}
	for _, pair := range m.Values {
		key, _ := pair.Key.(*ast.StringNode)
		name, _ := pair.Value.(*ast.StringNode)
		if key != nil && name != nil && key.Value == "profile" {
			d.minimal = name.Value == "minimal"
		}
	}
}

// check holds the decoded spec to the rules that concern more than one value.
func (d *decoder) check(s *Spec) {
	d.checkEntries(s)
	d.checkTableNames(s)
	d.checkDestroy(s)
	d.checkStacks(s)
	d.checkEnvironments(s)
}

// checkDestroy wants what is to be destroyed out of the spec.
func (d *decoder) checkDestroy(s *Spec) {
	for _, name := range s.Destroy {
		kind, entry, _ := strings.Cut(name, ".")
		there := false
		for _, t := range s.Tables {
			there = there || kind == "table" && t.Name == entry && !t.Existing
		}
		for _, h := range s.Handlers {
			there = there || h.Name == entry && h.HoldsData(kind)
		}
		if there {
			d.report(codeDestroy, s.Origin.Keys["destroy"], "Remove the entry from the spec, or the name from destroy.", "%s is to be destroyed and is in the spec", quote(name))
		}
	}
}

// checkTableNames wants each table of AWS once.
func (d *decoder) checkTableNames(s *Spec) {
	first := map[string]Table{}
	for _, t := range s.Tables {
		other, taken := first[t.TableName]
		if !taken {
			first[t.TableName] = t
			continue
		}
		d.report(codeDuplicateItem, t.Origin.Pos, "Give one of them another name.", "%s and %s in line %d are the same table %s in AWS",
			quote(t.Name), quote(other.Name), other.Origin.Pos.Line, quote(t.TableName))
	}
}

// checkEnvironments holds each environment's entries to the same rules. What the spec itself breaks is not said again.
func (d *decoder) checkEnvironments(s *Spec) {
	if len(s.Environments) == 0 {
		return
	}
	base := &decoder{file: d.file, widths: d.widths, broken: d.broken, spoilt: d.spoilt, minimal: d.minimal}
	base.checkEntries(s)
	known := map[string]bool{}
	for _, f := range base.findings {
		known[f.Code+f.Summary] = true
	}
	for _, e := range s.Environments {
		own := *s
		own.Settings, own.Tables, own.Handlers = e.Settings, e.Tables, e.Handlers
		there := &decoder{file: d.file, widths: d.widths, broken: d.broken, spoilt: d.spoilt, minimal: d.minimal}
		there.checkEntries(&own)
		for _, f := range there.findings {
			if known[f.Code+f.Summary] {
				continue
			}
			known[f.Code+f.Summary] = true
			f.Summary = "in the environment " + e.Name + ", " + f.Summary
			d.findings = append(d.findings, f)
		}
	}
}

// checkEntries holds tables and handlers to the rules that concern more than one value.
func (d *decoder) checkEntries(s *Spec) {
	for _, t := range s.Tables {
		d.checkTable(s, t)
	}
	d.checkHandlers(s)
}
