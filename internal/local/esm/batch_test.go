package esm_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/esm"
)

// TestAnswers is the table of what a function's answer to a batch of three means, with reports of failed items and without.
// Sequence numbers are seven times the record's number.
func TestAnswers(t *testing.T) {
	const success, whole = 0, 1 // else: the first record of the second batch
	tests := []struct {
		name, answer  string
		with, without int
	}{
		{"null", `null`, success, success},
		{"empty string", `""`, success, success},
		{"empty list", `[]`, success, success},
		{"empty object", `{}`, success, success},
		{"nothing", ``, success, success},
		{"blank", " \n", success, success},
		{"no failures", `{"batchItemFailures":[]}`, success, success},
		{"null failures", `{"batchItemFailures":null}`, success, success},
		{"another key", `{"failures":[{"itemIdentifier":"14"}]}`, success, success},
		{"key in another case", `{"BatchItemFailures":[{"itemIdentifier":"14"}]}`, success, success},
		{"second record", `{"batchItemFailures":[{"itemIdentifier":"14"}]}`, 2, success},
		{"with spaces", ` { "batchItemFailures" : [ { "itemIdentifier" : "21" } ] } `, 3, success},
		{"lowest of several", `{"batchItemFailures":[{"itemIdentifier":"21"},{"itemIdentifier":"14"}]}`, 2, success},
		{"twice the same", `{"batchItemFailures":[{"itemIdentifier":"21"},{"itemIdentifier":"21"}]}`, 3, success},
		{"other members", `{"x":1,"batchItemFailures":[{"itemIdentifier":"21","why":"x"}]}`, 3, success},
		{"first record", `{"batchItemFailures":[{"itemIdentifier":"7"}]}`, whole, success},
		{"empty identifier", `{"batchItemFailures":[{"itemIdentifier":""}]}`, whole, success},
		{"null identifier", `{"batchItemFailures":[{"itemIdentifier":null}]}`, whole, success},
		{"unknown identifier", `{"batchItemFailures":[{"itemIdentifier":"123"}]}`, whole, success},
		{"number for an identifier", `{"batchItemFailures":[{"itemIdentifier":14}]}`, whole, success},
		{"unknown beside a known one", `{"batchItemFailures":[{"itemIdentifier":"14"},{"itemIdentifier":"15"}]}`, whole, success},
		{"another member with a value", `{"batchItemFailures":[{"foo":123}]}`, whole, success},
		{"another member with null", `{"batchItemFailures":[{"foo":null}]}`, whole, success},
		{"identifier in another case", `{"batchItemFailures":[{"ItemIdentifier":"14"}]}`, whole, success},
		{"null in the list", `{"batchItemFailures":[null]}`, whole, success},
		{"no list", `{"batchItemFailures":"14"}`, whole, success},
		{"text", `"done"`, whole, success},
		{"no JSON", `<html>`, whole, success},
	}
	for _, test := range tests {
		for _, reports := range []bool{true, false} {
			t.Run(test.name+map[bool]string{true: " with", false: " without"}[reports], func(t *testing.T) {
				r := newRig(t)
				r.stream.put("shard-1", 1, 2, 3)
				m := r.create(func(c *esm.Config) { c.ReportBatchItemFailures, c.MaximumRetryAttempts = reports, 0 })
				r.expect(1, 2, 3).ok(test.answer)
				want := test.with
				if !reports {
					want = test.without
				}
				if want > 1 {
					rest := []int{2, 3}[want-2:]
					r.expect(rest...).ok(`{}`)
				}
				r.stream.put("shard-1", 4)
				c := r.expect(4) // so what came before is settled
				var drops []string
				result := "OK"
				if want == whole {
					drops, result = []string{"RetryAttemptsExhausted 1..3 (3) after 1"}, "PROBLEM: Function call failed"
				}
				if diff := cmp.Diff(drops, r.drops.all()); diff != "" {
					t.Errorf("drops (-want +got):\n%s", diff)
				}
				if got, err := r.Get(m.UUID); err != nil || got.LastProcessingResult != result {
					t.Errorf("LastProcessingResult %q (%v), want %q", got.LastProcessingResult, err, result)
				}
				c.ok(`{}`)
			})
		}
	}
}

func TestFunctionErrorFailsTheBatchWhateverItSays(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2, 3)
	r.create(func(c *esm.Config) { c.ReportBatchItemFailures, c.MaximumRetryAttempts = true, 0 })
	c := r.expect(1, 2, 3)
	c.answer <- esm.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"14"}]}`), FunctionError: "Unhandled"}
	r.stream.put("shard-1", 4)
	r.expect(4).ok(`{}`)
	if diff := cmp.Diff([]string{"RetryAttemptsExhausted 1..3 (3) after 1"}, r.drops.all()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}

// TestRetryCounterBeginsAnewWhenTheCheckpointAdvances repeats counts that were recorded on AWS: record 6 of six, in batches of
// three, fails with three retries. It is delivered five times, and dropped after four invocations of its own.
func TestRetryCounterBeginsAnewWhenTheCheckpointAdvances(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2, 3, 4, 5, 6)
	r.create(func(c *esm.Config) { c.ReportBatchItemFailures, c.BatchSize, c.MaximumRetryAttempts = true, 3, 3 })
	r.expect(1, 2, 3).ok(`{"batchItemFailures":[]}`)
	r.expect(4, 5, 6).failItems(6)
	for range 3 {
		r.expect(6).failItems(6)
		r.wait(time.Minute)
	}
	r.expect(6).failItems(6)
	r.stream.put("shard-1", 7)
	r.expect(7).ok(`{}`)
	if diff := cmp.Diff([]string{"RetryAttemptsExhausted 6..6 (1) after 4"}, r.drops.all()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}

func TestRetriesAndBackoff(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2)
	r.create(func(c *esm.Config) { c.MaximumRetryAttempts = 9 })
	at := epoch
	for _, wait := range []time.Duration{
		0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second,
		time.Minute, time.Minute,
	} {
		if wait > 0 {
			r.wait(wait - time.Millisecond)
			r.wait(time.Millisecond)
		}
		at = at.Add(wait)
		c := r.expect(1, 2)
		if !c.at.Equal(at) {
			t.Errorf("attempt at %v, want %v", c.at, at)
		}
		c.fail()
	}
	r.stream.put("shard-1", 3)
	r.expect(3).ok(`{}`)
	if diff := cmp.Diff([]string{"RetryAttemptsExhausted 1..2 (2) after 10"}, r.drops.all()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}

func TestThrottlesDoNotCount(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1)
	r.create(func(c *esm.Config) { c.MaximumRetryAttempts = 1 })
	for range 5 {
		r.expect(1).refuse()
		r.wait(time.Minute)
	}
	r.expect(1).fail()
	r.wait(time.Minute)
	r.expect(1).refuse()
	r.wait(time.Minute)
	r.expect(1).fail()
	r.stream.put("shard-1", 2)
	r.expect(2).ok(`{}`)
	if diff := cmp.Diff([]string{"RetryAttemptsExhausted 1..1 (1) after 2"}, r.drops.all()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}

func TestAge(t *testing.T) {
	t.Run("before the first invocation", func(t *testing.T) {
		r := newRig(t)
		r.stream.put("shard-1", 1)
		r.clock.Advance(61 * time.Second)
		r.stream.put("shard-1", 2, 3, 4, 5, 6)
		r.create(func(c *esm.Config) { c.MaximumRecordAgeInSeconds = 60 })
		r.expect(2, 3, 4, 5, 6).ok(`{}`)
		if diff := cmp.Diff([]string{"RecordAgeExceeded 1..1 (1) after 0"}, r.drops.all()); diff != "" {
			t.Errorf("drops (-want +got):\n%s", diff)
		}
	})
	t.Run("between attempts", func(t *testing.T) {
		r := newRig(t)
		r.stream.put("shard-1", 1)
		r.clock.Advance(30 * time.Second)
		r.stream.put("shard-1", 2)
		r.create(func(c *esm.Config) { c.MaximumRecordAgeInSeconds = 60 })
		r.expect(1, 2).fail()
		r.wait(31 * time.Second)
		r.expect(2).refuse()
		r.wait(31 * time.Second)
		r.stream.put("shard-1", 3)
		r.expect(3).ok(`{}`)
		want := []string{"RecordAgeExceeded 1..1 (1) after 1", "RecordAgeExceeded 2..2 (1) after 1"}
		if diff := cmp.Diff(want, r.drops.all()); diff != "" {
			t.Errorf("drops (-want +got):\n%s", diff)
		}
	})
	t.Run("exactly as old as allowed", func(t *testing.T) {
		r := newRig(t)
		r.stream.put("shard-1", 1)
		r.clock.Advance(60 * time.Second)
		r.create(func(c *esm.Config) { c.MaximumRecordAgeInSeconds = 60 })
		r.expect(1).ok(`{}`)
	})
	t.Run("never, but the stream forgets", func(t *testing.T) {
		r := newRig(t)
		r.stream.put("shard-1", 1)
		r.create(nil)
		r.expect(1).fail()
		r.wait(24*time.Hour + time.Second)
		r.stream.put("shard-1", 2)
		r.expect(2).ok(`{}`)
		if diff := cmp.Diff([]string{"RecordAgeExceeded 1..1 (1) after 1"}, r.drops.all()); diff != "" {
			t.Errorf("drops (-want +got):\n%s", diff)
		}
	})
}

func TestBatchSize(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2, 3, 4, 5)
	r.create(func(c *esm.Config) { c.BatchSize = 2 })
	r.expect(1, 2).ok(`{}`)
	r.expect(3, 4).ok(`{}`)
	r.expect(5).ok(`{}`)
}

// TestLargeBatchIsReadInPages: a source renders what it is asked for, and 10,000 large records are gigabytes.
func TestLargeBatchIsReadInPages(t *testing.T) {
	r := newRig(t)
	numbers := make([]int, 1050)
	for i := range numbers {
		numbers[i] = i + 1
	}
	r.stream.put("shard-1", numbers...)
	r.create(func(c *esm.Config) { c.BatchSize = 1020 })
	r.expect(numbers[:1020]...).ok(`{}`)
	r.expect(numbers[1020:]...).ok(`{}`)
	r.stream.mu.Lock()
	defer r.stream.mu.Unlock()
	if r.stream.most > 100 {
		t.Errorf("a read asked for %d records", r.stream.most)
	}
}

func TestPayloadLimit(t *testing.T) {
	r := newRig(t)
	r.stream.update(func() {
		for n := range 5 {
			r.stream.add("shard-1", n+1, 2<<20+100)
		}
	})
	r.create(nil)
	for _, want := range [][]int{{1, 2}, {3, 4}, {5}} {
		c := r.expect(want...)
		if c.size > 6<<20+100 {
			t.Errorf("event of %d bytes", c.size)
		}
		c.ok(`{}`)
	}
}

func TestWindow(t *testing.T) {
	r := newRig(t)
	m := r.create(func(c *esm.Config) { c.MaximumBatchingWindowInSeconds, c.BatchSize = 10, 3 })
	at := func(c call, want time.Duration) {
		t.Helper()
		if got := c.at.Sub(epoch); got != want {
			t.Errorf("%v invoked after %v, want %v", c.numbers, got, want)
		}
		c.ok(`{}`)
	}
	put := func(n int) {
		r.settle()
		r.stream.put("shard-1", n)
		r.stream.awaitRead(n)
		r.settle()
		r.clock.AwaitSleepers(1)
	}
	// The window began with the mapping.
	r.pass(4 * time.Second)
	put(1)
	r.clock.Advance(5 * time.Second)
	put(2)
	r.clock.Advance(time.Second)
	at(r.expect(1, 2), 10*time.Second)
	r.caughtUp(m)
	// The next began when that invocation ended, and again at 20 s.
	r.pass(13 * time.Second)
	put(3)
	r.clock.Advance(7 * time.Second)
	at(r.expect(3), 30*time.Second)
	r.caughtUp(m)
	// A full batch does not wait.
	r.pass(time.Second)
	r.stream.put("shard-1", 4, 5, 6, 7)
	at(r.expect(4, 5, 6), 31*time.Second)
	// Nor does a shard that ends.
	r.stream.awaitRead(7)
	r.stream.close("shard-1")
	at(r.expect(7), 31*time.Second)
}

func TestFailureBlocksOnlyItsShard(t *testing.T) {
	r := newRig(t)
	r.stream.open("shard-2", "")
	r.stream.put("shard-1", 1)
	r.create(nil)
	r.expect(1).fail()
	r.stream.put("shard-2", 2)
	r.expect(2).ok(`{}`)
	r.stream.put("shard-2", 3)
	r.expect(3).ok(`{}`)
	r.clock.AwaitSleepers(1)
	r.clock.Advance(time.Minute)
	r.expect(1).ok(`{}`)
}

// TestEveryRecordIsDeliveredInOrder answers at random and checks what a mapping promises: in a shard, the first record of
// each delivery is the first that is not done.
func TestEveryRecordIsDeliveredInOrder(t *testing.T) {
	for seed := range uint64(20) {
		r := newRig(t)
		random := rand.New(rand.NewPCG(seed, 0))
		const records = 60
		r.create(func(c *esm.Config) {
			c.ReportBatchItemFailures, c.BatchSize = true, 1+random.IntN(7)
		})
		go func() {
			for n := range records {
				r.stream.put("shard-1", n+1)
			}
		}()
		next := 1
		for next <= records {
			c := <-r.calls
			for i, n := range c.numbers {
				if n != next+i {
					t.Fatalf("seed %d: got %v, want them from %d on", seed, c.numbers, next)
				}
			}
			switch random.IntN(4) {
			case 0:
				c.fail()
				r.wait(time.Minute)
			case 1:
				c.refuse()
				r.wait(time.Minute)
			case 2:
				first := random.IntN(len(c.numbers))
				c.failItems(c.numbers[first:]...)
				next += first
				if first == 0 {
					r.wait(time.Minute)
				}
			default:
				c.ok(`{}`)
				next += len(c.numbers)
			}
		}
		if got := r.drops.all(); len(got) > 0 {
			t.Errorf("seed %d: dropped %v", seed, got)
		}
	}
}
