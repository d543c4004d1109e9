package streamtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"streamgen/runtime/stream"
)

// Mapping says how [Deliver] delivers, in the words of Lambda's event source mapping. It takes reports of failed records always.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
type Mapping struct {
	// BatchSize is the most records of a batch, 1 to 10000; 0 is Lambda's default, 100.
	BatchSize int
	// MaximumRetryAttempts is how often a batch that failed is delivered again before it is given up, 0 to 10000. A batch whose first
	// records are done goes on as a new one.
	MaximumRetryAttempts int
	// BisectBatchOnFunctionError halves a batch that failed, and delivers each half as a batch of its own.
	BisectBatchOnFunctionError bool
	// TumblingWindowInSeconds is the length of the windows by which records are delivered together with a state, 0 to 900; with 0 there
	// are none. A record is of the window that its CreatedAt falls in, so CreatedAt must not go back from record to record.
	TumblingWindowInSeconds int
}

// Delivery is what came of all records of a test.
type Delivery struct {
	// Invocations are all that it took, in their order.
	Invocations []Invocation
	// GivenUp are the records of batches that had failed once too often. Lambda reports them to the mapping's destination on failure. What
	// the function had done of them is done nevertheless.
	GivenUp []Record

	// states are those that windows ended with; empty for one whose final invocation was given up.
	states []stream.JSON
}

// String gives a line for each invocation, and one for what was given up.
func (d Delivery) String() string {
	var lines []string
	for _, i := range d.Invocations {
		lines = append(lines, i.String())
	}
	if len(d.GivenUp) > 0 {
		lines = append(lines, "given up: "+strings.Join(describeAll(d.GivenUp), ", "))
	}
	return strings.Join(lines, "\n")
}

// Deliver delivers the records as Lambda's event source mapping does, until each is done or given up: in batches, what is unfinished again,
// window after window. There is no wait between attempts. What is no event, or no mapping, ends the test.
//
// A window is delivered with a state: {} at its start, then what the invocation before returned; a batch that failed has the same again.
// Its last invocation has no records. A response without a state, or with null, is a failure.
func Deliver(t testing.TB, h lambda.Handler, m Mapping, records ...Record) Delivery {
	t.Helper()
	if err := m.check(); err != nil {
		t.Fatal(err)
	}
	if _, err := Event(records...); err != nil {
		t.Fatal(err)
	}
	d := deliverer{t: t, handler: h, mapping: m, records: settle(records)}
	if m.TumblingWindowInSeconds > 0 && !slices.IsSortedFunc(d.records, func(a, b Record) int { return a.CreatedAt.Compare(b.CreatedAt) }) {
		t.Fatal("a record is older than the one before it: windows follow one another")
	}
	for first := 0; first < len(records); {
		end := d.batch(first)
		d.process(first, end)
		first = end
	}
	d.endWindow(len(records), false)
	return d.Delivery
}

// FinalStates gives the states that windows ended with, in their order: what their final invocations returned. A window that ended early,
// because its state grew beyond 1 MB, and went on afterwards has two. One whose final invocation was given up ends the test.
func FinalStates[S any](t testing.TB, d Delivery) []S {
	t.Helper()
	list := make([]S, len(d.states))
	for i, state := range d.states {
		if state == "" {
			t.Fatalf("the final invocation of window %d of %d never succeeded:\n%v", i+1, len(list), d)
		}
		if err := json.Unmarshal([]byte(state), &list[i]); err != nil {
			t.Fatalf("the state of window %d of %d: %v", i+1, len(list), err)
		}
	}
	return list
}

func (m Mapping) check() error {
	for _, c := range []struct {
		name        string
		value, most int
	}{
		{"BatchSize", m.BatchSize, 10_000},
		{"MaximumRetryAttempts", m.MaximumRetryAttempts, 10_000}, // Lambda's -1 is no limit, and a test must end
		{"TumblingWindowInSeconds", m.TumblingWindowInSeconds, 900},
	} {
		if c.value < 0 || c.value > c.most {
			return fmt.Errorf("%s is %d, not between 0 and %d", c.name, c.value, c.most)
		}
	}
	return nil
}

// deliverer is Lambda's side of a delivery.
type deliverer struct {
	t       testing.TB
	handler lambda.Handler
	mapping Mapping
	records []Record
	// window is the one that is open, with the state that it has come to.
	window *Window

	Delivery
}

// batch gives the end of the batch that begins with the record first, and ends the window that is open if the record is of another.
func (d *deliverer) batch(first int) int {
	end := min(first+cmp.Or(d.mapping.BatchSize, 100), len(d.records))
	if d.mapping.TumblingWindowInSeconds == 0 {
		return end
	}
	start := d.windowStart(first)
	if d.window != nil && !d.window.Start.Equal(start) {
		d.endWindow(first, false)
	}
	for i := first; i < end; i++ {
		if !d.windowStart(i).Equal(start) {
			return i
		}
	}
	return end
}

// windowStart gives the start of the window that a record is of. Windows are counted from the start of 1970.
func (d *deliverer) windowStart(i int) time.Time {
	at := d.records[i].CreatedAt.Unix()
	return time.Unix(at-at%int64(d.mapping.TumblingWindowInSeconds), 0).UTC()
}

// process delivers a batch until all of it is done or given up.
func (d *deliverer) process(first, end int) {
	for failures := 0; ; {
		i := d.invoke(first, end)
		switch {
		case i.Unfinished == end:
			return
		case i.Unfinished > first:
			first, failures = i.Unfinished, 0
			continue
		case d.mapping.BisectBatchOnFunctionError && end-first > 1:
			// Each half is a batch of its own, so that the record that fails is found without using up its attempts.
			middle := first + (end-first)/2
			d.process(first, middle)
			d.process(middle, end)
			return
		}
		if failures++; failures > d.mapping.MaximumRetryAttempts {
			d.GivenUp = append(d.GivenUp, d.records[first:end]...)
			return
		}
	}
}

// invoke delivers the records from first to end once, in the window that is open; a window of theirs is opened if there is none.
func (d *deliverer) invoke(first, end int) Invocation {
	d.t.Helper()
	i := Invocation{Records: d.records[first:end:end], First: first, Unfinished: first}
	payload, err := d.event(&i)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := withLambda(d.t.Context(), len(d.Invocations)+1)
	defer cancel()
	if i.Response, i.Err = d.handler.Invoke(ctx, payload); i.Err == nil {
		i.Err = d.read(&i)
	}
	d.Invocations = append(d.Invocations, i)
	if d.window != nil && len(d.window.State) > maxState && !i.Window.Final {
		d.endWindow(i.Unfinished, true)
	}
	return i
}

func (d *deliverer) event(i *Invocation) ([]byte, error) {
	length := d.mapping.TumblingWindowInSeconds
	if length == 0 {
		return Event(i.Records...)
	}
	if d.window == nil {
		start := d.windowStart(i.First)
		d.window = &Window{Table: i.Records[0].Table, Start: start, End: start.Add(time.Duration(length) * time.Second), State: "{}"}
	}
	w := *d.window
	i.Window = &w
	return WindowEvent(w, i.Records...)
}

// maxState is the most that Lambda keeps of a window, in bytes.
const maxState = 1 << 20

// read takes in what the function answered.
func (d *deliverer) read(i *Invocation) error {
	a, err := parseAnswer(i.Response)
	if err != nil {
		return err
	}
	if d.window != nil && a.state == "" {
		return errNoState
	}
	done, err := a.unfinished(i.Records)
	if err != nil {
		return err
	}
	i.Unfinished = i.First + done
	if d.window != nil && (done > 0 || i.Window.Final) {
		d.window.State = a.state
	}
	return nil
}

// endWindow makes the final invocation of the window that is open, if there is one. next is the record that comes after it. After an
// early end, later records of the same window begin with a fresh state.
func (d *deliverer) endWindow(next int, early bool) {
	if d.window == nil {
		return
	}
	d.window.Final, d.window.TerminatedEarly = true, early
	state := stream.JSON("")
	for range d.mapping.MaximumRetryAttempts + 1 {
		if i := d.invoke(next, next); i.Err == nil {
			state = d.window.State
			break
		}
	}
	d.states = append(d.states, state)
	d.window = nil
}
