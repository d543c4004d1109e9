// Package spec reads a project's gen.yaml: YAML nodes are decoded strictly, given their defaults,
// validated as a whole and handed on as a read-only [Spec] in which every entry knows where it stands.
package spec

import "streamgen/internal/diag"

// Spec is a validated spec with every default filled in. Readers must not change it.
type Spec struct {
	// Version of the spec's format; 1 is the only one.
	Version int
	// Project names what belongs together in AWS; it becomes the tag "Project".
	Project string
	// Region is the AWS region, such as "us-east-1".
	Region string
	// Tables and Handlers stand in the order of the file.
	Tables   []Table
	Handlers []Handler
	// Tags go on every resource that takes tags, sorted by key.
	Tags []Tag
	// Origin is the top level of the file.
	Origin Origin
}

// Table returns the table of that name.
func (s *Spec) Table(name string) (Table, bool) {
	for _, t := range s.Tables {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}

// Origin is where an entry stands in the spec.
type Origin struct {
	// Path is the entry's place in the document, such as "tables.orders"; empty for the top level.
	Path string
	// Pos is the position of the entry's own key.
	Pos diag.Position
	// Keys gives the position of each key that the entry sets, by the key's name. A spec key has the name of the
	// AWS provider's argument, so a message of terraform about an argument finds its line here.
	Keys map[string]diag.Position
}

// Table is one DynamoDB table.
type Table struct {
	// Name is the table's key in the spec and its name in AWS.
	Name string
	// HashKey and RangeKey name attributes; RangeKey is empty when the table has none.
	HashKey, RangeKey string
	// Attributes are all typed attributes in the order of the file, keys among them.
	Attributes []Attribute
	// BillingMode is "PAY_PER_REQUEST".
	BillingMode string
	// StreamViewType is KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES; empty when the table has no stream.
	StreamViewType string
	// GlobalSecondaryIndexes stand in the order of the file.
	GlobalSecondaryIndexes []GlobalSecondaryIndex
	// PointInTimeRecovery is on unless the spec says otherwise.
	PointInTimeRecovery bool
	// DeletionProtection is on unless the spec says otherwise. An environment may turn it off.
	DeletionProtection bool
	Origin             Origin
}

// Attribute returns the attribute of that name.
func (t Table) Attribute(name string) (Attribute, bool) {
	for _, a := range t.Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// Attribute is one typed attribute of a table's items.
type Attribute struct {
	Name string
	Type AttributeType
	Pos  diag.Position
}

// AttributeType is a DynamoDB type descriptor.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
type AttributeType string

// The attribute types that a spec may name. Only S, N and B may be keys.
const (
	String    AttributeType = "S"
	Number    AttributeType = "N"
	Binary    AttributeType = "B"
	Bool      AttributeType = "BOOL"
	StringSet AttributeType = "SS"
	NumberSet AttributeType = "NS"
	BinarySet AttributeType = "BS"
)

// GlobalSecondaryIndex is one global secondary index of a table.
type GlobalSecondaryIndex struct {
	Name              string
	HashKey, RangeKey string
	// ProjectionType is ALL, KEYS_ONLY or INCLUDE; NonKeyAttributes is set with INCLUDE only.
	ProjectionType   string
	NonKeyAttributes []string
	Pos              diag.Position
	// Keys gives the position of each key that the index sets, as in [Origin].
	Keys map[string]diag.Position
}

// Handler is one Lambda function with its event source mapping.
type Handler struct {
	// Name is the handler's key in the spec, its folder under handlers/ and the function's name in AWS.
	Name string
	// Table names the table whose stream the handler reads.
	Table string
	// Description of the function; may be empty.
	Description string
	// MemorySize is in MB, 128 to 10,240; Timeout in seconds, 1 to 900.
	MemorySize, Timeout int
	// RetentionInDays is how long the function's log group keeps its events.
	RetentionInDays int
	// StartingPosition is TRIM_HORIZON or LATEST.
	StartingPosition string
	// BatchSize is the number of records an invocation gets at most, 1 to 10,000.
	BatchSize int
	// Environment holds the function's variables, sorted by key.
	Environment []Variable
	Origin      Origin
}

// Variable is one environment variable of a function.
type Variable struct{ Name, Value string }

// Tag is one tag of a resource.
type Tag struct{ Key, Value string }
