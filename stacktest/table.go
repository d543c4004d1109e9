package stacktest

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/internal/spec"
)

// names are the names in AWS of tables by those in the spec.
type names struct {
	mu    sync.Mutex
	byKey map[string]string
}

// TableName gives the name in AWS of a table that [Stack.CreateTables] made, by its key in the spec. Any other name is itself.
func (s *Stack) TableName(key string) string {
	s.names.mu.Lock()
	defer s.names.mu.Unlock()
	if name, found := s.names.byKey[key]; found {
		return name
	}
	return key
}

// CreateTables makes tables as a gen.yaml describes them: keys, indexes, stream, time to live, tags. The path is relative to the folder
// of the test. keys are those of the tables in the spec; without any, every table is made. Their names in AWS are those of the spec, or
// of the environment that [Environment] chose, see [Stack.TableName].
//
// A table that the spec only reads is made too, since nobody else makes it. Capacity, encryption, replicas, backups and protection,
// which a test does not see, are left out.
func (s *Stack) CreateTables(t testing.TB, file string, keys ...string) {
	t.Helper()
	tables, prefix := s.load(t, file)
	for _, key := range keys {
		if !slices.ContainsFunc(tables, func(table spec.Table) bool { return table.Name == key }) {
			t.Fatalf("%s has no table %q", file, key)
		}
	}
	db := dynamodb.NewFromConfig(s.config)
	for _, table := range tables {
		if len(keys) == 0 || slices.Contains(keys, table.Name) {
			s.createTable(t, db, table, prefix)
		}
	}
}

// load gives the tables of a spec, and what stands before their names.
func (s *Stack) load(t testing.TB, file string) (tables []spec.Table, prefix string) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	project, findings := spec.Load(file, src)
	if project == nil || findings.Failed() {
		var text strings.Builder
		for _, f := range findings {
			text.WriteString("\n" + f.Error())
		}
		t.Fatalf("%s is no valid spec:%s", file, text.String())
	}
	if s.environment == "" {
		return project.Tables, project.NamePrefix
	}
	for _, e := range project.Environments {
		if e.Name == s.environment {
			return e.Tables, e.NamePrefix
		}
	}
	t.Fatalf("%s has no environment %q", file, s.environment)
	return nil, ""
}

func (s *Stack) createTable(t testing.TB, db *dynamodb.Client, table spec.Table, prefix string) {
	t.Helper()
	if table.HashKey == "" {
		t.Fatalf("table %s: the spec knows its stream alone; make it with the keys that it has, and its stream", table.Name)
	}
	name := table.TableName
	if !table.Existing {
		name = prefix + name
	}
	if _, err := db.CreateTable(t.Context(), createTableInput(table, name)); err != nil {
		t.Fatalf("create table %s: %v", name, err)
	}
	if table.TTLAttribute != "" && table.TTLEnabled {
		_, err := db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               &name,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &table.TTLAttribute, Enabled: aws.Bool(true)},
		})
		if err != nil {
			t.Fatalf("time to live of table %s: %v", name, err)
		}
	}
	s.names.mu.Lock()
	defer s.names.mu.Unlock()
	if s.names.byKey == nil {
		s.names.byKey = map[string]string{}
	}
	s.names.byKey[table.Name] = name
}

func createTableInput(table spec.Table, name string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keySchema([]string{table.HashKey}, ranges(table.RangeKey)),
	}
	keyed := append([]string{table.HashKey}, ranges(table.RangeKey)...)
	for _, index := range table.GlobalSecondaryIndexes {
		keyed = slices.Concat(keyed, index.HashKeys, index.RangeKeys)
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &index.Name, KeySchema: keySchema(index.HashKeys, index.RangeKeys), Projection: projection(index.ProjectionType, index.NonKeyAttributes),
		})
	}
	for _, index := range table.LocalSecondaryIndexes {
		keyed = append(keyed, index.RangeKey)
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName: &index.Name, KeySchema: keySchema([]string{table.HashKey}, ranges(index.RangeKey)),
			Projection: projection(index.ProjectionType, index.NonKeyAttributes),
		})
	}
	for _, a := range table.Attributes {
		if slices.Contains(keyed, a.Name) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
				AttributeName: &a.Name, AttributeType: types.ScalarAttributeType(a.Type),
			})
		}
	}
	if table.StreamViewType != "" {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(table.StreamViewType)}
	}
	for _, tag := range table.Tags {
		in.Tags = append(in.Tags, types.Tag{Key: &tag.Key, Value: &tag.Value})
	}
	return in
}

func ranges(key string) []string {
	if key == "" {
		return nil
	}
	return []string{key}
}

func keySchema(hash, ranges []string) (schema []types.KeySchemaElement) {
	for _, name := range hash {
		schema = append(schema, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeHash})
	}
	for _, name := range ranges {
		schema = append(schema, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange})
	}
	return schema
}

func projection(kind string, include []string) *types.Projection {
	return &types.Projection{ProjectionType: types.ProjectionType(kind), NonKeyAttributes: include}
}
