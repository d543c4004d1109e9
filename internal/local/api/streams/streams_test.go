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

	"streamgen/internal/local"
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
	url     string
	handler http.Handler
	clock   *clock.Manual
	engine  *engine.Engine
	stream  *streams.Stream
}

func newStack(t testing.TB) *stack {
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
	handler := api.New(registry)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := dynamodbstreams.New(dynamodbstreams.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1, HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	s, found := registry.Lookup(streamARN)
	if !found {
		t.Fatal("no stream")
	}
	return &stack{Client: client, url: server.URL, handler: handler, clock: c, engine: e, stream: s}
}

func (s *stack) put(t testing.TB, it attr.Item) {
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

func (s *stack) describe(t testing.TB) *types.StreamDescription {
	t.Helper()
	out, err := s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN)})
	if err != nil {
		t.Fatal(err)
	}
	return out.StreamDescription
}

func (s *stack) iterator(t testing.TB, shard *string, kind types.ShardIteratorType, number *string) *string {
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

// shards lists the stream's shards a page at a time.
func (s *stack) shards(t *testing.T, limit int32, filter *types.ShardFilter) (all []types.Shard) {
	t.Helper()
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN), Limit: &limit, ShardFilter: filter}
	for {
		page, err := s.DescribeStream(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.StreamDescription.Shards...)
		in.ExclusiveStartShardId = page.StreamDescription.LastEvaluatedShardId
		if in.ExclusiveStartShardId == nil {
			return all
		}
		if len(page.StreamDescription.Shards) != int(limit) || *in.ExclusiveStartShardId != *all[len(all)-1].ShardId {
			t.Fatalf("a page of %d: %+v", limit, page.StreamDescription)
		}
	}
}

func TestShards(t *testing.T) {
	s := newStack(t)
	root := *s.describe(t).Shards[0].ShardId
	rolled, err := s.stream.Roll(root)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Hour)
	children, err := s.stream.Split(rolled)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{root, rolled, children[0], children[1]}
	parents := []string{"", root, rolled, rolled}
	for limit := range int32(5) {
		all := s.shards(t, limit+1, nil)
		if len(all) != 4 {
			t.Fatalf("%+v", all)
		}
		for i, sh := range all {
			if *sh.ShardId != ids[i] || aws.ToString(sh.ParentShardId) != parents[i] || (sh.SequenceNumberRange.EndingSequenceNumber != nil) != (i < 2) {
				t.Errorf("shard %d of %v: %+v", i, ids, sh)
			}
		}
	}
	for limit := range int32(3) {
		got := s.shards(t, limit+1, &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: &rolled})
		if len(got) != 2 || *got[0].ShardId != children[0] || *got[1].ShardId != children[1] {
			t.Errorf("children of %s: %+v", rolled, got)
		}
	}
	if got := s.shards(t, 10, &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: &children[0]}); len(got) != 0 {
		t.Errorf("children of an open shard: %+v", got)
	}
	page, err := s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN), ExclusiveStartShardId: aws.String(strings.Repeat("z", 30))})
	if err != nil || len(page.StreamDescription.Shards) != 0 {
		t.Errorf("after a shard that no stream has: %+v, %v", page, err)
	}

	// The parent goes a day after it was closed. Its name stays with its children, and a page that begins there goes on.
	s.clock.Advance(23 * time.Hour)
	if got := s.shards(t, 10, nil); len(got) != 3 || *got[0].ShardId != rolled || *got[0].ParentShardId != root {
		t.Errorf("after a day: %+v", got)
	}
	page, err = s.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN), ExclusiveStartShardId: &root})
	if err != nil || len(page.StreamDescription.Shards) != 3 {
		t.Errorf("after a shard that is gone: %+v, %v", page, err)
	}
	_, err = s.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: aws.String(streamARN), ShardId: &root, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	expectCode(t, err, "ResourceNotFoundException")
}

// records reads a shard from an iterator to where it ends or has nothing more for now.
func (s *stack) records(t *testing.T, iterator *string) (pages []int, records []types.Record, closed bool) {
	t.Helper()
	for {
		page, err := s.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, page.Records...)
		if page.NextShardIterator == nil {
			return append(pages, len(page.Records)), records, true
		}
		if len(page.Records) == 0 {
			return pages, records, false
		}
		pages, iterator = append(pages, len(page.Records)), page.NextShardIterator
	}
}

// A client walks from parent to children and has each item's changes in their order.
func TestSplitIsRead(t *testing.T) {
	s := newStack(t)
	const items = 20
	change := func(version string) {
		for i := range items {
			s.put(t, attr.Item{"pk": attr.String(fmt.Sprint(i)), "v": attr.String(version)})
		}
	}
	change("1")
	root := s.describe(t).Shards[0].ShardId
	if _, err := s.stream.Split(*root); err != nil {
		t.Fatal(err)
	}
	change("2")
	versions := map[string]string{}
	walk := func(shard *string, closed bool) int {
		_, records, ended := s.records(t, s.iterator(t, shard, types.ShardIteratorTypeTrimHorizon, nil))
		if ended != closed {
			t.Errorf("shard %s ends: %t", *shard, ended)
		}
		for _, r := range records {
			versions[r.Dynamodb.Keys["pk"].(*types.AttributeValueMemberS).Value] += r.Dynamodb.NewImage["v"].(*types.AttributeValueMemberS).Value
		}
		return len(records)
	}
	if n := walk(root, true); n != items {
		t.Errorf("%d records in the parent", n)
	}
	children := s.shards(t, 10, &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: root})
	if len(children) != 2 {
		t.Fatalf("%+v", children)
	}
	if left, right := walk(children[0].ShardId, false), walk(children[1].ShardId, false); left == 0 || right == 0 || left+right != items {
		t.Errorf("%d and %d records in the children", left, right)
	}
	for i := range items {
		if got := versions[fmt.Sprint(i)]; got != "12" {
			t.Errorf("versions of item %d: %s", i, got)
		}
	}
}

// A page has no more than a thousand records and no more than a megabyte, and yet the largest record there can be.
func TestPagesOfRecords(t *testing.T) {
	s := newStack(t)
	shard := s.describe(t).Shards[0].ShardId
	for i := range 2100 {
		s.put(t, attr.Item{"pk": attr.String(fmt.Sprint(i))})
	}
	begin := s.iterator(t, shard, types.ShardIteratorTypeLatest, nil)
	if pages, _, _ := s.records(t, s.iterator(t, shard, types.ShardIteratorTypeTrimHorizon, nil)); fmt.Sprint(pages) != "[1000 1000 100]" {
		t.Errorf("pages of %v records", pages)
	}
	largest := func(letter string) attr.Item {
		return attr.Item{"pk": attr.String("large"), "v": attr.String(strings.Repeat(letter, 400<<10-len("pklargev")))}
	}
	for _, letter := range []string{"a", "b", "c"} {
		s.put(t, largest(letter))
	}
	pages, records, _ := s.records(t, begin)
	if fmt.Sprint(pages) != "[1 1 1]" {
		t.Fatalf("pages of %v large records", pages)
	}
	if d := records[1].Dynamodb; *d.SizeBytes != int64(len("pklarge"))+2*400<<10 || d.OldImage["v"].(*types.AttributeValueMemberS).Value[0] != 'a' ||
		d.NewImage["v"].(*types.AttributeValueMemberS).Value[0] != 'b' {
		t.Errorf("%d bytes", *d.SizeBytes)
	}
}

func TestExpiredItem(t *testing.T) {
	s := newStack(t)
	if err := s.engine.SetTimeToLive("orders", "until", true); err != nil {
		t.Fatal(err)
	}
	until, _ := attr.Number(fmt.Sprint(start.Unix() + 1))
	s.put(t, attr.Item{"pk": attr.String("a"), "until": until})
	s.clock.AwaitSleepers(1)
	s.clock.Advance(2 * time.Second)
	s.clock.AwaitSleepers(1)
	_, records, _ := s.records(t, s.iterator(t, s.describe(t).Shards[0].ShardId, types.ShardIteratorTypeTrimHorizon, nil))
	if len(records) != 2 || records[0].UserIdentity != nil || records[1].EventName != types.OperationTypeRemove || records[1].UserIdentity == nil ||
		*records[1].UserIdentity.PrincipalId != "dynamodb.amazonaws.com" || *records[1].UserIdentity.Type != "Service" {
		t.Errorf("%+v", records)
	}
}

// The stream of a table that is gone is listed, described and read for a day.
func TestDeletedTable(t *testing.T) {
	s := newStack(t)
	s.put(t, attr.Item{"pk": attr.String("a")})
	shard := s.describe(t).Shards[0].ShardId
	if _, err := s.engine.DeleteTable("orders"); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(24*time.Hour - time.Second)
	list, err := s.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: aws.String("orders")})
	if err != nil || len(list.Streams) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if d := s.describe(t); d.StreamStatus != types.StreamStatusDisabled {
		t.Errorf("%+v", d)
	}
	if _, records, closed := s.records(t, s.iterator(t, shard, types.ShardIteratorTypeTrimHorizon, nil)); len(records) != 1 || !closed {
		t.Errorf("%+v, closed %t", records, closed)
	}
	s.clock.Advance(time.Second)
	if list, err = s.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: aws.String("orders")}); err != nil || len(list.Streams) != 0 {
		t.Errorf("%+v, %v", list, err)
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
	const (
		other   = "shardId-00000001573689847184-864758bb"
		gone    = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2020-01-01T00:00:00.000"
		short   = " failed to satisfy constraint: Member must have length greater than or equal to "
		long    = " failed to satisfy constraint: Member must have length less than or equal to "
		missing = " failed to satisfy constraint: Member must not be null"
		types   = " failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"
		noARN   = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
	)
	for _, c := range []struct{ operation, body, code, message string }{
		{"Nope", `{}`, "UnknownOperationException", "streamgen local does not emulate DynamoDBStreams_20120810.Nope"},
		{"ListStreams", `{"X":1}`, invalid, `streamgen local does not emulate "X" of ListStreams`},
		{"ListStreams", `{"Limit":0}`, invalid, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"ListStreams", `{"Limit":101}`, invalid, "One or more parameter values were invalid: Limit cannot be greater than the maximum allowed size: 100"},
		{"ListStreams", `{"TableName":"ab"}`, invalid, "1 validation error detected: Value 'ab' at 'tableName'" + short + "3"},
		{"ListStreams", `{"TableName":"a b"}`, invalid, "1 validation error detected: Value 'a b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{"ListStreams", `{"TableName":"ab","ExclusiveStartStreamArn":"foo"}`, invalid, "2 validation errors detected: Value 'ab' at 'tableName'" + short + "3; Value 'foo' at 'exclusiveStartStreamArn'" + short + "37"},
		{"ListStreams", `{"ExclusiveStartStreamArn":"` + noARN + `"}`, invalid, "Invalid StreamArn"},
		{"DescribeStream", `{}`, invalid, "1 validation error detected: Value null at 'streamArn'" + missing},
		{"DescribeStream", `{"StreamArn":"foo"}`, invalid, "1 validation error detected: Value 'foo' at 'streamArn'" + short + "37"},
		{"DescribeStream", `{"StreamArn":"` + noARN + `"}`, invalid, "Invalid StreamArn"},
		{"DescribeStream", `{"StreamArn":"` + gone + `"}`, "ResourceNotFoundException", "Requested resource not found: Stream: " + gone + " not found"},
		{"DescribeStream", `{"StreamArn":"` + gone + `","Limit":101}`, invalid, "One or more parameter values were invalid: Limit cannot be greater than the maximum allowed size: 100"},
		{"DescribeStream", `{"StreamArn":"` + gone + `","ExclusiveStartShardId":"x"}`, invalid, "1 validation error detected: Value 'x' at 'exclusiveStartShardId'" + short + "28"},
		{"DescribeStream", `{"StreamArn":"` + gone + `","ExclusiveStartShardId":"` + strings.Repeat("x", 66) + `"}`, invalid, "1 validation error detected: Value '" + strings.Repeat("x", 66) + "' at 'exclusiveStartShardId'" + long + "65"},
		{"DescribeStream", `{"StreamArn":"` + gone + `","ShardFilter":{"Type":"X"}}`, invalid, "2 validation errors detected: Value 'X' at 'shardFilter.type' failed to satisfy constraint: Member must satisfy enum value set: [CHILD_SHARDS]; Value null at 'shardFilter.shardId'" + missing},
		{"GetShardIterator", `{}`, invalid, "3 validation errors detected: Value null at 'streamArn'" + missing + "; Value null at 'shardId'" + missing + "; Value null at 'shardIteratorType'" + missing},
		{"GetShardIterator", iterator(``), invalid, "1 validation error detected: Value null at 'shardIteratorType'" + missing},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_TIMESTAMP"`), invalid, "1 validation error detected: Value 'AT_TIMESTAMP' at 'shardIteratorType'" + types},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"LATEST","SequenceNumber":"100000000000000000001"`), invalid, "One or more parameter values were invalid: SequenceNumber should not be passed for this iterator type"},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_SEQUENCE_NUMBER"`), invalid, "One or more parameter values were invalid: Invalid SequenceNumber"},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"abc"`), invalid, "1 validation error detected: Value 'abc' at 'sequenceNumber'" + short + "21"},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"aaaaaaaaaaaaaaaaaaaaa"`), invalid, "Invalid SequenceNumber: aaaaaaaaaaaaaaaaaaaaa"},
		{"GetShardIterator", iterator(`,"ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"100000000000000000099"`), invalid, "Invalid SequenceNumber: 100000000000000000099"},
		{"GetShardIterator", `{"StreamArn":"` + noARN + `","ShardId":"` + other + `","ShardIteratorType":"LATEST"}`, invalid, "Invalid StreamArn"},
		{"GetShardIterator", `{"StreamArn":"` + gone + `","ShardId":"` + other + `","ShardIteratorType":"LATEST"}`, "ResourceNotFoundException", "Requested resource not found: Stream: " + gone + " not found"},
		{"GetShardIterator", strings.Replace(iterator(`,"ShardIteratorType":"LATEST"`), shard, other, 1), "ResourceNotFoundException", "Requested resource not found: Shard: " + other + " in Stream: " + streamARN + " not found"},
		{"GetRecords", `{}`, invalid, "1 validation error detected: Value null at 'shardIterator'" + missing},
		{"GetRecords", `{"ShardIterator":"foo"}`, invalid, "Invalid ShardIterator"},
		{"GetRecords", `{"ShardIterator":"foo","Limit":0}`, invalid, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
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
