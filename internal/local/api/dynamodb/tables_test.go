package dynamodb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var name = aws.String("orders")

const tableARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"

// describe asks as the terraform provider's waiters do: whatever was changed has to be done.
func (s *stack) describe(t *testing.T) *types.TableDescription {
	t.Helper()
	out, err := s.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	d := out.Table
	if d.TableStatus != types.TableStatusActive {
		t.Errorf("table is %s", d.TableStatus)
	}
	if w := d.WarmThroughput; w == nil || w.Status != "ACTIVE" || *w.ReadUnitsPerSecond != 12000 || *w.WriteUnitsPerSecond != 4000 {
		t.Errorf("warm throughput %+v", w)
	}
	for _, ix := range d.GlobalSecondaryIndexes {
		if ix.IndexStatus != types.IndexStatusActive {
			t.Errorf("index %s is %s", *ix.IndexName, ix.IndexStatus)
		}
		if w := ix.WarmThroughput; w == nil || w.Status != "ACTIVE" || *w.ReadUnitsPerSecond != 12000 || *w.WriteUnitsPerSecond != 4000 {
			t.Errorf("warm throughput of %s: %+v", *ix.IndexName, w)
		}
	}
	return d
}

func (s *stack) read(t *testing.T) (pitr types.PointInTimeRecoveryDescription, ttl types.TimeToLiveDescription, tags []types.Tag) {
	t.Helper()
	backups, err := s.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: name})
	if err != nil || backups.ContinuousBackupsDescription.ContinuousBackupsStatus != types.ContinuousBackupsStatusEnabled {
		t.Fatalf("%+v, %v", backups, err)
	}
	ttlOut, err := s.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	tagsOut, err := s.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: aws.String(tableARN)})
	if err != nil || tagsOut.NextToken != nil {
		t.Fatalf("%+v, %v", tagsOut, err)
	}
	return *backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription, *ttlOut.TimeToLiveDescription, tagsOut.Tags
}

func (s *stack) update(t *testing.T, in dynamodb.UpdateTableInput) *types.TableDescription {
	t.Helper()
	in.TableName = name
	out, err := s.UpdateTable(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	if out.TableDescription.TableStatus != types.TableStatusUpdating {
		t.Errorf("UpdateTable's own answer: %s", out.TableDescription.TableStatus)
	}
	return s.describe(t)
}

// The calls that terraform's AWS provider makes in the life of a table, in its order, with the fields it insists on.
func TestLifeOfATerraformTable(t *testing.T) {
	s := newStack(t)

	// plan
	_, err := s.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	expectError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: orders not found")

	// create
	created, err := s.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{definition("gsi1pk", "S"), definition("sk", "N"), definition("pk", "S")},
		KeySchema:            keys("pk", "sk"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("gsi1"), KeySchema: keys("gsi1pk"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
		StreamSpecification:       &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
		DeletionProtectionEnabled: aws.Bool(true),
		Tags:                      []types.Tag{{Key: aws.String("app"), Value: aws.String("x")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := created.TableDescription; d.TableStatus != types.TableStatusCreating || d.WarmThroughput != nil || d.GlobalSecondaryIndexes[0].IndexStatus != types.IndexStatusCreating {
		t.Errorf("CreateTable's own answer: %+v", d)
	}
	d := s.describe(t)
	const label = "2026-11-23T04:08:31.911"
	if *d.TableArn != tableARN || *d.TableName != "orders" || *d.LatestStreamLabel != label || *d.LatestStreamArn != tableARN+"/stream/"+label {
		t.Errorf("%s %s %s %s", *d.TableArn, *d.TableName, *d.LatestStreamLabel, *d.LatestStreamArn)
	}
	if d.BillingModeSummary.BillingMode != types.BillingModePayPerRequest || *d.ProvisionedThroughput.ReadCapacityUnits != 0 || *d.ProvisionedThroughput.WriteCapacityUnits != 0 {
		t.Errorf("billing %+v %+v", d.BillingModeSummary, d.ProvisionedThroughput)
	}
	if !*d.DeletionProtectionEnabled || !*d.StreamSpecification.StreamEnabled || d.StreamSpecification.StreamViewType != types.StreamViewTypeNewAndOldImages {
		t.Errorf("%v %+v", *d.DeletionProtectionEnabled, d.StreamSpecification)
	}
	if d.SSEDescription != nil || d.TableClassSummary != nil || d.LocalSecondaryIndexes != nil || d.OnDemandThroughput != nil || d.Replicas != nil {
		t.Errorf("the provider would see drift: %+v", d)
	}
	if len(d.AttributeDefinitions) != 3 || schema(d.KeySchema) != "pk HASH, sk RANGE" || !d.CreationDateTime.Equal(start) || len(*d.TableId) != 36 {
		t.Errorf("%+v", d)
	}
	ix := d.GlobalSecondaryIndexes[0]
	if *ix.IndexName != "gsi1" || *ix.IndexArn != tableARN+"/index/gsi1" || schema(ix.KeySchema) != "gsi1pk HASH" || ix.Projection.ProjectionType != types.ProjectionTypeAll || *ix.ProvisionedThroughput.ReadCapacityUnits != 0 {
		t.Errorf("%+v", ix)
	}
	if _, err := s.UpdateTimeToLive(t.Context(), ttl(true)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateContinuousBackups(t.Context(), pitr(true, nil)); err != nil {
		t.Fatal(err)
	}
	recovery, life, tags := s.read(t)
	if recovery.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled || *recovery.RecoveryPeriodInDays != 35 || recovery.EarliestRestorableDateTime == nil {
		t.Errorf("%+v", recovery)
	}
	if life.TimeToLiveStatus != types.TimeToLiveStatusEnabled || *life.AttributeName != "ttl" || tagText(tags) != "app=x" {
		t.Errorf("%+v %s", life, tagText(tags))
	}

	// updates
	if _, err := s.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String(tableARN), Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("y")}, {Key: aws.String("b"), Value: aws.String("")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: aws.String(tableARN), TagKeys: []string{"b", "nope"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateTimeToLive(t.Context(), ttl(false)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateContinuousBackups(t.Context(), pitr(true, aws.Int32(7))); err != nil {
		t.Fatal(err)
	}
	recovery, life, tags = s.read(t)
	if life.TimeToLiveStatus != types.TimeToLiveStatusDisabled || life.AttributeName != nil || tagText(tags) != "app=y" || *recovery.RecoveryPeriodInDays != 7 {
		t.Errorf("%+v %s %+v", life, tagText(tags), recovery)
	}

	d = s.update(t, dynamodb.UpdateTableInput{
		AttributeDefinitions: []types.AttributeDefinition{definition("gsi1pk", "S"), definition("sk", "N"), definition("pk", "S"), definition("gsi2pk", "B")},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("gsi2"), KeySchema: keys("gsi2pk", "sk"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"a", "b"}},
		}}},
	})
	if len(d.GlobalSecondaryIndexes) != 2 || len(d.AttributeDefinitions) != 4 || !slices.Equal(d.GlobalSecondaryIndexes[1].Projection.NonKeyAttributes, []string{"a", "b"}) {
		t.Errorf("%+v", d)
	}
	d = s.update(t, dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("gsi1")}}}})
	if len(d.GlobalSecondaryIndexes) != 1 || len(d.AttributeDefinitions) != 3 {
		t.Errorf("%+v", d)
	}

	// another stream view type: off and on again
	s.clock.Advance(time.Minute)
	d = s.update(t, dynamodb.UpdateTableInput{StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)}})
	if d.StreamSpecification != nil || *d.LatestStreamLabel != label {
		t.Errorf("%+v %s", d.StreamSpecification, *d.LatestStreamLabel)
	}
	d = s.update(t, dynamodb.UpdateTableInput{StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage}})
	if d.StreamSpecification.StreamViewType != types.StreamViewTypeNewImage || *d.LatestStreamLabel != "2026-11-23T04:09:31.911" {
		t.Errorf("%+v %s", d.StreamSpecification, *d.LatestStreamLabel)
	}
	if _, err := s.UpdateContinuousBackups(t.Context(), pitr(false, nil)); err != nil {
		t.Fatal(err)
	}
	if recovery, _, _ = s.read(t); recovery.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusDisabled || recovery.RecoveryPeriodInDays != nil {
		t.Errorf("%+v", recovery)
	}

	// destroy
	_, err = s.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: name})
	expectError(t, err, "ValidationException", "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	if d = s.update(t, dynamodb.UpdateTableInput{DeletionProtectionEnabled: aws.Bool(false), BillingMode: types.BillingModePayPerRequest}); *d.DeletionProtectionEnabled {
		t.Error("deletion protection is still on")
	}
	deleted, err := s.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: name})
	if err != nil || deleted.TableDescription.TableStatus != types.TableStatusDeleting {
		t.Errorf("%+v, %v", deleted, err)
	}
	_, err = s.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	expectError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: orders not found")
	if stream, found := s.streams.Lookup(*d.LatestStreamArn); !found || stream.Describe().Status != "DISABLED" {
		t.Error("the stream of a deleted table has to stay readable for a day")
	}
}

func schema(keys []types.KeySchemaElement) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, *k.AttributeName+" "+string(k.KeyType))
	}
	return strings.Join(parts, ", ")
}

func tagText(tags []types.Tag) string {
	var parts []string
	for _, tag := range tags {
		parts = append(parts, *tag.Key+"="+*tag.Value)
	}
	return strings.Join(parts, ", ")
}

func ttl(enabled bool) *dynamodb.UpdateTimeToLiveInput {
	return &dynamodb.UpdateTimeToLiveInput{TableName: name, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: &enabled}}
}

func pitr(enabled bool, days *int32) *dynamodb.UpdateContinuousBackupsInput {
	return &dynamodb.UpdateContinuousBackupsInput{TableName: name, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &enabled, RecoveryPeriodInDays: days}}
}

func TestStreamlessTable(t *testing.T) {
	s := newStack(t)
	in := ordersTable()
	in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(false)}
	if _, err := s.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if d := s.describe(t); d.StreamSpecification != nil || d.LatestStreamArn != nil || *d.DeletionProtectionEnabled {
		t.Errorf("%+v", d)
	}
	_, err := s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: name, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)}})
	expectError(t, err, "ValidationException", "Table has no stream to disable")
	s.put(t, key("a", "1"))
}

func TestIndexErrors(t *testing.T) {
	s := newTable(t)
	create := func(index, attribute string, definitions ...types.AttributeDefinition) error {
		_, err := s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
			TableName: name, AttributeDefinitions: definitions,
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: &index, KeySchema: keys(attribute), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			}}},
		})
		return err
	}
	expectError(t, create("gsi", "g"), "ValidationException",
		"One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [g], AttributeDefinitions: [pk, sk]")
	expectError(t, create("gsi", "g", definition("g", "S"), definition("pk", "N")), "ValidationException",
		"One or more parameter values were invalid: Attribute pk is defined as N, which differs from its type S in the table")
	if err := create("gsi", "g", definition("g", "S")); err != nil {
		t.Fatal(err)
	}
	expectError(t, create("gsi", "g", definition("g", "S")), "ValidationException", "Attempting to create an index which already exists")

	it := key("a", "1")
	it["g"] = num("1")
	_, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: it})
	expectError(t, err, "ValidationException", "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi")
	it["g"] = str("")
	_, err = s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: it})
	expectError(t, err, "ValidationException", "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
		"The AttributeValue for a key attribute cannot contain an empty string value. IndexName: gsi, IndexKey: g")
	_, err = s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: name, Key: key("a", "1"), UpdateExpression: aws.String("SET g = :v"), ExpressionAttributeValues: item{":v": num("1")}})
	expectError(t, err, "ValidationException", "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi")
}

// terraform makes indexes one by one and sends the attributes of all of them each time: those not yet in use are passed over.
func TestIndexesOneByOne(t *testing.T) {
	s := newTable(t)
	all := []types.AttributeDefinition{definition("pk", "S"), definition("sk", "N"), definition("a", "S"), definition("b", "B")}
	for i, attribute := range []string{"a", "b"} {
		d := s.update(t, dynamodb.UpdateTableInput{
			AttributeDefinitions: all,
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: aws.String("by-" + attribute), KeySchema: keys(attribute), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			}}},
		})
		if len(d.GlobalSecondaryIndexes) != i+1 || len(d.AttributeDefinitions) != 3+i {
			t.Errorf("%d indexes, %d attributes", len(d.GlobalSecondaryIndexes), len(d.AttributeDefinitions))
		}
	}
}

func TestListTables(t *testing.T) {
	s := newStack(t)
	empty, err := s.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || empty.TableNames == nil || len(empty.TableNames) != 0 {
		t.Errorf("%+v, %v", empty, err)
	}
	for i := range 5 {
		in := ordersTable()
		in.TableName = aws.String(fmt.Sprintf("table-%d", 4-i))
		if _, err := s.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	pages := dynamodb.NewListTablesPaginator(s, &dynamodb.ListTablesInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.TableNames...)
	}
	if fmt.Sprint(got) != "[table-0 table-1 table-2 table-3 table-4]" {
		t.Errorf("%v", got)
	}
	between, err := s.ListTables(t.Context(), &dynamodb.ListTablesInput{ExclusiveStartTableName: aws.String("table-22")})
	if err != nil || fmt.Sprint(between.TableNames) != "[table-3 table-4]" {
		t.Errorf("%+v, %v", between, err)
	}
}

func TestDescribeLimits(t *testing.T) {
	s := newStack(t)
	out, err := s.DescribeLimits(t.Context(), &dynamodb.DescribeLimitsInput{})
	if err != nil || *out.TableMaxWriteCapacityUnits != 40000 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestTooManyTags(t *testing.T) {
	s := newTable(t)
	tag := func(from, to int) error {
		var tags []types.Tag
		for i := from; i < to; i++ {
			tags = append(tags, types.Tag{Key: aws.String(fmt.Sprint(i)), Value: aws.String("")})
		}
		_, err := s.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String(tableARN), Tags: tags})
		return err
	}
	const tooMany = "One or more parameter values were invalid: Too many tags: the limit is 50"
	expectError(t, tag(0, 51), "ValidationException", tooMany)
	if err := tag(0, 50); err != nil {
		t.Error(err)
	}
	expectError(t, tag(50, 51), "ValidationException", tooMany)
}

// An item that expires goes without a request, and its record says who did it.
func TestItemExpires(t *testing.T) {
	s := newTable(t)
	if _, err := s.UpdateTimeToLive(t.Context(), ttl(true)); err != nil {
		t.Fatal(err)
	}
	it := key("a", "1")
	it["ttl"] = num(fmt.Sprint(start.Add(10 * time.Second).Unix()))
	s.put(t, it)
	stream := s.streams.List("orders")[0]
	shard := stream.Shards()[0].ID
	after := stream.Latest(shard)
	seen, err := stream.Wait(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.AwaitSleepers(1)
	s.clock.Advance(12 * time.Second)
	if _, err := stream.Wait(t.Context(), seen); err != nil {
		t.Fatal(err)
	}
	records, _, err := stream.Read(shard, after, 1)
	if err != nil || len(records) != 1 || !strings.Contains(string(records[0].JSON), `"eventName":"REMOVE"`) || !strings.Contains(string(records[0].JSON), `"userIdentity":{"type":"Service"`) {
		t.Errorf("%v, %v", records, err)
	}
	if got := s.get(t, key("a", "1")); got != nil {
		t.Errorf("still there: %v", got)
	}
}

// A local index is made with the table, counts the items that have its key, and stays.
func TestLocalIndex(t *testing.T) {
	s := newStack(t)
	_, err := s.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{definition("pk", "S"), definition("sk", "N"), definition("day", "S")},
		KeySchema:            keys("pk", "sk"),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String("by-day"), KeySchema: keys("pk", "day"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, day := range []string{"monday", ""} {
		item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberN{Value: fmt.Sprint(i)}}
		if day != "" {
			item["day"] = &types.AttributeValueMemberS{Value: day}
		}
		if _, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	d := s.describe(t)
	if len(d.LocalSecondaryIndexes) != 1 || len(d.GlobalSecondaryIndexes) != 0 {
		t.Fatalf("%+v", d)
	}
	ix := d.LocalSecondaryIndexes[0]
	if *ix.IndexName != "by-day" || *ix.IndexArn != tableARN+"/index/by-day" || schema(ix.KeySchema) != "pk HASH, day RANGE" || ix.Projection.ProjectionType != types.ProjectionTypeKeysOnly || *ix.ItemCount != 1 {
		t.Errorf("%+v", ix)
	}
	_, err = s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName:                   name,
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-day")}}},
	})
	expectError(t, err, "ResourceNotFoundException", "Requested resource not found")
	_, err = s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberN{Value: "3"}, "day": &types.AttributeValueMemberN{Value: "1"},
	}})
	expectError(t, err, "ValidationException", "One or more parameter values were invalid: Type mismatch for Index Key day Expected: S Actual: N IndexName: by-day")
}
