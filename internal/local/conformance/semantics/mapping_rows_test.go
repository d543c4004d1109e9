package semantics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// checkpoint is the name of the last record that is done, with all before it.
func (s *stand) checkpoint() string {
	s.Helper()
	var all []string
	for _, number := range s.checkpoints() {
		all = append(all, s.itemOf(number))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// checkpoints are the mapping's, by shard.
func (s *stand) checkpoints() map[string]string {
	s.Helper()
	var dump struct {
		Regions map[string]struct {
			Mappings []struct {
				UUID        string
				Checkpoints map[string]string
			}
		}
	}
	s.admin(http.MethodGet, "dump", "", &dump)
	for _, m := range dump.Regions[region].Mappings {
		if m.UUID == s.mapping {
			return m.Checkpoints
		}
	}
	return nil
}

// shown is the mapping's state and what it did last, as the API says it.
func (s *stand) shown() string {
	s.Helper()
	out, err := s.lambda.GetEventSourceMapping(s.Context(), &lambda.GetEventSourceMappingInput{UUID: &s.mapping})
	s.must(err)
	return *out.State + ", " + *out.LastProcessingResult
}

// queue makes the queue that reports go to.
func (s *stand) queue() {
	s.Helper()
	_, err := s.sqs.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: aws.String("lost")})
	s.must(err)
}

// messages takes what is in the queue.
func (s *stand) messages() (bodies []string) {
	s.Helper()
	for {
		out, err := s.sqs.ReceiveMessage(s.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(s.stack.Endpoint() + "/000000000000/lost"), MaxNumberOfMessages: 10, VisibilityTimeout: 3600,
		})
		s.must(err)
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
		}
	}
}

// report is what tests look at in the report of records that were given up.
type report struct {
	RequestContext struct {
		RequestID, Condition   string
		ApproximateInvokeCount int
	}
	ResponseContext *struct{ FunctionError *string }
	Batch           struct {
		ShardID, StartSequenceNumber, EndSequenceNumber string
		BatchSize                                       int
	} `json:"DDBStreamBatchInfo"`
}

// reported are the reports in the queue in words, in the order of their records: "RetryAttemptsExhausted b..c (2), count 3, Unhandled".
func (s *stand) reported() []string {
	s.Helper()
	var all []report
	for _, body := range s.messages() {
		var r report
		s.must(json.Unmarshal([]byte(body), &r))
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b report) int {
		return strings.Compare(a.Batch.StartSequenceNumber, b.Batch.StartSequenceNumber)
	})
	var words []string
	for _, r := range all {
		failure := "no responseContext"
		if r.ResponseContext != nil {
			if failure = "null"; r.ResponseContext.FunctionError != nil {
				failure = *r.ResponseContext.FunctionError
			}
		}
		words = append(words, fmt.Sprintf("%s %s..%s (%d), count %d, %s", r.RequestContext.Condition, s.itemOf(r.Batch.StartSequenceNumber),
			s.itemOf(r.Batch.EndSequenceNumber), r.Batch.BatchSize, r.RequestContext.ApproximateInvokeCount, failure))
	}
	return words
}

// delivery is one invocation of a row.
type delivery struct {
	// records are what the function is invoked with, and answer is what it says to that.
	records string
	answer  reply
	// done is the last record at or before the checkpoint while the function runs; "-" is none, and "" is not looked at.
	done string
}

// mappingRow is a row of a table about mappings: a mapping with these options and what was written before it makes these deliveries, in this
// order, and leaves these reports in its on-failure queue.
type mappingRow struct {
	name       string
	given      options
	written    string
	deliveries []delivery
	reported   []string
	// result is what the mapping did last; "" is OK.
	result string
}

func (row mappingRow) run(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.queue()
	s.register("fn")
	s.write(row.written)
	if row.given.DestinationConfig == nil {
		row.given.DestinationConfig = onFailure(queueARN)
	}
	s.create(row.given)
	for _, d := range row.deliveries {
		c := s.expect(d.records)
		if d.done != "" {
			s.equal("the checkpoint before "+d.records, cmp.Or(s.checkpoint(), "-"), d.done)
		}
		c.reply(d.answer)
	}
	s.settle()
	s.equal("reports", s.reported(), row.reported)
	s.equal("the mapping", s.shown(), "Enabled, "+cmp.Or(row.result, "OK"))
}

// runAll runs the rows of a table side by side.
func runAll(t *testing.T, rows []mappingRow) {
	t.Helper()
	t.Parallel()
	for _, row := range rows {
		t.Run(row.name, row.run)
	}
}

// standRow is a row that says itself what happens on its stand.
type standRow struct {
	name string
	run  func(*stand)
}

// runStands runs the rows of a table side by side, each on a stand of its own with the function fn.
func runStands(t *testing.T, rows []standRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.register("fn")
			row.run(s)
		})
	}
}
