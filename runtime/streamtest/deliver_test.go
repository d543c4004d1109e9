package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
	"streamgen/runtime/streamtest/testdata/orders"
)

// What Lambda makes of a response to records 0 and 1.
func TestResponses(t *testing.T) {
	const done, all = 2, 0
	for response, want := range map[string]int{
		``:                           done,
		`null`:                       done,
		`""`:                         done,
		`[]`:                         done,
		`{}`:                         done,
		`{"batchItemFailures":[]}`:   done,
		`{"batchItemFailures":null}`: done,
		`{"BatchItemFailures":[{"itemIdentifier":"100000000000000000000"}]}`:                                            done,
		`{"batchItemFailures":[{"itemIdentifier":"100000000000000000001"}]}`:                                            1,
		`{"batchItemFailures":[{"itemIdentifier":"100000000000000000001"},{"itemIdentifier":"100000000000000000000"}]}`: all,
		`{"batchItemFailures":[{"itemIdentifier":""}]}`:                                                                 all,
		`{"batchItemFailures":[{"itemIdentifier":null}]}`:                                                               all,
		`{"batchItemFailures":[{"itemIdentifier":"123"}]}`:                                                              all,
		`{"batchItemFailures":[{"itemIdentifier":100000000000000000001}]}`:                                              all,
		`{"batchItemFailures":[{"ItemIdentifier":"100000000000000000001"}]}`:                                            all,
		`{"batchItemFailures":[{"foo":123}]}`:                                                                           all,
		`{"batchItemFailures":[{"itemIdentifier":"100000000000000000001"},{"foo":null}]}`:                               all,
		`{"batchItemFailures":{}}`:                                                                                      all,
		`{"batchItemFailures":7}`:                                                                                       all,
		`7`:                                                                                                             all,
		`x`:                                                                                                             all,
		`!down`:                                                                                                         all,
	} {
		i := streamtest.Invoke(t, &script{answers: []string{response}}, inserts("1", "2")...)
		isError := want == all && response != `{"batchItemFailures":[{"itemIdentifier":"100000000000000000001"},{"itemIdentifier":"100000000000000000000"}]}`
		if i.Unfinished != want || (i.Err != nil) != isError {
			t.Errorf("%s: %v, want unfinished from %d", response, i, want)
		}
	}
}

func FuzzResponses(f *testing.F) {
	f.Add(unfinishedFrom(1))
	f.Add(`{"state":{},"batchItemFailures":[{"itemIdentifier":"100000000000000000001"},{"x":[]}]}`)
	f.Add(`[null]`)
	f.Fuzz(func(t *testing.T, response string) {
		for _, m := range []streamtest.Mapping{{}, {TumblingWindowInSeconds: 60}} {
			d := streamtest.Deliver(t, &script{answers: []string{response}}, m, inserts("1", "2", "3")...)
			for _, i := range d.Invocations {
				if i.Unfinished < i.First || i.Unfinished > i.First+len(i.Records) || i.Err != nil && i.Unfinished != i.First {
					t.Errorf("%q: %v", response, d)
				}
			}
		}
	})
}

func TestDeliver(t *testing.T) {
	const ok = "{}"
	tests := []struct {
		name    string
		mapping streamtest.Mapping
		records int
		answers []string
		want    string // of each invocation its first record, how many, and what is unfinished; then what is given up
	}{
		{"all at once", streamtest.Mapping{}, 3, nil, "0+3 3"},
		{"nothing to deliver", streamtest.Mapping{}, 0, nil, ""},
		{"a hundred is a batch", streamtest.Mapping{}, 101, nil, "0+100 100, 100+1 101"},
		{"batches", streamtest.Mapping{BatchSize: 2}, 5, nil, "0+2 2, 2+2 4, 4+1 5"},
		{"no retry", streamtest.Mapping{BatchSize: 2}, 4, []string{"!down"}, "0+2 0, 2+2 4; 0 1"},
		{"one retry", streamtest.Mapping{MaximumRetryAttempts: 1}, 2, []string{"!down", "!down"}, "0+2 0, 0+2 0; 0 1"},
		{"done at last", streamtest.Mapping{MaximumRetryAttempts: 2}, 2, []string{"!down", "x"}, "0+2 0, 0+2 0, 0+2 2"},
		{"goes on from the report", streamtest.Mapping{}, 3, []string{unfinishedFrom(1)}, "0+3 1, 1+2 3"},
		// What AWS did with BatchSize 3, MaximumRetryAttempts 3 and a sixth record that always fails.
		{"a report begins a batch", streamtest.Mapping{BatchSize: 3, MaximumRetryAttempts: 3}, 6,
			[]string{ok, unfinishedFrom(5), unfinishedFrom(5), unfinishedFrom(5), unfinishedFrom(5), unfinishedFrom(5)},
			"0+3 3, 3+3 5, 5+1 5, 5+1 5, 5+1 5, 5+1 5; 5"},
		{"a report of the first is a failure", streamtest.Mapping{}, 2, []string{unfinishedFrom(0)}, "0+2 0; 0 1"},
		{"bisect", streamtest.Mapping{BisectBatchOnFunctionError: true}, 5, []string{"!", "!", "!", ok, ok, "!", ok, "!", "!"},
			"0+5 0, 0+2 0, 0+1 0, 1+1 2, 2+3 5; 0"},
		{"bisect does not use up attempts", streamtest.Mapping{BisectBatchOnFunctionError: true, MaximumRetryAttempts: 1}, 2, []string{"!", "!", "!", "!", ok},
			"0+2 0, 0+1 0, 0+1 0, 1+1 1, 1+1 2; 0"},
		{"bisect after a report", streamtest.Mapping{BisectBatchOnFunctionError: true}, 4, []string{unfinishedFrom(1), unfinishedFrom(1), unfinishedFrom(1)},
			"0+4 1, 1+3 1, 1+1 1, 2+2 4; 1"},
		{"given up and on", streamtest.Mapping{BatchSize: 1}, 3, []string{"!", ok, "!"}, "0+1 0, 1+1 2, 2+1 2; 0 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var ids []string
			for n := range test.records {
				ids = append(ids, fmt.Sprint(n))
			}
			h := &script{answers: test.answers}
			d := streamtest.Deliver(t, h, test.mapping, inserts(ids...)...)
			var invocations, given []string
			for n, i := range d.Invocations {
				invocations = append(invocations, fmt.Sprintf("%d+%d %d", i.First, len(i.Records), i.Unfinished))
				if len(h.events) <= n || strings.Count(h.events[n], "eventID") != len(i.Records) || strings.Contains(h.events[n], "window") || i.Window != nil {
					t.Errorf("invocation %d: %v, and the event was %s", n, i, h.events[n])
				}
			}
			for _, r := range d.GivenUp {
				given = append(given, strings.TrimPrefix(r.String(), "INSERT Id="))
			}
			got := strings.Join(invocations, ", ")
			if len(given) > 0 {
				got += "; " + strings.Join(given, " ")
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestDeliveryString(t *testing.T) {
	m := streamtest.Mapping{TumblingWindowInSeconds: 60}
	d := streamtest.Deliver(t, &script{answers: []string{`{"state":7,` + unfinishedFrom(1)[1:], "!down", `{"state":7}`}}, m, inserts("1", "2")...)
	want := "INSERT Id=1, INSERT Id=2: unfinished from INSERT Id=2\n" +
		"INSERT Id=2: error: down\n" +
		"end of the window 2026-01-01T00:00:00Z: done\n" +
		"given up: INSERT Id=2"
	if got := d.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := streamtest.Invoke(t, &script{}).String(); got != "no records: done" {
		t.Errorf("%q", got)
	}
}

// A record keeps its names when it is delivered again, alone or in a half.
func TestRecordsKeepTheirNames(t *testing.T) {
	h := &script{answers: []string{unfinishedFrom(1), "!", "!"}}
	d := streamtest.Deliver(t, h, streamtest.Mapping{BisectBatchOnFunctionError: true}, inserts("1", "2", "3")...)
	names := map[string]string{}
	for n, i := range d.Invocations {
		for _, r := range i.Records {
			name := r.EventID + " " + r.SequenceNumber
			if before, has := names[r.String()]; has && before != name {
				t.Errorf("invocation %d: %v is %s, and was %s", n, r, name, before)
			}
			names[r.String()] = name
			if !strings.Contains(h.events[n], r.EventID) || !strings.Contains(h.events[n], r.SequenceNumber) {
				t.Errorf("invocation %d: the event %s has no %s", n, h.events[n], name)
			}
		}
	}
	if len(names) != 3 || len(d.Invocations) != 4 {
		t.Errorf("%v", d)
	}
}

func TestRefused(t *testing.T) {
	for want, do := range map[string]func(testing.TB){
		"BatchSize is -1":                  func(t testing.TB) { streamtest.Deliver(t, &script{}, streamtest.Mapping{BatchSize: -1}) },
		"BatchSize is 10001":               func(t testing.TB) { streamtest.Deliver(t, &script{}, streamtest.Mapping{BatchSize: 10_001}) },
		"MaximumRetryAttempts is -1":       func(t testing.TB) { streamtest.Deliver(t, &script{}, streamtest.Mapping{MaximumRetryAttempts: -1}) },
		"TumblingWindowInSeconds is 901":   func(t testing.TB) { streamtest.Deliver(t, &script{}, streamtest.Mapping{TumblingWindowInSeconds: 901}) },
		"the item has no \"Id\"":           func(t testing.TB) { streamtest.Deliver(t, &script{}, streamtest.Mapping{}, inserts("")...) },
		"record 0: the item has no \"Id\"": func(t testing.TB) { streamtest.Invoke(t, &script{}, inserts("")...) },
		"a record is older than the one before it": func(t testing.TB) {
			streamtest.Deliver(t, &script{}, streamtest.Mapping{TumblingWindowInSeconds: 60}, at(60, "1", 1), at(59, "2", 1))
		},
		"record 1 is of table \"elsewhere\"": func(t testing.TB) {
			records := inserts("1", "2")
			records[1].Table = "elsewhere"
			streamtest.Deliver(t, &script{}, streamtest.Mapping{BatchSize: 1}, records...)
		},
	} {
		if got := failure(t, do); !strings.Contains(got, want) {
			t.Errorf("failed with %q, want %q", got, want)
		}
	}
}

// The handler has what Lambda's runtime gives it. The time is the test's: in a bubble of synctest, a handler that waits for the end of its
// time is seen to stop in no time.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		h := stream.Handler(func(ctx context.Context, _ stream.Change[orders.Item]) error {
			lc, _ := lambdacontext.FromContext(ctx)
			ids = append(ids, lc.AwsRequestID)
			<-ctx.Done()
			return ctx.Err()
		})
		started := time.Now()
		d := streamtest.Deliver(t, h, streamtest.Mapping{MaximumRetryAttempts: 1}, inserts("1")...)
		if took := time.Since(started); took > 2*time.Minute || took < 2*time.Minute-time.Second {
			t.Errorf("two invocations took %v, want a minute each but for what is reserved", took)
		}
		want := []string{"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"}
		if !cmp.Equal(ids, want) || len(d.GivenUp) != 1 {
			t.Errorf("requests %q, want %q: %v", ids, want, d)
		}
	})
}

// Whatever a function answers, each record is delivered, in order, until it is done or given up, and no attempt is one too many.
func TestDeliverProperty(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		var records []streamtest.Record
		for n := range 1 + random.IntN(12) {
			records = append(records, inserts(fmt.Sprint(n))...)
		}
		m := streamtest.Mapping{BatchSize: 1 + random.IntN(5), MaximumRetryAttempts: random.IntN(3), BisectBatchOnFunctionError: random.IntN(2) == 0}
		var answers []string
		for range random.IntN(30) {
			switch random.IntN(3) {
			case 0:
				answers = append(answers, "!down")
			case 1:
				answers = append(answers, unfinishedFrom(random.IntN(len(records))))
			default:
				answers = append(answers, "{}")
			}
		}
		d := streamtest.Deliver(t, &script{answers: answers}, m, records...)
		ends := make([]int, len(records)) // how often a record was done or given up
		at, attempts := 0, map[string]int{}
		for _, i := range d.Invocations {
			if i.First > at {
				t.Errorf("seed %d: record %d is delivered before %d is done:\n%v", seed, i.First, at, d)
			}
			at = max(at, i.Unfinished)
			for n := i.First; n < i.Unfinished; n++ {
				ends[n]++
			}
			batch := fmt.Sprint(i.First, "+", len(i.Records))
			if attempts[batch]++; attempts[batch] > m.MaximumRetryAttempts+1 {
				t.Errorf("seed %d: batch %s is delivered %d times:\n%v", seed, batch, attempts[batch], d)
			}
			if i.Unfinished == i.First && (!m.BisectBatchOnFunctionError || len(i.Records) == 1) && attempts[batch] == m.MaximumRetryAttempts+1 {
				at = max(at, i.First+len(i.Records))
			}
		}
		for _, r := range d.GivenUp {
			var n int
			if _, err := fmt.Sscanf(r.String(), "INSERT Id=%d", &n); err != nil {
				t.Fatal(err)
			}
			ends[n]++
		}
		for n, ended := range ends {
			if ended != 1 {
				t.Errorf("seed %d: record %d ended %d times:\n%v", seed, n, ended, d)
			}
		}
	}
}

type totals struct{ Orders, Total int64 }

// sum adds up orders; one without a total fails its batch until it is good.
func sum(good *bool) stream.Route {
	return stream.OnWindow("orders", func(_ context.Context, _ stream.Window, s totals, changes []stream.Change[orders.Item]) (totals, error) {
		for _, c := range changes {
			if c.New.Total == 0 && !*good {
				*good = true
				return s, errors.New("no total")
			}
			s.Orders++
			s.Total += c.New.Total
		}
		return s, nil
	})
}

func at(second int64, id string, total int64) streamtest.Record {
	r := streamtest.Insert(&orders.Item{ID: id, Total: total})
	r.Table, r.CreatedAt = "orders", time.Unix(second, 0)
	return r
}

func TestWindows(t *testing.T) {
	good := false
	h := stream.Router(sum(&good), stream.On("others", func(context.Context, stream.Change[orders.Item]) error { return nil }))
	m := streamtest.Mapping{BatchSize: 2, MaximumRetryAttempts: 1, TumblingWindowInSeconds: 60}
	d := streamtest.Deliver(t, h, m, at(60, "1", 5), at(61, "2", 7), at(119, "3", 0), at(120, "4", 1), at(300, "5", 2))
	var got []string
	for _, i := range d.Invocations {
		got = append(got, fmt.Sprintf("%d+%d %d-%d %s %v %v", i.First, len(i.Records), i.Window.Start.Unix(), i.Window.End.Unix(), i.Window.State, i.Window.Final, i.Err))
	}
	want := []string{
		"0+2 60-120 {} false <nil>",
		`2+1 60-120 {"Orders":2,"Total":12} false no total`,
		`2+1 60-120 {"Orders":2,"Total":12} false <nil>`, // again with the state that it had
		`3+0 60-120 {"Orders":3,"Total":12} true <nil>`,
		"3+1 120-180 {} false <nil>",
		`4+0 120-180 {"Orders":1,"Total":1} true <nil>`,
		"4+1 300-360 {} false <nil>",
		`5+0 300-360 {"Orders":1,"Total":2} true <nil>`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("invocations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]totals{{3, 12}, {1, 1}, {1, 2}}, streamtest.FinalStates[totals](t, d)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestWindowStates(t *testing.T) {
	state := func(text string) string { return `{"state":` + text + `}` }
	partly := func(text string, n int) string { return `{"state":` + text + `,` + unfinishedFrom(n)[1:] }
	largest := `"` + strings.Repeat("x", 1<<20-2) + `"`
	huge := `"x` + largest[1:]
	for _, test := range []struct {
		name    string
		mapping streamtest.Mapping
		answers []string
		want    string // of each invocation its first record, how many, the state that it got and whether it is the last, early
		final   string
	}{
		{"none", streamtest.Mapping{MaximumRetryAttempts: 1}, []string{"{}", state("1"), state("2")}, "0+2 {}, 0+2 {}, 2+0 1 final", "[2]"},
		{"null is none", streamtest.Mapping{MaximumRetryAttempts: 1}, []string{state("null"), state("1"), state("2")}, "0+2 {}, 0+2 {}, 2+0 1 final", "[2]"},
		{"given up", streamtest.Mapping{BatchSize: 1}, []string{state("1"), "!", state("2")}, "0+1 {}, 1+1 1, 2+0 1 final", "[2]"},
		{"reported", streamtest.Mapping{}, []string{partly("1", 1), state("2"), state("3")}, "0+2 {}, 1+1 1, 2+0 2 final", "[3]"},
		{"of a batch that failed", streamtest.Mapping{MaximumRetryAttempts: 1}, []string{partly("1", 0), state("2"), state("3")}, "0+2 {}, 0+2 {}, 2+0 2 final", "[3]"},
		{"bisect", streamtest.Mapping{BisectBatchOnFunctionError: true}, []string{"!", state("1"), state("2"), state("3")}, "0+2 {}, 0+1 {}, 1+1 1, 2+0 2 final", "[3]"},
		{"the end fails once", streamtest.Mapping{MaximumRetryAttempts: 1}, []string{state("1"), "!", state("2")}, "0+2 {}, 2+0 1 final, 2+0 1 final", "[2]"},
		{"as large as may be", streamtest.Mapping{BatchSize: 1}, []string{state(largest), state("1"), state("2")}, "0+1 {}, 1+1 largest, 2+0 1 final", "[2]"},
		{"too large", streamtest.Mapping{BatchSize: 1}, []string{state(huge), state("1"), state("2"), state("3")}, "0+1 {}, 1+0 huge final early, 1+1 {}, 2+0 2 final", "[1 3]"},
		{"too large in a half", streamtest.Mapping{BisectBatchOnFunctionError: true}, []string{"!", state(huge), state("1"), state("2"), state("3")},
			"0+2 {}, 0+1 {}, 1+0 huge final early, 1+1 {}, 2+0 2 final", "[1 3]"},
		{"too large at the end", streamtest.Mapping{}, []string{state(huge), state("1")}, "0+2 {}, 2+0 huge final early", "[1]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.mapping.TumblingWindowInSeconds = 900
			d := streamtest.Deliver(t, &script{answers: test.answers}, test.mapping, at(0, "1", 1), at(1, "2", 1))
			var list []string
			for _, i := range d.Invocations {
				text := fmt.Sprintf("%d+%d %s", i.First, len(i.Records), i.Window.State)
				if i.Window.Final {
					text += " final"
				}
				if i.Window.TerminatedEarly {
					text += " early"
				}
				list = append(list, strings.NewReplacer(huge, "huge", largest, "largest").Replace(text))
			}
			if got := strings.Join(list, ", "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got := fmt.Sprint(streamtest.FinalStates[int](t, d)); got != test.final {
				t.Errorf("final states %s, want %s", got, test.final)
			}
		})
	}
}

func TestFinalStatesFail(t *testing.T) {
	for want, answers := range map[string][]string{
		"the final invocation of window 1 of 1 never succeeded:\nINSERT Id=1: done\nend of the window 1970-01-01T00:00:00Z: error: down": {`{"state":1}`, "!down"},
		"the state of window 1 of 1: json:": {`{"state":1}`, `{"state":"x"}`},
	} {
		d := streamtest.Deliver(t, &script{answers: answers}, streamtest.Mapping{TumblingWindowInSeconds: 1}, at(0, "1", 1))
		if got := failure(t, func(t testing.TB) { streamtest.FinalStates[int](t, d) }); !strings.HasPrefix(got, want) {
			t.Errorf("failed with %q, want %q", got, want)
		}
	}
}
