package semantics

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

var orders = aws.String("orders")

// kinds are the stream's records, such as "INSERT a MODIFY a:2".
func (s *stand) kinds() string {
	s.Helper()
	var all []string
	for _, r := range s.changes() {
		name := r.name()
		all = append(all, r.EventName+" "+strings.TrimPrefix(name, "-"))
	}
	return strings.Join(all, " ")
}

// updateV sets the attribute v of the item a.
func (s *stand) updateV(value string) {
	s.Helper()
	_, err := s.db.UpdateItem(s.Context(), &dynamodb.UpdateItemInput{TableName: orders, Key: s.item(`{"id":{"S":"a"}}`),
		UpdateExpression: aws.String("SET v = :v"), ExpressionAttributeValues: map[string]ddb.AttributeValue{":v": &ddb.AttributeValueMemberS{Value: value}}})
	s.must(err)
}

func (s *stand) batch(requests ...ddb.WriteRequest) {
	s.Helper()
	_, err := s.db.BatchWriteItem(s.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{"orders": requests}})
	s.must(err)
}

func (s *stand) transact(writes ...ddb.TransactWriteItem) error {
	_, err := s.db.TransactWriteItems(s.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	return err
}

func (s *stand) putRequest(it string) ddb.WriteRequest {
	return ddb.WriteRequest{PutRequest: &ddb.PutRequest{Item: s.item(it)}}
}

func (s *stand) deleteRequest(key string) ddb.WriteRequest {
	return ddb.WriteRequest{DeleteRequest: &ddb.DeleteRequest{Key: s.item(key)}}
}

func (s *stand) putWrite(it string) ddb.TransactWriteItem {
	return ddb.TransactWriteItem{Put: &ddb.Put{TableName: orders, Item: s.item(it)}}
}

func (s *stand) check(key, condition string) ddb.TransactWriteItem {
	return ddb.TransactWriteItem{ConditionCheck: &ddb.ConditionCheck{TableName: orders, Key: s.item(key), ConditionExpression: &condition}}
}

// expire turns time to live on by the attribute ttl, and lets the next sweep come.
func (s *stand) expire() {
	s.Helper()
	_, err := s.db.UpdateTimeToLive(s.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: orders,
		TimeToLiveSpecification: &ddb.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: new(true)}})
	s.must(err)
	s.pass(time.Second)
}

// expiring is an item that has expired when the test begins.
var expiring = fmt.Sprintf(`{"id":{"S":"a"},"ttl":{"N":"%d"}}`, began.Unix())

// setView enables the table's stream, or disables it for "".
func (s *stand) setView(view ddb.StreamViewType) (*dynamodb.UpdateTableOutput, error) {
	spec := &ddb.StreamSpecification{StreamEnabled: new(view != ""), StreamViewType: view}
	return s.db.UpdateTable(s.Context(), &dynamodb.UpdateTableInput{TableName: orders, StreamSpecification: spec})
}

// TestWrites is which writes make a record, and which one.
func TestWrites(t *testing.T) {
	t.Parallel()
	const (
		plain  = `{"id":{"S":"a"}}`
		valued = `{"id":{"S":"a"},"v":{"S":"1"}}`
		other  = `{"id":{"S":"b"}}`
	)
	for _, row := range []struct {
		name, before string // what was written before
		write        func(*stand)
		want         string // the records of the write
	}{
		{"a put that makes an item is an INSERT", "", func(s *stand) { s.put(plain) }, "INSERT a"},
		{"an update that makes an item is an INSERT", "", func(s *stand) { s.updateV("1") }, "INSERT a:1"},
		{"a put that changes an item is a MODIFY", "a", func(s *stand) { s.put(valued) }, "MODIFY a:1"},
		{"an update that changes an item is a MODIFY", "a", func(s *stand) { s.updateV("1") }, "MODIFY a:1"},
		{"a delete of an item is a REMOVE", "a", func(s *stand) { s.remove(plain) }, "REMOVE a"},
		{"an item that expires is a REMOVE", "", func(s *stand) {
			s.put(expiring)
			s.expire()
			s.must(s.stack.AwaitRecords(s.Context(), region, "orders", 2))
		}, "INSERT a REMOVE a"},
		{"an identical put makes none", "a:1", func(s *stand) { s.put(valued) }, ""},
		{"an identical update makes none", "a:1", func(s *stand) { s.updateV("1") }, ""},
		{"an identical put in a batch makes none", "a:1", func(s *stand) { s.batch(s.putRequest(valued), s.putRequest(other)) }, "INSERT b"},
		{"an identical put in a transaction makes none", "a:1", func(s *stand) { s.must(s.transact(s.putWrite(valued), s.putWrite(other))) }, "INSERT b"},
		{"sets of another order are identical", "", func(s *stand) {
			s.put(`{"id":{"S":"a"},"s":{"SS":["x","y"]},"n":{"NS":["1","2"]}}`, `{"id":{"S":"a"},"s":{"SS":["y","x"]},"n":{"NS":["2.0","1"]}}`)
		}, "INSERT a"},
		{"numbers of another form are identical", "", func(s *stand) {
			s.put(`{"id":{"S":"a"},"n":{"N":"1"}}`, `{"id":{"S":"a"},"n":{"N":"1.0"}}`, `{"id":{"S":"a"},"n":{"N":"10e-1"}}`)
		}, "INSERT a"},
		{"values of another type are not identical", "", func(s *stand) {
			s.put(`{"id":{"S":"a"},"n":{"N":"1"}}`, `{"id":{"S":"a"},"n":{"S":"1"}}`, `{"id":{"S":"a"},"n":{"L":[{"S":"1"}]}}`, `{"id":{"S":"a"},"n":{"SS":["1"]}}`)
		}, "INSERT a MODIFY a MODIFY a MODIFY a"},
		{"lists of another order are not identical", "", func(s *stand) {
			s.put(`{"id":{"S":"a"},"n":{"L":[{"S":"x"},{"S":"y"}]}}`, `{"id":{"S":"a"},"n":{"L":[{"S":"y"},{"S":"x"}]}}`)
		}, "INSERT a MODIFY a"},
		{"a batch makes a record of each write", "a b", func(s *stand) {
			s.batch(s.putRequest(valued), s.deleteRequest(other), s.putRequest(`{"id":{"S":"c"}}`))
		}, "MODIFY a:1 REMOVE b INSERT c"},
		{"a transaction makes a record of each item", "a b", func(s *stand) {
			s.must(s.transact(s.putWrite(valued), ddb.TransactWriteItem{Delete: &ddb.Delete{TableName: orders, Key: s.item(other)}}, s.putWrite(`{"id":{"S":"c"}}`)))
		}, "MODIFY a:1 REMOVE b INSERT c"},
		{"a delete of a missing item makes none", "", func(s *stand) { s.remove(plain) }, ""},
		{"a failed condition makes none", "a", func(s *stand) {
			_, err := s.db.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: orders, Item: s.item(valued), ConditionExpression: aws.String("attribute_not_exists(id)")})
			if failed := new(ddb.ConditionalCheckFailedException); !errors.As(err, &failed) {
				s.Errorf("got %v", err)
			}
		}, ""},
		{"a canceled transaction makes none", "a", func(s *stand) {
			err := s.transact(s.putWrite(other), s.check(plain, "attribute_exists(v)"))
			if canceled := new(ddb.TransactionCanceledException); !errors.As(err, &canceled) {
				s.Errorf("got %v", err)
			}
		}, ""},
		{"a condition check makes none", "a", func(s *stand) { s.must(s.transact(s.check(plain, "attribute_exists(id)"), s.putWrite(other))) }, "INSERT b"},
		{"reads make none", "a", func(s *stand) {
			_, err := s.db.GetItem(s.Context(), &dynamodb.GetItemInput{TableName: orders, Key: s.item(plain)})
			s.must(err)
			_, err = s.db.Scan(s.Context(), &dynamodb.ScanInput{TableName: orders})
			s.must(err)
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.write(row.before)
			before := s.kinds()
			row.write(s)
			s.equal("records", strings.TrimSpace(strings.TrimPrefix(s.kinds(), before)), row.want)
		})
	}
}

// TestViewTypes is what a record has of an item, by the stream's view type, and how the type is changed.
func TestViewTypes(t *testing.T) {
	t.Parallel()
	views := []struct {
		name string
		view ddb.StreamViewType
		want []string // the images of INSERT, MODIFY and REMOVE
	}{
		{"KEYS_ONLY has no image, and a MODIFY all the same", ddb.StreamViewTypeKeysOnly, []string{"", "", ""}},
		{"NEW_IMAGE has what the item is then", ddb.StreamViewTypeNewImage, []string{"new a", "new a:2", ""}},
		{"OLD_IMAGE has what the item was before", ddb.StreamViewTypeOldImage, []string{"", "old a", "old a:2"}},
		{"NEW_AND_OLD_IMAGES has both", ddb.StreamViewTypeNewAndOldImages, []string{"new a", "new a:2 old a", "old a:2"}},
	}
	for _, row := range views {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := emptyStand(t)
			s.table(row.view)
			s.write("a a:2 -a")
			image := func(kind string, it map[string]types.AttributeValue) string {
				if it == nil {
					return ""
				}
				value := ""
				if v, found := it["v"]; found {
					value = v.(*types.AttributeValueMemberS).Value
				}
				return kind + " " + nameOf("", it["id"].(*types.AttributeValueMemberS).Value, value)
			}
			var kinds, images []string
			for _, r := range s.read(s.iterator(types.ShardIteratorTypeTrimHorizon, "")).Records {
				kinds = append(kinds, string(r.EventName))
				images = append(images, strings.TrimSpace(image("new", r.Dynamodb.NewImage)+" "+image("old", r.Dynamodb.OldImage)))
				s.equal("the keys", image("keys", r.Dynamodb.Keys), "keys a")
				s.equal("the view type", string(r.Dynamodb.StreamViewType), string(row.view))
			}
			s.equal("kinds", kinds, []string{"INSERT", "MODIFY", "REMOVE"})
			s.equal("images", images, row.want)
		})
	}
	t.Run("an enabled stream cannot be enabled with another type", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		_, err := s.setView(ddb.StreamViewTypeKeysOnly)
		s.refused(err, "ValidationException", 400, "Table already has an enabled stream")
	})
	t.Run("disabled and enabled again it is another stream", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.write("a")
		disabled, err := s.setView("")
		s.must(err)
		d := disabled.TableDescription
		if d.StreamSpecification != nil || aws.ToString(d.LatestStreamArn) != s.stream || aws.ToString(d.LatestStreamLabel) == "" {
			t.Errorf("disabled, the table has %+v, the stream %v with the label %v", d.StreamSpecification, d.LatestStreamArn, d.LatestStreamLabel)
		}
		s.write("+1s b")
		enabled, err := s.setView(ddb.StreamViewTypeKeysOnly)
		s.must(err)
		s.write("c")
		old := s.stream
		s.equal("the old stream", s.kinds(), "INSERT a")
		s.stream = *enabled.TableDescription.LatestStreamArn
		s.equal("the new stream", s.kinds(), "INSERT c")
		if s.stream == old {
			t.Errorf("both are %s", old)
		}
	})
}

func (s *stand) describe() *types.StreamDescription {
	s.Helper()
	out, err := s.streams.DescribeStream(s.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &s.stream})
	s.must(err)
	return out.StreamDescription
}

// iterator is one of the stream's first shard.
func (s *stand) iterator(kind types.ShardIteratorType, number string) *string {
	s.Helper()
	return s.iteratorOf(*s.describe().Shards[0].ShardId, kind, number)
}

func (s *stand) iteratorOf(shard string, kind types.ShardIteratorType, number string) *string {
	s.Helper()
	out, err := s.tryIterator(shard, kind, number)
	s.must(err)
	return out
}

func (s *stand) tryIterator(shard string, kind types.ShardIteratorType, number string) (*string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.stream, ShardId: &shard, ShardIteratorType: kind}
	if number != "" {
		in.SequenceNumber = &number
	}
	out, err := s.streams.GetShardIterator(s.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

func (s *stand) read(iterator *string) *dynamodbstreams.GetRecordsOutput {
	s.Helper()
	out, err := s.streams.GetRecords(s.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
	s.must(err)
	return out
}

// idsIn are the keys of the records in a shard.
func (s *stand) idsIn(shard string) (ids []string) {
	s.Helper()
	for _, r := range s.read(s.iteratorOf(shard, types.ShardIteratorTypeTrimHorizon, "")).Records {
		ids = append(ids, r.Dynamodb.Keys["id"].(*types.AttributeValueMemberS).Value)
	}
	return ids
}

// shards are the stream's, in words: its number in the list, that of its parent, and whether it is open.
func (s *stand) shards() (words []string) {
	s.Helper()
	numbers := map[string]string{}
	for i, sh := range s.describe().Shards {
		numbers[*sh.ShardId] = fmt.Sprint(i + 1)
		word := fmt.Sprint(i + 1)
		if sh.ParentShardId != nil {
			word += " of " + numbers[*sh.ParentShardId]
		}
		if sh.SequenceNumberRange.EndingSequenceNumber != nil {
			word += " closed"
		}
		words = append(words, word)
	}
	return words
}

// TestShards is the stream's shards, their names and numbers, and the order of what is in them.
func TestShards(t *testing.T) {
	t.Parallel()
	matches := func(t *testing.T, what, text, pattern string) {
		t.Helper()
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%s is %s, want %s", what, text, pattern)
		}
	}
	for _, row := range []standRow{
		{"a stream begins with one open shard without a parent", func(s *stand) { s.equal("shards", s.shards(), []string{"1"}) }},
		{"a shard's ID has the time and 8 hex digits", func(s *stand) {
			s.write("+1h")
			s.roll()
			for _, sh := range s.describe().Shards {
				matches(s.T, "the ID", *sh.ShardId, `^shardId-0000000\d{13}-[0-9a-f]{8}$`)
			}
			s.equal("the time in the second ID", (*s.describe().Shards[1].ShardId)[8:28], fmt.Sprintf("%020d", began.Add(time.Hour).UnixMilli()))
		}},
		{"a sequence number has 21 to 40 digits and grows", func(s *stand) {
			s.write("a b c")
			s.roll()
			s.write("d a:2")
			last := new(big.Int)
			for _, r := range s.changes() {
				matches(s.T, "the sequence number", r.DynamoDB.SequenceNumber, `^\d{21,40}$`)
				n, _ := new(big.Int).SetString(r.DynamoDB.SequenceNumber, 10)
				if n.Cmp(last) <= 0 {
					s.Errorf("%s after %s", n, last)
				}
				last = n
			}
		}},
		{"a record's number is in its shard's range", func(s *stand) {
			s.write("a b")
			s.roll()
			for _, sh := range s.describe().Shards[:1] {
				for _, r := range s.read(s.iteratorOf(*sh.ShardId, types.ShardIteratorTypeTrimHorizon, "")).Records {
					n := *r.Dynamodb.SequenceNumber
					if from, to := *sh.SequenceNumberRange.StartingSequenceNumber, *sh.SequenceNumberRange.EndingSequenceNumber; n < from || n > to {
						s.Errorf("%s is not in %s to %s", n, from, to)
					}
				}
			}
		}},
		{"a shard that rolls is closed and has one child", func(s *stand) {
			s.write("a")
			s.roll()
			s.write("b")
			s.equal("shards", s.shards(), []string{"1 closed", "2 of 1"})
			shards := s.describe().Shards
			s.equal("the parent", s.idsIn(*shards[0].ShardId), []string{"a"})
			s.equal("the child", s.idsIn(*shards[1].ShardId), []string{"b"})
		}},
		{"a shard that splits is closed and has two children", func(s *stand) {
			s.split()
			s.equal("shards", s.shards(), []string{"1 closed", "2 of 1", "3 of 1"})
			var want []string
			for i := range 20 {
				want = append(want, fmt.Sprintf("item-%02d", i))
			}
			s.write(strings.Join(want, " "))
			shards := s.describe().Shards
			lower, upper := s.idsIn(*shards[1].ShardId), s.idsIn(*shards[2].ShardId)
			if len(lower) == 0 || len(upper) == 0 {
				s.Errorf("the children have %d and %d records", len(lower), len(upper))
			}
			got := slices.Concat(lower, upper)
			slices.Sort(got)
			s.equal("both", got, want)
		}},
		{"disabling closes all open shards", func(s *stand) {
			s.split()
			_, err := s.setView("")
			s.must(err)
			s.equal("shards", s.shards(), []string{"1 closed", "2 of 1 closed", "3 of 1 closed"})
			s.equal("the status", string(s.describe().StreamStatus), "DISABLED")
		}},
		{"a disabled stream stays readable for 24 hours", func(s *stand) {
			s.write("a")
			_, err := s.setView("")
			s.must(err)
			s.write("+23h59m59s")
			s.equal("records", s.kinds(), "INSERT a")
			s.write("+1s")
			_, err = s.streams.DescribeStream(s.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &s.stream})
			s.refused(err, "ResourceNotFoundException", 400, "Requested resource not found: Stream: "+s.stream+" not found")
		}},
		{"the stream of a deleted table stays readable", func(s *stand) {
			s.write("a")
			_, err := s.db.DeleteTable(s.Context(), &dynamodb.DeleteTableInput{TableName: orders})
			s.must(err)
			s.equal("records", s.kinds(), "INSERT a")
		}},
		{"an item's records are in the order of its changes, across splits", func(s *stand) {
			want := map[string][]string{}
			for round := range 4 {
				for i := range 10 {
					id := fmt.Sprintf("item-%d", i)
					word := fmt.Sprintf("%s:%d", id, round+1)
					s.write(word)
					want[id] = append(want[id], word)
				}
				if round%2 == 0 {
					shards := s.describe().Shards
					s.divide("split", *shards[len(shards)-1].ShardId)
				}
			}
			got := map[string][]string{}
			for _, r := range s.changes() { // which reads parents first
				got[r.DynamoDB.Keys.ID.S] = append(got[r.DynamoDB.Keys.ID.S], r.name())
			}
			s.equal("records", got, want)
		}},
		{"each change is in the stream once", func(s *stand) {
			s.write("a b c a:2 b:2 -c")
			s.equal("records", s.kinds(), "INSERT a INSERT b INSERT c MODIFY a:2 MODIFY b:2 REMOVE c")
		}},
		{"the label is the time of creation", func(s *stand) {
			d := s.describe()
			s.equal("the label", *d.StreamLabel, "2026-11-23T04:05:06.789")
			s.equal("the ARN", *d.StreamArn, tableARN+"/stream/2026-11-23T04:05:06.789")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.run(newStand(t))
		})
	}
}
