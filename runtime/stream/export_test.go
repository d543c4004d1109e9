package stream

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

// DefaultReserve lets tests place a deadline around it.
const DefaultReserve = reserve

// DecodeImage lets tests read an image by a function.
func DecodeImage(image string, read func(*Decoder)) error {
	return decodeImage(new(Decoder), "image", image, reader(read))
}

type reader func(*Decoder)

func (r reader) UnmarshalImage(d *Decoder) { r(d) }

// DecodeEvent lets benchmarks decode without handling.
func DecodeEvent[T any, P Image[T]](payload []byte, see func(Change[T])) error {
	e, err := parseEvent(payload)
	if err != nil {
		return err
	}
	d := new(Decoder)
	for i := range e.records {
		own := d.own(&e.records[i])
		c, err := decodeChange[T, P](d, &own)
		if err != nil {
			return err
		}
		see(c)
	}
	return nil
}

// Scheduled gives the handling of an event by lanes and by a plain loop, without what a handler does.
func Scheduled(payload []byte, lanes int) (run func(context.Context), loop func()) {
	e, err := parseEvent(payload)
	if err != nil {
		panic(err)
	}
	p := newProcessor([]Option{MaxConcurrency(lanes)})
	handled := make([]bool, len(e.records))
	p.handle = func(_ context.Context, _ *Decoder, r *record) error { return r.err }
	run = func(ctx context.Context) { newBatch(p, e.records).run(ctx) }
	loop = func() {
		d := new(Decoder)
		for i := range e.records {
			own := d.own(&e.records[i]) // so that the record may be kept, in lanes or not
			handled[i] = p.handle(nil, d, &own) == nil
		}
	}
	return run, loop
}

// ServeHandler is what Serve does with a handler, until the Runtime API fails.
func ServeHandler(h lambda.Handler) error {
	api, err := newRuntimeAPI()
	if err != nil {
		return err
	}
	return api.serve(h)
}

// LogToStdout is what Serve does to the default logger.
var LogToStdout = logToStdout
