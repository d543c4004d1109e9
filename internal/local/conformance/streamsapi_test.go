package conformance_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
)

// streamed is a database whose table has a stream.
type streamed struct {
	*database
	streams *dynamodbstreams.Client
	arn     *string
}

func newStreamed(t *testing.T, view ddb.StreamViewType) *streamed {
	t.Helper()
	url := endpoint(t)
	in := tableOf("id:S")
	in.StreamSpecification = &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view}
	s := &streamed{database: newDatabaseOf(t, url, in), streams: dynamodbstreams.NewFromConfig(config(url))}
	s.arn = s.wait(s.table).LatestStreamArn
	return s
}

func (s *streamed) shards() []types.Shard {
	s.Helper()
	out, err := s.streams.DescribeStream(s.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: s.arn})
	must(s, err)
	return out.StreamDescription.Shards
}

func (s *streamed) iterator(in dynamodbstreams.GetShardIteratorInput) *string {
	s.Helper()
	in.StreamArn = s.arn
	out, err := s.streams.GetShardIterator(s.Context(), &in)
	must(s, err)
	return out.ShardIterator
}

// read reads from the iterator until n records have come.
func (s *streamed) read(iterator *string, n int) (records []types.Record) {
	s.Helper()
	eventually(s.T, fmt.Sprintf("%d records come", n), func() bool {
		out, err := s.streams.GetRecords(s.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		must(s, err)
		records, iterator = append(records, out.Records...), out.NextShardIterator
		return len(records) >= n
	})
	return records
}

func (s *streamed) fromStart() *string {
	return s.iterator(dynamodbstreams.GetShardIteratorInput{ShardId: s.shards()[0].ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
}

// streamItem is an image of a record in the form of tests.
func streamItem(t *testing.T, image map[string]types.AttributeValue) string {
	t.Helper()
	it := item{}
	for name, v := range image {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			it[name] = str(v.Value)
		case *types.AttributeValueMemberN:
			it[name] = num(v.Value)
		default:
			t.Errorf("%s is a %T", name, v)
		}
	}
	return jsonOf(t, it)
}

// TestViews writes, changes and deletes an item, each also in vain, and reads the records that each view type makes of it.
func TestViews(t *testing.T) {
	for view, images := range map[ddb.StreamViewType]string{
		ddb.StreamViewTypeKeysOnly: "", ddb.StreamViewTypeNewImage: "new", ddb.StreamViewTypeOldImage: "old", ddb.StreamViewTypeNewAndOldImages: "new old",
	} {
		t.Run(string(view), func(t *testing.T) {
			s := newStreamed(t, view)
			const first, second = `{"id":{"S":"a"},"n":{"N":"1"}}`, `{"id":{"S":"a"},"n":{"N":"2"}}`
			s.put(first, first)
			must(t, s.transact(s.updateOf("a", "ADD n :n", item{":n": num("1")})))
			_, err := s.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{*s.table: {
				{DeleteRequest: &ddb.DeleteRequest{Key: item{"id": str("a")}}}, {DeleteRequest: &ddb.DeleteRequest{Key: item{"id": str("absent")}}}}}})
			must(t, err)

			image := func(kind, text string) string {
				if !strings.Contains(images, kind) || text == "" {
					return ""
				}
				return canonical(t, text)
			}
			type record struct{ Name, Keys, New, Old string }
			var got []record
			last := ""
			for _, r := range s.read(s.fromStart(), 3) {
				got = append(got, record{string(r.EventName), streamItem(t, r.Dynamodb.Keys), streamItem(t, r.Dynamodb.NewImage), streamItem(t, r.Dynamodb.OldImage)})
				if string(r.Dynamodb.StreamViewType) != string(view) || *r.EventSource != "aws:dynamodb" || *r.EventVersion == "" || *r.EventID == "" || *r.AwsRegion != "us-east-1" || *r.Dynamodb.SizeBytes == 0 {
					t.Errorf("%+v", r)
				}
				if n := *r.Dynamodb.SequenceNumber; len(n) < len(last) || len(n) == len(last) && n <= last {
					t.Errorf("sequence number %s after %s", n, last)
				}
				last = *r.Dynamodb.SequenceNumber
			}
			keys := canonical(t, `{"id":{"S":"a"}}`)
			want := []record{{"INSERT", keys, image("new", first), ""}, {"MODIFY", keys, image("new", second), image("old", first)}, {"REMOVE", keys, "", image("old", second)}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestIterators reads a shard from each kind of place.
func TestIterators(t *testing.T) {
	s := newStreamed(t, ddb.StreamViewTypeKeysOnly)
	shard := s.shards()[0].ShardId
	s.put(`{"id":{"S":"1"}}`)
	latest := s.iterator(dynamodbstreams.GetShardIteratorInput{ShardId: shard, ShardIteratorType: types.ShardIteratorTypeLatest})
	s.put(`{"id":{"S":"2"}}`, `{"id":{"S":"3"}}`)
	all := s.read(s.fromStart(), 3)
	second := all[1].Dynamodb.SequenceNumber
	for name, c := range map[string]struct {
		iterator *string
		want     string
	}{
		"TRIM_HORIZON":          {s.fromStart(), "1 2 3"},
		"LATEST":                {latest, "2 3"},
		"AT_SEQUENCE_NUMBER":    {s.iterator(dynamodbstreams.GetShardIteratorInput{ShardId: shard, ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: second}), "2 3"},
		"AFTER_SEQUENCE_NUMBER": {s.iterator(dynamodbstreams.GetShardIteratorInput{ShardId: shard, ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: second}), "3"},
	} {
		var got []string
		for _, r := range s.read(c.iterator, len(strings.Fields(c.want))) {
			got = append(got, r.Dynamodb.Keys["id"].(*types.AttributeValueMemberS).Value)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
	limited, err := s.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: s.fromStart(), Limit: aws.Int32(2)})
	must(t, err)
	if len(limited.Records) != 2 || limited.NextShardIterator == nil {
		t.Errorf("%d records of at most two", len(limited.Records))
	}

	absent := aws.String("shardId-00000000000000000000-00000000")
	for name, c := range map[string]struct {
		in            dynamodbstreams.GetShardIteratorInput
		code, message string
	}{
		"an absent shard":  {dynamodbstreams.GetShardIteratorInput{StreamArn: s.arn, ShardId: absent, ShardIteratorType: "LATEST"}, "ResourceNotFoundException", "Requested resource not found"},
		"an absent stream": {dynamodbstreams.GetShardIteratorInput{StreamArn: aws.String(strings.Replace(*s.arn, "/stream/2", "/stream/1", 1)), ShardId: shard, ShardIteratorType: "LATEST"}, "ResourceNotFoundException", "Requested resource not found"},
		"no number":        {dynamodbstreams.GetShardIteratorInput{StreamArn: s.arn, ShardId: shard, ShardIteratorType: "AT_SEQUENCE_NUMBER"}, "ValidationException", ""},
		"a wrong type":     {dynamodbstreams.GetShardIteratorInput{StreamArn: s.arn, ShardId: shard, ShardIteratorType: "FIRST"}, "ValidationException", "Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"},
	} {
		_, err := s.streams.GetShardIterator(t.Context(), &c.in)
		if err == nil {
			t.Errorf("%s is taken", name)
		} else {
			wantCode(t, err, c.code, c.message)
		}
	}
	_, err = s.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("made up")})
	wantCode(t, err, "ValidationException", "Invalid ShardIterator")
	_, err = s.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: s.fromStart(), Limit: aws.Int32(1001)})
	wantCode(t, err, "ValidationException", "less than or equal to 1000")
}

// TestStreamOutlivesItsTable lists and describes streams, and reads that of a deleted table to its end.
func TestStreamOutlivesItsTable(t *testing.T) {
	s := newStreamed(t, ddb.StreamViewTypeKeysOnly)
	list, err := s.streams.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: s.table})
	must(t, err)
	if len(list.Streams) != 1 || *list.Streams[0].StreamArn != *s.arn || *list.Streams[0].TableName != *s.table || !strings.HasSuffix(*s.arn, "/stream/"+*list.Streams[0].StreamLabel) {
		t.Errorf("%+v", list.Streams)
	}
	s.put(`{"id":{"S":"1"}}`)
	described, err := s.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: s.arn})
	must(t, err)
	if sd := described.StreamDescription; sd.StreamStatus != types.StreamStatusEnabled || sd.StreamViewType != types.StreamViewTypeKeysOnly || len(sd.KeySchema) != 1 || len(sd.Shards) == 0 {
		t.Errorf("%+v", sd)
	}
	_, err = s.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: s.table})
	must(t, err)
	must(t, dynamodb.NewTableNotExistsWaiter(s).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: s.table}, soon))
	iterator, read := s.fromStart(), 0
	eventually(t, "the shard ends", func() bool {
		out, err := s.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		must(t, err)
		read, iterator = read+len(out.Records), out.NextShardIterator
		return iterator == nil
	})
	if read != 1 {
		t.Errorf("%d records", read)
	}
}
