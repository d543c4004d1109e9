package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"streamgen/internal/local"
)

// world is a stack seen from several regions.
type world struct {
	*testing.T
	endpoint string
	table    *string
}

func (w world) in(region string) *dynamodb.Client {
	return dynamodb.NewFromConfig(config(w.endpoint), func(o *dynamodb.Options) { o.Region = region })
}

// newWorld makes a table in a region.
func newWorld(t *testing.T, s *local.Stack, region string, change func(*dynamodb.CreateTableInput)) world {
	t.Helper()
	in := tableOf("id:S")
	in.TableName = unique("global")
	change(in)
	w := world{t, s.Endpoint(), in.TableName}
	_, err := w.in(region).CreateTable(t.Context(), in)
	must(t, err)
	return w
}

func (w world) update(region string, updates ...ddb.ReplicationGroupUpdate) error {
	_, err := w.in(region).UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: w.table, ReplicaUpdates: updates})
	return err
}

func (w world) makeStrong(region string, others ...string) error {
	in := &dynamodb.UpdateTableInput{TableName: w.table, MultiRegionConsistency: ddb.MultiRegionConsistencyStrong}
	for _, other := range others {
		in.ReplicaUpdates = append(in.ReplicaUpdates, create(other))
	}
	_, err := w.in(region).UpdateTable(w.Context(), in)
	return err
}

func create(region string) ddb.ReplicationGroupUpdate {
	return ddb.ReplicationGroupUpdate{Create: &ddb.CreateReplicationGroupMemberAction{RegionName: &region}}
}

func remove(region string) ddb.ReplicationGroupUpdate {
	return ddb.ReplicationGroupUpdate{Delete: &ddb.DeleteReplicationGroupMemberAction{RegionName: &region}}
}

func (w world) describe(region string) *ddb.TableDescription {
	w.Helper()
	out, err := w.in(region).DescribeTable(w.Context(), &dynamodb.DescribeTableInput{TableName: w.table})
	must(w, err)
	return out.Table
}

// replicas are the regions that a table names as those of its replicas.
func (w world) replicas(region string) string {
	w.Helper()
	var all []string
	for _, r := range w.describe(region).Replicas {
		all = append(all, *r.RegionName)
		if r.ReplicaStatus != ddb.ReplicaStatusActive {
			w.Errorf("the replica in %s is %s", *r.RegionName, r.ReplicaStatus)
		}
	}
	return strings.Join(all, " ")
}

func (w world) put(region, id, text string) {
	w.Helper()
	_, err := w.in(region).PutItem(w.Context(), &dynamodb.PutItemInput{TableName: w.table, Item: map[string]ddb.AttributeValue{
		"id": &ddb.AttributeValueMemberS{Value: id}, "text": &ddb.AttributeValueMemberS{Value: text},
	}})
	must(w, err)
}

// get gives the text of an item, "" when there is none.
func (w world) get(region, id string) string {
	w.Helper()
	out, err := w.in(region).GetItem(w.Context(), &dynamodb.GetItemInput{
		TableName: w.table, Key: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: id}}, ConsistentRead: aws.Bool(true),
	})
	must(w, err)
	text, _ := out.Item["text"].(*ddb.AttributeValueMemberS)
	if text == nil {
		return ""
	}
	return text.Value
}

// records are the kinds of change in the stream of a region, and by whom.
func (w world) records(region string) (kinds []string) {
	w.Helper()
	streams := dynamodbstreams.NewFromConfig(config(w.endpoint), func(o *dynamodbstreams.Options) { o.Region = region })
	arn := w.describe(region).LatestStreamArn
	shards, err := streams.DescribeStream(w.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	must(w, err)
	for _, shard := range shards.StreamDescription.Shards {
		it, err := streams.GetShardIterator(w.Context(), &dynamodbstreams.GetShardIteratorInput{
			StreamArn: arn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		})
		must(w, err)
		out, err := streams.GetRecords(w.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it.ShardIterator})
		must(w, err)
		for _, r := range out.Records {
			kind := string(r.EventName)
			if r.UserIdentity != nil {
				kind += " by " + *r.UserIdentity.PrincipalId
			}
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// TestGlobalTable writes in each region and reads in the others; streams tell of the writes of all.
func TestGlobalTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t, local.Options{}), "eu-west-1", func(*dynamodb.CreateTableInput) {})
	w.put("eu-west-1", "a", "before")
	must(t, w.update("eu-west-1", create("us-east-1")))
	must(t, w.update("us-east-1", create("ap-south-1")))
	for region, others := range map[string]string{"eu-west-1": "ap-south-1 us-east-1", "us-east-1": "ap-south-1 eu-west-1", "ap-south-1": "eu-west-1 us-east-1"} {
		d := w.describe(region)
		if w.replicas(region) != others || *d.GlobalTableVersion != "2019.11.21" || d.MultiRegionConsistency != ddb.MultiRegionConsistencyEventual ||
			d.StreamSpecification == nil || d.StreamSpecification.StreamViewType != ddb.StreamViewTypeNewAndOldImages || !strings.Contains(*d.LatestStreamArn, region) {
			t.Errorf("%s: %+v", region, d)
		}
		if got := w.get(region, "a"); got != "before" {
			t.Errorf("%s has %q of before", region, got)
		}
	}
	w.put("ap-south-1", "b", "new")
	w.put("us-east-1", "b", "changed")
	_, err := w.in("eu-west-1").TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []ddb.TransactWriteItem{{Delete: &ddb.Delete{
		TableName: w.table, Key: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: "a"}},
	}}}})
	must(t, err)
	for _, region := range []string{"eu-west-1", "us-east-1", "ap-south-1"} {
		if a, b := w.get(region, "a"), w.get(region, "b"); a != "" || b != "changed" {
			t.Errorf("%s has a = %q and b = %q", region, a, b)
		}
		if got := strings.Join(w.records(region), " "); got != "INSERT MODIFY REMOVE" {
			t.Errorf("the stream of %s has %s", region, got)
		}
	}

	_, err = w.in("us-east-1").UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: w.table, AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("text"), AttributeType: ddb.ScalarAttributeTypeS}},
		GlobalSecondaryIndexUpdates: []ddb.GlobalSecondaryIndexUpdate{{Create: &ddb.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("by-text"), KeySchema: []ddb.KeySchemaElement{{AttributeName: aws.String("text"), KeyType: ddb.KeyTypeHash}},
			Projection: &ddb.Projection{ProjectionType: ddb.ProjectionTypeAll},
		}}},
	})
	must(t, err)
	found, err := w.in("ap-south-1").Query(t.Context(), &dynamodb.QueryInput{
		TableName: w.table, IndexName: aws.String("by-text"), KeyConditionExpression: aws.String("#t = :t"), ExpressionAttributeNames: map[string]string{"#t": "text"},
		ExpressionAttributeValues: map[string]ddb.AttributeValue{":t": &ddb.AttributeValueMemberS{Value: "changed"}},
	})
	must(t, err)
	if found.Count != 1 {
		t.Errorf("the index of another region finds %d items", found.Count)
	}

	must(t, w.update("eu-west-1", remove("us-east-1")))
	_, err = w.in("ap-south-1").DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: w.table})
	must(t, err)
	d := w.describe("eu-west-1")
	if len(d.Replicas) > 0 || d.GlobalTableVersion != nil {
		t.Errorf("alone, the table has %v", d.Replicas)
	}
	w.put("eu-west-1", "c", "alone")
	for _, region := range []string{"us-east-1", "ap-south-1"} {
		_, err := w.in(region).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: w.table})
		wantCode(t, err, "ResourceNotFoundException", "not found")
	}
}

// TestStrongGlobalTable has three replicas, of which none has the stream of another.
func TestStrongGlobalTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t, local.Options{}), "eu-west-1", func(*dynamodb.CreateTableInput) {})
	must(t, w.makeStrong("eu-west-1", "eu-west-2", "eu-central-1"))
	w.put("eu-west-2", "a", "new")
	if got := w.get("eu-central-1", "a"); got != "new" {
		t.Errorf("a write is not there: %q", got)
	}
	d := w.describe("eu-central-1")
	if d.MultiRegionConsistency != ddb.MultiRegionConsistencyStrong || d.StreamSpecification != nil || w.replicas("eu-central-1") != "eu-west-1 eu-west-2" {
		t.Errorf("%+v", d)
	}
	_, err := w.in("eu-west-1").UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: w.table, TimeToLiveSpecification: &ddb.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
	})
	wantCode(t, err, "ValidationException", "Time to Live is not supported")
	_, err = w.in("eu-west-1").TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []ddb.TransactGetItem{{Get: &ddb.Get{
		TableName: w.table, Key: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: "a"}},
	}}}})
	wantCode(t, err, "ValidationException", "Transactions are not supported")
	wantCode(t, w.update("eu-west-1", remove("eu-west-2")), "ValidationException", "Unsupported table replica count")
	_, err = w.in("eu-west-2").DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: w.table})
	wantCode(t, err, "ValidationException", "Unsupported table replica count")
	must(t, w.update("eu-west-1", remove("eu-west-2"), remove("eu-central-1")))
	if got := w.replicas("eu-west-1"); got != "" || w.get("eu-west-1", "a") != "new" {
		t.Errorf("alone, the table has the replicas %s", got)
	}
}

func TestReplicasThatAreRefused(t *testing.T) {
	t.Parallel()
	stack := newStack(t, local.Options{})
	w := newWorld(t, stack, "eu-west-1", func(*dynamodb.CreateTableInput) {})
	must(t, w.update("eu-west-1", create("us-east-1")))
	protected := true
	_, err := w.in("us-east-1").UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: w.table, DeletionProtectionEnabled: &protected})
	must(t, err)
	if *w.describe("eu-west-1").DeletionProtectionEnabled {
		t.Error("deletion protection is of each replica alone")
	}
	disabled := &dynamodb.UpdateTableInput{TableName: w.table, StreamSpecification: &ddb.StreamSpecification{StreamEnabled: aws.Bool(false)}}
	_, err = w.in("us-east-1").UpdateTable(t.Context(), disabled)
	wantCode(t, err, "ValidationException", "Disabling Stream is not allowed for a Global Table replica.")

	keysOnly := newWorld(t, stack, "eu-west-1", func(in *dynamodb.CreateTableInput) {
		in.StreamSpecification = &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeKeysOnly}
	})
	taken := newWorld(t, stack, "eu-west-1", func(*dynamodb.CreateTableInput) {})
	in := tableOf("id:S")
	in.TableName = taken.table
	_, err = taken.in("us-east-1").CreateTable(t.Context(), in)
	must(t, err)
	full := newWorld(t, stack, "us-east-1", func(*dynamodb.CreateTableInput) {})
	full.put("us-east-1", "a", "")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"own region":      {w.update("eu-west-1", create("eu-west-1")), "Cannot add, delete, or update the local region through ReplicaUpdates"},
		"unknown":         {w.update("eu-west-1", remove("eu-west-3")), "Replica specified in the Replica Update or Replica Delete action of the request was not found"},
		"there already":   {w.update("eu-west-1", create("us-east-1")), "one or more replicas already existed as tables"},
		"another's":       {taken.update("eu-west-1", create("us-east-1")), "one or more replicas already existed as tables"},
		"twice":           {w.update("eu-west-1", create("eu-west-3"), create("eu-west-3")), "Only one replica update per region"},
		"protected":       {w.update("eu-west-1", remove("us-east-1")), "protected against deletion"},
		"nothing":         {w.update("eu-west-1", ddb.ReplicationGroupUpdate{}), "must be given"},
		"no action":       {w.update("eu-west-1", ddb.ReplicationGroupUpdate{Update: &ddb.UpdateReplicationGroupMemberAction{RegionName: aws.String("us-east-1")}}), "no actions specified"},
		"view type":       {keysOnly.update("eu-west-1", create("us-east-1")), "NEW_AND_OLD_IMAGES"},
		"two strong":      {keysOnly.makeStrong("eu-west-1", "eu-west-2"), "Unsupported table replica count"},
		"two region sets": {keysOnly.makeStrong("eu-west-1", "eu-west-2", "us-east-1"), "not of one Region set"},
		"items":           {full.makeStrong("us-east-1", "us-east-2", "us-west-2"), "must be empty"},
		"consistency":     {w.makeStrong("eu-west-1", "eu-west-2"), "MultiRegionConsistency cannot be changed"},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, c.err, "ValidationException", c.want) })
	}
	if got := w.replicas("eu-west-1"); got != "us-east-1" {
		t.Errorf("refused updates left the replicas %s", got)
	}
}

// TestGlobalTableAfterARestart: replicas are replicas again, and go on together.
func TestGlobalTableAfterARestart(t *testing.T) {
	t.Parallel()
	options := local.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
	first, err := local.Start(t.Context(), options)
	must(t, err)
	w := newWorld(t, first, "eu-west-1", func(*dynamodb.CreateTableInput) {})
	must(t, w.update("eu-west-1", create("us-east-1")))
	w.put("us-east-1", "a", "before")
	must(t, first.Close(t.Context()))

	w.endpoint = newStack(t, options).Endpoint()
	w.put("eu-west-1", "a", "after")
	if got := w.get("us-east-1", "a"); got != "after" || w.replicas("us-east-1") != "eu-west-1" {
		t.Errorf("the replica has %q", got)
	}
	if got := w.records("us-east-1"); !slices.Equal(got, []string{"INSERT", "MODIFY"}) {
		t.Errorf("its stream has %v", got)
	}
}

// TestWritersInTwoRegions: whatever the order, the replicas agree, and their streams with them.
func TestWritersInTwoRegions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newStack(t, local.Options{}), "eu-west-1", func(*dynamodb.CreateTableInput) {})
	must(t, w.update("eu-west-1", create("us-east-1")))
	var all sync.WaitGroup
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		client := w.in(region)
		all.Go(func() {
			for i := range 100 {
				_, err := client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{
					TableName: w.table, Key: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: fmt.Sprint("item-", i%3)}},
					UpdateExpression: aws.String("ADD n :one"), ExpressionAttributeValues: map[string]ddb.AttributeValue{":one": &ddb.AttributeValueMemberN{Value: "1"}},
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		sum := 0
		out, err := w.in(region).Scan(t.Context(), &dynamodb.ScanInput{TableName: w.table})
		must(t, err)
		for _, it := range out.Items {
			var n int
			_, err := fmt.Sscan(it["n"].(*ddb.AttributeValueMemberN).Value, &n)
			must(t, err)
			sum += n
		}
		if records := len(w.records(region)); sum != 200 || records != 200 {
			t.Errorf("%s counted %d writes and streams %d", region, sum, records)
		}
	}
}
