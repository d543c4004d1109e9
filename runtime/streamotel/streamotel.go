// Package streamotel traces the changes that a handler gets with OpenTelemetry, as a part of the trace that Lambda has begun.
//
//	stream.On(orders.Name(), Handle, stream.Around(streamotel.Middleware(provider.Tracer("ship"))))
package streamotel

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"streamgen/runtime/stream"
)

// Middleware makes a span for each change, or for each batch with its first record's attributes. Its parent is the span in the context
// or, where there is none, the one that Lambda's X-Ray header names. An error of the handler, [stream.Skip] and [stream.Park] among
// them, is the span's.
// https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
func Middleware(tracer trace.Tracer) stream.Middleware {
	return func(ctx context.Context, r stream.Record, next func(context.Context) error) error {
		if !trace.SpanContextFromContext(ctx).IsValid() {
			ctx = trace.ContextWithRemoteSpanContext(ctx, parent(stream.TraceHeader(ctx)))
		}
		ctx, span := tracer.Start(ctx, "process "+r.Table(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("messaging.system", "aws_dynamodb_streams"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", r.Table()),
			attribute.String("messaging.message.id", r.EventID()),
			attribute.String("aws.dynamodb.event_name", string(r.Kind())),
		))
		defer span.End()
		err := next(ctx)
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
		}
		return err
	}
}

// parent reads a header such as "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1". What is not whole gives a
// context that is not valid, so that the span begins a trace of its own.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func parent(header string) trace.SpanContext {
	var c trace.SpanContextConfig
	for part := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "Root":
			// An error leaves the zero id, which is not valid.
			c.TraceID, _ = trace.TraceIDFromHex(strings.ReplaceAll(strings.TrimPrefix(value, "1-"), "-", ""))
		case "Parent":
			c.SpanID, _ = trace.SpanIDFromHex(value)
		case "Sampled":
			if value == "1" {
				c.TraceFlags = trace.FlagsSampled
			}
		}
	}
	c.Remote = true
	return trace.NewSpanContext(c)
}
