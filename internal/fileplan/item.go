package fileplan

import (
	"fmt"
	"strconv"
	"strings"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// Item is the view of a table's Go package.
type Item struct {
	// Package is the package's name, Table the table's in the spec, DefaultName its name in AWS without an environment's prefix.
	Package, Table, DefaultName string
	// Variable is the environment variable that holds the table's name where the function runs.
	Variable string
	// Types are the item's own type, first, and those of the maps that it holds.
	Types []Structure
}

// Structure is one generated type.
type Structure struct {
	Name, Doc string
	Fields    []Field
}

// Field is one field of a structure and the attribute that it holds.
type Field struct {
	Name      string
	Attribute spec.Attribute
	// Role is "hash key", "range key" or empty.
	Role string
	// GoType is the field's type, Decode the call that gives its value from the variable v.
	GoType, Decode string
}

func newItem(s *spec.Spec, t spec.Table) Item {
	item := Item{
		Package: packageName(t.Name, "table"), Table: t.Name, DefaultName: s.NamePrefix + t.TableName, Variable: TableVariable(t.Name),
	}
	if t.Existing {
		item.DefaultName = t.TableName
	}
	item.structure("Item", "Item is an item of the table as far as the spec types its attributes.", t.Attributes)
	for i, f := range item.Types[0].Fields {
		switch f.Attribute.Name {
		case t.HashKey:
			item.Types[0].Fields[i].Role = "hash key"
		case t.RangeKey:
			item.Types[0].Fields[i].Role = "range key"
		}
	}
	return item
}

// structure adds a type, and after it those of its fields.
func (item *Item) structure(name, doc string, attributes []spec.Attribute) {
	index := len(item.Types)
	item.Types = append(item.Types, Structure{Name: name, Doc: doc})
	for _, a := range attributes {
		f := Field{Name: fieldName(a.Name), Attribute: a}
		goType, decoder := item.decoding(name+f.Name, a)
		f.GoType, f.Decode = goType, call(decoder)
		if a.Optional && !nilable(a) {
			f.GoType, f.Decode = "*"+goType, "stream.Optional(v, "+decoder+")"
		}
		item.Types[index].Fields = append(item.Types[index].Fields, f)
	}
}

// call applies a decoder to v.
func call(decoder string) string {
	if method, found := strings.CutPrefix(decoder, "stream.Value."); found {
		return "v." + method + "()"
	}
	if _, body, found := strings.Cut(decoder, "{ return "); found {
		return strings.TrimSuffix(body, " }")
	}
	return decoder + "(v)"
}

// nilable reports whether the zero value of an attribute's type already says that it is absent.
func nilable(a spec.Attribute) bool {
	switch a.Type {
	case spec.Binary, spec.StringSet, spec.NumberSet, spec.BinarySet, spec.List, spec.Null:
		return true
	}
	return a.Type == spec.Map && a.Of != nil
}

// decoding gives the Go type of an attribute and the function that decodes it. name is that of the type that a structure gets.
func (item *Item) decoding(name string, a spec.Attribute) (goType, decoder string) {
	switch a.Type {
	case spec.String:
		return "string", "stream.Value.String"
	case spec.Number:
		return "stream.Number", "stream.Value.Number"
	case spec.Binary:
		return "[]byte", "stream.Value.Binary"
	case spec.Bool:
		return "bool", "stream.Value.Bool"
	case spec.Null:
		return "bool", "stream.Value.Null"
	case spec.StringSet:
		return "[]string", "stream.Value.StringSet"
	case spec.NumberSet:
		return "[]stream.Number", "stream.Value.NumberSet"
	case spec.BinarySet:
		return "[][]byte", "stream.Value.BinarySet"
	case spec.List:
		return item.elements(name, a, "[]", "stream.ListOf")
	case spec.Map:
		if a.Of != nil {
			return item.elements(name, a, "map[string]", "stream.MapOf")
		}
		item.structure(name, name+" is a map inside an item.", a.Attributes)
		return name, "decode" + name
	}
	return "", "" // no such type passes spec.Load; the result does not parse
}

func (item *Item) elements(name string, a spec.Attribute, prefix, decode string) (goType, decoder string) {
	element, each := item.decoding(name, *a.Of)
	goType = prefix + element
	return goType, fmt.Sprintf("func(v stream.Value) (%s, error) { return %s(v, %s) }", goType, decode, each)
}

// Doc is the field's comment, on one line whatever the attribute is called.
func (f Field) Doc() string {
	doc := fmt.Sprintf("%s is the attribute %s of type %s", f.Name, strconv.Quote(f.Attribute.Name), f.Attribute.Type)
	if f.Role != "" {
		doc += ", the table's " + f.Role
	}
	if f.Attribute.Optional {
		doc += "; nil when it is absent or NULL"
	}
	return doc + "."
}

// Nested reports whether the structure is not the item itself.
func (s Structure) Nested() bool { return s.Name != "Item" }

// check finds attributes that would be the same field, and maps that would be the same type.
func (item Item) check(t spec.Table, findings *diag.Findings) {
	types := map[string]bool{}
	for _, s := range item.Types {
		if types[s.Name] {
			findings.Add("colliding-names", t.Origin.Keys["attributes"],
				fmt.Sprintf("two maps of table %q both become the Go type %s", t.Name, s.Name),
				"Rename one of the attributes that lead to them, or leave it out of the spec.")
		}
		types[s.Name] = true
		first := make(map[string]spec.Attribute)
		for _, f := range s.Fields {
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
}
