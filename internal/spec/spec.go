// Package spec reads a project's gen.yaml: YAML nodes are decoded strictly, given their defaults,
// validated as a whole and handed on as a read-only [Spec] in which every entry knows where it stands.
package spec

import (
	"slices"

	"streamgen/internal/diag"
	"streamgen/internal/filter"
)

// Spec is a validated spec with every default filled in. Readers must not change it.
type Spec struct {
	// Version of the spec's format; 1 is the only one.
	Version int
	// Project names what belongs together in AWS; it becomes the tag "Project".
	Project string
	// Profile is "standard" or "minimal"; its effect is already in the defaults of the entries.
	Profile string
	// Settings are those of the spec itself, which hold where no environment is chosen.
	Settings
	// SNSTopic is the name of the topic that gen creates for alarms; empty for none. AlarmActions are ARNs that
	// alarms notify beside it.
	SNSTopic     string
	AlarmActions []string
	// Tables and Handlers stand in the order of the file.
	Tables   []Table
	Handlers []Handler
	// Destroy are tables, queues and buckets that left the spec and may be destroyed, such as "table.orders".
	Destroy []string
	// Environments stand in the order of the file.
	Environments []Environment
	// Terraform is what applies the project.
	Terraform Terraform
	// Origin is the top level of the file.
	Origin Origin
}

// Terraform chooses the program that applies a project.
type Terraform struct {
	// Binary is "terraform" or "tofu".
	Binary string
	// Version is the only version to use, such as "1.12.6"; empty for every one that gen supports.
	Version string
}

// Settings are where and under which names a spec is applied. Each environment has its own.
type Settings struct {
	// Region is the AWS region, such as "us-east-1".
	Region string
	// AllowedAccountIDs are the only accounts that terraform may work in; empty for any.
	AllowedAccountIDs []string
	// NamePrefix stands before every name in AWS; may be empty.
	NamePrefix string
	// Backend is where terraform's state is kept.
	Backend Backend
	// Tags go on every resource that takes tags, sorted by key.
	Tags []Tag
}

// Backend is a backend block of terraform. https://developer.hashicorp.com/terraform/language/backend
type Backend struct {
	// Type is local, s3, gcs, azurerm, http or remote; empty for gen's own local state.
	Type string
	// Settings are the block's arguments in the order of the file; none of them is a secret.
	Settings []BackendSetting
	Pos      diag.Position
}

// BackendSetting is one argument of a backend: a string, an int, a bool, or a list of further settings for a block.
type BackendSetting struct {
	Key   string
	Value any
}

// Environment is one of the places that the same HCL is applied to.
type Environment struct {
	Name string
	// Settings are the environment's own, with those of the spec where it sets none. Tags are both.
	Settings
	// Tables and Handlers are all those of the spec, in the same order, as they are in this environment.
	Tables   []Table
	Handlers []Handler
	// Overrides are the keys that the environment sets, in the order of the file.
	Overrides []Override
	Origin    Origin
}

// Override is one key of a table or handler that an environment sets.
type Override struct {
	// Entry is the entry's path, such as "handlers.ship"; Key the key below it, such as "memory_size" or
	// "point_in_time_recovery.enabled".
	Entry, Key string
	Pos        diag.Position
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
	// Keys gives the position of each key that the entry sets, by its path below the entry, such as "batch_size" or
	// "ttl.enabled". A spec key has the name of the AWS provider's argument, so a message of terraform about an argument
	// finds its line here.
	Keys map[string]diag.Position
}

// Table is one DynamoDB table.
type Table struct {
	// Name is the table's key in the spec.
	Name string
	// TableName is the table's name in AWS, before the environment's prefix: the key "name", else Name.
	TableName string
	// HashKey and RangeKey name attributes; RangeKey is empty when the table has none.
	HashKey, RangeKey string
	// Attributes are all typed attributes in the order of the file, keys among them.
	Attributes []Attribute
	// UnknownAttributes is what an item does with attributes that are not typed: skip or keep.
	UnknownAttributes string
	// BillingMode is "PAY_PER_REQUEST" or "PROVISIONED".
	BillingMode string
	// Capacity holds for PROVISIONED alone, Autoscaling likewise.
	Capacity    Capacity
	Autoscaling Autoscaling
	// OnDemandThroughput is the most that PAY_PER_REQUEST grows to.
	OnDemandThroughput OnDemandThroughput
	WarmThroughput     WarmThroughput
	// TableClass is STANDARD or STANDARD_INFREQUENT_ACCESS.
	TableClass string
	// TTLAttribute holds the second at which an item expires; empty when items do not expire. TTLEnabled is false when the
	// spec names the attribute and turns expiry off.
	TTLAttribute string
	TTLEnabled   bool
	// PointInTimeRecovery is on unless the spec says otherwise; RecoveryPeriodInDays is 1 to 35.
	PointInTimeRecovery  bool
	RecoveryPeriodInDays int
	// ServerSideEncryption is KMS encryption: with the account's key aws/dynamodb, or with KMSKeyARN where it is set. Without
	// it DynamoDB encrypts with a key of its own.
	ServerSideEncryption bool
	KMSKeyARN            string
	// DeletionProtection is on unless the spec says otherwise. An environment may turn it off.
	DeletionProtection bool
	// PreventDestroy makes terraform refuse every plan that deletes the table.
	PreventDestroy bool
	// StreamViewType is KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES; empty when the table has no stream.
	StreamViewType string
	// GlobalSecondaryIndexes and LocalSecondaryIndexes stand in the order of the file.
	GlobalSecondaryIndexes []GlobalSecondaryIndex
	LocalSecondaryIndexes  []LocalSecondaryIndex
	// Replicas are the table's copies in other regions.
	Replicas            []Replica
	ContributorInsights ContributorInsights
	// ResourcePolicy is who else may use the table; no statement has Resources, which are the table and its indexes.
	ResourcePolicy []Statement
	Tags           []Tag
	// Existing is set for a table that is read and not made. With StreamARN only its stream is known.
	Existing  bool
	StreamARN string
	// Import adopts a table that is there into terraform's state.
	Import bool
	// RenamedFrom is the entry's key before it was renamed; empty when it was not.
	RenamedFrom string
	// Stack is the stack that the table is applied with; empty for the main one.
	Stack string
	// NewStream is set for a table that had a stream of another view type before, by what the manifest remembers: its stream begins
	// with changes that no handler has seen.
	NewStream bool
	Origin    Origin
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
	// Name is empty for the element of a list or of a map.
	Name string
	Type AttributeType
	// Optional attributes may be absent, and code can tell.
	Optional bool
	// Sensitive values of key attributes are hidden in the log.
	Sensitive bool
	// Number is the Go type of an N: decimal, int64 or float64.
	Number string
	// Attributes are those of a map (M) that is a structure. Of is the type of the elements of a list (L) and of a map whose names
	// are data. A list has Of, a map has one of the two.
	Attributes []Attribute
	Of         *Attribute
	Pos        diag.Position
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
	Null      AttributeType = "NULL"
	Map       AttributeType = "M"
	List      AttributeType = "L"
	StringSet AttributeType = "SS"
	NumberSet AttributeType = "NS"
	BinarySet AttributeType = "BS"
)

// Capacity is provisioned throughput in units per second; zero where it is not set.
type Capacity struct{ Read, Write int }

// Autoscaling keeps provisioned capacity at a target; a policy is the zero value where there is none.
type Autoscaling struct{ Read, Write ScalingPolicy }

// ScalingPolicy is target tracking of a table's or index's capacity.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
type ScalingPolicy struct {
	MinCapacity, MaxCapacity int
	// TargetValue is the utilisation to keep, in percent, 20 to 90.
	TargetValue int
	// ScaleInCooldown and ScaleOutCooldown are in seconds.
	ScaleInCooldown, ScaleOutCooldown int
}

// OnDemandThroughput is in request units per second; zero is no limit.
type OnDemandThroughput struct{ MaxReadRequestUnits, MaxWriteRequestUnits int }

// WarmThroughput is what a table takes at once; zero leaves it to AWS.
type WarmThroughput struct{ ReadUnitsPerSecond, WriteUnitsPerSecond int }

// GlobalSecondaryIndex is one global secondary index of a table.
type GlobalSecondaryIndex struct {
	Name string
	// HashKeys are one to four attributes, RangeKeys none to four.
	HashKeys, RangeKeys []string
	// ProjectionType is ALL, KEYS_ONLY or INCLUDE; NonKeyAttributes is set with INCLUDE only.
	ProjectionType   string
	NonKeyAttributes []string
	// Capacity and Autoscaling hold for PROVISIONED tables alone.
	Capacity            Capacity
	Autoscaling         Autoscaling
	OnDemandThroughput  OnDemandThroughput
	WarmThroughput      WarmThroughput
	ContributorInsights ContributorInsights
	Pos                 diag.Position
	// Keys gives the position of each key that the index sets, as in [Origin].
	Keys map[string]diag.Position
}

// LocalSecondaryIndex is one local secondary index of a table; its hash key is the table's.
type LocalSecondaryIndex struct {
	Name             string
	RangeKey         string
	ProjectionType   string
	NonKeyAttributes []string
	Pos              diag.Position
	Keys             map[string]diag.Position
}

// Replica is a table's copy in another region.
type Replica struct {
	RegionName string
	// KMSKeyARN is a key of the replica's region.
	KMSKeyARN           string
	PointInTimeRecovery bool
	DeletionProtection  bool
	PropagateTags       bool
	// ConsistencyMode is EVENTUAL or STRONG.
	ConsistencyMode string
	Pos             diag.Position
	Keys            map[string]diag.Position
}

// ContributorInsights counts the keys that are used most.
type ContributorInsights struct {
	Enabled bool
	// Mode is ACCESSED_AND_THROTTLED_KEYS or THROTTLED_KEYS.
	Mode string
}

// Statement is one IAM statement that allows actions.
type Statement struct {
	SID        string
	Actions    []string
	Resources  []string
	Principals []string
	Conditions []Condition
	Pos        diag.Position
}

// Condition is one condition of a statement, in the words of the data source aws_iam_policy_document.
type Condition struct {
	Test, Variable string
	Values         []string
}

// Handler is one Lambda function with its event source mappings.
type Handler struct {
	// Name is the handler's key in the spec and its folder under handlers/.
	Name string
	// FunctionName is the function's name in AWS, before the environment's prefix: the key "function_name", else Name.
	FunctionName string
	// RenamedFrom is the entry's key before it was renamed; empty when it was not.
	RenamedFrom string
	// Stack is the stack that the handler is applied with; empty for the main one.
	Stack string
	// Description of the function; may be empty.
	Description string
	// MemorySize is in MB, 128 to 10,240; Timeout in seconds, 1 to 900; EphemeralStorage, the size of /tmp, in MB, 512 to 10,240.
	MemorySize, Timeout, EphemeralStorage int
	// Architecture is "arm64" or "x86_64".
	Architecture string
	// Environment holds the function's variables, sorted by name. KMSKeyARN encrypts them; empty for Lambda's own key.
	Environment []Variable
	KMSKeyARN   string
	VPC         VPC
	// TracingMode is "Active" or "PassThrough"; empty when tracing is not set.
	TracingMode string
	// ReservedConcurrentExecutions is -1 when none are reserved.
	ReservedConcurrentExecutions int
	// ProvisionedConcurrentExecutions is 0 for none; it needs an Alias.
	ProvisionedConcurrentExecutions int
	// Alias is the alias that points to the version published last and that the mappings invoke; empty for none.
	Alias string
	// Constructor is set for a handler that its function New makes.
	Constructor bool
	// EMFMetrics is on unless the function must write no metrics into its log.
	EMFMetrics bool
	// ParkingQueue takes in the records that the handler parks.
	ParkingQueue ParkingQueue
	// Idempotency notes in a table which records are done.
	Idempotency bool
	// Layers are ARNs of layer versions, five at most.
	Layers   []string
	LogGroup LogGroup
	Logging  Logging
	Tags     []Tag
	// Allow are further statements for the function's role.
	Allow []Statement
	// Reads and Writes name tables of the spec that the function uses.
	Reads, Writes []string
	Alarms        Alarms
	// Sources are the tables whose streams the function reads, at least one, in the order of the file.
	Sources []Source
	Origin  Origin
}

// Variable is one environment variable of a function. One of Value, SSMParameter and Secret is set, or Value is empty. Of the
// latter two the variable holds the ARN, and the role may read it: the value itself is in no file.
type Variable struct {
	Name, Value string
	// SSMParameter is the name of a parameter, such as "/shop/key"; Secret the ARN of a secret.
	SSMParameter, Secret string
	// KMSKeyARN is the customer key that the parameter or secret is encrypted with; may be empty.
	KMSKeyARN string
	Pos       diag.Position
}

// VPC is where a function's network interfaces are; it has none where SubnetIDs is empty.
type VPC struct {
	SubnetIDs, SecurityGroupIDs []string
	IPv6AllowedForDualStack     bool
}

// LogGroup is a function's log group.
type LogGroup struct {
	// RetentionInDays is one of the values that CloudWatch Logs takes.
	RetentionInDays int
	// KMSKeyID is the ARN of a key; may be empty. Class is STANDARD or INFREQUENT_ACCESS.
	KMSKeyID, Class string
}

// Logging is the form of a function's log. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-logs.html
type Logging struct {
	// Format is Text or JSON; the levels are set with JSON only.
	Format                              string
	ApplicationLogLevel, SystemLogLevel string
}

// Alarms are a handler's alarms in CloudWatch.
type Alarms struct {
	Enabled bool
	// IteratorAge is in milliseconds, the others are counts; an alarm goes off above its threshold.
	IteratorAge, Errors, Throttles, FailureQueue, ParkingQueue int
}

// ParkingQueue is the queue of the records that a handler parks.
type ParkingQueue struct {
	Enabled bool
	// MessageRetention is in seconds, 60 to 1,209,600.
	MessageRetention int
	// KMSKeyARN encrypts the queue; empty for the key that SQS owns.
	KMSKeyARN string
}

// Source is one table's stream as a handler reads it: the event source mapping.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
type Source struct {
	// Table names a table of the spec.
	Table string
	// StartingPosition is TRIM_HORIZON or LATEST.
	StartingPosition string
	// BatchSize is the number of records an invocation gets at most, 1 to 10,000; MaximumBatchingWindow how many seconds are
	// waited for them, 0 to 300.
	BatchSize, MaximumBatchingWindow int
	// ParallelizationFactor is how many batches of a shard are under way at once, 1 to 10.
	ParallelizationFactor int
	// BisectBatchOnFunctionError splits a failed batch in two.
	BisectBatchOnFunctionError bool
	// MaximumRetryAttempts is 0 to 10,000 and MaximumRecordAge 60 to 604,800 seconds; -1 is without end.
	MaximumRetryAttempts, MaximumRecordAge int
	// TumblingWindow is 0 to 900 seconds; 0 is none.
	TumblingWindow int
	// Handle is what the handler's function gets: change, one after the other, or batch.
	Handle string
	// MaxConcurrency is how many changes of different items are handled at the same time, 1 to 1,000.
	MaxConcurrency int
	// ReportBatchItemFailures is on unless function_response_types is an empty list.
	ReportBatchItemFailures bool
	// EventCount asks for the mapping's metrics.
	EventCount bool
	Enabled    bool
	// On are the changes that are wanted; empty for all. Changed are attributes of which one must differ in a modification.
	On      []filter.Kind
	Changed []string
	// Where is what the attributes of a wanted change meet.
	Where Where
	// Patterns are raw filter patterns, JSON each. FilterKMSKeyARN encrypts all of the mapping's patterns.
	Patterns        []string
	FilterKMSKeyARN string
	OnFailure       OnFailure
	// Origin is the entry below the handler's "tables", or the handler itself.
	Origin Origin
}

// OnFailure is where the mapping reports records that it gives up.
type OnFailure struct {
	// Type is "sqs", "sns" or "s3" for a destination that gen creates for the handler, "arn" for an existing one and "none".
	Type string
	// ARN is set with Type "arn".
	ARN string
	// KMSKeyARN encrypts the destination; empty for the service's own key.
	KMSKeyARN string
	// MessageRetention is that of a created queue, in seconds.
	MessageRetention int
}

// HoldsData reports whether gen makes something for the handler that holds data, by its kind in the key destroy: queue, bucket, parking,
// idempotency or log_group.
func (h Handler) HoldsData(kind string) bool {
	switch kind {
	case "log_group":
		return true
	case "parking":
		return h.ParkingQueue.Enabled
	case "idempotency":
		return h.Idempotency
	}
	return slices.ContainsFunc(h.Sources, func(s Source) bool { return kind != "" && s.OnFailure.DataKind() == kind })
}

// DataKind is "queue" or "bucket" for a destination that gen creates and that holds data, and empty for any other.
func (o OnFailure) DataKind() string {
	return map[string]string{"sqs": "queue", "s3": "bucket"}[o.Type]
}

// Tag is one tag of a resource.
type Tag struct{ Key, Value string }
