package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// Skip makes a handler's error one that is logged and counted and no longer stands in the way: the change is done.
func Skip(err error) error { return decided(err, skipped) }

// Park makes a handler's error one upon which the change goes to the parking queue, with the error's text, and is done. Without a parking
// queue, see [ParkTo], or when it cannot be reached, the change fails.
func Park(err error) error { return decided(err, parked) }

func decided(err error, o outcome) error {
	if err == nil {
		return nil
	}
	return &decision{err, o}
}

type decision struct {
	error
	outcome outcome
}

func (d *decision) Unwrap() error { return d.error }

// Parking takes in the records that a handler parks. It must be safe for concurrent use.
type Parking interface {
	// Park keeps a record, see [Record.Event], and the error that it was parked for. An error of Park fails the record.
	Park(ctx context.Context, r Record, cause error) error
}

// outcome is what became of a record in an invocation.
type outcome uint8

const (
	unfinished outcome = iota // not started, or held back by an earlier change of its item
	failed
	done
	skipped
	parked
	replayed // done in an earlier invocation
	unwanted // left out by Where
	outcomes
)

func (o outcome) finished() bool { return o >= done }

// settle turns what a handler returned into the record's outcome.
func (p *processor) settle(ctx context.Context, r *record, err error) (outcome, error) {
	if err == nil {
		return done, nil
	}
	d, ok := errors.AsType[*decision](err)
	switch {
	case !ok:
		return failed, err
	case d.outcome == skipped:
		p.log(ctx, r, "stream record skipped", err)
		return skipped, nil
	case p.parking == nil:
		return failed, fmt.Errorf("park: the function has no parking queue: %w", err)
	}
	if parkErr := p.parking.Park(ctx, Record{r}, d.error); parkErr != nil {
		return failed, fmt.Errorf("park: %w, upon: %w", parkErr, err)
	}
	p.log(ctx, r, "stream record parked", err)
	return parked, nil
}

// recovered runs f. A panic on the way is an error: one record that no code was written for must not take down the process and with it
// the report of what is done.
func recovered(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return f()
}

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }
