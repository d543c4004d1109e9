package semantics

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"streamgen/internal/local"
)

// windowOf is what an event says of its tumbling window, in words: the window's times, the state, and whether it is the final invocation and
// an early one.
func (s *stand) windowOf(c *call) string {
	s.Helper()
	var e struct {
		Window                                          struct{ Start, End time.Time }
		State                                           json.RawMessage
		IsFinalInvokeForWindow, IsWindowTerminatedEarly bool
	}
	s.must(json.Unmarshal(c.event, &e))
	state := string(e.State)
	if len(state) > 100 {
		state = fmt.Sprint(len(state), " bytes")
	}
	words := []string{e.Window.Start.Format("15:04:05") + "-" + e.Window.End.Format("15:04:05"), state}
	if e.IsFinalInvokeForWindow {
		words = append(words, "final")
	}
	if e.IsWindowTerminatedEarly {
		words = append(words, "early")
	}
	return strings.Join(words, " ")
}

func state(json string) reply { return says(`{"state":` + json + `}`) }

// TestTumblingWindows is the sentences about tumbling windows. They are of 30 s; the tests begin 6.789 s after the start of one.
func TestTumblingWindows(t *testing.T) {
	t.Parallel()
	const first, second = "04:05:00-04:05:30 ", "04:05:30-04:06:00 "
	large := `"` + strings.Repeat("x", 1<<20) + `"`
	type invocation struct {
		after   time.Duration // what passes before, once somebody waits for it
		records string
		window  string
		answer  reply
	}
	untilEnd := 24211 * time.Millisecond // that of the first window, and a second for what is late
	for _, row := range []struct {
		name        string
		given       options
		written     string
		invocations []invocation
		reported    []string
	}{
		{
			name: "windows are aligned by the records' time", given: options{}, written: "a +24s b",
			invocations: []invocation{{0, "a", first + "{}", state("1")}, {0, "", first + "1 final", state("{}")}, {0, "b", second + "{}", state("1")}},
		},
		{
			name: "a state comes with the next invocation", given: options{BatchSize: new(int32(1))}, written: "a b c",
			invocations: []invocation{{0, "a", first + "{}", state(`{"n":1}`)}, {0, "b", first + `{"n":1}`, state(`{"n":2}`)}, {0, "c", first + `{"n":2}`, state(`{"n":3}`)}},
		},
		{
			name: "an answer without a state fails", given: options{MaximumRetryAttempts: new(int32(1))}, written: "a",
			invocations: []invocation{{0, "a", first + "{}", says(`{}`)}, {0, "a", first + "{}", says(`{"state":null}`)}},
			reported:    []string{"RetryAttemptsExhausted a..a (1), count 2, null"},
		},
		{
			name: "the final invocation comes at the window's end, without records", given: options{}, written: "a",
			invocations: []invocation{{0, "a", first + "{}", state("1")}, {untilEnd, "", first + "1 final", state("{}")}},
		},
		{
			name: "the state is gone with the window", given: options{}, written: "a +24s b +30s c",
			invocations: []invocation{
				{0, "a", first + "{}", state("1")}, {0, "", first + "1 final", state("2")}, {0, "b", second + "{}", state("3")}, {0, "", second + "3 final", state("4")},
				{0, "c", "04:06:00-04:06:30 {}", state("5")},
			},
		},
		{
			name: "a final invocation that fails blocks the shard", given: options{MaximumRetryAttempts: new(int32(0))}, written: "a +24s b",
			invocations: []invocation{
				{0, "a", first + "{}", state("1")}, {0, "", first + "1 final", fails}, {0, "", first + "1 final", says(`{}`)}, {0, "", first + "1 final", state("2")},
				{0, "b", second + "{}", state("3")},
			},
		},
		{
			name: "a state above 1 MB ends the window early", given: options{BatchSize: new(int32(1))}, written: "a b",
			invocations: []invocation{
				{0, "a", first + "{}", state(large)}, {0, "", fmt.Sprint(first, len(large), " bytes final early"), state("2")}, {0, "b", first + "{}", state("3")},
			},
		},
		{
			name:  "MaximumRetryAttempts counts, and what is given up leaves the state",
			given: options{BatchSize: new(int32(1)), MaximumRetryAttempts: new(int32(1))}, written: "a b c",
			invocations: []invocation{
				{0, "a", first + "{}", state("1")}, {0, "b", first + "1", fails}, {0, "b", first + "1", fails}, {0, "c", first + "1", state("2")},
			},
			reported: []string{"RetryAttemptsExhausted b..b (1), count 2, Unhandled"},
		},
		{
			name: "MaximumRecordAgeInSeconds counts", given: options{MaximumRecordAgeInSeconds: new(int32(60))}, written: "a +61s b",
			invocations: []invocation{{0, "b", "04:06:00-04:06:30 {}", state("1")}},
			reported:    []string{"RecordAgeExceeded a..a (1), count 1, no responseContext"},
		},
		{
			name: "reports of failed items count, and their state stays", given: options{FunctionResponseTypes: reports}, written: "a b c",
			invocations: []invocation{
				{0, "a b c", first + "{}", func(c *call) answer {
					return answer{payload: strings.TrimSuffix(leaves("b")(c).payload, "}") + `,"state":1}`}
				}},
				{0, "b c", first + "1", state("2")},
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.queue()
			s.register("fn")
			s.write(row.written)
			row.given.TumblingWindowInSeconds, row.given.DestinationConfig = new(int32(30)), onFailure(queueARN)
			s.create(row.given)
			for _, i := range row.invocations {
				if i.after > 0 {
					s.pass(i.after)
				}
				c := s.expect(i.records)
				s.equal("the window", s.windowOf(c), i.window)
				c.reply(i.answer)
			}
			s.settle()
			s.equal("reports", s.reported(), row.reported)
		})
	}
	t.Run("the event has its window after the records", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.register("fn")
		s.write("a")
		s.create(options{TumblingWindowInSeconds: new(int32(300))})
		c := s.expect("a")
		c.reply(state("1"))
		_, got, _ := strings.Cut(string(c.event), `}],`)
		s.equal("the event's end", got, `"window":{"start":"2026-11-23T04:05:00Z","end":"2026-11-23T04:10:00Z"},"state":{},"shardId":"`+*s.describe().Shards[0].ShardId+
			`","eventSourceARN":"`+s.stream+`","isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}`)
	})
	t.Run("a shard's end closes the window, and its child starts afresh", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.register("fn")
		s.write("a")
		s.roll()
		s.write("b")
		s.create(options{TumblingWindowInSeconds: new(int32(30))})
		for _, want := range []invocation{{0, "a", first + "{}", state("1")}, {0, "", first + "1 final", state("2")}, {0, "b", first + "{}", state("3")}} {
			c := s.expect(want.records)
			s.equal("the window", s.windowOf(c), want.window)
			c.reply(want.answer)
		}
		s.settle()
	})
	t.Run("each shard has its own window", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		s.register("fn")
		s.split()
		s.write("a b c d e f g h i j")
		s.create(options{TumblingWindowInSeconds: new(int32(30))})
		var both [2]*call
		for i := range both {
			both[i] = s.next()
		}
		for _, c := range both {
			s.equal("the window", s.windowOf(c), first+"{}")
			c.reply(state("1"))
		}
		s.settle()
	})
	t.Run("the state outlives a restart", func(t *testing.T) {
		t.Parallel()
		s := newStand(t, func(o *local.Options) { o.DataDir = t.TempDir() })
		s.register("fn")
		s.write("a")
		s.create(options{TumblingWindowInSeconds: new(int32(30))})
		s.expect("a").reply(state("1"))
		s.settle()
		s.restart()
		s.write("b")
		c := s.expect("b")
		s.equal("the window", s.windowOf(c), first+"1")
		c.reply(state("2"))
		s.settle()
	})
}
