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

type tag struct{ Key, Value string }

// units are what an on-demand table has of provisioned capacity: nothing.
type units struct {
	NumberOfDecreasesToday int
	ReadCapacityUnits      int
	WriteCapacityUnits     int
}

// warmThroughput is what an on-demand table or index without settings of its own can take at once. The numbers are
// AWS's: the terraform provider takes any other for a setting.
type warmThroughput struct {
	ReadUnitsPerSecond  int
	WriteUnitsPerSecond int
	Status              string
}

func onDemandThroughput() *warmThroughput {
	return &warmThroughput{ReadUnitsPerSecond: 12000, WriteUnitsPerSecond: 4000, Status: statusActive}
}

type billingModeSummary struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime wire.EpochSeconds
}

type tableDescription struct {
	AttributeDefinitions      []attributeDefinition
	BillingModeSummary        billingModeSummary
	CreationDateTime          wire.EpochSeconds
	DeletionProtectionEnabled bool
	GlobalSecondaryIndexes    []indexDescription `json:",omitempty"`
	ItemCount                 int
	LocalSecondaryIndexes     []localIndexDescription `json:",omitempty"`
	KeySchema                 []keySchemaElement
	LatestStreamArn           string `json:",omitempty"`
	LatestStreamLabel         string `json:",omitempty"`
	ProvisionedThroughput     units
	StreamSpecification       *streamSpecification `json:",omitempty"`
	TableArn                  string
	TableId                   string
	TableName                 string
	TableSizeBytes            int
	TableStatus               string
	WarmThroughput            *warmThroughput `json:",omitempty"`
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
	IndexStatus           string
	ProvisionedThroughput units
	WarmThroughput        *warmThroughput `json:",omitempty"`
}

// The statuses of tables and indexes. Only answers to the request that makes the change tell of the passing ones: whatever is
// asked afterwards finds the change done.
const (
	statusActive   = "ACTIVE"
	statusCreating = "CREATING"
	statusUpdating = "UPDATING"
	statusDeleting = "DELETING"
)

const payPerRequest = "PAY_PER_REQUEST"

func describe(d engine.Description) *tableDescription {
	out := &tableDescription{
		BillingModeSummary:        billingModeSummary{BillingMode: payPerRequest, LastUpdateToPayPerRequestDateTime: wire.EpochSeconds(d.Created)},
		CreationDateTime:          wire.EpochSeconds(d.Created),
		DeletionProtectionEnabled: d.DeletionProtection,
		ItemCount:                 d.Items,
		KeySchema:                 keySchema(d.Keys),
		LatestStreamArn:           d.StreamARN,
		LatestStreamLabel:         d.StreamLabel,
		TableArn:                  d.ARN,
		TableId:                   uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s#%d", d.ARN, d.Created.UnixNano())).String(),
		TableName:                 d.Name,
		TableSizeBytes:            d.Bytes,
		TableStatus:               statusActive,
		WarmThroughput:            onDemandThroughput(),
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
			localIndexDescription: index, IndexStatus: statusActive, WarmThroughput: onDemandThroughput(),
		})
	}
	if d.View != "" {
		enabled := true
		out.StreamSpecification = &streamSpecification{StreamEnabled: &enabled, StreamViewType: d.View}
	}
	return out
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
	TableName                 string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keySchemaElement
	BillingMode               string
	GlobalSecondaryIndexes    *[]secondaryIndex
	LocalSecondaryIndexes     *[]secondaryIndex
	StreamSpecification       *streamSpecification
	DeletionProtectionEnabled bool
	Tags                      []tag
}

type tableOutput struct {
	TableDescription *tableDescription
}

func (s service) createTable(in *createTableInput) (*tableOutput, error) {
	constraints := []constraint{
		tableName(in.TableName),
		required("attributeDefinitions", in.AttributeDefinitions != nil),
		oneOf("billingMode", in.BillingMode, "PROVISIONED", payPerRequest),
	}
	constraints = append(constraints, keySchemaConstraints("keySchema", in.KeySchema, 2)...)
	constraints = append(constraints, definitionConstraints(in.AttributeDefinitions)...)
	kinds := []struct {
		name, member string
		list         *[]secondaryIndex
		local        bool
	}{
		{"LocalSecondaryIndexes", "localSecondaryIndexes", in.LocalSecondaryIndexes, true},
		{"GlobalSecondaryIndexes", "globalSecondaryIndexes", in.GlobalSecondaryIndexes, false},
	}
	for _, kind := range kinds {
		if kind.list == nil {
			continue
		}
		for i, ix := range *kind.list {
			constraints = append(constraints, indexConstraints(fmt.Sprintf("%s.%d.member", kind.member, i+1), ix)...)
		}
	}
	if err := check(constraints...); err != nil {
		return nil, err
	}
	if in.BillingMode != payPerRequest {
		return nil, wire.NotEmulated("BillingMode PROVISIONED of CreateTable, the default; say BillingMode PAY_PER_REQUEST")
	}
	for _, kind := range kinds {
		if kind.list != nil && len(*kind.list) == 0 {
			return nil, wire.Errorf("ValidationException", "One or more parameter values were invalid: List of %s is empty", kind.name)
		}
	}
	view, err := in.StreamSpecification.view()
	if err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	create := engine.CreateTable{
		Name: in.TableName, Attributes: definitions(in.AttributeDefinitions), Keys: keyElements(in.KeySchema),
		View: view, DeletionProtection: in.DeletionProtectionEnabled, Tags: tags,
	}
	for _, kind := range kinds {
		if kind.list == nil {
			continue
		}
		for _, ix := range *kind.list {
			index := ix.index()
			index.Local = kind.local
			create.Indexes = append(create.Indexes, index)
		}
	}
	d, err := s.engine.CreateTable(create)
	if err != nil {
		return nil, err
	}
	return &tableOutput{TableDescription: describe(d).passing(statusCreating)}, nil
}

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
	constraints := append([]constraint{resourceName(member+".indexName", ix.IndexName)}, keySchemaConstraints(member+".keySchema", ix.KeySchema, maxIndexKeys)...)
	constraints = append(constraints, required(member+".projection", ix.Projection != nil))
	if ix.Projection != nil {
		constraints = append(constraints,
			length(member+".projection.nonKeyAttributes", ix.Projection.NonKeyAttributes, len(ix.Projection.NonKeyAttributes), 0, maxNonKeysOfOne),
			oneOf(member+".projection.projectionType", ix.Projection.ProjectionType, "ALL", "INCLUDE", "KEYS_ONLY"))
	}
	return constraints
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
	if err := check(tableName(in.TableName)); err != nil {
		return nil, err
	}
	d, err := s.engine.DescribeTable(in.TableName)
	if err != nil {
		return nil, err
	}
	return &describeTableOutput{Table: describe(d)}, nil
}

func (s service) deleteTable(in *tableInput) (*tableOutput, error) {
	if err := check(tableName(in.TableName)); err != nil {
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
		constraints = append(constraints, resourceName("exclusiveStartTableName", in.ExclusiveStartTableName))
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
