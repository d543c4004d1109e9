package streams_test

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
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	api "streamgen/internal/local/api/streams"
	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/streams"
)

var start = time.Date(2026, 11, 23, 4, 8, 31, 911_000_000, time.UTC)

const streamARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-23T04:08:31.911"

// stack is a front end over HTTP with a table "orders" (pk S) whose stream it serves.
type stack struct {
	*dynamodbstreams.Client
	url    string
	clock  *clock.Manual
	engine *engine.Engine
	stream *streams.Stream
}

func newStack(t *testing.T) *stack {
	t.Helper()
	c := clock.NewManual(start)
	registry := streams.New(streams.Options{Account: "000000000000", Region: "us-east-1", Clock: c})
	e := engine.New(engine.Options{Account: "000000000000", Region: "us-east-1", Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	_, err := e.CreateTable(engine.CreateTable{
		Name: "orders", Attributes: []engine.AttributeDefinition{{Name: "pk", Type: attr.S}},
		Keys: []engine.KeyElement{{Name: "pk", Role: engine.Hash}}, View: "NEW_AND_OLD_IMAGES",
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api.New(registry))
	t.Cleanup(server.Close)
	client := dynamodbstreams.New(dynamodbstreams.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	s, found := registry.Lookup(streamARN)
	if !found {
		t.Fatal("no stream")
	}
	return &stack{Client: client, url: server.URL, clock: c, engine: e, stream: s}
}

func (s *stack) put(t *testing.T, it attr.Item) {
	t.Helper()
	if _, err := s.engine.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: it}); err != nil {
		t.Fatal(err)
	}
}

func (s *stack) delete(t *testing.T, pk string) {
	t.Helper()
	if _, err := s.engine.Delete(engine.Delete{Write: engine.Write{Table: "orders"}, Key: attr.Item{"pk": attr.String(pk)}}); err != nil {
		t.Fatal(err)
	}
}

func (s *stack) describe(t *testing.T) *types.StreamDescription {
	t.Helper()
	out, err := s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN)})
	if err != nil {
		t.Fatal(err)
	}
	return out.StreamDescription
}

func (s *stack) iterator(t *testing.T, shard *string, kind types.ShardIteratorType, number *string) *string {
	t.Helper()
	out, err := s.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: aws.String(streamARN), ShardId: shard, ShardIteratorType: kind, SequenceNumber: number})
	if err != nil {
		t.Fatal(err)
	}
	return out.ShardIterator
}

func TestListAndDescribe(t *testing.T) {
	s := newStack(t)
	list, err := s.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: aws.String("orders")})
	if err != nil || len(list.Streams) != 1 || *list.Streams[0].StreamArn != streamARN || *list.Streams[0].StreamLabel != "2026-11-23T04:08:31.911" || *list.Streams[0].TableName != "orders" {
		t.Fatalf("%+v, %v", list, err)
	}
	if list, err = s.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: aws.String("nope")}); err != nil || list.Streams == nil || len(list.Streams) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	d := s.describe(t)
	if d.StreamStatus != types.StreamStatusEnabled || d.StreamViewType != types.StreamViewTypeNewAndOldImages || *d.TableName != "orders" ||
		!d.CreationRequestDateTime.Equal(start) || *d.KeySchema[0].AttributeName != "pk" || d.KeySchema[0].KeyType != types.KeyTypeHash || d.LastEvaluatedShardId != nil {
		t.Errorf("%+v", d)
	}
	if sh := d.Shards[0]; len(*sh.ShardId) != 37 || sh.ParentShardId != nil || len(*sh.SequenceNumberRange.StartingSequenceNumber) != 21 || sh.SequenceNumberRange.EndingSequenceNumber != nil {
		t.Errorf("%+v", sh)
	}
}

func TestListStreamsPages(t *testing.T) {
	s := newStack(t)
	for i := range 4 {
		s.clock.Advance(time.Second)
		for _, view := range []string{"", "KEYS_ONLY"} {
			if _, err := s.engine.UpdateTable(engine.UpdateTable{Name: "orders", View: &view}); err != nil {
				t.Fatal(i, err)
			}
		}
	}
	var labels []string
	var after *string
	for {
		page, err := s.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{Limit: aws.Int32(2), ExclusiveStartStreamArn: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, stream := range page.Streams {
			labels = append(labels, strings.TrimPrefix(*stream.StreamLabel, "2026-11-23T04:08:"))
		}
		if after = page.LastEvaluatedStreamArn; after == nil {
			break
		}
	}
	if fmt.Sprint(labels) != "[31.911 32.911 33.911 34.911 35.911]" {
		t.Errorf("%v", labels)
	}
}

func TestShards(t *testing.T) {
	s := newStack(t)
	for range 2 {
		open := s.stream.Shards()
		if _, err := s.stream.Roll(open[len(open)-1].ID); err != nil {
			t.Fatal(err)
		}
	}
	all := s.describe(t).Shards
	if len(all) != 3 || *all[1].ParentShardId != *all[0].ShardId || *all[2].ParentShardId != *all[1].ShardId || all[1].SequenceNumberRange.EndingSequenceNumber == nil {
		t.Fatalf("%+v", all)
	}
	page, err := s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN), Limit: aws.Int32(2)})
	if err != nil || len(page.StreamDescription.Shards) != 2 || *page.StreamDescription.LastEvaluatedShardId != *all[1].ShardId {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN), ExclusiveStartShardId: page.StreamDescription.LastEvaluatedShardId})
	if err != nil || len(page.StreamDescription.Shards) != 1 || *page.StreamDescription.Shards[0].ShardId != *all[2].ShardId {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{
		StreamArn: aws.String(streamARN), ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: all[0].ShardId},
	})
	if err != nil || len(page.StreamDescription.Shards) != 1 || *page.StreamDescription.Shards[0].ShardId != *all[1].ShardId {
		t.Fatalf("%+v, %v", page, err)
	}
}

func TestGetRecords(t *testing.T) {
	s := newStack(t)
	shard := s.describe(t).Shards[0].ShardId
	latest := s.iterator(t, shard, types.ShardIteratorTypeLatest, nil)
	s.put(t, attr.Item{"pk": attr.String("a"), "v": attr.Bool(true)})
	s.put(t, attr.Item{"pk": attr.String("a"), "v": attr.Binary([]byte{1, 2})})
	s.delete(t, "a")

	out, err := s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: latest})
	if err != nil || len(out.Records) != 3 || out.NextShardIterator == nil {
		t.Fatalf("%+v, %v", out, err)
	}
	for i, want := range []struct {
		event    types.OperationType
		old, new bool
		size     int64
	}{{"INSERT", false, true, 3 + 5}, {"MODIFY", true, true, 3 + 5 + 6}, {"REMOVE", true, false, 3 + 6}} {
		r := out.Records[i]
		d := r.Dynamodb
		if r.EventName != want.event || len(*r.EventID) != 32 || *r.EventVersion != "1.1" || *r.EventSource != "aws:dynamodb" || *r.AwsRegion != "us-east-1" || r.UserIdentity != nil {
			t.Errorf("%+v", r)
		}
		if (d.OldImage != nil) != want.old || (d.NewImage != nil) != want.new || *d.SizeBytes != want.size || d.StreamViewType != types.StreamViewTypeNewAndOldImages {
			t.Errorf("%+v", d)
		}
		if !d.ApproximateCreationDateTime.Equal(start.Truncate(time.Second)) || d.Keys["pk"].(*types.AttributeValueMemberS).Value != "a" {
			t.Errorf("%+v", d)
		}
	}
	if got := out.Records[1].Dynamodb.NewImage["v"].(*types.AttributeValueMemberB).Value; !bytes.Equal(got, []byte{1, 2}) {
		t.Errorf("%v", got)
	}

	second := out.Records[1].Dynamodb.SequenceNumber
	for kind, want := range map[types.ShardIteratorType]int{types.ShardIteratorTypeAtSequenceNumber: 2, types.ShardIteratorTypeAfterSequenceNumber: 1} {
		page, err := s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: s.iterator(t, shard, kind, second)})
		if err != nil || len(page.Records) != want {
			t.Errorf("%s: %+v, %v", kind, page, err)
		}
	}
	page, err := s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: s.iterator(t, shard, types.ShardIteratorTypeTrimHorizon, nil), Limit: aws.Int32(1)})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("%+v, %v", page, err)
	}

	empty, err := s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: out.NextShardIterator})
	if err != nil || empty.Records == nil || len(empty.Records) != 0 || empty.NextShardIterator == nil {
		t.Errorf("an open shard without news: %+v, %v", empty, err)
	}
	s.stream.Close()
	end, err := s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: empty.NextShardIterator})
	if err != nil || len(end.Records) != 0 || end.NextShardIterator != nil {
		t.Errorf("the end of a closed shard: %+v, %v", end, err)
	}
	if d := s.describe(t); d.StreamStatus != types.StreamStatusDisabled || d.Shards[0].SequenceNumberRange.EndingSequenceNumber == nil {
		t.Errorf("%+v", d)
	}
}

func TestIteratorsAndDataAge(t *testing.T) {
	s := newStack(t)
	shard := s.describe(t).Shards[0].ShardId
	s.put(t, attr.Item{"pk": attr.String("a")})
	it := s.iterator(t, shard, types.ShardIteratorTypeTrimHorizon, nil)
	out, err := s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it})
	if err != nil || len(out.Records) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	s.clock.Advance(15 * time.Minute)
	_, err = s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it})
	expectCode(t, err, "ExpiredIteratorException")
	s.clock.Advance(24 * time.Hour)
	_, err = s.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: aws.String(streamARN), ShardId: shard, ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: out.Records[0].Dynamodb.SequenceNumber,
	})
	expectCode(t, err, "TrimmedDataAccessException")
	s.stream.Close()
	s.clock.Advance(24 * time.Hour)
	_, err = s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN)})
	expectCode(t, err, "ResourceNotFoundException")
}

func expectCode(t *testing.T, err error, code string) {
	t.Helper()
	var failed smithy.APIError
	if !errors.As(err, &failed) || failed.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

func TestRefused(t *testing.T) {
	s := newStack(t)
	shard := *s.describe(t).Shards[0].ShardId
	const invalid = "ValidationException"
	iterator := func(rest string) string {
		return `{"StreamArn":"` + streamARN + `","ShardId":"` + shard + `"` + rest + `}`
	}
	const other = "shardId-00000001573689847184-864758bb"
	for _, c := range []struct{ operation, body, code, message string }{
		{"Nope", `{}`, "UnknownOperationException", "streamgen local does not emulate DynamoDBStreams_20120810.Nope"},
		{"ListStreams", `{"X":1}`, invalid, `streamgen local does not emulate "X" of ListStreams`},
		{"ListStreams", `{"Limit":0}`, invalid, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"ListStreams", `{"Limit":101}`, invalid, "One or more parameter values were invalid: Limit cannot be greater than the maximum allowed size: 100"},
		{"DescribeStream", `{}`, invalid, "Invalid StreamArn"},
		{"DescribeStream", `{"StreamArn":"foo"}`, "ResourceNotFoundException", "Requested resource not found: Stream: foo not found"},
		{"DescribeStream", `{"StreamArn":"foo","ExclusiveStartShardId":"x"}`, invalid, "1 validation error detected: Value 'x' at 'exclusiveStartShardId' failed to satisfy constraint: Member must have length greater than or equal to 28"},
		{"DescribeStream", `{"StreamArn":"foo","ShardFilter":{"Type":"X"}}`, invalid, "1 validation error detected: Value 'X' at 'shardFilter.type' failed to satisfy constraint: Member must satisfy enum value set: [CHILD_SHARDS]"},
		{"GetShardIterator", `{}`, invalid, "Invalid StreamArn"},
		{"GetShardIterator", `{"StreamArn":"foo"}`, invalid, "No ShardId specified."},
		{"GetShardIterator", iterator(``), invalid, "Invalid ShardIteratorType."},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_TIMESTAMP"`), invalid, "Invalid ShardIteratorType."},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"LATEST","SequenceNumber":"100000000000000000001"`), invalid, "One or more parameter values were invalid: SequenceNumber should not be passed for this iterator type"},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_SEQUENCE_NUMBER"`), invalid, "One or more parameter values were invalid: Invalid SequenceNumber"},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"abc"`), invalid, "1 validation error detected: Value 'abc' at 'sequenceNumber' failed to satisfy constraint: Member must have length greater than or equal to 21"},
		{"GetShardIterator", `{"StreamArn":"foo","ShardId":"` + other + `","ShardIteratorType":"LATEST"}`, "ResourceNotFoundException", "Requested resource not found: Stream: foo not found"},
		{"GetShardIterator", strings.Replace(iterator(`,"ShardIteratorType":"LATEST"`), shard, other, 1), "ResourceNotFoundException", "Requested resource not found: Shard: " + other + " in Stream: " + streamARN + " not found"},
		{"GetRecords", `{}`, invalid, "Invalid ShardIterator"},
		{"GetRecords", `{"ShardIterator":"foo"}`, invalid, "Invalid ShardIterator"},
		{"GetRecords", `{"ShardIterator":"foo","Limit":1001}`, invalid, "One or more parameter values were invalid: Limit should be less than or equal to 1000"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+c.operation)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		want := fmt.Sprintf(`{"__type":%q,"message":%q}`, c.code, c.message)
		if err != nil || res.StatusCode != http.StatusBadRequest || string(answer) != want {
			t.Errorf("%s %s\n got %d %s\nwant %s", c.operation, c.body, res.StatusCode, answer, want)
		}
	}
}
