package semantics

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

var eventID = regexp.MustCompile(`"eventID":"([0-9a-f]{32})"`)

// delivered gives the records of the next call, as they are, without their event IDs.
func (s *stand) delivered() []string {
	s.Helper()
	s.register("fn")
	s.create(options{})
	c := s.next()
	c.reply(ok)
	return s.withoutID(c.event)
}

// withoutID are the records of an answer or an event, with an x for each of their event IDs.
func (s *stand) withoutID(text []byte) (all []string) {
	s.Helper()
	var e struct{ Records []json.RawMessage }
	s.must(json.Unmarshal(text, &e))
	for _, r := range e.Records {
		all = append(all, eventID.ReplaceAllString(string(r), `"eventID":"x"`))
	}
	return all
}

// recordText is a record that was made when the test began, with an x for its event ID: middle is what comes after its time, tail what comes
// after the change.
func (s *stand) recordText(kind, middle, tail string) string {
	return `{"eventID":"x","eventName":"` + kind + `","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",` +
		`"dynamodb":{"ApproximateCreationDateTime":` + fmt.Sprint(began.Unix()) + `.0,` + middle + `}` + tail + `}`
}

// TestRecord is a record as Lambda delivers it, byte for byte.
func TestRecord(t *testing.T) {
	t.Parallel()
	const key = `{"id":{"S":"id_value"}}`
	arn := `,"eventSourceARN":"` + tableARN + `/stream/2026-11-23T04:05:06.789"`
	number := func(n int) string { return fmt.Sprintf(`"SequenceNumber":"1%020d"`, n) }
	const both = `"StreamViewType":"NEW_AND_OLD_IMAGES"`
	for _, row := range []standRow{
		{"its members are there in Lambda's order", func(s *stand) {
			s.put(key, `{"id2":{"S":"id2_new_value"},"id":{"S":"id_value"}}`)
			s.equal("the second record", s.delivered()[1], s.recordText("MODIFY", `"Keys":`+key+
				`,"NewImage":{"id":{"S":"id_value"},"id2":{"S":"id2_new_value"}},"OldImage":`+key+`,`+
				number(3)+`,"SizeBytes":46,`+both, arn))
		}},
		{"an image that is not there is left out", func(s *stand) {
			s.put(key)
			s.remove(key)
			s.equal("records", s.delivered(), []string{
				s.recordText("INSERT", `"Keys":`+key+`,"NewImage":`+key+`,`+number(2)+`,"SizeBytes":20,`+both, arn),
				s.recordText("REMOVE", `"Keys":`+key+`,"OldImage":`+key+`,`+number(3)+`,"SizeBytes":20,`+both, arn),
			})
		}},
		{"KEYS_ONLY has neither image", func(s *stand) {
			_, err := s.setView("")
			s.must(err)
			enabled, err := s.setView(ddb.StreamViewTypeKeysOnly)
			s.must(err)
			s.stream = *enabled.TableDescription.LatestStreamArn
			s.put(key)
			s.equal("the record", s.delivered()[0], s.recordText("INSERT", `"Keys":`+key+`,`+number(2)+`,"SizeBytes":10,"StreamViewType":"KEYS_ONLY"`,
				strings.Replace(arn, tableARN+"/stream/2026-11-23T04:05:06.789", s.stream, 1)))
		}},
		{"the event ID is 32 hex digits, another for each record and the same each time", func(s *stand) {
			s.write("a b")
			s.register("fn")
			s.create(options{})
			ids := func(c *call) (all []string) {
				for _, found := range eventID.FindAllSubmatch(c.event, -1) {
					all = append(all, string(found[1]))
				}
				return all
			}
			first := s.expect("a b")
			first.reply(fails)
			second := s.expect("a b")
			second.reply(ok)
			if got := ids(first); len(got) != 2 || got[0] == got[1] {
				s.Errorf("event IDs %v in %s", got, first.event)
			}
			s.equal("event IDs", ids(second), ids(first))
		}},
		{"the time is a number with a fraction, rounded down to the second", func(s *stand) {
			s.write("a +210ms b +1ms c")
			var got []string
			for _, r := range s.delivered() {
				_, rest, _ := strings.Cut(r, `"ApproximateCreationDateTime":`)
				text, _, _ := strings.Cut(rest, ",")
				got = append(got, text)
			}
			second := fmt.Sprint(began.Unix())
			s.equal("times", got, []string{second + ".0", second + ".0", fmt.Sprint(began.Unix()+1) + ".0"})
		}},
		{"values of all types have DynamoDB's forms", func(s *stand) {
			const image = `{"b":{"B":"aGk="},"bs":{"BS":["YQ==","Yg=="]},"f":{"BOOL":false},"id":{"S":"é\"<&"},"l":{"L":[{"S":"x"},{"N":"-1.5"}]},` +
				`"m":{"M":{"k":{"NULL":true}}},"n":{"N":"12345678901234567890"},"ns":{"NS":["1","2"]},"nul":{"NULL":true},"ss":{"SS":["a","b"]},"t":{"BOOL":true}}`
			s.put(strings.NewReplacer(`"aGk="`, `"hi"`, `"YQ=="`, `"a"`, `"Yg=="`, `"b"`).Replace(image))
			var r struct {
				DynamoDB struct{ NewImage json.RawMessage }
			}
			s.must(json.Unmarshal([]byte(s.delivered()[0]), &r))
			s.equal("the image", string(r.DynamoDB.NewImage), image)
		}},
		{"an item that expired names the service", func(s *stand) {
			s.put(expiring)
			s.expire()
			s.must(s.stack.AwaitRecords(s.Context(), region, "orders", 2))
			want := `},"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}` + arn + `}`
			if got := s.delivered(); strings.Contains(got[0], "userIdentity") || !strings.HasSuffix(got[1], want) || !strings.Contains(got[1], `"eventName":"REMOVE"`) {
				s.Errorf("got %s, want the second to end in %s", got, want)
			}
		}},
		{"the Streams API writes the service with capitals", func(s *stand) {
			s.put(expiring)
			s.expire()
			s.must(s.stack.AwaitRecords(s.Context(), region, "orders", 2))
			var r struct{ UserIdentity json.RawMessage }
			s.must(json.Unmarshal(s.streamRecords()[1], &r))
			var members map[string]string
			s.must(json.Unmarshal(r.UserIdentity, &members))
			s.equal("the identity", members, map[string]string{"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"})
			through := s.read(s.iterator(types.ShardIteratorTypeTrimHorizon, "")).Records[1].UserIdentity
			s.equal("the identity through the client", *through.Type+" "+*through.PrincipalId, "Service dynamodb.amazonaws.com")
		}},
		{"the stream's ARN is in the event alone", func(s *stand) {
			s.write("a a:2 -a")
			api, err := json.Marshal(map[string]any{"Records": s.streamRecords()})
			s.must(err)
			event := s.delivered()
			for i, r := range s.withoutID(api) {
				s.equal("the record", strings.TrimSuffix(r, "}")+arn+"}", event[i])
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.run(newStand(t))
		})
	}
}

// TestSizeBytes is the size that a record gives of itself. The first rows are records that AWS made.
func TestSizeBytes(t *testing.T) {
	t.Parallel()
	pair, number, text := []string{"pk", "sk"}, []string{"Id:N"}, []string{"id"}
	const (
		keys, test, hello  = `{"pk":{"S":"a"},"sk":{"S":"b"}}`, `{"pk":{"S":"a"},"sk":{"S":"b"},"data":{"S":"test"}}`, `{"pk":{"S":"a"},"sk":{"S":"b"},"data":{"S":"hello"}}`
		item101, changed   = `{"Id":{"N":"101"},"Message":{"S":"New item!"}}`, `{"Id":{"N":"101"},"Message":{"S":"This item has changed"}}`
		bare, withID2      = `{"id":{"S":"id_value"}}`, `{"id":{"S":"id_value"},"id2":{"S":"id2_new_value"}}`
		keysOnly, both     = ddb.StreamViewTypeKeysOnly, ddb.StreamViewTypeNewAndOldImages
		newImage, oldImage = ddb.StreamViewTypeNewImage, ddb.StreamViewTypeOldImage
	)
	for _, row := range []struct {
		name        string
		keys        []string
		view        ddb.StreamViewType
		before, put string // "" for put deletes what was there before
		want        int
	}{
		{"recorded: keys alone", pair, keysOnly, "", test, 6},
		{"recorded: keys and a new image", pair, both, "", test, 20},
		{"recorded: keys and both images", pair, both, test, hello, 35},
		{"recorded: keys and an old image", pair, both, hello, "", 21},
		{"recorded: a new image of a change", pair, newImage, test, hello, 21},
		{"recorded: no image of a removal", pair, newImage, hello, "", 6},
		{"recorded: no image of an insert", pair, oldImage, "", test, 6},
		{"recorded: an old image of a change", pair, oldImage, test, hello, 20},
		{"recorded: a number of three digits", number, both, "", item101, 26},
		{"recorded: a number in both images", number, both, item101, changed, 59},
		{"recorded: a number in an old image", number, both, changed, "", 38},
		{"recorded: an item of its key alone", text, both, "", bare, 20},
		{"recorded: an attribute that is added", text, both, bare, withID2, 46},
		{"an item of its keys alone counts them twice", pair, both, "", keys, 12},
		{"text counts its bytes", text, newImage, "", `{"id":{"S":"a"},"v":{"S":"é😀"}}`, 3 + 3 + 1 + 6},
		{"a name counts its bytes", text, newImage, "", `{"id":{"S":"a"},"é":{"S":"x"}}`, 3 + 3 + 2 + 1},
		{"binary counts what it holds, not its base64", text, newImage, "", `{"id":{"S":"a"},"v":{"B":"abcd"}}`, 3 + 3 + 1 + 4},
		{"a boolean counts one", text, newImage, "", `{"id":{"S":"a"},"v":{"BOOL":true}}`, 3 + 3 + 1 + 1},
		{"null counts one", text, newImage, "", `{"id":{"S":"a"},"v":{"NULL":true}}`, 3 + 3 + 1 + 1},
		{"a number counts its significant digits", text, newImage, "", `{"id":{"S":"a"},"v":{"N":"1234000"}}`, 3 + 3 + 1 + 3},
		{"a set counts its members", text, newImage, "", `{"id":{"S":"a"},"v":{"SS":["ab","c"]}}`, 3 + 3 + 1 + 3},
		{"a set of numbers counts its members", text, newImage, "", `{"id":{"S":"a"},"v":{"NS":["12","3"]}}`, 3 + 3 + 1 + 4},
		{"a set of binaries counts its members", text, newImage, "", `{"id":{"S":"a"},"v":{"BS":["ab","c"]}}`, 3 + 3 + 1 + 3},
		{"a list counts three, and one for each element", text, newImage, "", `{"id":{"S":"a"},"v":{"L":[{"S":"ab"},{"NULL":true}]}}`, 3 + 3 + 1 + 3 + 3 + 2},
		{"a map counts three, and one for each element", text, newImage, "", `{"id":{"S":"a"},"v":{"M":{"k":{"S":"ab"}}}}`, 3 + 3 + 1 + 3 + 1 + 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := emptyStand(t)
			s.table(row.view, row.keys...)
			if row.before != "" {
				s.put(row.before)
			}
			if row.put != "" {
				s.put(row.put)
			} else {
				key := s.item(row.before)
				for name := range key {
					if !slices.ContainsFunc(row.keys, func(k string) bool { return strings.TrimSuffix(k, ":N") == name }) {
						delete(key, name)
					}
				}
				_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: orders, Key: key})
				s.must(err)
			}
			records := s.changes()
			s.equal("the size", records[len(records)-1].DynamoDB.SizeBytes, row.want)
		})
	}
}

// idsOf are the keys of a page's records.
func idsOf(page *dynamodbstreams.GetRecordsOutput) string {
	var ids []string
	for _, r := range page.Records {
		ids = append(ids, r.Dynamodb.Keys["id"].(*types.AttributeValueMemberS).Value)
	}
	return strings.Join(ids, " ")
}

// TestStreamsAPI is the rules of the Streams API.
func TestStreamsAPI(t *testing.T) {
	t.Parallel()
	const (
		horizon, latest = types.ShardIteratorTypeTrimHorizon, types.ShardIteratorTypeLatest
		at, after       = types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeAfterSequenceNumber
		absent          = tableARN + "/stream/2020-01-02T03:04:05.678"
	)
	missing := "Requested resource not found: Stream: " + absent + " not found"
	records := func(s *stand, iterator *string, limit int32) (*dynamodbstreams.GetRecordsOutput, error) {
		return s.streams.GetRecords(s.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator, Limit: &limit})
	}
	describe := func(s *stand, in dynamodbstreams.DescribeStreamInput) (*types.StreamDescription, error) {
		in.StreamArn = &s.stream
		out, err := s.streams.DescribeStream(s.Context(), &in)
		if err != nil {
			return nil, err
		}
		return out.StreamDescription, nil
	}
	for _, row := range []standRow{
		{"ListStreams names a table's streams", func(s *stand) {
			_, err := s.setView("")
			s.must(err)
			s.write("+1s")
			_, err = s.setView(ddb.StreamViewTypeKeysOnly)
			s.must(err)
			out, err := s.streams.ListStreams(s.Context(), &dynamodbstreams.ListStreamsInput{TableName: orders, Limit: new(int32(1))})
			s.must(err)
			rest, err := s.streams.ListStreams(s.Context(), &dynamodbstreams.ListStreamsInput{TableName: orders, ExclusiveStartStreamArn: out.LastEvaluatedStreamArn})
			s.must(err)
			var got []string
			for _, st := range slices.Concat(out.Streams, rest.Streams) {
				got = append(got, *st.TableName+" "+*st.StreamLabel)
			}
			s.equal("streams", got, []string{"orders 2026-11-23T04:05:06.789", "orders 2026-11-23T04:05:07.789"})
		}},
		{"DescribeStream tells of the stream", func(s *stand) {
			d := s.describe()
			s.equal("the description", fmt.Sprint(*d.StreamArn, " ", *d.StreamLabel, " ", d.StreamStatus, " ", d.StreamViewType, " ",
				d.CreationRequestDateTime.UTC(), " ", *d.TableName, " ", len(d.KeySchema), " ", *d.KeySchema[0].AttributeName, " ", d.KeySchema[0].KeyType, " ", d.LastEvaluatedShardId == nil),
				fmt.Sprint(s.stream, " 2026-11-23T04:05:06.789 ENABLED NEW_AND_OLD_IMAGES ", began, " orders 1 id HASH true"))
		}},
		{"DescribeStream gives shards in pages", func(s *stand) {
			s.roll()
			s.roll()
			first, err := describe(s, dynamodbstreams.DescribeStreamInput{Limit: new(int32(2))})
			s.must(err)
			second, err := describe(s, dynamodbstreams.DescribeStreamInput{ExclusiveStartShardId: first.LastEvaluatedShardId})
			s.must(err)
			if len(first.Shards) != 2 || *first.LastEvaluatedShardId != *first.Shards[1].ShardId || len(second.Shards) != 1 || second.LastEvaluatedShardId != nil {
				s.Errorf("the pages have %d and %d shards", len(first.Shards), len(second.Shards))
			}
		}},
		{"DescribeStream takes a limit up to 100", func(s *stand) {
			_, err := describe(s, dynamodbstreams.DescribeStreamInput{Limit: new(int32(100))})
			s.must(err)
			_, err = describe(s, dynamodbstreams.DescribeStreamInput{Limit: new(int32(101))})
			s.refused(err, "ValidationException", 400, "One or more parameter values were invalid: Limit cannot be greater than the maximum allowed size: 100")
		}},
		{"a shard filter gives the children of a shard", func(s *stand) {
			parent := s.describe().Shards[0].ShardId
			want := s.split()
			s.divide("roll", want[0])
			d, err := describe(s, dynamodbstreams.DescribeStreamInput{ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: parent}})
			s.must(err)
			var got []string
			for _, sh := range d.Shards {
				got = append(got, *sh.ShardId)
			}
			s.equal("children", got, want)
		}},
		{"TRIM_HORIZON begins with the oldest record", func(s *stand) {
			s.write("a b")
			s.equal("records", idsOf(s.read(s.iterator(horizon, ""))), "a b")
		}},
		{"LATEST begins after the newest record", func(s *stand) {
			s.write("a")
			iterator := s.iterator(latest, "")
			s.write("b")
			s.equal("records", idsOf(s.read(iterator)), "b")
		}},
		{"AT_SEQUENCE_NUMBER begins with the record", func(s *stand) {
			s.write("a b c")
			s.equal("records", idsOf(s.read(s.iterator(at, s.changes()[1].DynamoDB.SequenceNumber))), "b c")
		}},
		{"AFTER_SEQUENCE_NUMBER begins after the record", func(s *stand) {
			s.write("a b c")
			s.equal("records", idsOf(s.read(s.iterator(after, s.changes()[1].DynamoDB.SequenceNumber))), "c")
		}},
		{"AT_TIMESTAMP is no type", func(s *stand) {
			_, err := s.tryIterator(*s.describe().Shards[0].ShardId, "AT_TIMESTAMP", "")
			s.refused(err, "ValidationException", 400, "1 validation error detected: Value 'AT_TIMESTAMP' at 'shardIteratorType' failed to satisfy constraint: "+
				"Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]")
		}},
		{"an iterator has at most 2048 characters and is good more than once", func(s *stand) {
			s.write("a")
			iterator := s.iterator(horizon, "")
			if len(*iterator) > 2048 {
				s.Errorf("it has %d", len(*iterator))
			}
			s.equal("records", idsOf(s.read(iterator))+" "+idsOf(s.read(iterator)), "a a")
		}},
		{"an iterator expires after 15 minutes", func(s *stand) {
			iterator := s.iterator(horizon, "")
			s.write("+14m59s")
			s.read(iterator)
			s.write("+1s")
			_, err := s.streams.GetRecords(s.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
			s.refused(err, "ExpiredIteratorException", 400, "Iterator expired. The iterator was created at time Mon, 23 Nov 2026 04:05:06 UTC while right now it is "+
				"Mon, 23 Nov 2026 04:20:06 UTC which is further in the future than the tolerated delay of 900000 milliseconds.")
		}},
		{"each page's iterator lives anew", func(s *stand) {
			iterator := s.iterator(horizon, "")
			for range 3 {
				s.write("+10m")
				iterator = s.read(iterator).NextShardIterator
			}
		}},
		{"a number that is trimmed has no iterator", func(s *stand) {
			s.write("a")
			number := s.changes()[0].DynamoDB.SequenceNumber
			s.write("+24h b")
			_, err := s.tryIterator(*s.describe().Shards[0].ShardId, at, number)
			s.refused(err, "TrimmedDataAccessException", 400, "The operation attempted to read past the oldest stream record in a shard: sequence number "+number)
		}},
		{"an iterator that trimming overtakes is refused", func(s *stand) {
			s.write("a")
			s.write("+23h59m")
			iterator := s.iterator(at, s.changes()[0].DynamoDB.SequenceNumber)
			s.write("+1m b")
			_, err := s.streams.GetRecords(s.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
			if trimmed := new(types.TrimmedDataAccessException); !errors.As(err, &trimmed) {
				s.Errorf("got %v", err)
			}
		}},
		{"TRIM_HORIZON begins with what is left", func(s *stand) {
			s.write("a +12h b +12h")
			s.equal("records", idsOf(s.read(s.iterator(horizon, ""))), "b")
		}},
		{"a page has at most 1000 records", func(s *stand) {
			for i := range 41 {
				var requests []ddb.WriteRequest
				for j := range 25 {
					requests = append(requests, s.putRequest(fmt.Sprintf(`{"id":{"S":"item-%d-%d"}}`, i, j)))
				}
				s.batch(requests...)
			}
			first := s.read(s.iterator(horizon, ""))
			s.equal("pages", fmt.Sprint(len(first.Records), " ", len(s.read(first.NextShardIterator).Records)), "1000 25")
		}},
		{"a page has at most a megabyte", func(s *stand) {
			s.put(`{"id":{"S":"a"},"padding":{"S":"` + strings.Repeat("x", 240_000) + `"}}`) // the record of a change has it in both images
			s.updateV("1")
			s.updateV("2")
			first := s.read(s.iterator(horizon, ""))
			s.equal("pages", idsOf(first)+", "+idsOf(s.read(first.NextShardIterator)), "a a, a")
		}},
		{"a limit is 1 to 1000", func(s *stand) {
			s.write("a b")
			iterator := s.iterator(horizon, "")
			one, err := records(s, iterator, 1)
			s.must(err)
			s.equal("records", idsOf(one), "a")
			_, err = records(s, iterator, 1000)
			s.must(err)
			_, err = records(s, iterator, 0)
			s.refused(err, "ValidationException", 400, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "+
				"Member must have value greater than or equal to 1")
			_, err = records(s, iterator, 1001)
			s.refused(err, "ValidationException", 400, "One or more parameter values were invalid: Limit should be less than or equal to 1000")
		}},
		{"an open shard always has a next iterator, also after an empty page", func(s *stand) {
			page := s.read(s.iterator(horizon, ""))
			for range 3 {
				if len(page.Records) != 0 || page.NextShardIterator == nil {
					s.Fatalf("%d records, next %v", len(page.Records), page.NextShardIterator)
				}
				page = s.read(page.NextShardIterator)
			}
			s.write("a")
			s.equal("records", idsOf(s.read(page.NextShardIterator)), "a")
		}},
		{"a closed shard has none once it is drained", func(s *stand) {
			s.write("a b")
			shard := *s.describe().Shards[0].ShardId
			s.roll()
			first, err := records(s, s.iteratorOf(shard, horizon, ""), 1)
			s.must(err)
			s.equal("the first page", idsOf(first), "a")
			second := s.read(first.NextShardIterator)
			if idsOf(second) != "b" || second.NextShardIterator != nil {
				s.Errorf("the second page has %s and goes on at %v", idsOf(second), aws.ToString(second.NextShardIterator))
			}
		}},
		{"an unknown stream is not found", func(s *stand) {
			_, err := s.streams.DescribeStream(s.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(absent)})
			s.refused(err, "ResourceNotFoundException", 400, missing)
			_, err = s.streams.GetShardIterator(s.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: aws.String(absent),
				ShardId: s.describe().Shards[0].ShardId, ShardIteratorType: horizon})
			s.refused(err, "ResourceNotFoundException", 400, missing)
		}},
		{"an unknown shard is not found", func(s *stand) {
			const shard = "shardId-00000001573689847184-864758bb"
			_, err := s.tryIterator(shard, horizon, "")
			s.refused(err, "ResourceNotFoundException", 400, "Requested resource not found: Shard: "+shard+" in Stream: "+s.stream+" not found")
		}},
		{"a record is there for 24 hours", func(s *stand) {
			s.write("a +23h59m59s")
			s.equal("records", s.kinds(), "INSERT a")
			s.write("+1s")
			s.equal("records", s.kinds(), "")
		}},
		{"a closed shard goes with its records", func(s *stand) {
			s.write("a")
			s.roll()
			s.write("+24h")
			d := s.describe()
			if len(d.Shards) != 1 || d.Shards[0].ParentShardId == nil {
				s.Errorf("shards %+v", d.Shards)
			}
		}},
		{"DynamoDB and Streams are at one address", func(s *stand) {
			s.post("DynamoDB_20120810.ListTables", `{}`)
			s.post("DynamoDBStreams_20120810.ListStreams", `{}`)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.run(newStand(t))
		})
	}
}
