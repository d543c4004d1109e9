package fileplan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/spec"
)

// Provider is the view of providers.tf.
type Provider struct{ *spec.Spec }

// DefaultTags are the tags of every resource, sorted by key: the spec's own, Project and ManagedBy. A tag of the spec
// takes the place of one of these two, whatever its case, for IAM ignores the case of keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
func (p Provider) DefaultTags() []spec.Tag {
	tags := slices.Clone(p.Tags)
	for _, own := range []spec.Tag{{Key: "Project", Value: p.Project}, {Key: "ManagedBy", Value: "streamgen"}} {
		if !slices.ContainsFunc(tags, func(t spec.Tag) bool { return strings.EqualFold(t.Key, own.Key) }) {
			tags = append(tags, own)
		}
	}
	slices.SortFunc(tags, func(a, b spec.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return tags
}

// Outputs is the view of outputs.tf.
type Outputs struct {
	Tables   []Table
	Handlers []Handler
}

func (o Outputs) sorted() Outputs {
	slices.SortFunc(o.Tables, func(a, b Table) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(o.Handlers, func(a, b Handler) int { return cmp.Compare(a.Name, b.Name) })
	return o
}

// Table is the view of a table's terraform file.
type Table struct {
	spec.Table
	// Local is the name of the table's resource in terraform.
	Local string
}

func newTable(t spec.Table) Table { return Table{Table: t, Local: LocalName(t.Name)} }

// Stream is the ARN of the table's stream.
func (t Table) Stream() Reference { return streamOf(t.Local) }

// DeletionProtectionEnabled is an expression: an environment may take the protection away, never add it.
func (t Table) DeletionProtectionEnabled() string {
	if t.DeletionProtection {
		return "var.deletion_protection_enabled"
	}
	return "false"
}

// IndexedAttributes are the attributes that are a key of the table or of an index, sorted by name. The provider
// must be told of these and of no others.
func (t Table) IndexedAttributes() []spec.Attribute {
	keys := map[string]bool{t.HashKey: true, t.RangeKey: true}
	for _, g := range t.GlobalSecondaryIndexes {
		keys[g.HashKey], keys[g.RangeKey] = true, true
	}
	var indexed []spec.Attribute
	for _, a := range t.Attributes {
		if keys[a.Name] {
			indexed = append(indexed, a)
		}
	}
	slices.SortFunc(indexed, func(a, b spec.Attribute) int { return cmp.Compare(a.Name, b.Name) })
	return indexed
}

// Indexes are the table's global secondary indexes.
func (t Table) Indexes() []Index {
	indexes := make([]Index, len(t.GlobalSecondaryIndexes))
	for i, g := range t.GlobalSecondaryIndexes {
		indexes[i] = Index{g}
	}
	return indexes
}

// Index is one global secondary index of a [Table].
type Index struct{ spec.GlobalSecondaryIndex }

// KeyElement is one attribute of an index's key; KeyType is HASH or RANGE.
type KeyElement struct{ AttributeName, KeyType string }

// KeySchema is the index's key, the hash key first.
func (i Index) KeySchema() []KeyElement {
	schema := []KeyElement{{i.HashKey, "HASH"}}
	if i.RangeKey != "" {
		schema = append(schema, KeyElement{i.RangeKey, "RANGE"})
	}
	return schema
}

// Handler is the view of a handler's terraform file.
type Handler struct {
	spec.Handler
	// Local is the name of the handler's resources in terraform.
	Local string
	// Stream is the ARN of the stream that the handler reads.
	Stream Reference
}

func newHandler(h spec.Handler, tableLocal string) Handler {
	return Handler{Handler: h, Local: LocalName(h.Name), Stream: streamOf(tableLocal)}
}

// LogGroup is the name that Lambda itself gives to a function's log group.
func (h Handler) LogGroup() string { return "/aws/lambda/" + h.Name }

// Item is the view of a table's Go package.
type Item struct {
	// Package is the package's name, Table the table's in AWS.
	Package, Table string
	Fields         []Field
}

// Field is one field of an item and the attribute that it holds.
type Field struct {
	Name      string
	Attribute spec.Attribute
	// Role is "hash key", "range key" or empty.
	Role string
}

func newItem(t spec.Table) Item {
	item := Item{Package: packageName(t.Name, "table"), Table: t.Name}
	for _, a := range t.Attributes {
		f := Field{Name: fieldName(a.Name), Attribute: a}
		switch a.Name {
		case t.HashKey:
			f.Role = "hash key"
		case t.RangeKey:
			f.Role = "range key"
		}
		item.Fields = append(item.Fields, f)
	}
	return item
}

// Doc is the field's comment, on one line whatever the attribute is called.
func (f Field) Doc() string {
	doc := fmt.Sprintf("%s is the attribute %s of type %s", f.Name, strconv.Quote(f.Attribute.Name), f.Attribute.Type)
	if f.Role != "" {
		doc += ", the table's " + f.Role
	}
	return doc + "."
}

// GoType is the type of the field.
func (f Field) GoType() string {
	goType, _ := f.decoding()
	return goType
}

// Getter is the method of the runtime's Value that gives the field's type.
func (f Field) Getter() string {
	_, getter := f.decoding()
	return getter
}

func (f Field) decoding() (goType, getter string) {
	switch f.Attribute.Type {
	case spec.String:
		return "string", "String"
	case spec.Number:
		return "stream.Number", "Number"
	case spec.Binary:
		return "[]byte", "Binary"
	case spec.Bool:
		return "bool", "Bool"
	case spec.StringSet:
		return "[]string", "StringSet"
	case spec.NumberSet:
		return "[]stream.Number", "NumberSet"
	case spec.BinarySet:
		return "[][]byte", "BinarySet"
	}
	return "", "" // no such type passes spec.Load; the result does not parse
}

// Main is the view of a function's entry point.
type Main struct {
	// Name is the function's name, HandlerImport the import path of its handler.
	Name, HandlerImport string
}

// Starter is the view of a handler's first version.
type Starter struct {
	// Package is the handler's package name.
	Package string
	// Table is the table's name in AWS, TablePackage and TableImport its Go package.
	Table, TablePackage, TableImport string
}
