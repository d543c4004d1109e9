package dynamodb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func throughput(read, write int64) *types.ProvisionedThroughput {
	return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}

// provisionedTable is "orders" with 5 and 6 units and a global index "gsi" with 1 and 2.
func provisionedTable() *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:            name,
		AttributeDefinitions: []types.AttributeDefinition{definition("pk", "S"), definition("g", "S")},
		KeySchema:            keys("pk"), ProvisionedThroughput: throughput(5, 6),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("gsi"), KeySchema: keys("g"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}, ProvisionedThroughput: throughput(1, 2),
		}},
	}
}

func (s *stack) table(t *testing.T) *types.TableDescription {
	t.Helper()
	out, err := s.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	return out.Table
}

// change updates the table, whose description then must say that it is done.
func (s *stack) change(t *testing.T, in dynamodb.UpdateTableInput) *types.TableDescription {
	t.Helper()
	in.TableName = name
	if _, err := s.UpdateTable(t.Context(), &in); err != nil {
		t.Fatal(err)
	}
	return s.table(t)
}

func units(p *types.ProvisionedThroughputDescription) string {
	return fmt.Sprintf("%d/%d, %d decreases, up %t, down %t", *p.ReadCapacityUnits, *p.WriteCapacityUnits, *p.NumberOfDecreasesToday, p.LastIncreaseDateTime != nil, p.LastDecreaseDateTime != nil)
}

func warm(read, write *int64) string { return fmt.Sprintf("%d/%d", *read, *write) }

func expectText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func TestProvisionedCapacity(t *testing.T) {
	s := newStack(t)
	created, err := s.CreateTable(t.Context(), provisionedTable())
	if err != nil {
		t.Fatal(err)
	}
	if d := created.TableDescription; d.TableStatus != types.TableStatusCreating || d.BillingModeSummary != nil {
		t.Errorf("%+v", d)
	}
	d := s.table(t)
	expectText(t, "table", units(d.ProvisionedThroughput), "5/6, 0 decreases, up false, down false")
	expectText(t, "index", units(d.GlobalSecondaryIndexes[0].ProvisionedThroughput), "1/2, 0 decreases, up false, down false")
	expectText(t, "warm throughput", warm(d.WarmThroughput.ReadUnitsPerSecond, d.WarmThroughput.WriteUnitsPerSecond), "5/6")

	_, err = s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: name, ProvisionedThroughput: throughput(5, 6)})
	expectError(t, err, "ValidationException", "The provisioned throughput for the table will not change. The requested value equals the current value. "+
		"Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. "+
		"Current WriteCapacityUnits provisioned for the table: 6. Requested WriteCapacityUnits: 6. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.")

	s.clock.Advance(time.Minute)
	d = s.change(t, dynamodb.UpdateTableInput{
		ProvisionedThroughput: throughput(4, 7),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{
			Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: aws.String("gsi"), ProvisionedThroughput: throughput(3, 2)},
		}},
	})
	expectText(t, "table", units(d.ProvisionedThroughput), "4/7, 1 decreases, up true, down true")
	expectText(t, "index", units(d.GlobalSecondaryIndexes[0].ProvisionedThroughput), "3/2, 0 decreases, up true, down false")
	if at := d.ProvisionedThroughput.LastDecreaseDateTime; !at.Equal(start.Add(time.Minute)) {
		t.Errorf("decreased at %s", at)
	}
}

// After four decreases of a day a fifth waits for an hour; the next day, by UTC, counts anew.
func TestDecreasesOfADay(t *testing.T) {
	s := newStack(t)
	if _, err := s.CreateTable(t.Context(), provisionedTable()); err != nil {
		t.Fatal(err)
	}
	decrease := func(to int64) error {
		_, err := s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: name, ProvisionedThroughput: throughput(5, to)})
		return err
	}
	s.change(t, dynamodb.UpdateTableInput{ProvisionedThroughput: throughput(5, 100)})
	for i := range int64(4) {
		if err := decrease(50 - i); err != nil {
			t.Fatal(err)
		}
	}
	expectError(t, decrease(40), "LimitExceededException", "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
		"After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. "+
		"Number of decreases today: 4. Last decrease at Monday, November 23, 2026 4:08:31 AM UTC. Next decrease can be made at Monday, November 23, 2026 5:08:31 AM UTC")
	s.clock.Advance(time.Hour)
	if err := decrease(40); err != nil {
		t.Fatal(err)
	}
	expectText(t, "that day", units(s.table(t).ProvisionedThroughput), "5/40, 5 decreases, up true, down true")
	s.clock.Advance(24 * time.Hour)
	expectText(t, "the next day", units(s.table(t).ProvisionedThroughput), "5/40, 0 decreases, up true, down true")
	if err := decrease(30); err != nil {
		t.Fatal(err)
	}
}

func TestBillingModeSwitches(t *testing.T) {
	s := newStack(t)
	if _, err := s.CreateTable(t.Context(), provisionedTable()); err != nil {
		t.Fatal(err)
	}
	d := s.change(t, dynamodb.UpdateTableInput{BillingMode: types.BillingModePayPerRequest})
	if b := d.BillingModeSummary; b.BillingMode != types.BillingModePayPerRequest || !b.LastUpdateToPayPerRequestDateTime.Equal(start) {
		t.Errorf("%+v", b)
	}
	expectText(t, "table", units(d.ProvisionedThroughput), "0/0, 0 decreases, up false, down false")
	expectText(t, "index", units(d.GlobalSecondaryIndexes[0].ProvisionedThroughput), "0/0, 1 decreases, up false, down true")
	expectText(t, "warm throughput", warm(d.WarmThroughput.ReadUnitsPerSecond, d.WarmThroughput.WriteUnitsPerSecond), "12000/4000")

	back := dynamodb.UpdateTableInput{TableName: name, BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: throughput(2, 2)}
	_, err := s.UpdateTable(t.Context(), &back)
	expectError(t, err, "ValidationException", "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: gsi")
	back.GlobalSecondaryIndexUpdates = []types.GlobalSecondaryIndexUpdate{{Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: aws.String("gsi"), ProvisionedThroughput: throughput(3, 3)}}}
	d = s.change(t, back)
	if b := d.BillingModeSummary; b.BillingMode != types.BillingModeProvisioned || !b.LastUpdateToPayPerRequestDateTime.Equal(start) {
		t.Errorf("%+v", b)
	}
	expectText(t, "table", units(d.ProvisionedThroughput), "2/2, 0 decreases, up true, down false")
	expectText(t, "index", units(d.GlobalSecondaryIndexes[0].ProvisionedThroughput), "3/3, 1 decreases, up true, down true")
}

// What a refused update would have changed stays as it was.
func TestUpdateIsAllOrNothing(t *testing.T) {
	s := newStack(t)
	if _, err := s.CreateTable(t.Context(), provisionedTable()); err != nil {
		t.Fatal(err)
	}
	_, err := s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: name, ProvisionedThroughput: throughput(9, 9), DeletionProtectionEnabled: aws.Bool(true), TableClass: types.TableClassStandardInfrequentAccess,
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("nope")}}},
	})
	expectError(t, err, "ResourceNotFoundException", "Requested resource not found")
	d := s.table(t)
	if *d.DeletionProtectionEnabled || d.TableClassSummary != nil || len(d.GlobalSecondaryIndexes) != 1 {
		t.Errorf("%+v", d)
	}
	expectText(t, "table", units(d.ProvisionedThroughput), "5/6, 0 decreases, up false, down false")
}

func TestOnDemandAndWarmThroughput(t *testing.T) {
	s := newStack(t)
	in := ordersTable()
	in.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(10)}
	in.WarmThroughput = &types.WarmThroughput{ReadUnitsPerSecond: aws.Int64(13000), WriteUnitsPerSecond: aws.Int64(4000)}
	in.AttributeDefinitions = append(in.AttributeDefinitions, definition("g", "S"))
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName: aws.String("gsi"), KeySchema: keys("g"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(1), MaxWriteRequestUnits: aws.Int64(2)},
	}}
	if _, err := s.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	d := s.table(t)
	expectText(t, "maximum", warm(d.OnDemandThroughput.MaxReadRequestUnits, d.OnDemandThroughput.MaxWriteRequestUnits), "10/-1")
	expectText(t, "warm throughput", warm(d.WarmThroughput.ReadUnitsPerSecond, d.WarmThroughput.WriteUnitsPerSecond), "13000/4000")
	ix := d.GlobalSecondaryIndexes[0]
	expectText(t, "maximum of the index", warm(ix.OnDemandThroughput.MaxReadRequestUnits, ix.OnDemandThroughput.MaxWriteRequestUnits), "1/2")

	d = s.change(t, dynamodb.UpdateTableInput{
		OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(-1)},
		WarmThroughput:     &types.WarmThroughput{WriteUnitsPerSecond: aws.Int64(5000)},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Update: &types.UpdateGlobalSecondaryIndexAction{
			IndexName: aws.String("gsi"), OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(7)},
			WarmThroughput: &types.WarmThroughput{ReadUnitsPerSecond: aws.Int64(15000)},
		}}},
	})
	if d.OnDemandThroughput != nil {
		t.Errorf("%+v", d.OnDemandThroughput)
	}
	expectText(t, "warm throughput", warm(d.WarmThroughput.ReadUnitsPerSecond, d.WarmThroughput.WriteUnitsPerSecond), "13000/5000")
	ix = d.GlobalSecondaryIndexes[0]
	expectText(t, "maximum of the index", warm(ix.OnDemandThroughput.MaxReadRequestUnits, ix.OnDemandThroughput.MaxWriteRequestUnits), "1/7")
	expectText(t, "warm throughput of the index", warm(ix.WarmThroughput.ReadUnitsPerSecond, ix.WarmThroughput.WriteUnitsPerSecond), "15000/4000")
}

func TestClassAndEncryption(t *testing.T) {
	s := newStack(t)
	in := ordersTable()
	in.TableClass = types.TableClassStandardInfrequentAccess
	in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: aws.String("arn:aws:kms:us-east-1:123456789012:key/1")}
	if _, err := s.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	d := s.table(t)
	if c := d.TableClassSummary; c.TableClass != types.TableClassStandardInfrequentAccess || c.LastUpdateDateTime != nil {
		t.Errorf("%+v", c)
	}
	if e := d.SSEDescription; e.Status != types.SSEStatusEnabled || e.SSEType != types.SSETypeKms || *e.KMSMasterKeyArn != "arn:aws:kms:us-east-1:123456789012:key/1" {
		t.Errorf("%+v", e)
	}
	d = s.change(t, dynamodb.UpdateTableInput{TableClass: types.TableClassStandard, SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: aws.String("2")}})
	if c := d.TableClassSummary; c.TableClass != types.TableClassStandard || !c.LastUpdateDateTime.Equal(start) {
		t.Errorf("%+v", c)
	}
	expectText(t, "a key's id", *d.SSEDescription.KMSMasterKeyArn, "arn:aws:kms:us-east-1:000000000000:key/2")
	d = s.change(t, dynamodb.UpdateTableInput{SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}})
	managed := *d.SSEDescription.KMSMasterKeyArn
	if len(managed) != len("arn:aws:kms:us-east-1:000000000000:key/01234567-89ab-cdef-0123-456789abcdef") {
		t.Errorf("AWS's own key: %s", managed)
	}
	if d = s.change(t, dynamodb.UpdateTableInput{SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}}); d.SSEDescription != nil {
		t.Errorf("DynamoDB's own key: %+v", d.SSEDescription)
	}
}

// Every operation takes a table's ARN in the place of its name.
func TestARNForTableName(t *testing.T) {
	s := newStack(t)
	arn := aws.String(tableARN)
	in := ordersTable()
	in.TableName = arn
	created, err := s.CreateTable(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	expectText(t, "name", *created.TableDescription.TableName+" "+*created.TableDescription.TableArn, "orders "+tableARN)
	ctx := t.Context()
	for what, do := range map[string]func() error{
		"PutItem": func() error {
			_, err := s.PutItem(ctx, &dynamodb.PutItemInput{TableName: arn, Item: key("a", "1")})
			return err
		},
		"GetItem": func() error {
			_, err := s.GetItem(ctx, &dynamodb.GetItemInput{TableName: arn, Key: key("a", "1")})
			return err
		},
		"Scan": func() error { _, err := s.Scan(ctx, &dynamodb.ScanInput{TableName: arn}); return err },
		"TransactWriteItems": func() error { // by both in one transaction
			_, err := s.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: arn, Item: key("b", "1")}}, {Put: &types.Put{TableName: name, Item: key("b", "2")}},
			}})
			return err
		},
		"BatchGetItem": func() error {
			_, err := s.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{tableARN: {Keys: []item{key("a", "1")}}}})
			return err
		},
		"UpdateTable": func() error {
			_, err := s.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: arn, DeletionProtectionEnabled: aws.Bool(false)})
			return err
		},
		"DescribeTimeToLive": func() error {
			_, err := s.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: arn})
			return err
		},
		"DescribeContinuousBackups": func() error {
			_, err := s.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: arn})
			return err
		},
		"DescribeContributorInsights": func() error {
			_, err := s.DescribeContributorInsights(ctx, &dynamodb.DescribeContributorInsightsInput{TableName: arn})
			return err
		},
		"CreateBackup": func() error {
			_, err := s.CreateBackup(ctx, &dynamodb.CreateBackupInput{TableName: arn, BackupName: aws.String("one")})
			return err
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: arn}); err != nil {
		t.Error(err)
	}
	if left, err := s.ListTables(ctx, &dynamodb.ListTablesInput{}); err != nil || len(left.TableNames) != 0 {
		t.Errorf("%v, %v", left.TableNames, err)
	}
}
