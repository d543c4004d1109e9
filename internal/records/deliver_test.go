package records_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/records"
)

// function is a function of which some records are bad. Like a handler of ours it reports the first of them, or it fails as a whole.
type function struct {
	bad     map[string]int // by sequence number, how often it fails yet
	reports bool
	invoked []string
}

func (f *function) invoke(_ context.Context, event []byte) (records.Answer, error) {
	list, err := records.ParseEvent(event)
	if err != nil {
		return records.Answer{}, err
	}
	f.invoked = append(f.invoked, sequences(list))
	for _, r := range list {
		if f.bad[r.Sequence] == 0 {
			continue
		}
		f.bad[r.Sequence]--
		if f.reports {
			return records.Answer{Payload: fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.Sequence)}, nil
		}
		return records.Answer{Payload: fmt.Appendf(nil, `{"errorMessage":"%s is bad"}`, r.Sequence), FunctionError: "Unhandled"}, nil
	}
	return records.Answer{Payload: []byte(`{"batchItemFailures":[]}`)}, nil
}

func noRest(context.Context, int) error { return nil }

const always = 1 << 30

func TestDeliver(t *testing.T) {
	var batch []records.Record
	for i := range 4 {
		batch = append(batch, record(t, i, "s", fmt.Sprint(i))) // 1000 to 1003
	}
	for name, c := range map[string]struct {
		bad             map[string]int
		reports, bisect bool
		attempts        int
		invoked         []string
		done            string
		failed          []string
	}{
		"all done": {attempts: 1, invoked: []string{"1000 1001 1002 1003"}, done: "1000 1001 1002 1003"},
		"done again": {
			bad: map[string]int{"1001": 1}, attempts: 2,
			invoked: []string{"1000 1001 1002 1003", "1000 1001 1002 1003"}, done: "1000 1001 1002 1003",
		},
		"the batch is given up": {
			bad: map[string]int{"1001": always}, attempts: 2,
			invoked: []string{"1000 1001 1002 1003", "1000 1001 1002 1003"},
			failed:  []string{"1000: 1001 is bad", "1001: 1001 is bad", "1002: 1001 is bad", "1003: 1001 is bad"},
		},
		"bisected": {
			bad: map[string]int{"1001": always}, bisect: true, attempts: 2,
			invoked: []string{"1000 1001 1002 1003", "1000 1001", "1000", "1001", "1001", "1002 1003"}, done: "1000 1002 1003", failed: []string{"1001: 1001 is bad"},
		},
		// The count begins again with what is left of a batch, as Lambda's does.
		"reported": {
			bad: map[string]int{"1001": always}, reports: true, attempts: 2,
			invoked: []string{"1000 1001 1002 1003", "1001 1002 1003", "1001 1002 1003"}, done: "1000",
			failed: []string{"1001: the function reports it as failed", "1002: it follows a record that failed", "1003: it follows a record that failed"},
		},
		"reported and bisected": {
			bad: map[string]int{"1001": always, "1003": 1}, reports: true, bisect: true, attempts: 1,
			invoked: []string{"1000 1001 1002 1003", "1001 1002 1003", "1001", "1002 1003", "1003"}, done: "1000 1002 1003",
			failed: []string{"1001: the function reports it as failed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &function{bad: c.bad, reports: c.reports}
			rests := 0
			d := records.Deliverer{Invoke: f.invoke, Reports: true, Bisect: c.bisect, Attempts: c.attempts, Rest: func(context.Context, int) error { rests++; return nil }}
			out, err := d.Deliver(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, f := range out.Failed {
				failed = append(failed, f.Record.Sequence+": "+f.Why)
			}
			if d := cmp.Diff(c.invoked, f.invoked); d != "" {
				t.Errorf("invocations (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.failed, failed); d != "" {
				t.Errorf("failed (-want +got):\n%s", d)
			}
			if sequences(out.Done) != c.done || len(out.Tries) != len(c.invoked) {
				t.Errorf("done %s after %d tries", sequences(out.Done), len(out.Tries))
			}
			if retries := strings.Count(strings.Join(f.invoked, "|"), "|"); rests > retries {
				t.Errorf("%d rests in %d retries", rests, retries)
			}
		})
	}
}

func TestDeliverEnds(t *testing.T) {
	batch := []records.Record{record(t, 0, "s", "a"), record(t, 1, "s", "b")}
	gone := errors.New("there is no function")
	d := records.Deliverer{Attempts: 3, Bisect: true, Rest: noRest, Invoke: func(context.Context, []byte) (records.Answer, error) { return records.Answer{}, gone }}
	if out, err := d.Deliver(t.Context(), batch); !errors.Is(err, gone) || len(out.Done)+len(out.Failed) > 0 {
		t.Errorf("%+v %v", out, err)
	}
	// What ran before an interrupt counts; what did not is neither done nor failed.
	ctx, interrupt := context.WithCancel(t.Context())
	f := &function{bad: map[string]int{"1000": always, "1001": always}, reports: true}
	d.Reports, d.Invoke = true, func(ctx context.Context, event []byte) (records.Answer, error) {
		defer interrupt()
		return f.invoke(ctx, event)
	}
	if out, err := d.Deliver(ctx, batch); !errors.Is(err, context.Canceled) || len(out.Done)+len(out.Failed) > 0 || len(out.Tries) != 1 {
		t.Errorf("%+v %v", out, err)
	}
	ctx, interrupt = context.WithCancel(t.Context())
	defer interrupt()
	d.Bisect, d.Invoke = false, f.invoke
	d.Rest = func(ctx context.Context, _ int) error { interrupt(); return ctx.Err() }
	if out, err := d.Deliver(ctx, batch); !errors.Is(err, context.Canceled) || len(out.Failed) > 0 {
		t.Errorf("%+v %v", out, err)
	}
}

func TestFailure(t *testing.T) {
	for _, c := range []struct{ payload, functionError, want string }{
		{`{"errorMessage":"no","errorType":"errorString"}`, "Unhandled", "no"}, {`{"errorType":"Runtime.ExitError"}`, "Unhandled", "Runtime.ExitError"},
		{`x`, "Unhandled", "the function failed"}, {`{"errorMessage":"no"}`, "", ""},
	} {
		if got := (records.Answer{Payload: []byte(c.payload), FunctionError: c.functionError}).Failure(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestEachRecordOnceInOrder: however records are cut and whatever the function fails, each record is done or given up exactly once, and of an
// item none is done before an earlier one was done or given up.
func TestEachRecordOnceInOrder(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var list []records.Record
		f := &function{bad: map[string]int{}, reports: random.IntN(2) == 0}
		for i := range 1 + random.IntN(60) {
			r := record(t, i, fmt.Sprint("shard", random.IntN(3)), fmt.Sprint("item", random.IntN(8)))
			list = append(list, r)
			if random.IntN(5) == 0 {
				f.bad[r.Sequence] = 1 + random.IntN(6)
			}
		}
		size, lanes := 1+random.IntN(10), 1+random.IntN(4)
		ended := map[string]int{}
		last := map[string]string{}
		for _, shard := range records.ByShard(list) {
			inLane := map[string]int{}
			for n, lane := range records.Lanes(shard, lanes, "Id") {
				for _, r := range lane {
					if was, found := inLane[string(r.Keys["Id"])]; found && was != n {
						t.Fatalf("seed %d: an item is in two lanes", seed)
					}
					inLane[string(r.Keys["Id"])] = n
				}
				for _, batch := range records.Batches(lane, size) {
					if len(batch) == 0 || len(batch) > size {
						t.Fatalf("seed %d: a batch of %d, want 1 to %d", seed, len(batch), size)
					}
					d := records.Deliverer{Invoke: f.invoke, Reports: true, Bisect: random.IntN(2) == 0, Attempts: 1 + random.IntN(3), Rest: noRest}
					out, err := d.Deliver(t.Context(), batch)
					if err != nil {
						t.Fatal(err)
					}
					all := slices.Clone(out.Done)
					for _, failed := range out.Failed {
						all = append(all, failed.Record)
					}
					for _, r := range all {
						ended[r.Sequence]++
					}
					for _, r := range out.Done {
						item := r.Shard + string(r.Keys["Id"])
						if records.CompareSequence(last[item], r.Sequence) >= 0 {
							t.Errorf("seed %d: %s is done after %s", seed, r.Sequence, last[item])
						}
						last[item] = r.Sequence
					}
				}
			}
		}
		for _, r := range list {
			if ended[r.Sequence] != 1 {
				t.Errorf("seed %d: %s is done or given up %d times", seed, r.Sequence, ended[r.Sequence])
			}
		}
	}
}

func TestPick(t *testing.T) {
	var all []records.Record
	for i := range 6 {
		all = append(all, record(t, i, "s", fmt.Sprint(i%2))) // 1000 to 1005, of two items
	}
	odd := []records.Record{all[1], all[3], all[5]}
	for name, c := range map[string]struct {
		first, last int
		count       int
		all, wanted []records.Record
		want        string
		exact       bool
	}{
		"all of them":                      {1000, 1005, 6, all, all, "1000 1001 1002 1003 1004 1005", true},
		"all, though the filter is new":    {1000, 1005, 6, all, odd, "1000 1001 1002 1003 1004 1005", true},
		"those that the filter leaves":     {1000, 1005, 3, all, odd, "1001 1003 1005", true},
		"one":                              {1001, 1001, 1, all[1:2], nil, "1001", true},
		"one, however many are said":       {1001, 1001, 0, all[1:2], all[1:2], "1001", true},
		"both ends, of another lane's":     {1000, 1005, 2, all, all, "1000 1005", true},
		"some, of several lanes":           {1000, 1005, 4, all, all, "1000 1001 1002 1003 1004 1005", false},
		"more than the filter leaves":      {1000, 1005, 4, all, odd, "1000 1001 1002 1003 1004 1005", false},
		"the beginning is trimmed":         {1000, 1005, 6, all[2:], all[2:], "1002 1003 1004 1005", false},
		"as many as were, of another half": {1000, 1005, 4, all[2:], all[2:], "1002 1003 1004 1005", false},
		"a number that is missing":         {1000, 1005, 0, all, nil, "", false},
		"all are trimmed":                  {1000, 1005, 6, nil, nil, "", false},
	} {
		r := records.Report{First: fmt.Sprint(c.first), Last: fmt.Sprint(c.last), Count: c.count}
		if got, exact := r.Pick(c.all, c.wanted); sequences(got) != c.want || exact != c.exact {
			t.Errorf("%s: %s, exact %t", name, sequences(got), exact)
		}
	}
}

func TestParseReports(t *testing.T) {
	report := func(first int) string {
		return fmt.Sprintf(`{"requestContext":{"condition":"RetryAttemptsExhausted"},"DDBStreamBatchInfo":{"shardId":"s","startSequenceNumber":"%d","endSequenceNumber":"9","batchSize":1}}`, first)
	}
	quoted := func(text string) string {
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	sns := `{"Type":"Notification","TopicArn":"arn","Message":` + quoted(report(3)) + `}`
	for name, c := range map[string]struct{ text, want string }{
		"none":                     {" \n", ""},
		"one":                      {report(1), "1"},
		"one after the other":      {report(1) + report(2) + "\n" + report(3), "1 2 3"},
		"a list":                   {"[" + report(1) + "," + report(2) + "]", "1 2"},
		"of SNS":                   {sns, "3"},
		"a message":                {`{"MessageId":"m","Body":` + quoted(report(4)) + `}`, "4"},
		"aws sqs receive-message":  {`{"Messages":[{"Body":` + quoted(report(4)) + `},{"Body":` + quoted(sns) + `}]}`, "4 3"},
		"a topic's queue":          {`{"Body":` + quoted(sns) + `}`, "3"},
		"a text":                   {quoted(report(5)), "5"},
		"none received":            {`{"Messages":[]}`, ""},
		"! report 2: it is no rep": {report(1) + `{"hello":"world"}`, ""},
		"! report 2: invalid char": {report(1) + `}`, ""},
		"! report 1: it is no JSO": {`3`, ""},
		"! report 3: it is no rep": {"[" + report(1) + "," + report(2) + `,{}]`, ""},
	} {
		list, err := records.ParseReports([]byte(c.text))
		if want, isError := strings.CutPrefix(name, "! "); isError {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		var got []string
		for _, r := range list {
			got = append(got, r.First)
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
