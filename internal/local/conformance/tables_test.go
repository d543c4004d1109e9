package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
)

func (d *database) change(in dynamodb.UpdateTableInput) *ddb.TableDescription {
	d.Helper()
	in.TableName = d.table
	_, err := d.UpdateTable(d.Context(), &in)
	must(d, err)
	return d.wait(d.table)
}

func units(read, write int64) *ddb.ProvisionedThroughput {
	return &ddb.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}

// TestTableSettings changes each setting of a table and reads it back.
func TestTableSettings(t *testing.T) {
	in := tableOf("id:S sort:N; global byteam team:S")
	in.BillingMode, in.ProvisionedThroughput, in.GlobalSecondaryIndexes[0].ProvisionedThroughput = ddb.BillingModeProvisioned, units(3, 2), units(1, 1)
	in.DeletionProtectionEnabled, in.TableClass = aws.Bool(true), ddb.TableClassStandardInfrequentAccess
	in.Tags = []ddb.Tag{{Key: aws.String("app"), Value: aws.String("x")}}
	d := newDatabaseOf(t, endpoint(t), in)
	made := d.wait(d.table)
	if p := made.ProvisionedThroughput; *p.ReadCapacityUnits != 3 || *p.WriteCapacityUnits != 2 || *made.GlobalSecondaryIndexes[0].ProvisionedThroughput.ReadCapacityUnits != 1 {
		t.Errorf("made with %+v and %+v", p, made.GlobalSecondaryIndexes[0].ProvisionedThroughput)
	}
	if !*made.DeletionProtectionEnabled || made.TableClassSummary.TableClass != ddb.TableClassStandardInfrequentAccess || made.LatestStreamArn != nil || *made.ItemCount != 0 {
		t.Errorf("made as %+v", made)
	}
	arn := made.TableArn

	_, err := d.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: d.table})
	wantCode(t, err, "ValidationException", "Resource cannot be deleted as it is currently protected against deletion")
	got := d.change(dynamodb.UpdateTableInput{ProvisionedThroughput: units(5, 2)})
	if *got.ProvisionedThroughput.ReadCapacityUnits != 5 {
		t.Errorf("throughput: %+v", got.ProvisionedThroughput)
	}
	got = d.change(dynamodb.UpdateTableInput{TableClass: ddb.TableClassStandard})
	if got.TableClassSummary.TableClass != ddb.TableClassStandard {
		t.Errorf("class: %+v", got.TableClassSummary)
	}
	got = d.change(dynamodb.UpdateTableInput{BillingMode: ddb.BillingModePayPerRequest})
	if got.BillingModeSummary.BillingMode != ddb.BillingModePayPerRequest || *got.ProvisionedThroughput.ReadCapacityUnits != 0 {
		t.Errorf("billing: %+v %+v", got.BillingModeSummary, got.ProvisionedThroughput)
	}
	got = d.change(dynamodb.UpdateTableInput{OnDemandThroughput: &ddb.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(100), MaxWriteRequestUnits: aws.Int64(50)}})
	if o := got.OnDemandThroughput; o == nil || *o.MaxReadRequestUnits != 100 || *o.MaxWriteRequestUnits != 50 {
		t.Errorf("on demand: %+v", o)
	}
	got = d.change(dynamodb.UpdateTableInput{DeletionProtectionEnabled: aws.Bool(false)})
	if *got.DeletionProtectionEnabled {
		t.Error("deletion protection is on")
	}

	got = d.change(dynamodb.UpdateTableInput{StreamSpecification: &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeKeysOnly}})
	if got.StreamSpecification.StreamViewType != ddb.StreamViewTypeKeysOnly || !strings.HasPrefix(*got.LatestStreamArn, *arn+"/stream/") {
		t.Errorf("stream: %+v %s", got.StreamSpecification, *got.LatestStreamArn)
	}
	_, err = d.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: d.table, StreamSpecification: &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeNewImage}})
	wantCode(t, err, "ValidationException", "Table already has an enabled stream")
	got = d.change(dynamodb.UpdateTableInput{StreamSpecification: &ddb.StreamSpecification{StreamEnabled: aws.Bool(false)}})
	if got.StreamSpecification != nil || got.LatestStreamArn == nil {
		t.Errorf("stream: %+v", got.StreamSpecification)
	}

	_, err = d.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []ddb.Tag{{Key: aws.String("app"), Value: aws.String("y")}, {Key: aws.String("b"), Value: aws.String("z")}}})
	must(t, err)
	_, err = d.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"b"}})
	must(t, err)
	tags, err := d.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	must(t, err)
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "app" || *tags.Tags[0].Value != "y" {
		t.Errorf("tags: %+v", tags.Tags)
	}

	_, err = d.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: d.table, TimeToLiveSpecification: &ddb.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)}})
	must(t, err)
	life, err := d.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: d.table})
	must(t, err)
	if l := life.TimeToLiveDescription; !strings.HasPrefix(string(l.TimeToLiveStatus), "ENABL") || *l.AttributeName != "until" {
		t.Errorf("time to live: %+v", l)
	}

	_, err = d.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: d.table, PointInTimeRecoverySpecification: &ddb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
	must(t, err)
	backups, err := d.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: d.table})
	must(t, err)
	if r := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription; r.PointInTimeRecoveryStatus != ddb.PointInTimeRecoveryStatusEnabled || *r.RecoveryPeriodInDays != 35 {
		t.Errorf("recovery: %+v", r)
	}

	_, err = d.UpdateContributorInsights(t.Context(), &dynamodb.UpdateContributorInsightsInput{TableName: d.table, ContributorInsightsAction: ddb.ContributorInsightsActionEnable})
	must(t, err)
	insights, err := d.DescribeContributorInsights(t.Context(), &dynamodb.DescribeContributorInsightsInput{TableName: d.table})
	must(t, err)
	if s := insights.ContributorInsightsStatus; s != ddb.ContributorInsightsStatusEnabled && s != ddb.ContributorInsightsStatusEnabling {
		t.Errorf("contributor insights: %s", s)
	}

	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"dynamodb:GetItem","Resource":%q}]}`, strings.Split(*arn, ":")[4], *arn)
	put, err := d.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: &policy})
	must(t, err)
	attached, err := d.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
	must(t, err)
	if *attached.Policy == "" || *attached.RevisionId != *put.RevisionId {
		t.Errorf("policy: %+v", attached)
	}
	_, err = d.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn})
	must(t, err)
	_, err = d.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
	wantCode(t, err, "PolicyNotFoundException", "")

	deleted, err := d.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: d.table})
	must(t, err)
	if deleted.TableDescription.TableStatus != ddb.TableStatusDeleting {
		t.Errorf("deleted: %s", deleted.TableDescription.TableStatus)
	}
	must(t, dynamodb.NewTableNotExistsWaiter(d).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: d.table}, soon))
	_, err = d.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: d.table})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found: Table: "+*d.table+" not found")
}

// TestIndexesComeAndGo adds a global index to a table that has items, and takes it away.
func TestIndexesComeAndGo(t *testing.T) {
	d := newDatabase(t, "id:S")
	d.put(`{"id":{"S":"a"},"team":{"S":"red"}}`, `{"id":{"S":"b"},"team":{"S":"red"}}`, `{"id":{"S":"c"},"team":{"N":"1"}}`, `{"id":{"S":"d"}}`)
	create := []ddb.GlobalSecondaryIndexUpdate{{Create: &ddb.CreateGlobalSecondaryIndexAction{IndexName: aws.String("byteam"),
		KeySchema:  []ddb.KeySchemaElement{{AttributeName: aws.String("team"), KeyType: ddb.KeyTypeHash}},
		Projection: &ddb.Projection{ProjectionType: ddb.ProjectionTypeKeysOnly}}}}
	attributes := []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}, {AttributeName: aws.String("team"), AttributeType: "S"}}
	got := d.change(dynamodb.UpdateTableInput{AttributeDefinitions: attributes, GlobalSecondaryIndexUpdates: create})
	if len(got.GlobalSecondaryIndexes) != 1 || len(got.AttributeDefinitions) != 2 {
		t.Errorf("%+v", got)
	}
	out, err := d.Query(t.Context(), &dynamodb.QueryInput{TableName: d.table, IndexName: aws.String("byteam"), KeyConditionExpression: aws.String("team = :r"), ExpressionAttributeValues: item{":r": str("red")}})
	must(t, err)
	if out.Count != 2 || len(out.Items[0]) != 2 {
		t.Errorf("the index holds %d items: %v", out.Count, out.Items)
	}
	_, err = d.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: d.table, AttributeDefinitions: attributes, GlobalSecondaryIndexUpdates: create})
	wantCode(t, err, "ValidationException", "Attempting to create an index which already exists")
	got = d.change(dynamodb.UpdateTableInput{GlobalSecondaryIndexUpdates: []ddb.GlobalSecondaryIndexUpdate{{Delete: &ddb.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("byteam")}}}})
	if len(got.GlobalSecondaryIndexes) != 0 {
		t.Errorf("%+v", got.GlobalSecondaryIndexes)
	}
	_, err = d.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: d.table, GlobalSecondaryIndexUpdates: []ddb.GlobalSecondaryIndexUpdate{{Delete: &ddb.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("byteam")}}}})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found")
}

// TestRefusedTables has what is wrong with a table named as the service does.
func TestRefusedTables(t *testing.T) {
	c := dynamodb.NewFromConfig(config(endpoint(t)))
	indexes := func(n int) string {
		var text strings.Builder
		text.WriteString("id:S sort:S")
		for i := range n {
			fmt.Fprintf(&text, "; local index%d other:S", i)
		}
		return text.String()
	}
	global := func(n int) string { return strings.ReplaceAll(indexes(n), "local", "global") }
	for name, test := range map[string]struct {
		table   string
		change  func(*dynamodb.CreateTableInput)
		message string
	}{
		"a short name":    {"id:S", func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") }, "TableName must be at least 3 characters long and at most 255 characters long"},
		"a wrong name":    {"id:S", func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a;b") }, "Value 'a;b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		"no billing":      {"id:S", func(in *dynamodb.CreateTableInput) { in.BillingMode = "" }, "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
		"a wrong billing": {"id:S", func(in *dynamodb.CreateTableInput) { in.BillingMode = "FREE" }, "Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set"},
		"both billings":   {"id:S", func(in *dynamodb.CreateTableInput) { in.ProvisionedThroughput = units(1, 1) }, "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		"a key of type L": {"id:L", nil, "failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]"},
		"an unused type": {"id:S", func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, ddb.AttributeDefinition{AttributeName: aws.String("x"), AttributeType: "S"})
		}, "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
		"an undefined key": {"id:S", func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions[0].AttributeName = aws.String("x") }, "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [id], AttributeDefinitions: [x]"},
		"two hash keys":    {"id:S sort:S", func(in *dynamodb.CreateTableInput) { in.KeySchema[1].KeyType = ddb.KeyTypeHash }, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"},
		"no hash key":      {"id:S", func(in *dynamodb.CreateTableInput) { in.KeySchema[0].KeyType = ddb.KeyTypeRange }, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		"one key twice":    {"id:S sort:S", func(in *dynamodb.CreateTableInput) { in.KeySchema[1].AttributeName = aws.String("id") }, "Both the Hash Key and the Range Key element in the KeySchema have the same name"},
		"six local":        {indexes(6), nil, "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of 5"},
		"21 global":        {global(21), nil, "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of 20"},
		"an index twice":   {"id:S sort:S; local index other:S; local index other:S", nil, "One or more parameter values were invalid: Duplicate index name: index"},
		"local, no sort":   {"id:S; local index other:S", nil, "One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"},
		"a view of none": {"id:S", func(in *dynamodb.CreateTableInput) {
			in.StreamSpecification = &ddb.StreamSpecification{StreamEnabled: aws.Bool(true)}
		},
			"One or more parameter values were invalid: Stream ViewType must not be null or empty when enabling streams."},
		"attributes of ALL": {"id:S; global index other:S", func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].Projection.NonKeyAttributes = []string{"x"}
		},
			"One or more parameter values were invalid: ProjectionType is ALL, but NonKeyAttributes is specified"},
		"INCLUDE of none": {"id:S; global index other:S", func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].Projection = &ddb.Projection{ProjectionType: ddb.ProjectionTypeInclude}
		},
			"One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
	} {
		in := tableOf(test.table)
		in.TableName = unique("refused")
		if test.change != nil {
			test.change(in)
		}
		if _, err := c.CreateTable(t.Context(), in); err == nil {
			t.Errorf("%s is made", name)
			_, _ = c.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: in.TableName})
		} else {
			wantCode(t, err, "ValidationException", test.message)
		}
	}

	d := newDatabase(t, "id:S")
	in := tableOf("id:S")
	in.TableName = d.table
	_, err := d.CreateTable(t.Context(), in)
	wantCode(t, err, "ResourceInUseException", "Table already exists: "+*d.table)
	absent := unique("absent")
	_, err = d.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: absent, BillingMode: ddb.BillingModePayPerRequest})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found: Table: "+*absent+" not found")
	_, err = d.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: d.table})
	wantCode(t, err, "ValidationException", "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	_, err = d.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: absent})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found")
	_, err = d.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: absent})
	wantCode(t, err, "TableNotFoundException", "Table not found: "+*absent)
}

// TestBackups makes a backup, changes the table, and restores the backup as another table.
func TestBackups(t *testing.T) {
	d := newDatabase(t, "id:S; global byteam team:S")
	d.put(`{"id":{"S":"a"},"team":{"S":"red"}}`)
	made, err := d.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: d.table, BackupName: aws.String("before")})
	must(t, err)
	arn := made.BackupDetails.BackupArn
	t.Cleanup(func() { _, _ = d.DeleteBackup(context.Background(), &dynamodb.DeleteBackupInput{BackupArn: arn}) })
	d.put(`{"id":{"S":"b"}}`)
	eventually(t, "the backup is there", func() bool {
		described, err := d.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: arn})
		must(t, err)
		return described.BackupDescription.BackupDetails.BackupStatus == ddb.BackupStatusAvailable && *described.BackupDescription.SourceTableDetails.TableName == *d.table
	})
	list, err := d.ListBackups(t.Context(), &dynamodb.ListBackupsInput{TableName: d.table})
	must(t, err)
	if len(list.BackupSummaries) != 1 || *list.BackupSummaries[0].BackupName != "before" {
		t.Errorf("%+v", list.BackupSummaries)
	}
	restored := unique("restored")
	d.removed(restored)
	_, err = d.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{BackupArn: arn, TargetTableName: restored})
	must(t, err)
	must(t, dynamodb.NewTableExistsWaiter(d).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: restored}, soon))
	found, err := d.Scan(t.Context(), &dynamodb.ScanInput{TableName: restored, IndexName: aws.String("byteam")})
	must(t, err)
	all, err := d.Scan(t.Context(), &dynamodb.ScanInput{TableName: restored})
	must(t, err)
	if values(found.Items, "id") != "a" || all.Count != 1 {
		t.Errorf("%d and %d items", found.Count, all.Count)
	}
	_, err = d.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{BackupArn: arn, TargetTableName: restored})
	wantCode(t, err, "TableAlreadyExistsException", "Table already exists: "+*restored)
	_, err = d.DeleteBackup(t.Context(), &dynamodb.DeleteBackupInput{BackupArn: arn})
	must(t, err)
	_, err = d.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: arn})
	wantCode(t, err, "BackupNotFoundException", "Backup not found: "+*arn)
}

// TestListTables reads the names of tables by pages.
func TestListTables(t *testing.T) {
	d := newDatabase(t, "id:S")
	want := []string{*d.table}
	for range 2 {
		in := tableOf("id:S")
		in.TableName = unique("data")
		d.make(in)
		want = append(want, *in.TableName)
	}
	var got []string
	for p := dynamodb.NewListTablesPaginator(d, &dynamodb.ListTablesInput{Limit: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		must(t, err)
		got = append(got, page.TableNames...)
	}
	slices.Sort(want)
	got = slices.DeleteFunc(got, func(name string) bool { return !slices.Contains(want, name) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err := d.ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(101)})
	wantCode(t, err, "ValidationException", "Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100")
	limits, err := d.DescribeLimits(t.Context(), nil)
	must(t, err)
	if *limits.TableMaxReadCapacityUnits < 1000 || *limits.AccountMaxWriteCapacityUnits < *limits.TableMaxWriteCapacityUnits {
		t.Errorf("%+v", limits)
	}
	endpoints, err := d.DescribeEndpoints(t.Context(), nil)
	must(t, err)
	if len(endpoints.Endpoints) != 1 || *endpoints.Endpoints[0].Address == "" || endpoints.Endpoints[0].CachePeriodInMinutes != 1440 {
		t.Errorf("%+v", endpoints.Endpoints)
	}
}

// TestExpiry has an item go once its time is over, which AWS does within days: the local stack alone is asked.
func TestExpiry(t *testing.T) {
	stack := newStack(t, local.Options{})
	d := newDatabaseOf(t, stack.Endpoint(), tableOf("id:S"))
	_, err := d.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: d.table, TimeToLiveSpecification: &ddb.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)}})
	must(t, err)
	d.put(fmt.Sprintf(`{"id":{"S":"past"},"until":{"N":"%d"}}`, time.Now().Add(-time.Hour).Unix()), fmt.Sprintf(`{"id":{"S":"future"},"until":{"N":"%d"}}`, time.Now().Add(time.Hour).Unix()),
		`{"id":{"S":"text"},"until":{"S":"1"}}`)
	eventually(t, "the item expires", func() bool { return d.get(`{"id":{"S":"past"}}`) == "" })
	if d.get(`{"id":{"S":"future"}}`) == "" || d.get(`{"id":{"S":"text"}}`) == "" {
		t.Error("an item whose time is not over is gone")
	}
}
