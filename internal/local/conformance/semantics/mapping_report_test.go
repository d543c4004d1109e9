package semantics

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// reportText is the report of the stream's records from one to another, byte for byte. The attempts took no time.
func (s *stand) reportText(id, condition string, count int, response, at string, first, last recordJSON, arrivals [2]string, batch int) string {
	return fmt.Sprintf(`{"requestContext":{"requestId":"%s","functionArn":"%s","condition":"%s","approximateInvokeCount":%d},%s`+
		`"version":"1.0","timestamp":"%s","DDBStreamBatchInfo":{"shardId":"%s","startSequenceNumber":"%s","endSequenceNumber":"%s",`+
		`"approximateArrivalOfFirstRecord":"%s","approximateArrivalOfLastRecord":"%s","batchSize":%d,"streamArn":"%s"}}`,
		id, fnARN, condition, count, response, at, *s.describe().Shards[0].ShardId, first.DynamoDB.SequenceNumber, last.DynamoDB.SequenceNumber,
		arrivals[0], arrivals[1], batch, s.stream)
}

const (
	unhandled = `"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},`
	partly    = `"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},`
)

// giveUp lets the function fail with a and b, which was written 2 s later, and gives the call and the report that there should be of it.
func (s *stand) giveUp(destination string, answer reply) (*call, string) {
	s.Helper()
	s.register("fn")
	s.write("a +2s b +250ms")
	s.create(options{MaximumRetryAttempts: new(int32(0)), FunctionResponseTypes: reports, DestinationConfig: onFailure(destination)})
	c := s.expect("a b")
	c.reply(answer)
	s.settle()
	response := unhandled
	if !answer(c).failed {
		response = partly
	}
	return c, s.reportText(c.id, "RetryAttemptsExhausted", 1, response, "2026-11-23T04:05:09.039Z", c.records[0], c.records[1],
		[2]string{"2026-11-23T04:05:06Z", "2026-11-23T04:05:08Z"}, 2)
}

// TestReports is what an on-failure destination gets, byte for byte.
func TestReports(t *testing.T) {
	t.Parallel()
	for _, row := range []standRow{
		{"a queue gets the document, and needs no policy", func(s *stand) {
			s.queue()
			_, want := s.giveUp(queueARN, fails)
			s.equal("messages", s.messages(), []string{want})
		}},
		{"a reported item leaves functionError null", func(s *stand) {
			s.queue()
			_, want := s.giveUp(queueARN, leaves("a"))
			s.equal("messages", s.messages(), []string{want})
		}},
		{"a topic gets the same document as its message", func(s *stand) {
			s.queue()
			topics := sns.NewFromConfig(s.config())
			topic, err := topics.CreateTopic(s.Context(), &sns.CreateTopicInput{Name: aws.String("lost")})
			s.must(err)
			_, err = s.sqs.SetQueueAttributes(s.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(s.stack.Endpoint() + "/000000000000/lost"),
				Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},` +
					`"Action":"sqs:SendMessage","Resource":"` + queueARN + `"}}`}})
			s.must(err)
			_, err = topics.Subscribe(s.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN)})
			s.must(err)
			_, want := s.giveUp(*topic.TopicArn, fails)
			var envelope struct{ Message string }
			s.must(json.Unmarshal([]byte(s.messages()[0]), &envelope))
			s.equal("the message", envelope.Message, want)
		}},
		{"a bucket gets the document with the event", func(s *stand) {
			buckets := s3.NewFromConfig(s.config(), func(o *s3.Options) { o.UsePathStyle = true })
			_, err := buckets.CreateBucket(s.Context(), &s3.CreateBucketInput{Bucket: aws.String("lost")})
			s.must(err)
			c, want := s.giveUp("arn:aws:s3:::lost", fails)
			list, err := buckets.ListObjectsV2(s.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lost")})
			s.must(err)
			s.equal("objects", len(list.Contents), 1)
			key := *list.Contents[0].Key
			pattern := regexp.MustCompile(`^aws/lambda/` + s.mapping + `/` + *s.describe().Shards[0].ShardId +
				`/2026/11/23/2026-11-23T04\.05\.09-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
			if !pattern.MatchString(key) {
				s.Errorf("the key is %s, want %s", key, pattern)
			}
			object, err := buckets.GetObject(s.Context(), &s3.GetObjectInput{Bucket: aws.String("lost"), Key: &key})
			s.must(err)
			body, err := io.ReadAll(object.Body)
			s.must(err)
			var got, document map[string]any
			s.must(json.Unmarshal(body, &got))
			s.must(json.Unmarshal([]byte(want), &document))
			document["payload"] = string(c.event)
			s.equal("the object", got, document)
		}},
		{"a record that is too old has no responseContext", func(s *stand) {
			s.queue()
			s.register("fn")
			s.write("a +2s b +61s")
			s.create(options{MaximumRecordAgeInSeconds: new(int32(60)), DestinationConfig: onFailure(queueARN)})
			s.settle()
			records, got := s.changes(), s.messages()[0]
			var id report
			s.must(json.Unmarshal([]byte(got), &id))
			if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id.RequestContext.RequestID) {
				s.Errorf("the request's ID is %q", id.RequestContext.RequestID)
			}
			s.equal("the report", got, s.reportText(id.RequestContext.RequestID, "RecordAgeExceeded", 1, "", "2026-11-23T04:06:09.789Z", records[0], records[1],
				[2]string{"2026-11-23T04:05:06Z", "2026-11-23T04:05:08Z"}, 2))
		}},
		{"the request's ID is that of the last invocation", func(s *stand) {
			s.queue()
			s.register("fn")
			s.write("a")
			s.create(options{MaximumRetryAttempts: new(int32(1)), DestinationConfig: onFailure(queueARN)})
			first := s.expect("a")
			first.reply(fails)
			second := s.expect("a")
			second.reply(fails)
			s.settle()
			var r report
			s.must(json.Unmarshal([]byte(s.messages()[0]), &r))
			s.equal("the ID", r.RequestContext.RequestID, second.id)
			if first.id == second.id {
				s.Errorf("both invocations are %s", first.id)
			}
		}},
		{"the version is the one that ran", func(s *stand) {
			s.queue()
			s.register("fn")
			_, err := s.lambda.PublishVersion(s.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("fn")})
			s.must(err)
			s.write("a")
			s.create(options{FunctionName: aws.String("fn:1"), MaximumRetryAttempts: new(int32(0)), DestinationConfig: onFailure(queueARN)})
			s.expect("a").reply(fails)
			s.settle()
			if got := s.messages()[0]; !strings.Contains(got, `"functionArn":"`+fnARN+`:1"`) || !strings.Contains(got, `"executedVersion":"1"`) {
				s.Errorf("reported %s", got)
			}
		}},
		{"a destination that is gone loses the report, and blocks nothing", func(s *stand) {
			s.register("fn")
			s.write("a b")
			s.create(options{MaximumRetryAttempts: new(int32(0)), BatchSize: new(int32(1)), DestinationConfig: onFailure(queueARN)})
			s.expect("a").reply(fails)
			s.expect("b").reply(ok)
			s.settle()
			s.queue()
			s.equal("messages", len(s.messages()), 0)
		}},
		{"without a destination what is given up is dropped", func(s *stand) {
			s.register("fn")
			s.write("a b")
			s.create(options{MaximumRetryAttempts: new(int32(0)), BatchSize: new(int32(1))})
			s.expect("a").reply(fails)
			s.expect("b").reply(ok)
			s.settle()
		}},
		{"a FIFO queue and a FIFO topic are refused", func(s *stand) {
			s.register("fn")
			for _, arn := range []string{queueARN + ".fifo", "arn:aws:sns:us-east-1:000000000000:lost.fifo"} {
				_, err := s.try(options{DestinationConfig: onFailure(arn)})
				s.refused(err, "InvalidParameterValueException", 400, "The destination ARN "+arn+" is invalid.")
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.run(newStand(t))
		})
	}
}
