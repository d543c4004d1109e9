package stream

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// OnBatch handles all changes of an invocation at once, in their order, by the table's name in AWS. An error of handle fails the whole
// batch, unless it is made of errors that name their changes by [Change.Failed], one or several joined by errors.Join: then all other
// changes are done, but for later ones of the same items. [Skip] and [Park] go inside: c.Failed(stream.Skip(err)).
//
// A change that cannot be decoded fails by itself, and handle gets neither it nor later ones of its item. OnBatch panics if it gets
// [MaxConcurrency] or [Once], which are for single changes.
func OnBatch[T any, P Image[T]](table string, handle func(context.Context, []Change[T]) error, list ...Option) Route {
	p := newProcessor(list)
	if p.concurrency > 1 || p.store != nil {
		panic("stream: OnBatch takes neither MaxConcurrency nor Once: a batch is handled as one")
	}
	return Route{table, whole[T, P]{p, handle}.invoke}
}

// Failed says which change of a batch an error is about.
func (c Change[T]) Failed(err error) error {
	if err == nil || c.record == nil {
		return err
	}
	return &changeError{c.record, err}
}

type changeError struct {
	record *record
	err    error
}

func (e *changeError) Error() string {
	return fmt.Sprintf("change %s: %v", e.record.part(e.record.eventID), e.err)
}

func (e *changeError) Unwrap() error { return e.err }

// namedFailures gives the errors that name changes. It is false when err holds one that does not.
func namedFailures(err error) ([]*changeError, bool) {
	switch e := err.(type) { //nolint:errorlint // this is the walk over what is wrapped
	case *changeError:
		return []*changeError{e}, true
	case interface{ Unwrap() []error }:
		var list []*changeError
		for _, err := range e.Unwrap() {
			named, ok := namedFailures(err)
			if !ok {
				return nil, false
			}
			list = append(list, named...)
		}
		return list, len(list) > 0
	case interface{ Unwrap() error }:
		return namedFailures(e.Unwrap())
	}
	return nil, false
}

type whole[T any, P Image[T]] struct {
	*processor
	handle func(context.Context, []Change[T]) error
}

func (w whole[T, P]) invoke(ctx context.Context, e event) ([]byte, error) {
	if e.window != "" {
		return nil, errWindow
	}
	started := time.Now()
	ctx, cancel := w.limit(ctx)
	defer cancel()
	b := newBatch(w.processor, e.records)
	changes := collect[T, P](ctx, b)
	if len(changes) > 0 {
		handled := make([]*record, len(changes)) // the handler may write into its changes
		for i, c := range changes {
			handled[i] = c.record
		}
		b.settleAll(ctx, handled, recovered(func() error {
			return w.call(ctx, Record{handled[0]}, func(ctx context.Context) error { return w.handle(ctx, changes) })
		}))
	}
	return b.finish(ctx, started)
}

// collect decodes the changes that are to be handled, which are done for the time being.
func collect[T any, P Image[T]](ctx context.Context, b *batch) []Change[T] {
	changes := make([]Change[T], 0, len(b.records))
	p := *b.processor
	p.around = nil
	p.handle = func(_ context.Context, d *Decoder, r *record) error {
		c, err := decodeChange[T, P](d, r)
		if err == nil {
			changes = append(changes, c)
		}
		return err
	}
	b.processor = &p
	b.runInTurn(ctx)
	return changes
}

// settleAll notes what became of the changes that were handled together: handled are their records, which are those that are done.
func (b *batch) settleAll(ctx context.Context, handled []*record, err error) {
	if err == nil {
		return
	}
	named, ok := namedFailures(err)
	if !ok {
		b.log(ctx, handled[0], "stream batch failed", err)
		for i, o := range b.outcomes {
			if o == done {
				b.outcomes[i] = failed
				b.memory.failed(&b.records[i])
			}
		}
		return
	}
	failures := map[*record]error{}
	for _, f := range named {
		failures[f.record] = errors.Join(failures[f.record], f.err)
	}
	blocked := map[uint64]bool{}
	for i := range b.outcomes {
		if b.outcomes[i] != done {
			continue
		}
		r := handled[0]
		handled = handled[1:]
		item, _ := itemOf(r)
		if blocked[item] {
			b.outcomes[i] = unfinished
			continue
		}
		if b.outcomes[i], err = b.settle(ctx, r, failures[r]); err != nil {
			blocked[item] = true
			b.log(ctx, r, "stream record failed", err)
			b.memory.failed(r)
		}
	}
}
