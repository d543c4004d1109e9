package dynamodb_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"streamgen/internal/local"
	api "streamgen/internal/local/api/dynamodb"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/streams"
)

const (
	account = "000000000000"
	region  = "us-east-1"
)

var start = time.Date(2026, 11, 23, 4, 8, 31, 911_000_000, time.UTC)

// stack is a front end over HTTP with what stands behind it.
type stack struct {
	*dynamodb.Client
	url     string
	clock   *clock.Manual
	streams *streams.Registry
}

func newStack(t *testing.T) *stack {
	t.Helper()
	c := clock.NewManual(start)
	registry := streams.New(streams.Options{Account: account, Region: region, Clock: c})
	e := engine.New(engine.Options{Account: account, Region: region, Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	server := httptest.NewServer(api.New(e, control.ResourcePolicies{Enforced: true}))
	t.Cleanup(server.Close)
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &server.URL, Region: region, RetryMaxAttempts: 1, HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	return &stack{Client: client, url: server.URL, clock: c, streams: registry}
}

// newTable makes a table "orders" (pk S, sk N, stream) beside the stack.
func newTable(t *testing.T) *stack {
	t.Helper()
	s := newStack(t)
	if _, err := s.CreateTable(t.Context(), ordersTable()); err != nil {
		t.Fatal(err)
	}
	return s
}

func ordersTable() *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:            aws.String("orders"),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{definition("pk", "S"), definition("sk", "N")},
		KeySchema:            keys("pk", "sk"),
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	}
}

func definition(name string, t types.ScalarAttributeType) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: t}
}

func keys(names ...string) []types.KeySchemaElement {
	var schema []types.KeySchemaElement
	for i, name := range names {
		schema = append(schema, types.KeySchemaElement{AttributeName: &name, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
	}
	return schema
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

type item = map[string]types.AttributeValue

func key(pk, sk string) item { return item{"pk": str(pk), "sk": num(sk)} }

func expectError(t *testing.T, err error, code, message string) {
	t.Helper()
	var failed smithy.APIError
	if !errors.As(err, &failed) || failed.ErrorCode() != code || failed.ErrorMessage() != message {
		t.Errorf("error %v\nwant %s: %s", err, code, message)
	}
}

// post sends a request that no SDK would send and gives the answer.
func (s *stack) post(t *testing.T, operation, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(bytes.TrimSpace(data))
}

// Requests that are refused before or without a look at a table; "orders" exists.
func TestRefused(t *testing.T) {
	s := newTable(t)
	const invalid = "ValidationException"
	notEmulated := func(what string) string { return "streamgen local does not emulate " + what }
	const mapOf25 = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
	constraint := func(value, member, rule string) string {
		return fmt.Sprintf("1 validation error detected: Value %s at '%s' failed to satisfy constraint: %s", value, member, rule)
	}
	const create = `"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]`
	const ondemand = `,"BillingMode":"PAY_PER_REQUEST"`
	const units = `,"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}`
	index := func(projection string) string {
		return `{"TableName":"abc",` + create + ondemand + `,"GlobalSecondaryIndexes":[{"IndexName":"gsi","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]` + projection + `}]}`
	}
	const ranged = `{"TableName":"abc"` + ondemand + `,"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"at","AttributeType":"S"}],` +
		`"KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}]`
	local := func(count int, keys ...string) string {
		var elements, list []string
		for i, key := range keys {
			elements = append(elements, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, key, []string{"HASH", "RANGE"}[i]))
		}
		for i := range count {
			list = append(list, fmt.Sprintf(`{"IndexName":"lsi%d","KeySchema":[%s],"Projection":{"ProjectionType":"ALL"}}`, i, strings.Join(elements, ",")))
		}
		return `,"LocalSecondaryIndexes":[` + strings.Join(list, ",") + `]`
	}
	for _, c := range []struct{ operation, body, code, message string }{
		{"ExecuteStatement", `{}`, "UnknownOperationException", notEmulated("DynamoDB_20120810.ExecuteStatement")},
		{"PutItem", `{"TableName":"orders"`, "SerializationException", "PutItem: unexpected EOF"},
		{"PutItem", `[]`, "SerializationException", "Start of list found where not expected"},

		// What is not emulated is named.
		{"UpdateTable", `{"TableName":"orders","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}}],"TableClass":"STANDARD"}`, invalid, notEmulated(`ReplicaUpdates of UpdateTable together with other changes`)},
		{"UpdateContinuousBackups", `{"TableName":"orders","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false,"RecoveryPeriodInDays":7}}`, invalid,
			notEmulated("RecoveryPeriodInDays of UpdateContinuousBackups while point-in-time recovery is off")},

		// Constraints.
		{"DescribeTable", `{}`, invalid, "The parameter 'TableName' is required but was not present in the request"},
		{"DescribeTable", `{"TableName":"ab"}`, invalid, "TableName must be at least 3 characters long and at most 255 characters long"},
		{"DescribeTable", `{"TableName":"a$c"}`, invalid, constraint("'a$c'", "tableName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")},
		{"PutItem", `{"TableName":"orders"}`, invalid, constraint("null", "item", "Member must not be null")},
		{"PutItem", `{"TableName":"orders","Item":null}`, invalid, constraint("null", "item", "Member must not be null")},
		{"GetItem", `{"TableName":"orders"}`, invalid, constraint("null", "key", "Member must not be null")},
		{"PutItem", `{"TableName":"orders","Item":{},"ReturnValues":"X","ReturnConsumedCapacity":"Y"}`, invalid, "2 validation errors detected: " +
			"Value 'Y' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; " +
			"Value 'X' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"},
		{"PutItem", `{"TableName":"orders","Item":{},"ReturnValuesOnConditionCheckFailure":"X"}`, invalid, constraint("'X'", "returnValuesOnConditionCheckFailure", "Member must satisfy enum value set: [ALL_OLD, NONE]")},
		{"PutItem", `{"TableName":"orders","Item":{},"ReturnValues":"ALL_NEW"}`, invalid, "Return values set to invalid value"},
		{"DeleteItem", `{"TableName":"orders","Key":{},"ReturnValues":"UPDATED_OLD"}`, invalid, "Return values set to invalid value"},
		{"Scan", `{"TableName":"orders","Limit":0}`, invalid, constraint("'0'", "limit", "Member must have value greater than or equal to 1")},
		{"ListTables", `{"Limit":101}`, invalid, constraint("'101'", "limit", "Member must have value less than or equal to 100")},
		{"BatchWriteItem", `{}`, invalid, constraint("null", "requestItems", "Member must not be null")},
		{"BatchWriteItem", `{"RequestItems":{}}`, invalid, constraint("'[]'", "requestItems", "Member must have length greater than or equal to 1")},
		{"BatchWriteItem", `{"RequestItems":{"orders":[]}}`, invalid, constraint("'{orders=[0 requests]}'", "requestItems", mapOf25)},
		{"BatchWriteItem", `{"RequestItems":{"orders":[{"PutRequest":{}}]}}`, invalid, constraint("null", "requestItems.orders.member.1.member.putRequest.item", "Member must not be null")},
		{"UpdateTimeToLive", `{"TableName":"orders"}`, invalid, constraint("null", "timeToLiveSpecification", "Member must not be null")},
		{"UpdateContinuousBackups", `{"TableName":"orders","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":36}}`, invalid,
			constraint("'36'", "pointInTimeRecoverySpecification.recoveryPeriodInDays", "Member must have value less than or equal to 35")},
		{"CreateTable", `{"TableName":"abc",` + ondemand[1:] + `,"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"X"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`, invalid,
			constraint("'X'", "attributeDefinitions.1.member.attributeType", "Member must satisfy enum value set: [B, N, S]")},
		{"CreateTable", `{"TableName":"abc",` + ondemand[1:] + `,"AttributeDefinitions":[]}`, invalid, constraint("null", "keySchema", "Member must not be null")},
		{"CreateTable", index(`,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 21), ",") + `]}`), invalid,
			constraint("'["+strings.TrimSuffix(strings.Repeat("a ", 21), " ")+"]'", "globalSecondaryIndexes.1.member.projection.nonKeyAttributes", "Member must have length less than or equal to 20")},
		{"UpdateTable", `{"TableName":"orders","AttributeDefinitions":[{"AttributeName":"` + strings.Repeat("a", 256) + `","AttributeType":"S"}]}`, invalid,
			constraint("'"+strings.Repeat("a", 256)+"'", "attributeDefinitions.1.member.attributeName", "Member must have length less than or equal to 255")},
		{"CreateTable", index(``), invalid, constraint("null", "globalSecondaryIndexes.1.member.projection", "Member must not be null")},

		// Values.
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"S":1}}}`, "SerializationException", "NUMBER_VALUE cannot be converted to String"},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{}}}`, invalid, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"N":"x"}}}`, invalid, "The parameter cannot be converted to a numeric value: x"},
		{"PutItem", `{"TableName":"orders","Item":{},"ConditionExpression":"a = :v","ExpressionAttributeValues":{":v":{}}}`, invalid,
			"ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes for key :v"},
		{"PutItem", `{"TableName":"orders","Item":{},"ConditionExpression":"a = :v","ExpressionAttributeValues":{":v":{"S":1}}}`, "SerializationException", "NUMBER_VALUE cannot be converted to String"},
		{"BatchWriteItem", `{"RequestItems":{"orders":[{}]}}`, invalid, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},

		// Expressions.
		{"PutItem", `{"TableName":"orders","Item":{},"ExpressionAttributeNames":{"#a":"a"}}`, invalid, "ExpressionAttributeNames can only be specified when using expressions"},
		{"PutItem", `{"TableName":"orders","Item":{},"ExpressionAttributeValues":{":a":{"S":"a"}}}`, invalid, "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"},
		{"UpdateItem", `{"TableName":"orders","Key":{},"ExpressionAttributeValues":{":a":{"S":"a"}}}`, invalid, "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null"},
		{"PutItem", `{"TableName":"orders","Item":{},"ConditionExpression":"","ExpressionAttributeNames":{}}`, invalid, "ExpressionAttributeNames must not be empty"},
		{"PutItem", `{"TableName":"orders","Item":{},"ConditionExpression":""}`, invalid, "Invalid ConditionExpression: The expression can not be empty;"},
		{"DeleteItem", `{"TableName":"orders","Key":{},"ConditionExpression":"a = = b"}`, invalid, `Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"`},
		{"UpdateItem", `{"TableName":"orders","Key":{},"UpdateExpression":"SET status = pk"}`, invalid, "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status"},
		{"UpdateItem", `{"TableName":"orders","Key":{},"UpdateExpression":"REMOVE a","ExpressionAttributeNames":{"#a":"a"}}`, invalid, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
		{"Query", `{"TableName":"orders"}`, invalid, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"pk <> :a","ExpressionAttributeValues":{":a":{"S":"a"}}}`, invalid, "Invalid operator used in KeyConditionExpression: <>"},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"sk = :a","ExpressionAttributeValues":{":a":{"N":"1"}}}`, invalid, "Query condition missed key schema element: pk"},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"pk = :a AND x = :a","ExpressionAttributeValues":{":a":{"S":"a"}}}`, invalid, "Query condition missed key schema element: sk"},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"pk > :a","ExpressionAttributeValues":{":a":{"S":"a"}}}`, invalid, "Query key condition not supported"},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"N":"1"}}}`, invalid, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":""}}}`, invalid, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":"a"}},"ExclusiveStartKey":{"pk":{"S":"b"},"sk":{"N":"1"}}}`, invalid, "The provided starting key is outside query boundaries based on provided conditions"},
		{"Query", `{"TableName":"orders","KeyConditionExpression":"pk = :a AND sk > :n","ExpressionAttributeValues":{":a":{"S":"a"},":n":{"N":"5"}},"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"1"}}}`, invalid, "The provided starting key does not match the range key predicate"},
		{"Scan", `{"TableName":"orders","Select":"SPECIFIC_ATTRIBUTES"}`, invalid, "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		{"Scan", `{"TableName":"orders","Select":"ALL_PROJECTED_ATTRIBUTES"}`, invalid, "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
		{"Scan", `{"TableName":"orders","ExclusiveStartKey":{}}`, invalid, "The provided starting key is invalid: The provided key element does not match the schema"},

		// Keys.
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"a"}}}`, invalid, "One or more parameter values were invalid: Missing the key sk in the item"},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"N":"1"},"sk":{"N":"1"}}}`, invalid, "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"S":""},"sk":{"N":"1"}}}`, invalid, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"` + strings.Repeat("a", 2049) + `"},"sk":{"N":"1"}}}`, invalid, "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"GetItem", `{"TableName":"orders","Key":{"pk":{"S":"a"}}}`, invalid, "The provided key element does not match the schema"},
		{"GetItem", `{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"S":"1"}}}`, invalid, "The provided key element does not match the schema"},
		{"DeleteItem", `{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"N":"1"}}}`, invalid, "The provided key element does not match the schema"},
		{"UpdateItem", `{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET sk = :v","ExpressionAttributeValues":{":v":{"N":"1"}}}`, invalid, "One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key"},
		{"UpdateItem", `{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET a.b = :v","ExpressionAttributeValues":{":v":{"N":"1"}}}`, invalid, "The document path provided in the update expression is invalid for update"},
		{"BatchWriteItem", `{"RequestItems":{"orders":[{"PutRequest":{"Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"a"},"sk":{"N":"1.0"}}}}]}}`, invalid, "Provided list of item keys contains duplicates"},
		{"BatchWriteItem", `{"RequestItems":{"orders":[` + strings.TrimSuffix(strings.Repeat(`{"DeleteRequest":{"Key":{"pk":{"S":"a"}}}},`, 26), ",") + `]}}`, invalid, constraint("'{orders=[26 requests]}'", "requestItems", mapOf25)},

		// Absent tables.
		{"PutItem", `{"TableName":"nope","Item":{"pk":{"S":"a"}}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"GetItem", `{"TableName":"nope","Key":{"pk":{"S":"a"}}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"UpdateItem", `{"TableName":"nope","Key":{"pk":{"S":"a"}}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"DeleteItem", `{"TableName":"nope","Key":{"pk":{"S":"a"}}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"Scan", `{"TableName":"nope"}`, "ResourceNotFoundException", "Requested resource not found"},
		{"Query", `{"TableName":"nope","KeyConditionExpression":"pk = :a","ExpressionAttributeValues":{":a":{"S":"a"}}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"BatchWriteItem", `{"RequestItems":{"nope":[{"DeleteRequest":{"Key":{"pk":{"S":"a"}}}}]}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"DescribeTable", `{"TableName":"nope"}`, "ResourceNotFoundException", "Requested resource not found: Table: nope not found"},
		{"UpdateTable", `{"TableName":"nope","DeletionProtectionEnabled":true}`, "ResourceNotFoundException", "Requested resource not found: Table: nope not found"},
		{"DeleteTable", `{"TableName":"nope"}`, "ResourceNotFoundException", "Requested resource not found: Table: nope not found"},
		{"DescribeTimeToLive", `{"TableName":"nope"}`, "ResourceNotFoundException", "Requested resource not found: Table: nope not found"},
		{"DescribeContinuousBackups", `{"TableName":"nope"}`, "TableNotFoundException", "Table not found: nope"},
		{"UpdateContinuousBackups", `{"TableName":"nope","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}`, "TableNotFoundException", "Table not found: nope"},
		{"ListTagsOfResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/nope"}`, "ResourceNotFoundException", "Requested resource not found: ResourcArn: arn:aws:dynamodb:us-east-1:000000000000:table/nope not found"},

		// Names, ARNs and tags.
		{"CreateTable", `{"TableName":"a;"}`, invalid, "TableName must be at least 3 characters long and at most 255 characters long"},
		{"CreateTable", `{"TableName":"a;c"}`, invalid, "3 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy constraint: Member must not be null; " +
			"Value 'a;c' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " +
			"Value null at 'keySchema' failed to satisfy constraint: Member must not be null"},
		{"DescribeTable", `{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/nope"}`, "ResourceNotFoundException", "Requested resource not found: Table: nope not found"},
		{"DescribeTable", `{"TableName":"arn:aws:dynamodb:eu-west-1:000000000000:table/orders"}`, invalid,
			"Invalid TableArn: Invalid ResourceArn provided as input arn:aws:dynamodb:eu-west-1:000000000000:table/orders"},
		{"GetItem", `{"TableName":"arn:aws:dynamodb:us-east-1:111111111111:table/orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}`, "AccessDeniedException",
			"User: arn:aws:iam::000000000000:root is not authorized to access resource: arn:aws:dynamodb:us-east-1:111111111111:table/orders because no resource-based policy allows it"},
		{"ListTables", `{"ExclusiveStartTableName":"a;"}`, invalid, "2 validation errors detected: " +
			"Value 'a;' at 'exclusiveStartTableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " +
			"Value 'a;' at 'exclusiveStartTableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		{"ListTagsOfResource", `{}`, invalid, "Invalid TableArn"},
		{"ListTagsOfResource", `{"ResourceArn":"` + tableARN + `/stream/x"}`, invalid, "Invalid TableArn: Invalid ResourceArn provided as input " + tableARN + "/stream/x"},
		{"ListTagsOfResource", `{"ResourceArn":"` + tableARN + `","NextToken":"x"}`, invalid, "Invalid NextToken"},
		{"TagResource", `{"ResourceArn":"` + tableARN + `/index/gsi","Tags":[{"Key":"a","Value":""}]}`, invalid, "Invalid TableArn: Invalid ResourceArn provided as input " + tableARN + "/index/gsi"},
		{"TagResource", `{"ResourceArn":"` + tableARN + `","Tags":[]}`, invalid, "Atleast one Tag needs to be provided as Input."},
		{"UntagResource", `{"ResourceArn":"` + tableARN + `","TagKeys":[]}`, invalid, "Atleast one Tag Key needs to be provided as Input."},
		{"UntagResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/nope","TagKeys":["a"]}`, "ResourceNotFoundException", "Requested resource not found"},

		// Capacity, class, encryption, policy.
		{"CreateTable", `{"TableName":"abc",` + create + `}`, invalid, "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + units + `}`, invalid, "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		{"CreateTable", `{"TableName":"abc",` + create + `,"ProvisionedThroughput":{"ReadCapacityUnits":0}}`, invalid, "2 validation errors detected: " +
			"Value null at 'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: Member must not be null; " +
			"Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"CreateTable", `{"TableName":"abc",` + create + `,"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1000000000001}}`, invalid,
			"Given value 1000000000001 for WriteCapacityUnits is out of bounds"},
		{"CreateTable", index(`,"Projection":{"ProjectionType":"ALL"}` + units), invalid,
			"One or more parameter values were invalid: ProvisionedThroughput should not be specified for index: gsi when BillingMode is PAY_PER_REQUEST"},
		{"CreateTable", strings.Replace(index(`,"Projection":{"ProjectionType":"ALL"}`), ondemand, units, 1), invalid,
			"One or more parameter values were invalid: ProvisionedThroughput must be specified for index: gsi"},
		{"CreateTable", `{"TableName":"abc",` + create + units + `,"OnDemandThroughput":{"MaxReadRequestUnits":1}}`, invalid,
			"One or more parameter values were invalid: OnDemandThroughput of the table can only be specified when BillingMode is PAY_PER_REQUEST"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"OnDemandThroughput":{"MaxReadRequestUnits":0}}`, invalid,
			constraint("'0'", "onDemandThroughput.maxReadRequestUnits", "Member must have value greater than or equal to 1")},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"WarmThroughput":{"ReadUnitsPerSecond":11999}}`, invalid,
			"One or more parameter values were invalid: WarmThroughput of the table cannot be decreased: it has ReadUnitsPerSecond 12000 and WriteUnitsPerSecond 4000"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"TableClass":"X"}`, invalid, constraint("'X'", "tableClass", "Member must satisfy enum value set: [STANDARD, STANDARD_INFREQUENT_ACCESS]")},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"SSESpecification":{"Enabled":true,"SSEType":"AES256"}}`, invalid, "One or more parameter values were invalid: SSEType AES256 is not supported"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"SSESpecification":{"Enabled":true,"KMSMasterKeyId":"alias/mine"}}`, invalid,
			notEmulated("an alias as KMSMasterKeyId")},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"ResourcePolicy":"{"}`, invalid, "Invalid policy document: This policy contains invalid Json"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"ReplicaUpdates":[]}`, invalid, notEmulated(`"ReplicaUpdates" of CreateTable`)},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"LocalSecondaryIndexes":[{"IndexName":"lsi","ProvisionedThroughput":{}}]}`, invalid, notEmulated(`"ProvisionedThroughput" of CreateTable`)},
		{"UpdateTable", `{"TableName":"orders","MultiRegionConsistency":"STRONG","TableClass":"STANDARD"}`, invalid, "One or more parameter values were invalid: MultiRegionConsistency can only be specified when replicas are created"},
		{"UpdateTable", `{"TableName":"orders","GlobalTableWitnessUpdates":[]}`, invalid, notEmulated(`"GlobalTableWitnessUpdates" of UpdateTable`)},
		{"UpdateTable", `{"TableName":"orders","GlobalTableWitnessUpdates":[]}`, invalid, notEmulated(`"GlobalTableWitnessUpdates" of UpdateTable`)},
		{"UpdateTable", `{"TableName":"orders","BillingMode":"PROVISIONED"}`, invalid, "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED"},
		{"UpdateTable", `{"TableName":"orders"` + units + `}`, invalid, "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		{"UpdateTable", `{"TableName":"orders","GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"gsi"}}]}`, invalid, "One or more parameter values were invalid: GlobalSecondaryIndexUpdate.Update of index gsi changes nothing"},
		{"UpdateTable", `{"TableName":"orders","GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"gsi"` + units + `}}]}`, "ResourceNotFoundException", "Requested resource not found"},
		{"UpdateTable", `{"TableName":"orders","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"gsi"}},{"Delete":{"IndexName":"gsi"}}]}`, invalid,
			"One or more parameter values were invalid: Only one global secondary index update per index is allowed simultaneously. Index: gsi"},

		// Backups, policies, insights.
		{"CreateBackup", `{"TableName":"nope","BackupName":"one"}`, "TableNotFoundException", "Table not found: nope"},
		{"CreateBackup", `{"TableName":"orders"}`, invalid, constraint("null", "backupName", "Member must not be null")},
		{"DescribeBackup", `{"BackupArn":"` + tableARN + `/backup/01"}`, "BackupNotFoundException", "Backup not found: " + tableARN + "/backup/01"},
		{"DeleteBackup", `{"BackupArn":"` + tableARN + `/backup/01"}`, "BackupNotFoundException", "Backup not found: " + tableARN + "/backup/01"},
		{"RestoreTableFromBackup", `{"BackupArn":"` + tableARN + `/backup/01","TargetTableName":"abc"}`, "BackupNotFoundException", "Backup not found: " + tableARN + "/backup/01"},
		{"ListBackups", `{"ExclusiveStartBackupArn":"x"}`, invalid, "One or more parameter values were invalid: ExclusiveStartBackupArn is no backup's: x"},
		{"GetResourcePolicy", `{"ResourceArn":"` + tableARN + `"}`, "PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: " + tableARN},
		{"GetResourcePolicy", `{"ResourceArn":"` + tableARN + `/stream/x"}`, "ResourceNotFoundException", "Requested resource not found: ResourcArn: " + tableARN + "/stream/x not found"},
		{"PutResourcePolicy", `{"ResourceArn":"` + tableARN + `","Policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"dynamodb:GetItem\"}}"}`, invalid, "Invalid policy document: Missing required field Principal"},
		{"PutResourcePolicy", `{"ResourceArn":"` + tableARN + `","Policy":"{}"}`, invalid, "Invalid policy document: Syntax errors in policy."},
		{"PutResourcePolicy", `{"ResourceArn":"` + tableARN + `","Policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"dynamodb:GetItem\",\"Condition\":{\"StringEquals\":{\"aws:Other\":\"x\"}}}}"}`, invalid,
			"Invalid policy document: streamgen local does not emulate the condition key aws:Other in a policy; --iam off accepts it and enforces none"},
		{"DescribeContributorInsights", `{"TableName":"orders","IndexName":"nope"}`, "ResourceNotFoundException", "Requested resource not found"},
		{"UpdateContributorInsights", `{"TableName":"orders"}`, invalid, constraint("null", "contributorInsightsAction", "Member must not be null")},
		{"DescribeKinesisStreamingDestination", `{"TableName":"nope"}`, "ResourceNotFoundException", "Requested resource not found: Table: nope not found"},

		// Tables.
		{"CreateTable", `{"TableName":"orders",` + create + ondemand + `}`, "ResourceInUseException", "Table already exists: orders"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"GlobalSecondaryIndexes":[]}`, invalid, "One or more parameter values were invalid: List of GlobalSecondaryIndexes is empty"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"LocalSecondaryIndexes":[]}`, invalid, "One or more parameter values were invalid: List of LocalSecondaryIndexes is empty"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + local(1, "id", "id") + `}`, invalid, "Both the Hash Key and the Range Key element in the KeySchema have the same name"},
		{"CreateTable", ranged + local(1, "id") + `}`, invalid, "One or more parameter values were invalid: Index KeySchema does not have a range key for index: lsi0"},
		{"CreateTable", ranged + local(1, "at", "id") + `}`, invalid, "One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as table KeySchema for index: lsi0. index hash key: at, table hash key: id"},
		{"CreateTable", ranged + local(6, "id", "at") + `}`, invalid, "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of 5"},
		{"CreateTable", strings.Replace(ranged, `,{"AttributeName":"at","KeyType":"RANGE"}`, "", 1) + local(1, "id", "at") + `}`, invalid, "One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"},
		{"CreateTable", index(`,"Projection":{}`), invalid, "One or more parameter values were invalid: Unknown ProjectionType: null"},
		{"CreateTable", index(`,"Projection":{"ProjectionType":"ALL","NonKeyAttributes":["a"]}`), invalid, "One or more parameter values were invalid: ProjectionType is ALL, but NonKeyAttributes is specified"},
		{"CreateTable", index(`,"Projection":{"ProjectionType":"INCLUDE"}`), invalid, "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
		{"CreateTable", `{"TableName":"abc"` + ondemand + `,"AttributeDefinitions":[{"AttributeName":"z","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`, invalid,
			"One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [id], AttributeDefinitions: [z]"},
		{"CreateTable", `{"TableName":"abc"` + ondemand + `,"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"z","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`, invalid,
			"One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
		{"CreateTable", `{"TableName":"abc"` + ondemand + `,"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"RANGE"}]}`, invalid,
			"Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		{"CreateTable", `{"TableName":"abc"` + ondemand + `,"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"id","KeyType":"RANGE"}]}`, invalid,
			"Invalid KeySchema: Some index key attribute have no definition"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"StreamSpecification":{"StreamEnabled":true}}`, invalid, "One or more parameter values were invalid: Stream ViewType must not be null or empty when enabling streams."},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"StreamSpecification":{"StreamEnabled":false,"StreamViewType":"KEYS_ONLY"}}`, invalid, "One or more parameter values were invalid: Stream StreamEnabled was false but a StreamViewType was present."},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"Tags":[{"Key":"a","Value":"1"},{"Key":"a","Value":"2"}]}`, invalid, "One or more parameter values were invalid: Duplicate tag key: a"},
		{"CreateTable", `{"TableName":"abc",` + create + ondemand + `,"Tags":[{"Key":"aws:a","Value":"1"}]}`, invalid, "One or more parameter values were invalid: The tag key prefix aws: is reserved: aws:a"},
		{"UpdateTable", `{"TableName":"orders"}`, invalid, "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"},
		{"UpdateTable", `{"TableName":"orders","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`, invalid, "Table already has an enabled stream"},
		{"UpdateTable", `{"TableName":"orders","GlobalSecondaryIndexUpdates":[{}]}`, invalid, "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null"},
		{"UpdateTable", `{"TableName":"orders","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"nope"}}]}`, "ResourceNotFoundException", "Requested resource not found"},
		{"UpdateTable", `{"TableName":"orders","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"one"}},{"Delete":{"IndexName":"two"}}]}`, "LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"},
	} {
		status, answer := s.post(t, c.operation, c.body)
		want := fmt.Sprintf(`{"__type":%q,"message":%q}`, c.code, c.message)
		if status != http.StatusBadRequest || answer != want {
			t.Errorf("%s %.300s\n got %d %s\nwant %s", c.operation, c.body, status, answer, want)
		}
	}
	if names, err := s.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil || len(names.TableNames) != 1 {
		t.Errorf("a refused request made a table: %v, %v", names.TableNames, err)
	}
	if page, err := s.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders")}); err != nil || page.Count != 0 {
		t.Errorf("a refused request made an item: %v, %v", page, err)
	}
}

// Operations that are not emulated are named.
func TestOperationsNotEmulated(t *testing.T) {
	s := newTable(t)
	for _, operation := range []string{
		"RestoreTableToPointInTime",
		"ExecuteStatement",
		"BatchExecuteStatement",
		"ExecuteTransaction",
		"CreateGlobalTable",
		"DescribeGlobalTable",
		"DescribeGlobalTableSettings",
		"ListGlobalTables",
		"UpdateGlobalTable",
		"UpdateGlobalTableSettings",
		"ExportTableToPointInTime",
		"DescribeExport",
		"ListExports",
		"ImportTable",
		"DescribeImport",
		"ListImports",
		"EnableKinesisStreamingDestination",
		"DisableKinesisStreamingDestination",
		"UpdateKinesisStreamingDestination",
		"DescribeTableReplicaAutoScaling",
		"UpdateTableReplicaAutoScaling",
	} {
		status, answer := s.post(t, operation, `{}`)
		want := `{"__type":"UnknownOperationException","message":"streamgen local does not emulate DynamoDB_20120810.` + operation + `"}`
		if status != http.StatusBadRequest || answer != want {
			t.Errorf("%s: %d %s", operation, status, answer)
		}
	}
}
