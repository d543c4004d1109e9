package fileplan

import (
	"fmt"
	"strconv"

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
	// Keys are the attributes of the primary key.
	Keys []string
	// Extra is set when the item keeps the attributes that the spec does not type.
	Extra bool
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
	// GoType is the field's type, Read the call that gives its value from the decoder d, Write the one that writes it to the encoder e.
	GoType, Read, Write string
	// Constant is the name of the constant that names the attribute of an item.
	Constant string
}

func newItem(s *spec.Spec, t spec.Table) Item {
	item := Item{
		Package: packageName(t.Name, "table"), Table: t.Name, DefaultName: s.NamePrefix + t.TableName, Variable: TableVariable(t.Name),
	}
	if t.Existing {
		item.DefaultName = t.TableName
	}
	item.structure("Item", "Item is an item of the table as far as the spec types its attributes.", t.Attributes)
	item.Keys, item.Extra = []string{t.HashKey}, t.UnknownAttributes == "keep"
	if t.RangeKey != "" {
		item.Keys = append(item.Keys, t.RangeKey)
	}
	for i, f := range item.Types[0].Fields {
		switch f.Attribute.Name {
		case t.HashKey:
			item.Types[0].Fields[i].Role = "hash key"
		case t.RangeKey:
			item.Types[0].Fields[i].Role = "range key"
		}
	}
	item.nameConstants()
	return item
}

// nameConstants names the constants of the item's attributes as its fields, as long as the package has nothing else of that name.
func (item *Item) nameConstants() {
	taken := map[string]bool{"Name": true, "TableName": true}
	for _, t := range item.Types {
		taken[t.Name] = true
	}
	fields := item.Types[0].Fields
	for _, unlike := range []bool{false, true} {
		for i, f := range fields {
			if f.Constant != "" || taken[f.Name] != unlike {
				continue
			}
			for f.Constant = f.Name; taken[f.Constant]; {
				f.Constant += "Attribute"
			}
			taken[f.Constant] = true
			fields[i] = f
		}
	}
}

// structure adds a type, and after it those of its fields.
func (item *Item) structure(name, doc string, attributes []spec.Attribute) {
	index := len(item.Types)
	item.Types = append(item.Types, Structure{Name: name, Doc: doc})
	for _, a := range attributes {
		f := Field{Name: fieldName(a.Name), Attribute: a}
		c := item.codec(name+f.Name, a)
		f.GoType, f.Read, f.Write = c.goType, c.readCall, fmt.Sprintf(c.writeCall, "it."+f.Name)
		if a.Optional && !nilable(a) {
			f.GoType = "*" + c.goType
			f.Read = "stream.Optional(d, " + c.read + ")"
			f.Write = "stream.WriteOptional(e, it." + f.Name + ", " + c.write + ")"
		}
		item.Types[index].Fields = append(item.Types[index].Fields, f)
	}
}

// nilable reports whether the zero value of an attribute's type already says that it is absent.
func nilable(a spec.Attribute) bool {
	switch a.Type {
	case spec.Binary, spec.StringSet, spec.NumberSet, spec.BinarySet, spec.List, spec.Null:
		return true
	}
	return a.Type == spec.Map && a.Of != nil
}

// codec is how an attribute is read and written: the functions that do it, for elements of others, and the calls of them, writeCall with %s
// for the value.
type codec struct{ goType, read, readCall, write, writeCall string }

// methods are the codec of what a method of the decoder reads and one of the encoder writes.
func methods(goType, read, write string) codec {
	return codec{goType, "(*stream.Decoder)." + read, "d." + read + "()", "(*stream.Encoder)." + write, "e." + write + "(%s)"}
}

// codec gives that of an attribute. name is that of the type that a structure gets.
func (item *Item) codec(name string, a spec.Attribute) codec {
	switch a.Type {
	case spec.String:
		return methods("string", "String", "String")
	case spec.Number:
		switch a.Number {
		case "int64":
			return methods("int64", "Int64", "Int64")
		case "float64":
			return methods("float64", "Float64", "Float64")
		}
		return methods("stream.Number", "Number", "Number")
	case spec.Binary:
		return methods("[]byte", "Binary", "Binary")
	case spec.Bool:
		return methods("bool", "Bool", "Bool")
	case spec.Null:
		return methods("bool", "OnlyNull", "Null")
	case spec.StringSet:
		return methods("[]string", "StringSet", "StringSet")
	case spec.NumberSet:
		return methods("[]stream.Number", "NumberSet", "NumberSet")
	case spec.BinarySet:
		return methods("[][]byte", "BinarySet", "BinarySet")
	case spec.List:
		return item.elements(name, a, "[]", "ListOf", "WriteList")
	case spec.Map:
		if a.Of != nil {
			return item.elements(name, a, "map[string]", "MapOf", "WriteMap")
		}
		item.structure(name, name+" is a map inside an item.", a.Attributes)
		return codec{name, "read" + name, "read" + name + "(d)", "write" + name, "write" + name + "(e, %s)"}
	}
	return codec{} // no such type passes spec.Load; the result does not parse
}

func (item *Item) elements(name string, a spec.Attribute, prefix, read, write string) codec {
	element := item.codec(name, *a.Of)
	c := codec{goType: prefix + element.goType}
	c.readCall = fmt.Sprintf("stream.%s(d, %s)", read, element.read)
	c.read = fmt.Sprintf("func(d *stream.Decoder) %s { return %s }", c.goType, c.readCall)
	c.writeCall = "stream." + write + "(e, %s, " + element.write + ")"
	c.write = fmt.Sprintf("func(e *stream.Encoder, v %s) { %s }", c.goType, fmt.Sprintf(c.writeCall, "v"))
	return c
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
	if item.Extra {
		for _, f := range item.Types[0].Fields {
			if f.Name == "Extra" {
				findings.Add("colliding-names", f.Attribute.Pos,
					fmt.Sprintf("attribute %q of table %q becomes the Go field Extra, which holds the attributes that the spec does not type", f.Attribute.Name, t.Name),
					"Leave the attribute out of the spec, or unknown_attributes: keep.")
			}
		}
	}
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
