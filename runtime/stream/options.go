package stream

import (
	"context"
	"io"
	"os"
	"time"
)

// Option changes what a route does.
type Option func(*options)

type options struct {
	where       func(Record) bool
	concurrency int
	remember    int
	reserve     time.Duration
	around      []Middleware
	parking     Parking
	store       Store
	metrics     io.Writer
	redacted    []string
}

func optionsOf(list []Option) options {
	o := options{concurrency: 1, remember: mostRecords, reserve: reserve}
	if os.Getenv("AWS_LAMBDA_FUNCTION_NAME") != "" {
		o.metrics = os.Stdout
	}
	for _, set := range list {
		set(&o)
	}
	return o
}

// Where leaves out records for which wanted is false: they count as done, and their images are not decoded.
func Where(wanted func(Record) bool) Option { return func(o *options) { o.where = wanted } }

// MaxConcurrency lets up to n changes be handled at the same time, 1 without it. The changes of one item, by its full primary key, are
// handled one after the other in any case. The handler must be safe for concurrent use if n is more than 1.
func MaxConcurrency(n int) Option { return func(o *options) { o.concurrency = max(n, 1) } }

// Remember bounds how many records are remembered that are done and that Lambda delivers again, because an earlier one was not; 10,000
// without it, which is the most that Lambda delivers at once. With 0 nothing is remembered, and what comes again is handled again.
func Remember(n int) Option { return func(o *options) { o.remember = max(n, 0) } }

// Reserve is kept of an invocation's time to report what is unfinished, 200 ms without it: as soon as no more is left, no further
// change is started and the context of those under way is done.
func Reserve(d time.Duration) Option { return func(o *options) { o.reserve = max(d, 0) } }

// Middleware runs around the handling of a change, or of a batch, whose first record it is then given. It must call next to have it
// handled, and may do so with a context of its own. What it returns counts as the handler's error.
type Middleware func(ctx context.Context, r Record, next func(context.Context) error) error

// Around adds middleware. The first is the outermost.
func Around(m ...Middleware) Option {
	return func(o *options) { o.around = append(o.around, m...) }
}

// ParkTo says where changes go whose handler returns [Park].
func ParkTo(p Parking) Option { return func(o *options) { o.parking = p } }

// Once has every record's completion noted in a store that all execution environments of the function share, so that a record which is
// done is not handled again wherever Lambda delivers it.
func Once(s Store) Option { return func(o *options) { o.store = s } }

// Metrics says where the metrics of each invocation are written, one line in CloudWatch's embedded metric format, from which
// CloudWatch makes metrics without a client. Without it that is the standard output in a Lambda function, and nowhere outside of one;
// nil turns them off.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func Metrics(w io.Writer) Option { return func(o *options) { o.metrics = w } }

// RedactKeys hides the values of these key attributes in the log.
func RedactKeys(attributes ...string) Option {
	return func(o *options) { o.redacted = append(o.redacted, attributes...) }
}

// call calls handle inside of the middleware.
func (o *options) call(ctx context.Context, r Record, handle func(context.Context) error) error {
	next := handle
	for i := len(o.around) - 1; i >= 0; i-- {
		m, inner := o.around[i], next
		next = func(ctx context.Context) error { return m(ctx, r, inner) }
	}
	return next(ctx)
}
