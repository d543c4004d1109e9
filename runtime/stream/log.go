package stream

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// LogHandler adds to what a handler logs with its context: requestId and function, xrayTraceId where the invocation is traced, and of the
// change that is handled table, eventID, keys and, from the second on, attempt. The values of [RedactKeys] are hidden.
//
// [Start] and [Serve] make it the handler of slog's default logger, with JSON on the standard output, so that slog.InfoContext(ctx, …) is
// all that it takes. A logger that the function sets by slog.SetDefault, before or after, stays.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", lc.AwsRequestID), slog.String("function", lambdacontext.FunctionName))
	}
	if root := traceRoot(TraceHeader(ctx)); root != "" {
		r.AddAttrs(slog.String("xrayTraceId", root))
	}
	if w, ok := ctx.Value(workKey{}).(*work); ok {
		r.AddAttrs(w.processor.attrs(&w.record)...)
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }

// TraceHeader gives the invocation's X-Ray header, such as "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
// empty when there is none.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func TraceHeader(ctx context.Context) string {
	header, _ := ctx.Value(traceKey).(string)
	return header
}

const traceKey = "x-amzn-trace-id" // aws-lambda-go's

func traceRoot(header string) string {
	for part := range strings.SplitSeq(header, ";") {
		if root, found := strings.CutPrefix(part, "Root="); found {
			return root
		}
	}
	return ""
}

type workKey struct{}

// work is the context of a record that is handled, and says which. The record's text must be its own: the context can outlive the
// invocation.
type work struct {
	context.Context
	processor *processor
	record    record
}

// Value implements [context.Context].
func (w *work) Value(key any) any {
	if key == any(workKey{}) {
		return w
	}
	return w.Context.Value(key)
}

func (p *processor) attrs(r *record) []slog.Attr {
	attrs := []slog.Attr{slog.String("table", tableOf(r.part(r.streamARN))), slog.String("eventID", r.part(r.eventID))}
	if keys := p.keys(r); len(keys) > 0 {
		attrs = append(attrs, slog.Attr{Key: "keys", Value: slog.GroupValue(keys...)})
	}
	if n := p.memory.attempt(r); n > 1 {
		attrs = append(attrs, slog.Int("attempt", n))
	}
	return attrs
}

// keys are the attributes of the primary key, as texts.
func (p *processor) keys(r *record) []slog.Attr {
	var attrs []slog.Attr
	c := cursor{s: r.part(r.keys)}
	if !c.take('{') {
		return nil
	}
	for first := true; c.next('}', &first); {
		name, value := c.key(), c.skip()
		if c.err != nil {
			return nil
		}
		text := "REDACTED"
		if !slices.Contains(p.redacted, name) {
			typ, inner, _ := typed(value)
			if text = newAttribute(typ, inner).text; text == "" {
				continue // not of a key's type: it may be anything
			}
		}
		attrs = append(attrs, slog.String(name, text))
	}
	return attrs
}

// log notes what became of a record that is not simply done. The record's text must be its own: what is logged may be kept.
func (p *processor) log(ctx context.Context, r *record, message string, err error) {
	level := slog.LevelError
	if _, decided := errors.AsType[*decision](err); decided || errors.Is(err, ErrClaimed) {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("eventName", r.part(r.eventName)), slog.String("sequenceNumber", r.part(r.sequenceNumber))}
	if _, has := ctx.Value(workKey{}).(*work); !has {
		ctx = &work{ctx, p, *r}
	}
	if _, ok := slog.Default().Handler().(logHandler); !ok {
		attrs = append(p.attrs(r), attrs...) // another's logger takes nothing from the context
	}
	slog.LogAttrs(ctx, level, message, append(attrs, errorAttrs(err)...)...)
}

func errorAttrs(err error) []slog.Attr {
	attrs := []slog.Attr{slog.Any("error", err)}
	if panicked, ok := errors.AsType[*panicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	return attrs
}

// initial is slog's own default logger, as it is before any function's code runs.
var initial = slog.Default()

// logToStdout makes the default logger one for Lambda, unless the function has set one.
func logToStdout() {
	if slog.Default() != initial {
		return
	}
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(os.Getenv("AWS_LAMBDA_LOG_LEVEL"))) // what is no level of slog's leaves it at INFO
	slog.SetDefault(slog.New(LogHandler(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))))
}
