package dynamodb

import (
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type attributeDefinition struct {
	AttributeName string
	AttributeType string
}

type keySchemaElement struct {
	AttributeName string
	KeyType       engine.Role
}

type projection struct {
	ProjectionType   string   `json:",omitempty"`
	NonKeyAttributes []string `json:",omitempty"`
}

type streamSpecification struct {
	StreamEnabled  *bool  `json:",omitempty"`
	StreamViewType string `json:",omitempty"`
}

type secondaryIndex struct {
	IndexName  string
	KeySchema  []keySchemaElement
	Projection *projection
}

type globalIndex struct {
	secondaryIndex
	capacityInput
}

type tag struct{ Key, Value string }

type billingModeSummary struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime wire.EpochSeconds
}

type tableClassSummary struct {
	LastUpdateDateTime *wire.EpochSeconds `json:",omitempty"`
	TableClass         string
}

type restoreSummary struct {
	RestoreDateTime   wire.EpochSeconds
	RestoreInProgress bool
	SourceBackupArn   string
	SourceTableArn    string
}

type tableDescription struct {
	capacityDescription
	AttributeDefinitions      []attributeDefinition
	BillingModeSummary        *billingModeSummary `json:",omitempty"`
	CreationDateTime          wire.EpochSeconds
	DeletionProtectionEnabled bool
	GlobalSecondaryIndexes    []indexDescription `json:",omitempty"`
	GlobalTableVersion        string             `json:",omitempty"`
	ItemCount                 int
	LocalSecondaryIndexes     []localIndexDescription `json:",omitempty"`
	KeySchema                 []keySchemaElement
	LatestStreamArn           string               `json:",omitempty"`
	LatestStreamLabel         string               `json:",omitempty"`
	MultiRegionConsistency    string               `json:",omitempty"`
	Replicas                  []replicaDescription `json:",omitempty"`
	RestoreSummary            *restoreSummary      `json:",omitempty"`
	SSEDescription            *sseDescription      `json:",omitempty"`
	StreamSpecification       *streamSpecification `json:",omitempty"`
	TableArn                  string
	TableClassSummary         *tableClassSummary `json:",omitempty"`
	TableId                   string
	TableName                 string
	TableSizeBytes            int
	TableStatus               string
}

// localIndexDescription tells of an index that has neither a status nor a capacity beside its table's.
type localIndexDescription struct {
	IndexArn       string
	IndexName      string
	IndexSizeBytes int
	ItemCount      int
	KeySchema      []keySchemaElement
	Projection     projection
}

type indexDescription struct {
	localIndexDescription
	capacityDescription
	IndexStatus string
}

// The statuses of tables and indexes. Only answers to the request that makes the change tell of the passing ones: whatever is
// asked afterwards finds the change done.
const (
	statusActive   = "ACTIVE"
	statusCreating = "CREATING"
	statusUpdating = "UPDATING"
	statusDeleting = "DELETING"
)

func describe(d engine.Description) *tableDescription {
	out := &tableDescription{
		capacityDescription:       describeCapacity(d.Settings.Capacity, d.Settings.OnDemand),
		BillingModeSummary:        describeBilling(d.Settings),
		CreationDateTime:          wire.EpochSeconds(d.Created),
		DeletionProtectionEnabled: d.Settings.DeletionProtection,
		ItemCount:                 d.Items,
		KeySchema:                 keySchema(d.Keys),
		LatestStreamArn:           d.StreamARN,
		LatestStreamLabel:         d.StreamLabel,
		SSEDescription:            describeEncryption(d.Settings.Encryption),
		TableArn:                  d.ARN,
		TableId:                   tableID(d),
		TableName:                 d.Name,
		TableSizeBytes:            d.Bytes,
		TableStatus:               statusActive,
	}
	if class := d.Settings.Class; class.Name != "" {
		out.TableClassSummary = &tableClassSummary{LastUpdateDateTime: wire.Moment(class.Changed), TableClass: class.Name}
	}
	if from := d.Settings.Restored; from.BackupARN != "" {
		out.RestoreSummary = &restoreSummary{RestoreDateTime: wire.EpochSeconds(from.At), SourceBackupArn: from.BackupARN, SourceTableArn: from.TableARN}
	}
	for _, a := range d.Attributes {
		out.AttributeDefinitions = append(out.AttributeDefinitions, attributeDefinition{AttributeName: a.Name, AttributeType: a.Type.String()})
	}
	for _, ix := range d.Indexes {
		index := localIndexDescription{
			IndexArn: ix.ARN, IndexName: ix.Name, IndexSizeBytes: ix.Bytes, ItemCount: ix.Items, KeySchema: keySchema(ix.Keys),
			Projection: projection{ProjectionType: ix.Projection.Type, NonKeyAttributes: ix.Projection.NonKey},
		}
		if ix.Local {
			out.LocalSecondaryIndexes = append(out.LocalSecondaryIndexes, index)
			continue
		}
		out.GlobalSecondaryIndexes = append(out.GlobalSecondaryIndexes, indexDescription{
			localIndexDescription: index, IndexStatus: statusActive,
			capacityDescription: describeCapacity(d.Settings.Indexes[ix.Name], d.Settings.OnDemand),
		})
	}
	out.describeReplicas(d.Global)
	if d.View != "" {
		enabled := true
		out.StreamSpecification = &streamSpecification{StreamEnabled: &enabled, StreamViewType: d.View}
	}
	return out
}

// describeBilling is nil for a table that was never an on-demand one.
func describeBilling(s engine.Settings) *billingModeSummary {
	if s.OnDemandSince.IsZero() {
		return nil
	}
	return &billingModeSummary{BillingMode: billingMode(s), LastUpdateToPayPerRequestDateTime: wire.EpochSeconds(s.OnDemandSince)}
}

func billingMode(s engine.Settings) string {
	if s.OnDemand {
		return payPerRequest
	}
	return provisioned
}

func tableID(d engine.Description) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s#%d", d.ARN, d.Created.UnixNano())).String()
}

func keySchema(keys []engine.KeyElement) []keySchemaElement {
	out := make([]keySchemaElement, len(keys))
	for i, k := range keys {
		out[i] = keySchemaElement{AttributeName: k.Name, KeyType: k.Role}
	}
	return out
}

// passing gives the table another status, and the indexes that are not yet or no more there theirs.
func (d *tableDescription) passing(status string) *tableDescription {
	d.TableStatus = status
	if status == statusCreating {
		d.WarmThroughput = nil
		for i := range d.GlobalSecondaryIndexes {
			d.GlobalSecondaryIndexes[i].IndexStatus = statusCreating
			d.GlobalSecondaryIndexes[i].WarmThroughput = nil
		}
	}
	return d
}

type createTableInput struct {
	capacityInput
	TableName                 string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keySchemaElement
	BillingMode               string
	GlobalSecondaryIndexes    *[]globalIndex
	LocalSecondaryIndexes     *[]secondaryIndex
	StreamSpecification       *streamSpecification
	SSESpecification          *sseSpecification
	TableClass                string
	DeletionProtectionEnabled bool
	Tags                      []tag
	ResourcePolicy            *string
}

type tableOutput struct {
	TableDescription *tableDescription
}

func (s service) createTable(in *createTableInput) (*tableOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	create, err := in.create()
	if err != nil {
		return nil, err
	}
	if in.ResourcePolicy != nil {
		if err := s.checkPolicy(create.Policy); err != nil {
			return nil, err
		}
	}
	d, err := s.engine.CreateTable(create)
	if err != nil {
		return nil, err
	}
	return &tableOutput{TableDescription: describe(d).passing(statusCreating)}, nil
}

func (in *createTableInput) check() error {
	if err := checkTableName(in.TableName); err != nil {
		return err
	}
	constraints := append([]constraint{required("attributeDefinitions", in.AttributeDefinitions != nil)}, definitionConstraints(in.AttributeDefinitions)...)
	constraints = append(constraints, tableName(in.TableName), billingModes(in.BillingMode), tableClasses(in.TableClass))
	constraints = append(constraints, in.constraints("")...)
	constraints = append(constraints, keySchemaConstraints("keySchema", in.KeySchema, 2)...)
	if in.LocalSecondaryIndexes != nil {
		for i, ix := range *in.LocalSecondaryIndexes {
			constraints = append(constraints, indexConstraints(fmt.Sprintf("localSecondaryIndexes.%d.member", i+1), ix)...)
		}
	}
	if in.GlobalSecondaryIndexes != nil {
		for i, ix := range *in.GlobalSecondaryIndexes {
			constraints = append(constraints, globalConstraints(fmt.Sprintf("globalSecondaryIndexes.%d.member", i+1), ix)...)
		}
	}
	if err := check(constraints...); err != nil {
		return err
	}
	switch {
	case in.BillingMode == payPerRequest && in.ProvisionedThroughput != nil:
		return invalidParameters("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case in.BillingMode != payPerRequest && in.ProvisionedThroughput == nil:
		return invalidParameters("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case in.LocalSecondaryIndexes != nil && len(*in.LocalSecondaryIndexes) == 0:
		return invalidParameters("List of LocalSecondaryIndexes is empty")
	case in.GlobalSecondaryIndexes != nil && len(*in.GlobalSecondaryIndexes) == 0:
		return invalidParameters("List of GlobalSecondaryIndexes is empty")
	default:
		return nil
	}
}

func (in *createTableInput) create() (c engine.CreateTable, err error) {
	c = engine.CreateTable{
		Name: in.TableName, Attributes: definitions(in.AttributeDefinitions), Keys: keyElements(in.KeySchema),
		Class: class(in.TableClass), DeletionProtection: in.DeletionProtectionEnabled,
	}
	if c.Capacity, err = in.change(); err != nil {
		return c, err
	}
	if in.LocalSecondaryIndexes != nil {
		for _, ix := range *in.LocalSecondaryIndexes {
			index := ix.index()
			index.Local = true
			c.Indexes = append(c.Indexes, index)
		}
	}
	if in.GlobalSecondaryIndexes != nil {
		for _, ix := range *in.GlobalSecondaryIndexes {
			capacity, err := ix.change()
			if err != nil {
				return c, err
			}
			c.Indexes = append(c.Indexes, ix.index())
			c.IndexCapacities = append(c.IndexCapacities, engine.IndexCapacity{Name: ix.IndexName, CapacityChange: capacity})
		}
	}
	encryption, err := in.SSESpecification.encryption()
	if err != nil {
		return c, err
	}
	if encryption != nil {
		c.Encryption = *encryption
	}
	if c.View, err = in.StreamSpecification.view(); err != nil {
		return c, err
	}
	if in.ResourcePolicy != nil {
		c.Policy = *in.ResourcePolicy
	}
	c.Tags, err = tagMap(in.Tags)
	return c, err
}

// class is the class that a new table is created with: the standard one needs no name.
func class(name string) string {
	if name == "STANDARD" {
		return ""
	}
	return name
}

func billingModes(value string) constraint {
	return oneOf("billingMode", value, provisioned, payPerRequest)
}

func tableClasses(value string) constraint {
	return oneOf("tableClass", value, tableClassNames()...)
}

func tableClassNames() []string { return []string{"STANDARD", "STANDARD_INFREQUENT_ACCESS"} }

// Limits of the API. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
const (
	maxKeyName      = 255 // characters
	maxIndexKeys    = 8   // attributes of an index's key; a table's has 2 at most
	maxNonKeysOfOne = 20  // attributes that one index projects, besides keys
)

func keySchemaConstraints(member string, keys []keySchemaElement, most int) []constraint {
	if keys == nil {
		return []constraint{required(member, false)}
	}
	constraints := []constraint{length(member, keys, len(keys), 1, most)}
	for i, k := range keys {
		at := fmt.Sprintf("%s.%d.member.", member, i+1)
		constraints = append(constraints,
			required(at+"attributeName", k.AttributeName != ""),
			length(at+"attributeName", k.AttributeName, utf8.RuneCountInString(k.AttributeName), 0, maxKeyName),
			required(at+"keyType", k.KeyType != ""),
			oneOf(at+"keyType", k.KeyType, engine.Hash, engine.Range))
	}
	return constraints
}

// definitionConstraints are those of what defines attributes; that they are given is asked of a new table alone.
func definitionConstraints(definitions []attributeDefinition) []constraint {
	var constraints []constraint
	for i, a := range definitions {
		at := fmt.Sprintf("attributeDefinitions.%d.member.", i+1)
		constraints = append(constraints,
			required(at+"attributeName", a.AttributeName != ""),
			length(at+"attributeName", a.AttributeName, utf8.RuneCountInString(a.AttributeName), 0, maxKeyName),
			required(at+"attributeType", a.AttributeType != ""),
			oneOf(at+"attributeType", a.AttributeType, "B", "N", "S"))
	}
	return constraints
}

func indexConstraints(member string, ix secondaryIndex) []constraint {
	constraints := append(named(member+".indexName", ix.IndexName), keySchemaConstraints(member+".keySchema", ix.KeySchema, maxIndexKeys)...)
	constraints = append(constraints, required(member+".projection", ix.Projection != nil))
	if p := ix.Projection; p != nil {
		constraints = append(constraints, oneOf(member+".projection.projectionType", p.ProjectionType, "ALL", "INCLUDE", "KEYS_ONLY"))
		if p.NonKeyAttributes != nil {
			constraints = append(constraints, length(member+".projection.nonKeyAttributes", p.NonKeyAttributes, len(p.NonKeyAttributes), 1, maxNonKeysOfOne))
		}
	}
	return constraints
}

func globalConstraints(member string, ix globalIndex) []constraint {
	return append(indexConstraints(member, ix.secondaryIndex), ix.constraints(member+".")...)
}

func (ix secondaryIndex) index() engine.Index {
	return engine.Index{
		Name: ix.IndexName, Keys: keyElements(ix.KeySchema),
		Projection: engine.Projection{Type: ix.Projection.ProjectionType, NonKey: ix.Projection.NonKeyAttributes},
	}
}

func definitions(in []attributeDefinition) []engine.AttributeDefinition {
	out := make([]engine.AttributeDefinition, len(in))
	for i, a := range in {
		t, _ := attr.ParseType(a.AttributeType) // one of three: see definitionConstraints
		out[i] = engine.AttributeDefinition{Name: a.AttributeName, Type: t}
	}
	return out
}

func keyElements(in []keySchemaElement) []engine.KeyElement {
	out := make([]engine.KeyElement, len(in))
	for i, k := range in {
		out[i] = engine.KeyElement{Name: k.AttributeName, Role: k.KeyType}
	}
	return out
}

// view checks a StreamSpecification, which may be nil, and gives its view type, "" for no stream.
func (spec *streamSpecification) view() (string, error) {
	if spec == nil {
		return "", nil
	}
	if err := check(
		required("streamSpecification.streamEnabled", spec.StreamEnabled != nil),
		oneOf("streamSpecification.streamViewType", spec.StreamViewType, "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"),
	); err != nil {
		return "", err
	}
	switch {
	case *spec.StreamEnabled && spec.StreamViewType == "":
		return "", wire.Errorf("ValidationException", "One or more parameter values were invalid: Stream ViewType must not be null or empty when enabling streams.")
	case !*spec.StreamEnabled && spec.StreamViewType != "":
		return "", wire.Errorf("ValidationException", "One or more parameter values were invalid: Stream StreamEnabled was false but a StreamViewType was present.")
	default:
		return spec.StreamViewType, nil
	}
}

type tableInput struct{ TableName string }

type describeTableOutput struct{ Table *tableDescription }

func (s service) describeTable(in *tableInput) (*describeTableOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	d, err := s.engine.DescribeTable(in.TableName)
	if err != nil {
		return nil, err
	}
	return &describeTableOutput{Table: describe(d)}, nil
}

func (s service) deleteTable(in *tableInput) (*tableOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	d, err := s.engine.DeleteTable(in.TableName)
	if err != nil {
		return nil, err
	}
	return &tableOutput{TableDescription: describe(d).passing(statusDeleting)}, nil
}

type listTablesInput struct {
	ExclusiveStartTableName string
	Limit                   *int
}

type listTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName string `json:",omitempty"`
}

func (s service) listTables(in *listTablesInput) (*listTablesOutput, error) {
	const most = 100
	constraints := []constraint{between("limit", in.Limit, 1, most)}
	if in.ExclusiveStartTableName != "" {
		constraints = append(constraints, named("exclusiveStartTableName", in.ExclusiveStartTableName)...)
	}
	if err := check(constraints...); err != nil {
		return nil, err
	}
	limit := most
	if in.Limit != nil {
		limit = *in.Limit
	}
	names, last := s.engine.ListTables(in.ExclusiveStartTableName, limit)
	if names == nil {
		names = []string{}
	}
	return &listTablesOutput{TableNames: names, LastEvaluatedTableName: last}, nil
}

type describeLimitsOutput struct {
	AccountMaxReadCapacityUnits  int
	AccountMaxWriteCapacityUnits int
	TableMaxReadCapacityUnits    int
	TableMaxWriteCapacityUnits   int
}

// describeLimits gives the quotas of a new account.
func (service) describeLimits(*struct{}) (*describeLimitsOutput, error) {
	return &describeLimitsOutput{
		AccountMaxReadCapacityUnits: 80000, AccountMaxWriteCapacityUnits: 80000,
		TableMaxReadCapacityUnits: 40000, TableMaxWriteCapacityUnits: 40000,
	}, nil
}
