package dynamodb_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func (s *stack) backup(t *testing.T, called string) *types.BackupDetails {
	t.Helper()
	out, err := s.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: name, BackupName: &called})
	if err != nil {
		t.Fatal(err)
	}
	return out.BackupDetails
}

// A backup holds the table as it stood, outlives it, and is restored under any name without what AWS does not restore.
func TestBackupIsRestored(t *testing.T) {
	s := newStack(t)
	in := provisionedTable()
	in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
	in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage}
	if _, err := s.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateTimeToLive(t.Context(), ttl(true)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		s.put(t, item{"pk": str(fmt.Sprint(i)), "g": str("x"), "v": str("old")})
	}
	made := s.backup(t, "first")
	if made.BackupStatus != types.BackupStatusCreating || made.BackupType != types.BackupTypeUser || !strings.HasPrefix(*made.BackupArn, tableARN+"/backup/01795406911911-") {
		t.Errorf("%+v", made)
	}
	s.put(t, item{"pk": str("0"), "v": str("new")})
	s.put(t, item{"pk": str("3")})
	if _, err := s.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: name}); err != nil {
		t.Fatal(err)
	}

	out, err := s.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: made.BackupArn})
	if err != nil {
		t.Fatal(err)
	}
	details, source, features := out.BackupDescription.BackupDetails, out.BackupDescription.SourceTableDetails, out.BackupDescription.SourceTableFeatureDetails
	if details.BackupStatus != types.BackupStatusAvailable || *details.BackupName != "first" || *source.ItemCount != 3 || source.BillingMode != types.BillingModeProvisioned ||
		*source.ProvisionedThroughput.WriteCapacityUnits != 6 || schema(source.KeySchema) != "pk HASH" || *source.TableArn != tableARN {
		t.Errorf("%+v %+v", details, source)
	}
	if len(features.GlobalSecondaryIndexes) != 1 || *features.GlobalSecondaryIndexes[0].ProvisionedThroughput.WriteCapacityUnits != 2 ||
		features.StreamDescription.StreamViewType != types.StreamViewTypeNewImage || *features.TimeToLiveDescription.AttributeName != "ttl" {
		t.Errorf("%+v", features)
	}

	s.clock.Advance(time.Hour)
	restored, err := s.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{BackupArn: made.BackupArn, TargetTableName: name})
	if err != nil {
		t.Fatal(err)
	}
	if d := restored.TableDescription; d.TableStatus != types.TableStatusCreating || !*d.RestoreSummary.RestoreInProgress {
		t.Errorf("%+v", d)
	}
	d := s.table(t)
	if *d.ItemCount != 3 || *d.RestoreSummary.RestoreInProgress || *d.RestoreSummary.SourceBackupArn != *made.BackupArn || !d.CreationDateTime.Equal(start.Add(time.Hour)) || d.StreamSpecification != nil {
		t.Errorf("%+v", d)
	}
	expectText(t, "capacity", units(d.ProvisionedThroughput), "5/6, 0 decreases, up false, down false")
	got, err := s.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: name, Key: item{"pk": str("0")}})
	if err != nil || got.Item["v"].(*types.AttributeValueMemberS).Value != "old" {
		t.Errorf("%v, %v", got.Item, err)
	}
	if ix := d.GlobalSecondaryIndexes[0]; *ix.ItemCount != 3 || *ix.ProvisionedThroughput.ReadCapacityUnits != 1 {
		t.Errorf("%+v", ix)
	}
	if _, life, tags := s.read(t); life.TimeToLiveStatus != types.TimeToLiveStatusDisabled || len(tags) != 0 {
		t.Errorf("%+v %v", life, tags)
	}

	restore := dynamodb.RestoreTableFromBackupInput{BackupArn: made.BackupArn, TargetTableName: name}
	_, err = s.RestoreTableFromBackup(t.Context(), &restore)
	expectError(t, err, "TableAlreadyExistsException", "Table already exists: orders")
	restore.TargetTableName = aws.String("other")
	restore.GlobalSecondaryIndexOverride = []types.GlobalSecondaryIndex{{IndexName: aws.String("nope"), KeySchema: keys("g"), Projection: &types.Projection{}}}
	_, err = s.RestoreTableFromBackup(t.Context(), &restore)
	expectError(t, err, "ValidationException", "One or more parameter values were invalid: The backup has no index nope")
	restore.BillingModeOverride, restore.GlobalSecondaryIndexOverride = types.BillingModePayPerRequest, []types.GlobalSecondaryIndex{}
	other, err := s.RestoreTableFromBackup(t.Context(), &restore)
	if err != nil {
		t.Fatal(err)
	}
	if d := other.TableDescription; len(d.GlobalSecondaryIndexes) != 0 || len(d.AttributeDefinitions) != 1 || d.BillingModeSummary.BillingMode != types.BillingModePayPerRequest || *d.ProvisionedThroughput.ReadCapacityUnits != 0 {
		t.Errorf("%+v", d)
	}
}

func TestListAndDeleteBackups(t *testing.T) {
	s := newTable(t)
	var arns []string
	for i := range 3 {
		arns = append(arns, *s.backup(t, fmt.Sprintf("backup-%d", i)).BackupArn)
		s.clock.Advance(time.Minute)
	}
	list := func(in dynamodb.ListBackupsInput) (found []string, last *string) {
		out, err := s.ListBackups(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range out.BackupSummaries {
			found = append(found, *b.BackupArn)
		}
		return found, out.LastEvaluatedBackupArn
	}
	first, last := list(dynamodb.ListBackupsInput{TableName: name, Limit: aws.Int32(2)})
	rest, end := list(dynamodb.ListBackupsInput{TableName: aws.String(tableARN), ExclusiveStartBackupArn: last})
	if !slices.Equal(first, arns[:2]) || !slices.Equal(rest, arns[2:]) || end != nil {
		t.Errorf("%v %v", first, rest)
	}
	from, until := start.Add(time.Minute), start.Add(2*time.Minute)
	if found, _ := list(dynamodb.ListBackupsInput{TimeRangeLowerBound: &from, TimeRangeUpperBound: &until}); !slices.Equal(found, arns[1:2]) {
		t.Errorf("in the second minute: %v", found)
	}
	for _, in := range []dynamodb.ListBackupsInput{{TableName: aws.String("other")}, {BackupType: types.BackupTypeFilterSystem}} {
		if found, _ := list(in); len(found) != 0 {
			t.Errorf("%+v: %v", in, found)
		}
	}
	deleted, err := s.DeleteBackup(t.Context(), &dynamodb.DeleteBackupInput{BackupArn: &arns[0]})
	if err != nil || deleted.BackupDescription.BackupDetails.BackupStatus != types.BackupStatusDeleted {
		t.Errorf("%+v, %v", deleted, err)
	}
	if found, _ := list(dynamodb.ListBackupsInput{BackupType: types.BackupTypeFilterAll}); !slices.Equal(found, arns[1:]) {
		t.Errorf("%v", found)
	}
}

func TestResourcePolicies(t *testing.T) {
	const policy = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": "*"}]}`
	s := newStack(t)
	in := ordersTable()
	in.ResourcePolicy = aws.String(policy)
	if _, err := s.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	stream := *s.table(t).LatestStreamArn
	get := func(arn string) (string, string, error) {
		out, err := s.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: &arn})
		if err != nil {
			return "", "", err
		}
		return *out.Policy, *out.RevisionId, nil
	}
	put := func(arn, text string, expected *string) (string, error) {
		out, err := s.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: &arn, Policy: &text, ExpectedRevisionId: expected})
		if err != nil {
			return "", err
		}
		return *out.RevisionId, nil
	}
	text, first, err := get(tableARN)
	if err != nil || text != policy {
		t.Errorf("%s %s, %v", text, first, err)
	}
	if same, err := put(tableARN, policy, nil); err != nil || same != first {
		t.Errorf("the same policy: %s, %v", same, err)
	}
	const missing = "Resource-based policy not found for the provided ResourceArn: " + tableARN
	other := strings.Replace(policy, "Allow", "Deny", 1)
	_, err = put(tableARN, other, aws.String("NO_POLICY"))
	expectError(t, err, "PolicyNotFoundException", missing)
	_, err = put(tableARN, other, aws.String("1"))
	expectError(t, err, "PolicyNotFoundException", missing)
	second, err := put(tableARN, other, &first)
	if err != nil || second == first {
		t.Errorf("%s after %s, %v", second, first, err)
	}
	if _, err := put(stream, policy, aws.String("NO_POLICY")); err != nil {
		t.Error(err)
	}
	if text, _, err := get(stream); err != nil || text != policy {
		t.Errorf("the stream's: %s, %v", text, err)
	}
	remove := func(expected *string) (string, error) {
		out, err := s.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: aws.String(tableARN), ExpectedRevisionId: expected})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.RevisionId), nil
	}
	_, err = remove(&first)
	expectError(t, err, "PolicyNotFoundException", missing)
	for _, want := range []string{second, ""} {
		if revision, err := remove(nil); err != nil || revision != want {
			t.Errorf("deleted %q, want %q, %v", revision, want, err)
		}
	}
	_, _, err = get(tableARN)
	expectError(t, err, "PolicyNotFoundException", missing)
}

func TestContributorInsights(t *testing.T) {
	s := newStack(t)
	if _, err := s.CreateTable(t.Context(), provisionedTable()); err != nil {
		t.Fatal(err)
	}
	describe := func(index *string) *dynamodb.DescribeContributorInsightsOutput {
		out, err := s.DescribeContributorInsights(t.Context(), &dynamodb.DescribeContributorInsightsInput{TableName: name, IndexName: index})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	set := func(action types.ContributorInsightsAction, index *string, mode types.ContributorInsightsMode) types.ContributorInsightsStatus {
		out, err := s.UpdateContributorInsights(t.Context(), &dynamodb.UpdateContributorInsightsInput{TableName: name, IndexName: index, ContributorInsightsAction: action, ContributorInsightsMode: mode})
		if err != nil {
			t.Fatal(err)
		}
		return out.ContributorInsightsStatus
	}
	if d := describe(nil); d.ContributorInsightsStatus != types.ContributorInsightsStatusDisabled || d.LastUpdateDateTime != nil || len(d.ContributorInsightsRuleList) != 0 {
		t.Errorf("%+v", d)
	}
	if status := set(types.ContributorInsightsActionEnable, nil, ""); status != types.ContributorInsightsStatusEnabling {
		t.Error(status)
	}
	d := describe(nil)
	expectText(t, "rules", fmt.Sprint(d.ContributorInsightsRuleList), "[DynamoDBContributorInsights-PKT-orders-1795406911911 DynamoDBContributorInsights-PKC-orders-1795406911911]")
	if d.ContributorInsightsStatus != types.ContributorInsightsStatusEnabled || d.ContributorInsightsMode != types.ContributorInsightsModeAccessedAndThrottledKeys || !d.LastUpdateDateTime.Equal(start) {
		t.Errorf("%+v", d)
	}
	set(types.ContributorInsightsActionEnable, aws.String("gsi"), types.ContributorInsightsModeThrottledKeys)
	pages := dynamodb.NewListContributorInsightsPaginator(s, &dynamodb.ListContributorInsightsInput{TableName: name, MaxResults: 1})
	var listed []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, summary := range page.ContributorInsightsSummaries {
			listed = append(listed, fmt.Sprintf("%s/%s %s %s", *summary.TableName, aws.ToString(summary.IndexName), summary.ContributorInsightsStatus, summary.ContributorInsightsMode))
		}
	}
	expectText(t, "list", strings.Join(listed, ", "), "orders/ ENABLED ACCESSED_AND_THROTTLED_KEYS, orders/gsi ENABLED THROTTLED_KEYS")
	if status := set(types.ContributorInsightsActionDisable, nil, ""); status != types.ContributorInsightsStatusDisabling {
		t.Error(status)
	}
	if d := describe(nil); d.ContributorInsightsStatus != types.ContributorInsightsStatusDisabled || d.ContributorInsightsMode != "" {
		t.Errorf("%+v", d)
	}
}

func TestEndpointsAndKinesis(t *testing.T) {
	s := newTable(t)
	out, err := s.DescribeEndpoints(t.Context(), &dynamodb.DescribeEndpointsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if at, err := url.Parse(s.url); err != nil || len(out.Endpoints) != 1 || *out.Endpoints[0].Address != at.Host {
		t.Errorf("%+v, %v", out.Endpoints, err)
	}
	kinesis, err := s.DescribeKinesisStreamingDestination(t.Context(), &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: aws.String(tableARN)})
	if err != nil || *kinesis.TableName != "orders" || kinesis.KinesisDataStreamDestinations == nil || len(kinesis.KinesisDataStreamDestinations) != 0 {
		t.Errorf("%+v, %v", kinesis, err)
	}
}
