package conformance_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]ddb.AttributeValue

func str(s string) ddb.AttributeValue { return &ddb.AttributeValueMemberS{Value: s} }
func num(n string) ddb.AttributeValue { return &ddb.AttributeValueMemberN{Value: n} }

// itemOf reads an item in DynamoDB's JSON, in which tests write theirs; "" is no item.
func itemOf(t testing.TB, text string) item {
	t.Helper()
	if text == "" {
		return nil
	}
	var plain map[string]json.RawMessage
	must(t, json.Unmarshal([]byte(text), &plain))
	it := item{}
	for name, v := range plain {
		it[name] = valueOf(t, v)
	}
	return it
}

func valueOf(t testing.TB, text []byte) ddb.AttributeValue {
	t.Helper()
	var v struct {
		S, N, B    *string
		BOOL, NULL *bool
		SS, NS, BS []string
		L          []json.RawMessage
		M          json.RawMessage
	}
	must(t, json.Unmarshal(text, &v))
	switch {
	case v.S != nil:
		return str(*v.S)
	case v.N != nil:
		return num(*v.N)
	case v.B != nil:
		return &ddb.AttributeValueMemberB{Value: bytesOf(t, *v.B)}
	case v.BOOL != nil:
		return &ddb.AttributeValueMemberBOOL{Value: *v.BOOL}
	case v.NULL != nil:
		return &ddb.AttributeValueMemberNULL{Value: *v.NULL}
	case v.SS != nil:
		return &ddb.AttributeValueMemberSS{Value: v.SS}
	case v.NS != nil:
		return &ddb.AttributeValueMemberNS{Value: v.NS}
	case v.BS != nil:
		set := &ddb.AttributeValueMemberBS{}
		for _, b := range v.BS {
			set.Value = append(set.Value, bytesOf(t, b))
		}
		return set
	case v.M != nil:
		return &ddb.AttributeValueMemberM{Value: itemOf(t, string(v.M))}
	default:
		list := &ddb.AttributeValueMemberL{Value: []ddb.AttributeValue{}}
		for _, e := range v.L {
			list.Value = append(list.Value, valueOf(t, e))
		}
		return list
	}
}

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	must(t, err)
	return b
}

// jsonOf is the item in DynamoDB's JSON, with the members of sets in order: what is equal gives the same text. No item gives "".
func jsonOf(t testing.TB, it item) string {
	t.Helper()
	if len(it) == 0 {
		return ""
	}
	text, err := json.Marshal(plainItem(it))
	must(t, err)
	return string(text)
}

// canonical is the form that jsonOf gives an item written by hand.
func canonical(t testing.TB, text string) string { return jsonOf(t, itemOf(t, text)) }

func plainItem(it item) map[string]any {
	plain := map[string]any{}
	for name, v := range it {
		plain[name] = plainValue(v)
	}
	return plain
}

func plainValue(v ddb.AttributeValue) any {
	switch v := v.(type) {
	case *ddb.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *ddb.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *ddb.AttributeValueMemberB:
		return map[string]any{"B": v.Value}
	case *ddb.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *ddb.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *ddb.AttributeValueMemberSS:
		return map[string]any{"SS": slices.Sorted(slices.Values(v.Value))}
	case *ddb.AttributeValueMemberNS:
		return map[string]any{"NS": slices.Sorted(slices.Values(v.Value))}
	case *ddb.AttributeValueMemberBS:
		return map[string]any{"BS": slices.SortedFunc(slices.Values(v.Value), slices.Compare)}
	case *ddb.AttributeValueMemberM:
		return map[string]any{"M": plainItem(v.Value)}
	case *ddb.AttributeValueMemberL:
		list := []any{}
		for _, e := range v.Value {
			list = append(list, plainValue(e))
		}
		return map[string]any{"L": list}
	default:
		return fmt.Sprintf("%T", v)
	}
}

// database is a client and a table of the test's own.
type database struct {
	*dynamodb.Client
	*testing.T
	table *string
}

// newDatabase makes the table that the description gives, in the form of [tableOf], and removes it in the end.
func newDatabase(t *testing.T, description string) *database {
	t.Helper()
	return newDatabaseOf(t, endpoint(t), tableOf(description))
}

func newDatabaseOf(t *testing.T, endpoint string, in *dynamodb.CreateTableInput) *database {
	t.Helper()
	d := &database{Client: dynamodb.NewFromConfig(config(endpoint)), T: t, table: unique("data")}
	in.TableName = d.table
	d.make(in)
	return d
}

// make makes a table, waits for it, and removes it in the end.
func (d *database) make(in *dynamodb.CreateTableInput) {
	d.Helper()
	_, err := d.CreateTable(d.Context(), in)
	must(d, err)
	d.wait(in.TableName)
	d.removed(in.TableName)
}

func (d *database) wait(table *string) *ddb.TableDescription {
	d.Helper()
	var found *ddb.TableDescription
	eventually(d.T, "the table and its indexes are active", func() bool {
		out, err := d.DescribeTable(d.Context(), &dynamodb.DescribeTableInput{TableName: table})
		must(d, err)
		found = out.Table
		return found.TableStatus == ddb.TableStatusActive && !slices.ContainsFunc(found.GlobalSecondaryIndexes,
			func(ix ddb.GlobalSecondaryIndexDescription) bool { return ix.IndexStatus != ddb.IndexStatusActive })
	})
	return found
}

func (d *database) removed(table *string) {
	d.Cleanup(func() { _, _ = d.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: table}) })
}

// tableOf reads a table of "id:S" or "id:S sort:N"; what follows after semicolons are local and global indexes: "local name sort:S",
// "global name key:S other:N". Keys of global indexes with several hash attributes join them with a plus: "a:S+b:N c:S".
func tableOf(description string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{BillingMode: ddb.BillingModePayPerRequest}
	types := map[string]bool{}
	keyOf := func(words []string) (keys []ddb.KeySchemaElement) {
		for i, word := range words {
			for _, attribute := range strings.Split(word, "+") {
				name, kind, _ := strings.Cut(attribute, ":")
				keys = append(keys, ddb.KeySchemaElement{AttributeName: &name, KeyType: []ddb.KeyType{ddb.KeyTypeHash, ddb.KeyTypeRange}[min(i, 1)]})
				if !types[name] {
					types[name] = true
					in.AttributeDefinitions = append(in.AttributeDefinitions, ddb.AttributeDefinition{AttributeName: &name, AttributeType: ddb.ScalarAttributeType(kind)})
				}
			}
		}
		return keys
	}
	all := &ddb.Projection{ProjectionType: ddb.ProjectionTypeAll}
	table, indexes, _ := strings.Cut(description, ";")
	in.KeySchema = keyOf(strings.Fields(table))
	for part := range strings.SplitSeq(indexes, ";") {
		switch words := strings.Fields(part); {
		case len(words) == 0:
		case words[0] == "local":
			keys := keyOf(append(strings.Fields(table)[:1], words[2:]...))
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, ddb.LocalSecondaryIndex{IndexName: &words[1], KeySchema: keys, Projection: all})
		default:
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, ddb.GlobalSecondaryIndex{IndexName: &words[1], KeySchema: keyOf(words[2:]), Projection: all})
		}
	}
	return in
}

func (d *database) put(items ...string) {
	d.Helper()
	for _, text := range items {
		_, err := d.PutItem(d.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: itemOf(d, text)})
		must(d, err)
	}
}

// get is the item in canonical form, "" when there is none.
func (d *database) get(key string) string {
	d.Helper()
	out, err := d.GetItem(d.Context(), &dynamodb.GetItemInput{TableName: d.table, Key: itemOf(d, key), ConsistentRead: aws.Bool(true)})
	must(d, err)
	return jsonOf(d, out.Item)
}

// want compares an item in canonical form with one written by hand.
func (d *database) want(what, got, want string) {
	d.Helper()
	if want = canonical(d, want); got != want {
		d.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// values joins an attribute's text over items, which are of numbers or strings.
func values(items []item, attribute string) string {
	var all []string
	for _, it := range items {
		switch v := it[attribute].(type) {
		case *ddb.AttributeValueMemberS:
			all = append(all, v.Value)
		case *ddb.AttributeValueMemberN:
			all = append(all, v.Value)
		default:
			all = append(all, fmt.Sprintf("%T", v))
		}
	}
	return strings.Join(all, " ")
}

// soon is a time limit for what takes AWS minutes.
const soon = 10 * time.Minute
