package esm

import (
	"context"
	"log/slog"
	"time"
)

const (
	payloadHead, payloadTail = `{"Records":[`, `]}`
	// maxPayload is the largest event that a function is invoked with, in bytes.
	maxPayload = 6<<20 + 100
	// retention is how long a stream keeps records; an older one is dropped however long its mapping would wait.
	retention = 24 * time.Hour
)

// process delivers a batch until each of its records is done or dropped, or ctx ends. What is undone then lies behind the
// checkpoint and comes again.
func (l *lane) process(ctx context.Context, b []Record) {
	invokes := 0 // of this batch; a batch that got shorter because its head succeeded is a new one
	waits := 0
	var last *invocation
	for ctx.Err() == nil {
		if b = l.dropExpired(b, invokes); len(b) == 0 {
			return
		}
		if n := l.fitting(b); n < len(b) {
			l.processParts(ctx, b, n)
			return
		}
		result, err := l.invoke(b, invokes, false)
		if err != nil {
			// It was not run, so this does not count: only age ends it.
			if !l.pause(ctx, Event{Kind: NotInvoked, Records: b, Attempt: invokes, Error: err.Error()}, waits) {
				return
			}
			waits++
			continue
		}
		l.openWindow(b[0])
		invokes++
		last = &invocation{result.RequestID, result.FunctionError, result.ExecutedVersion}
		done, state, why := l.judge(result, b)
		if why == "" && done == len(b) {
			l.progress.note(allWell)
			l.observe(Event{Kind: Succeeded, Records: b, Attempt: invokes, RequestID: result.RequestID})
			l.succeed(ctx, b, state)
			return
		}
		l.progress.note(callFailed)
		if why == "" {
			l.count(FailedInvokeEventCount, len(b)-done)
			l.observe(Event{Kind: Partial, Records: b[done:], Attempt: invokes, RequestID: result.RequestID})
			l.succeed(ctx, b[:done], state)
			b, invokes, waits = b[done:], 0, 0
			continue
		}
		l.count(FailedInvokeEventCount, len(b))
		l.observe(Event{Kind: Failed, Records: b, Attempt: invokes, RequestID: result.RequestID, Error: why, Payload: result.Payload})
		if l.config.BisectBatchOnFunctionError && len(b) > 1 {
			// Each half is a batch of its own, so that the record that fails is found without using up its attempts.
			l.observe(Event{Kind: Bisected, Records: b, Attempt: invokes})
			l.processParts(ctx, b, len(b)/2)
			return
		}
		if limit := l.config.MaximumRetryAttempts; limit >= 0 && invokes > limit {
			l.drop(b, retriesExhausted, invokes, last)
			return
		}
		if !l.pause(ctx, Event{Kind: Retrying, Records: b, Attempt: invokes}, waits) {
			return
		}
		waits++
	}
}

// processParts delivers the first n records of a batch, and then the others.
func (l *lane) processParts(ctx context.Context, b []Record, n int) {
	l.process(ctx, b[:n])
	l.process(ctx, b[n:])
}

// invoke runs the function with records, or with none at the end of a tumbling window.
func (l *lane) invoke(records []Record, invokes int, early bool) (Result, error) {
	l.observe(Event{Kind: Invoking, Records: records, Attempt: invokes + 1})
	l.count(InvokedEventCount, len(records))
	if n := len(records); n > 0 {
		l.measureAge(records[n-1])
	}
	result, err := l.opts.Invoker.Invoke(l.invoking, l.config.FunctionARN, l.event(records, early))
	l.since = l.opts.Clock.Now()
	if err != nil && l.invoking.Err() == nil {
		l.progress.note(callFailed)
		l.count(FailedInvokeEventCount, len(records))
		l.opts.Logger.Debug("function was not invoked", "function", l.config.FunctionARN, "error", err)
	}
	return result, err
}

// pause tells of an event and waits before the next attempt. It is false when ctx ended.
func (l *lane) pause(ctx context.Context, e Event, waits int) bool {
	e.Pause = l.opts.Backoff.wait(waits)
	l.observe(e)
	return l.sleep(ctx, e.Pause)
}

// succeed is for records that the function did; state is that of the tumbling window after them.
func (l *lane) succeed(ctx context.Context, b []Record, state []byte) {
	if l.window != nil {
		w := *l.window
		w.State = state
		l.setWindow(&w)
	}
	l.finish(b)
	if len(state) > maxState {
		l.endWindow(ctx, true)
	}
}

// dropExpired gives the records that are not too old. It is asked before every attempt; invokes counts those that were made.
func (l *lane) dropExpired(b []Record, invokes int) []Record {
	limit := retention
	if s := l.config.MaximumRecordAgeInSeconds; s >= 0 {
		limit = min(limit, time.Duration(s)*time.Second)
	}
	now := l.opts.Clock.Now()
	expired := 0 // records of a shard are in the order of their age
	for expired < len(b) && now.Sub(b[expired].ApproximateCreationDateTime) > limit {
		expired++
	}
	if expired > 0 {
		l.drop(b[:expired], ageExceeded, invokes, nil)
	}
	return b[expired:]
}

// drop gives records up: to the mapping's destination, or for good where it has none. A report that the destination does not take is
// lost, as it is on AWS.
func (l *lane) drop(records []Record, condition string, invokes int, last *invocation) {
	attrs := []any{
		slog.String("condition", condition), slog.String("function", l.config.FunctionARN), slog.String("stream", l.config.StreamARN),
		slog.String("shard", l.id), slog.String("first", records[0].SequenceNumber),
		slog.String("last", records[len(records)-1].SequenceNumber), slog.Int("records", len(records)), slog.Int("invokes", invokes),
	}
	e := Event{Kind: Dropped, Records: records, Attempt: invokes, Condition: condition, Destination: l.config.OnFailure}
	dropped := condition != ageExceeded || l.config.MaximumRecordAgeInSeconds >= 0 // or the stream itself forgets it
	if l.config.OnFailure == "" {
		l.opts.Logger.Warn("records dropped", attrs...)
	} else {
		delivery := Delivery{
			Destination: l.config.OnFailure, FunctionARN: l.config.FunctionARN, Mapping: l.progress.uuid, ShardID: l.id,
			At: l.opts.Clock.Now(), Document: l.document(records, condition, invokes, last), Event: string(l.event(records, false)),
		}
		if err := l.opts.Destination(delivery); err != nil {
			l.opts.Logger.Warn("records dropped, and their destination did not take the report", append(attrs, slog.Any("error", err))...)
			e.Error, dropped = err.Error(), true
			l.metric(DestinationDeliveryFailures, 1)
		} else {
			dropped = false
			l.count(OnFailureDestinationDeliveredEventCount, len(records))
		}
	}
	if dropped {
		l.count(DroppedEventCount, len(records))
	}
	l.observe(e)
	l.finish(records)
}

// event is what the function is invoked with.
func (l *lane) event(records []Record, early bool) []byte {
	size := l.eventSize()
	for i := range records {
		size += len(records[i].JSON) + 1
	}
	e := append(make([]byte, 0, size), payloadHead...)
	for i := range records {
		if i > 0 {
			e = append(e, ',')
		}
		e = append(e, records[i].JSON...)
	}
	if l.config.TumblingWindowInSeconds == 0 {
		return append(e, payloadTail...)
	}
	w := l.window
	if w == nil { // the function has not seen a record of it yet
		w = l.windowOf(records[0])
	}
	return w.append(append(e, ']'), l.id, l.config.StreamARN, len(records) == 0, early)
}

// fitting gives how many records at the head of a batch fit into one event. All of them did when it was gathered; the state of their window
// may have grown since.
func (l *lane) fitting(b []Record) int {
	size := l.eventSize()
	for i := range b {
		if size += len(b[i].JSON) + 1; i > 0 && size > maxPayload {
			return i
		}
	}
	return len(b)
}

// eventSize is the length of an event without records.
func (l *lane) eventSize() int {
	if l.config.TumblingWindowInSeconds == 0 {
		return len(payloadHead) + len(payloadTail)
	}
	return len(payloadHead) + l.windowSize()
}
