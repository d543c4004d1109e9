package semantics

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"streamgen/internal/local"
)

const problem = "PROBLEM: Function call failed"

// TestOutcomes is what becomes of a batch: the lines of the mapping's algorithm.
func TestOutcomes(t *testing.T) {
	runAll(t, []mappingRow{
		{
			name:       "a batch that succeeds moves the checkpoint past it",
			given:      options{BatchSize: new(int32(2))},
			written:    "a b c",
			deliveries: []delivery{{"a b", ok, "-"}, {"c", ok, "b"}},
		},
		{
			name:       "no retry is one invocation",
			given:      options{MaximumRetryAttempts: new(int32(0))},
			written:    "a b",
			deliveries: []delivery{{"a b", fails, ""}},
			reported:   []string{"RetryAttemptsExhausted a..b (2), count 1, Unhandled"},
			result:     problem,
		},
		{
			name:       "one retry is two invocations",
			given:      options{MaximumRetryAttempts: new(int32(1))},
			written:    "a",
			deliveries: []delivery{{"a", fails, ""}, {"a", fails, "-"}},
			reported:   []string{"RetryAttemptsExhausted a..a (1), count 2, Unhandled"},
			result:     problem,
		},
		{
			name:       "two retries are three invocations",
			given:      options{MaximumRetryAttempts: new(int32(2))},
			written:    "a",
			deliveries: []delivery{{"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""}},
			reported:   []string{"RetryAttemptsExhausted a..a (1), count 3, Unhandled"},
			result:     problem,
		},
		{
			name:       "three retries are four invocations",
			given:      options{MaximumRetryAttempts: new(int32(3))},
			written:    "a",
			deliveries: []delivery{{"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""}},
			reported:   []string{"RetryAttemptsExhausted a..a (1), count 4, Unhandled"},
			result:     problem,
		},
		{
			name:       "a retry that succeeds reports nothing",
			given:      options{MaximumRetryAttempts: new(int32(1))},
			written:    "a",
			deliveries: []delivery{{"a", fails, ""}, {"a", ok, ""}},
		},
		{
			name:       "what is given up does not block what follows",
			given:      options{MaximumRetryAttempts: new(int32(0)), BatchSize: new(int32(1))},
			written:    "a b",
			deliveries: []delivery{{"a", fails, ""}, {"b", ok, "a"}},
			reported:   []string{"RetryAttemptsExhausted a..a (1), count 1, Unhandled"},
		},
		{
			name:       "a partial failure moves the checkpoint before the record that failed",
			given:      options{FunctionResponseTypes: reports},
			written:    "a b c d",
			deliveries: []delivery{{"a b c d", leaves("c"), "-"}, {"c d", ok, "b"}},
		},
		{
			name:    "the retry counter begins anew when the checkpoint advances",
			given:   options{FunctionResponseTypes: reports, BatchSize: new(int32(3)), MaximumRetryAttempts: new(int32(3))},
			written: "1 2 3 4 5 6",
			deliveries: []delivery{
				{"1 2 3", ok, "-"}, {"4 5 6", leaves("6"), "3"}, {"6", leaves("6"), "5"}, {"6", leaves("6"), "5"}, {"6", leaves("6"), "5"}, {"6", leaves("6"), "5"},
			},
			reported: []string{"RetryAttemptsExhausted 6..6 (1), count 4, null"},
			result:   problem,
		},
		{
			name:       "the first record reported is a failed attempt of the whole batch",
			given:      options{FunctionResponseTypes: reports, MaximumRetryAttempts: new(int32(1))},
			written:    "a b",
			deliveries: []delivery{{"a b", leaves("a"), ""}, {"a b", leaves("a"), "-"}},
			reported:   []string{"RetryAttemptsExhausted a..b (2), count 2, null"},
			result:     problem,
		},
		{
			name:       "bisecting uses up no retry",
			given:      options{BisectBatchOnFunctionError: new(true), MaximumRetryAttempts: new(int32(0))},
			written:    "a b c d",
			deliveries: []delivery{{"a b c d", fails, "-"}, {"a b", ok, "-"}, {"c d", fails, "b"}, {"c", ok, "b"}, {"d", fails, "c"}},
			reported:   []string{"RetryAttemptsExhausted d..d (1), count 1, Unhandled"},
			result:     problem,
		},
		{
			name:    "each half has retries of its own",
			given:   options{BisectBatchOnFunctionError: new(true), MaximumRetryAttempts: new(int32(1))},
			written: "a b",
			deliveries: []delivery{
				{"a b", fails, ""}, {"a", fails, ""}, {"a", fails, ""}, {"b", fails, "a"}, {"b", fails, "a"},
			},
			reported: []string{"RetryAttemptsExhausted a..a (1), count 2, Unhandled", "RetryAttemptsExhausted b..b (1), count 2, Unhandled"},
			result:   problem,
		},
		{
			name:       "an odd batch has the smaller half first",
			given:      options{BisectBatchOnFunctionError: new(true)},
			written:    "a b c",
			deliveries: []delivery{{"a b c", fails, ""}, {"a", ok, ""}, {"b c", ok, ""}},
		},
		{
			name:       "bisecting with reports halves a batch whose function failed",
			given:      options{BisectBatchOnFunctionError: new(true), FunctionResponseTypes: reports},
			written:    "a b c d",
			deliveries: []delivery{{"a b c d", fails, ""}, {"a b", ok, ""}, {"c d", ok, "b"}},
		},
		{
			name:       "bisecting with reports splits at the record that is reported",
			given:      options{BisectBatchOnFunctionError: new(true), FunctionResponseTypes: reports},
			written:    "a b c d",
			deliveries: []delivery{{"a b c d", leaves("d"), ""}, {"d", ok, "c"}},
		},
		{
			name:       "bisecting with reports halves a batch whose first record is reported",
			given:      options{BisectBatchOnFunctionError: new(true), FunctionResponseTypes: reports, MaximumRetryAttempts: new(int32(0))},
			written:    "a b",
			deliveries: []delivery{{"a b", leaves("a"), ""}, {"a", leaves("a"), ""}, {"b", ok, "a"}},
			reported:   []string{"RetryAttemptsExhausted a..a (1), count 1, null"},
		},
		{
			name:       "too old before the first invocation counts as one",
			given:      options{MaximumRecordAgeInSeconds: new(int32(60))},
			written:    "a +61s b c d e f",
			deliveries: []delivery{{"b c d e f", ok, "a"}},
			reported:   []string{"RecordAgeExceeded a..a (1), count 1, no responseContext"},
		},
		{
			name:  "too old between attempts counts them and one more",
			given: options{MaximumRecordAgeInSeconds: new(int32(60))},
			// The pauses are 0.5, 1, 2 … 32 s, so that the eighth attempt would come after 63.5 s.
			written: "a",
			deliveries: []delivery{
				{"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""}, {"a", fails, ""},
			},
			reported: []string{"RecordAgeExceeded a..a (1), count 8, no responseContext"},
			result:   problem,
		},
		{
			name:       "a record that is not too old is delivered",
			given:      options{MaximumRecordAgeInSeconds: new(int32(61))},
			written:    "a +60s b",
			deliveries: []delivery{{"a b", ok, ""}},
		},
	})
	t.Run("retries without a limit end when the stream forgets the record", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.queue()
		s.register("fn")
		s.write("a")
		s.create(options{DestinationConfig: onFailure(queueARN)})
		for range 20 {
			s.expect("a").reply(fails)
		}
		c := s.expect("a")
		s.clock.Advance(24 * time.Hour)
		c.reply(fails)
		s.until(local.EventDrop, 1)
		got := s.messages()
		if len(got) != 1 || !strings.Contains(got[0], `"condition":"RecordAgeExceeded","approximateInvokeCount":22}`) {
			t.Errorf("reported %s", got)
		}
	})
	t.Run("throttles count as no attempt", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.queue()
		s.register("fn")
		s.reserve(0)
		s.write("a")
		s.create(options{MaximumRetryAttempts: new(int32(1)), DestinationConfig: onFailure(queueARN)})
		s.until(local.EventRefused, 5)
		s.equal("the checkpoint", s.checkpoint(), "")
		s.equal("the mapping", s.shown(), "Enabled, "+problem)
		_, err := s.lambda.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String("fn")})
		s.must(err)
		s.expect("a").reply(fails)
		s.expect("a").reply(fails)
		s.settle()
		s.equal("reports", s.reported(), []string{"RetryAttemptsExhausted a..a (1), count 2, Unhandled"})
	})
	t.Run("only age ends throttles", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.queue()
		s.register("fn")
		s.reserve(0)
		s.write("a")
		s.create(options{MaximumRetryAttempts: new(int32(0)), MaximumRecordAgeInSeconds: new(int32(60)), DestinationConfig: onFailure(queueARN)})
		s.settle()
		s.equal("reports", s.reported(), []string{"RecordAgeExceeded a..a (1), count 1, no responseContext"})
	})
	t.Run("the pause grows", func(t *testing.T) {
		t.Parallel()
		s := newStand(t, func(o *local.Options) { o.RetryPause = 700 * time.Millisecond })
		s.register("fn")
		s.write("a")
		s.create(options{})
		for _, pause := range []time.Duration{700, 1400, 2800, 5600, 11200, 22400, 44800, 60000, 60000} {
			s.expect("a").reply(fails)
			before := s.clock.Now()
			s.pass(pause * time.Millisecond)
			s.equal("the pause", s.clock.Now().Sub(before), pause*time.Millisecond)
			s.heard() // what next would let pass
		}
		s.expect("a").reply(ok)
	})
}

// reserve sets the function's concurrency.
func (s *stand) reserve(n int32) {
	s.Helper()
	_, err := s.lambda.PutFunctionConcurrency(s.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("fn"), ReservedConcurrentExecutions: &n})
	s.must(err)
}

// TestAnswers is what the answer to the batch a b c means, where no retry is left.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const (
		success = "" // else what comes again, or that nothing does
		whole   = "whole"
	)
	rows := []struct {
		name   string
		answer reply
		want   string
	}{
		{"null is success", says(`null`), success},
		{"an empty string is success", says(`""`), success},
		{"an empty list is success", says(`[]`), success},
		{"an empty object is success", says(`{}`), success},
		{"an empty list of failures is success", says(`{"batchItemFailures":[]}`), success},
		{"null for the list of failures is success", says(`{"batchItemFailures":null}`), success},
		{"an object without the key is success", says(`{"failures":[{"itemIdentifier":"x"}]}`), success},
		{"the key in another case is success", says(`{"BatchItemFailures":[{"itemIdentifier":"x"}]}`), success},
		{"a sequence number of the batch fails from that record on", leaves("b"), "b c"},
		{"the lowest of several sequence numbers wins", leaves("c", "b"), "b c"},
		{"an empty identifier fails the whole batch", says(`{"batchItemFailures":[{"itemIdentifier":""}]}`), whole},
		{"a null identifier fails the whole batch", says(`{"batchItemFailures":[{"itemIdentifier":null}]}`), whole},
		{"an identifier that is not in the batch fails the whole batch", says(`{"batchItemFailures":[{"itemIdentifier":"123"}]}`), whole},
		{"another member fails the whole batch", says(`{"batchItemFailures":[{"foo":123}]}`), whole},
		{"another member that is null fails the whole batch", says(`{"batchItemFailures":[{"foo":null}]}`), whole},
		{"a function error fails the whole batch", fails, whole},
		{"an answer that is no JSON fails the whole batch", says(`<html>`), whole},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			m := mappingRow{
				given:   options{FunctionResponseTypes: reports, MaximumRetryAttempts: new(int32(0))},
				written: "a b c", deliveries: []delivery{{"a b c", row.answer, ""}},
			}
			switch {
			case row.want == whole:
				failure := "null"
				if row.answer(&call{}).failed {
					failure = "Unhandled"
				}
				m.reported, m.result = []string{"RetryAttemptsExhausted a..c (3), count 1, " + failure}, problem
			case row.want != success:
				m.deliveries = append(m.deliveries, delivery{row.want, ok, ""})
			}
			m.run(t)
		})
	}
	t.Run("without the response type every answer is success", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				m := mappingRow{
					given: options{MaximumRetryAttempts: new(int32(0))}, written: "a b c", deliveries: []delivery{{"a b c", row.answer, ""}},
				}
				if strings.HasPrefix(row.name, "a function error") {
					m.reported, m.result = []string{"RetryAttemptsExhausted a..c (3), count 1, Unhandled"}, problem
				}
				m.run(t)
			})
		}
	})
}
