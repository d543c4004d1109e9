package streamotel_test

import (
	"context"
	"errors"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamotel"
	"streamgen/runtime/streamtest"
)

type order struct{ ID string }

func (o *order) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		if d.Name() == "Id" {
			o.ID = d.String()
		}
	}
}

func (o *order) MarshalImage(e *stream.Encoder) {
	e.Attr("Id")
	e.String(o.ID)
}

func (*order) KeyNames() []string { return []string{"Id"} }

func TestMiddleware(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(spans)).Tracer("test")
	h := stream.Handler(func(_ context.Context, c stream.Change[order]) error {
		if c.Keys.ID == "2" {
			return errors.New("not now")
		}
		return nil
	}, stream.Around(streamotel.Middleware(tracer)))
	first, second := streamtest.Insert(&order{"1"}), streamtest.Insert(&order{"2"})
	first.Table, second.Table = "orders", "orders"
	payload, err := streamtest.Event(first, second)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]struct {
		trace, parent string
		sampled       bool
	}{
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1":           {"5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8", true},
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=x": {"5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8", true},
		"Root=1-5759e988;Parent=x": {"", "0000000000000000", true},
		"":                         {"", "0000000000000000", true},
	} {
		spans.Reset()
		ctx := context.WithValue(t.Context(), "x-amzn-trace-id", header) //nolint:staticcheck // the key is aws-lambda-go's
		if _, err := h.Invoke(ctx, payload); err != nil {
			t.Fatal(err)
		}
		ended := spans.Ended()
		if len(ended) != 2 {
			t.Fatalf("%q: %d spans, want 2", header, len(ended))
		}
		for i, s := range ended {
			if s.Name() != "process orders" || s.Parent().SpanID().String() != want.parent || want.trace != "" && s.SpanContext().TraceID().String() != want.trace || s.SpanContext().IsSampled() != want.sampled {
				t.Errorf("%q: span %+v", header, s)
			}
			if failed := s.Status().Code == codes.Error; failed != (i == 1) {
				t.Errorf("%q: span %d has status %v", header, i, s.Status())
			}
		}
	}
}
