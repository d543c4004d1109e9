package semantics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"streamgen/internal/local"
)

// maxEvent is the largest event that a function is invoked with, in bytes.
const maxEvent = 6_291_556

// isOne matches records that write made with the value 1.
const isOne = `{"dynamodb":{"NewImage":{"v":{"S":["1"]}}}}`

// TestBatching is where batches begin and end.
func TestBatching(t *testing.T) {
	runAll(t, []mappingRow{
		{
			name:       "BatchSize ends a batch",
			given:      options{BatchSize: new(int32(2)), MaximumBatchingWindowInSeconds: new(int32(0))},
			written:    "a b c d e",
			deliveries: []delivery{{"a b", ok, ""}, {"c d", ok, ""}, {"e", ok, ""}},
		},
		{
			name:       "BatchSize ends a batch before its window does",
			given:      options{BatchSize: new(int32(2)), MaximumBatchingWindowInSeconds: new(int32(300))},
			written:    "a b c d",
			deliveries: []delivery{{"a b", ok, ""}, {"c d", ok, ""}},
		},
		{
			name:       "without a window what was read is invoked",
			given:      options{BatchSize: new(int32(10000))},
			written:    "a b c",
			deliveries: []delivery{{"a b c", ok, ""}},
		},
		{
			name:       "filters come before batches",
			given:      options{BatchSize: new(int32(2)), FilterCriteria: patterns(isOne)},
			written:    "a b:1 c d:1 e f:1",
			deliveries: []delivery{{"b:1 d:1", ok, ""}, {"f:1", ok, ""}},
		},
		{
			name:       "the checkpoint moves past what is filtered out",
			given:      options{FilterCriteria: patterns(isOne)},
			written:    "a b c:1",
			deliveries: []delivery{{"c:1", ok, "b"}},
		},
		{
			name:    "a batch that is filtered out is no invocation",
			given:   options{FilterCriteria: patterns(isOne)},
			written: "a b c",
			result:  "No records processed",
		},
		{
			name:       "BatchSize is no limit on what is read",
			given:      options{BatchSize: new(int32(3)), FilterCriteria: patterns(isOne)},
			written:    strings.Repeat("x -x ", 10) + "a:1" + strings.Repeat(" x:2 x:3", 10) + " b:1 c:1",
			deliveries: []delivery{{"a:1 b:1 c:1", ok, ""}},
		},
	})
	runStands(t, []standRow{
		{"the event has the records alone", func(s *stand) {
			s.write("a")
			s.create(options{})
			c := s.expect("a")
			c.reply(ok)
			event := string(c.event)
			if !strings.HasPrefix(event, `{"Records":[{"eventID":"`) || !strings.HasSuffix(event, s.stream+`"}]}`) {
				s.Errorf("the event is %s", event)
			}
		}},
		{"the window ends a batch", func(s *stand) {
			s.write("a b")
			s.create(options{MaximumBatchingWindowInSeconds: new(int32(10))})
			s.pass(10 * time.Second)
			s.expect("a b").reply(ok)
			s.settle()
		}},
		{"the next window begins when the invocation ends", func(s *stand) {
			s.write("a")
			s.create(options{MaximumBatchingWindowInSeconds: new(int32(10))})
			s.pass(10 * time.Second)
			c := s.expect("a")
			s.write("+4s")
			c.reply(ok)
			s.settle()
			s.write("+3s b")
			s.pass(7 * time.Second)
			s.expect("b").reply(ok)
		}},
		{"6 MB of payload end a batch", func(s *stand) {
			const padding = 390_000 // the record of a change has it in both images
			s.put(fmt.Sprintf(`{"id":{"S":"a"},"padding":{"S":"%s"}}`, strings.Repeat("x", padding)))
			for i := range 8 {
				s.updateV(fmt.Sprint(i))
			}
			s.create(options{})
			first := s.expect("a a:0 a:1 a:2 a:3 a:4 a:5 a:6")
			first.reply(ok)
			s.expect("a:7").reply(ok)
			s.settle()
			if size := len(first.event); size > maxEvent || size+2*padding < maxEvent {
				s.Errorf("the first event has %d bytes", size)
			}
		}},
		{"a parent is read before its child", func(s *stand) {
			s.write("a b")
			s.roll()
			s.write("c")
			s.create(options{BatchSize: new(int32(1))})
			s.expect("a").reply(ok)
			s.expect("b").reply(fails)
			s.expect("b").reply(ok)
			s.expect("c").reply(ok)
			s.settle()
		}},
		{"a batch never mixes shards", func(s *stand) {
			var first []string
			for i := range 20 {
				first = append(first, fmt.Sprintf("item-%02d", i))
			}
			s.split()
			s.write(strings.Join(first, " "))
			var want []string
			for _, sh := range s.describe().Shards[1:] {
				want = append(want, strings.Join(s.idsIn(*sh.ShardId), " "))
			}
			s.create(options{})
			var got []string
			for range want {
				c := s.next()
				got = append(got, c.names())
				c.reply(ok)
			}
			s.settle()
			slices.Sort(got)
			slices.Sort(want)
			s.equal("batches", got, want)
		}},
		{"a shard that fails does not block another", func(s *stand) {
			s.split()
			s.write("a b c d e f g h i j")
			s.create(options{BatchSize: new(int32(1))})
			var stuck string // the shard of the first record
			rest := 10
			for shards := s.describe().Shards[1:]; rest > 0; rest-- {
				c := s.next()
				if stuck == "" {
					held := c
					defer func() { held.reply(ok) }()
					for _, sh := range shards {
						if ids := s.idsIn(*sh.ShardId); ids[0] == c.names() {
							stuck, rest = *sh.ShardId, rest-len(ids)+1
						}
					}
					continue
				}
				c.reply(ok)
			}
		}},
	})
}

// TestLanes is how a shard's batches run side by side.
func TestLanes(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprintf("item-%02d", i))
	}
	runStands(t, []standRow{
		{"without ParallelizationFactor one batch is in flight", func(s *stand) {
			s.write("a b")
			s.create(options{BatchSize: new(int32(1))})
			c := s.expect("a")
			select {
			case second := <-s.calls:
				s.Errorf("%s is in flight beside a", second.names())
			case <-time.After(20 * time.Millisecond): // it cannot be proved that nothing comes; a break shows itself at once
			}
			c.reply(ok)
			s.expect("b").reply(ok)
		}},
		{"up to ParallelizationFactor batches are in flight", func(s *stand) {
			s.write(strings.Join(keys, " "))
			s.create(options{BatchSize: new(int32(1)), ParallelizationFactor: new(int32(4))})
			var flying []*call
			for range 4 {
				flying = append(flying, s.next())
			}
			for _, c := range flying {
				c.reply(ok)
			}
			for range len(keys) - len(flying) {
				s.next().reply(ok)
			}
			s.settle()
		}},
		{"a key is never in flight twice, and its changes stay in order", func(s *stand) {
			want := map[string]string{}
			for round := range 6 {
				for _, key := range keys {
					word := fmt.Sprintf("%s:%d", key, round+1)
					s.write(word)
					want[key] = strings.TrimSpace(want[key] + " " + word)
				}
			}
			got, flying := map[string]string{}, map[string]bool{}
			var mu sync.Mutex
			calls := 0
			s.answer("busy", func(records []recordJSON) error {
				mu.Lock()
				calls++
				failing := calls%5 == 0
				for _, r := range records {
					key := r.DynamoDB.Keys.ID.S
					if flying[key] {
						s.Errorf("%s is in flight twice", key)
					}
				}
				for _, r := range records {
					flying[r.DynamoDB.Keys.ID.S] = true
				}
				mu.Unlock()
				for range 100 {
					runtime.Gosched()
				}
				mu.Lock()
				defer mu.Unlock()
				for _, r := range records {
					key := r.DynamoDB.Keys.ID.S
					delete(flying, key)
					if !failing {
						got[key] = strings.TrimSpace(got[key] + " " + r.name())
					}
				}
				if failing {
					return errors.New("told to fail")
				}
				return nil
			})
			s.create(options{FunctionName: aws.String("busy"), BatchSize: new(int32(2)), ParallelizationFactor: new(int32(10))})
			s.settle()
			s.equal("changes", got, want)
		}},
		{"the checkpoint is before the lowest record that is not done", func(s *stand) {
			s.write("a " + strings.Join(keys, " "))
			s.create(options{BatchSize: new(int32(1)), ParallelizationFactor: new(int32(10))})
			held := s.hold("a", 10)
			s.equal("the checkpoint", s.checkpoint(), "")
			held.reply(ok)
		}},
		{"a lane that fails blocks itself alone", func(s *stand) {
			s.write("a " + strings.Join(keys, " "))
			s.create(options{BatchSize: new(int32(1)), ParallelizationFactor: new(int32(10))})
			s.hold("a", 5).reply(fails)
			for again := false; !again; {
				c := s.next()
				again = c.names() == "a"
				c.reply(ok)
			}
		}},
	})
}

// answer adds a function of this process that answers its calls side by side.
func (s *stand) answer(name string, f func([]recordJSON) error) {
	s.Helper()
	_, err := s.stack.Register(region, name, 15*time.Minute, func(_ context.Context, i local.Invocation) ([]byte, error) {
		var e struct{ Records []recordJSON }
		if err := json.Unmarshal(i.Payload, &e); err != nil {
			return nil, err
		}
		return []byte("{}"), f(e.Records)
	})
	s.must(err)
}

// hold answers calls until that of a record and n others were there. It gives the one of the record, which still runs.
func (s *stand) hold(name string, n int) (held *call) {
	s.Helper()
	for held == nil || n > 0 {
		if c := s.next(); c.names() == name {
			held = c
		} else {
			c.reply(ok)
			n--
		}
	}
	return held
}

// restart ends the stack, without waiting for what is in flight, and starts it again with the same data folder and the same function.
func (s *stand) restart() {
	s.Helper()
	at := s.clock.Now()
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_ = s.stack.Close(ctx) // says that it did not wait
	s.heard()
	s.clock = newHandClock(at)
	s.options.Clock = s.clock
	s.start()
	s.register("fn")
}

// TestRestart is what a mapping delivers after a stack with a data folder has ended, however that came.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, row := range []standRow{
		{"what is done does not come again", func(s *stand) {
			s.write("a b")
			s.create(options{})
			s.expect("a b").reply(ok)
			s.settle()
			s.restart()
			s.write("c")
			s.expect("c").reply(ok)
			s.settle()
		}},
		{"a batch in flight comes again", func(s *stand) {
			s.write("a b c")
			s.create(options{BatchSize: new(int32(1))})
			s.expect("a").reply(ok)
			s.expect("b")
			s.restart()
			s.expect("b").reply(ok)
			s.expect("c").reply(ok)
			s.settle()
		}},
		{"what a partial failure did does not come again", func(s *stand) {
			s.write("a b c")
			s.create(options{FunctionResponseTypes: reports})
			s.expect("a b c").reply(leaves("b"))
			s.expect("b c")
			s.restart()
			s.expect("b c").reply(ok)
			s.settle()
		}},
		{"what lanes did past the checkpoint comes again", func(s *stand) {
			s.write("a b c d e f g h i j k l m n o p")
			s.create(options{BatchSize: new(int32(1)), ParallelizationFactor: new(int32(10))})
			s.hold("a", 6)
			s.restart()
			seen := map[string]bool{}
			for range 16 {
				c := s.next()
				seen[c.names()] = true
				c.reply(ok)
			}
			s.equal("records", len(seen), 16)
			s.settle()
		}},
		{"a disabled mapping stays so, with its checkpoint", func(s *stand) {
			s.write("a")
			s.create(options{})
			s.expect("a").reply(ok)
			s.settle()
			s.update(lambda.UpdateEventSourceMappingInput{Enabled: new(false)})
			s.restart()
			s.equal("the mapping", s.shown(), "Disabled, No records processed")
			s.write("b")
			s.update(lambda.UpdateEventSourceMappingInput{Enabled: new(true)})
			s.expect("b").reply(ok)
			s.settle()
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t, func(o *local.Options) { o.DataDir = t.TempDir() })
			s.register("fn")
			row.run(s)
		})
	}
}
