package records

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"streamgen/internal/batchfailure"
)

// Answer is what an invocation gave.
type Answer struct {
	Payload       []byte
	FunctionError string
	RequestID     string
	// Log is the last 4 KB of what the function logged.
	Log string
	// Took is how long the function ran, or where the log does not say so, the call.
	Took time.Duration
}

// Failure is the message of a function that failed; empty of one that did not.
func (a Answer) Failure() string {
	if a.FunctionError == "" {
		return ""
	}
	var e struct{ ErrorMessage, ErrorType string }
	switch err := json.Unmarshal(a.Payload, &e); {
	case err == nil && e.ErrorMessage != "":
		return e.ErrorMessage
	case err == nil && e.ErrorType != "":
		return e.ErrorType
	}
	return "the function failed"
}

// Try is one invocation with records of a batch, and what its answer says of them.
type Try struct {
	Records []Record
	Answer  Answer
	Verdict batchfailure.Verdict
}

// Failed is a record that was given up, and why.
type Failed struct {
	Record Record
	Why    string
}

// Outcome is what became of a batch. Records that are neither done nor failed were not delivered.
type Outcome struct {
	Done   []Record
	Failed []Failed
	Tries  []Try
}

// Deliverer delivers batches to a function as an event source mapping does: what a report of failed items leaves undone is the next batch,
// a batch that failed is split or tried again, and what fails as often as it may is given up, so that what follows goes on.
type Deliverer struct {
	// Invoke runs the function with an event. Its error says that the function did not run.
	Invoke func(ctx context.Context, event []byte) (Answer, error)
	// Reports says whether the mapping takes reports of failed items, Bisect whether a failed batch is split in two.
	Reports, Bisect bool
	// Attempts is how often a batch may fail before it is given up, at least 1. Each half of one that is split has as many.
	Attempts int
	// Rest waits after the n-th failure of a batch, counted from 1.
	Rest func(ctx context.Context, n int) error
}

// Deliver delivers one batch. An error is that of Invoke, or that ctx ended; the outcome then says how far it came.
func (d Deliverer) Deliver(ctx context.Context, batch []Record) (Outcome, error) {
	var out Outcome
	err := d.deliver(ctx, batch, &out)
	return out, err
}

func (d Deliverer) deliver(ctx context.Context, batch []Record, out *Outcome) error {
	for failures := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		a, err := d.Invoke(ctx, Event(batch))
		if err != nil {
			return err
		}
		t := Try{batch, a, Judge(batch, a.Payload, a.FunctionError, d.Reports)}
		out.Tries = append(out.Tries, t)
		done := t.Verdict.Done
		out.Done = append(out.Done, batch[:done]...)
		if batch = batch[done:]; len(batch) == 0 {
			return nil
		}
		if done > 0 { // the rest is a batch of its own, which has not failed yet
			failures = 0
			continue
		}
		failures++
		if half := len(batch) / 2; d.Bisect && half > 0 {
			if err := d.deliver(ctx, batch[:half], out); err != nil {
				return err
			}
			return d.deliver(ctx, batch[half:], out)
		}
		if failures >= d.Attempts {
			for _, r := range batch {
				out.Failed = append(out.Failed, Failed{r, t.why(r)})
			}
			return nil
		}
		if err := d.Rest(ctx, failures); err != nil {
			return err
		}
	}
}

// why tells why a record of an invocation is not done.
func (t Try) why(r Record) string {
	switch failure := t.Answer.Failure(); {
	case failure != "":
		return failure
	case t.Verdict.Why != "":
		return t.Verdict.Why
	case slices.Contains(t.Verdict.Named, r.Sequence):
		return "the function reports it as failed"
	}
	return "it follows a record that failed"
}
