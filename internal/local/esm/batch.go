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
func (p *poller) process(ctx context.Context, shard string, batch []Record) {
	invokes := 0 // of this batch; a batch that got shorter because its head succeeded is a new one
	waits := 0
	var last *invocation
	for ctx.Err() == nil {
		if batch = p.dropExpired(shard, batch, invokes); len(batch) == 0 {
			return
		}
		p.observe(Event{Kind: Invoking, ShardID: shard, Records: batch, Attempt: invokes + 1})
		result, err := p.opts.Invoker.Invoke(p.invoking, p.config.FunctionARN, event(batch))
		if err != nil {
			// It was not run, so this does not count: only age ends it.
			p.progress.note(callFailed)
			p.opts.Logger.Debug("function was not invoked", "function", p.config.FunctionARN, "error", err)
			p.observe(Event{Kind: NotInvoked, ShardID: shard, Records: batch, Attempt: invokes, Error: err.Error(), Pause: p.opts.Backoff.wait(waits)})
			if !p.sleep(ctx, p.opts.Backoff.wait(waits)) {
				return
			}
			waits++
			continue
		}
		invokes++
		last = &invocation{result.FunctionError, result.ExecutedVersion}
		failed := judge(result, batch, p.config.ReportBatchItemFailures)
		if failed == len(batch) {
			p.progress.advance(shard, batch[len(batch)-1].SequenceNumber)
			p.progress.note(allWell)
			p.observe(Event{Kind: Succeeded, ShardID: shard, Records: batch, Attempt: invokes, RequestID: result.RequestID})
			return
		}
		p.progress.note(callFailed)
		if failed > 0 {
			p.progress.advance(shard, batch[failed-1].SequenceNumber)
			p.observe(Event{Kind: Partial, ShardID: shard, Records: batch[failed:], Attempt: invokes, RequestID: result.RequestID})
			batch, invokes, waits = batch[failed:], 0, 0
			continue
		}
		p.observe(Event{Kind: Failed, ShardID: shard, Records: batch, Attempt: invokes, RequestID: result.RequestID, Error: result.FunctionError})
		if p.config.BisectBatchOnFunctionError && len(batch) > 1 {
			// Each half is a batch of its own, so that the record that fails is found without using up its attempts.
			p.observe(Event{Kind: Bisected, ShardID: shard, Records: batch, Attempt: invokes})
			p.process(ctx, shard, batch[:len(batch)/2])
			p.process(ctx, shard, batch[len(batch)/2:])
			return
		}
		if limit := p.config.MaximumRetryAttempts; limit >= 0 && invokes > limit {
			p.drop(shard, batch, retriesExhausted, invokes, last)
			p.progress.advance(shard, batch[len(batch)-1].SequenceNumber)
			return
		}
		pause := p.opts.Backoff.wait(waits)
		p.observe(Event{Kind: Retrying, ShardID: shard, Records: batch, Attempt: invokes, Pause: pause})
		if !p.sleep(ctx, pause) {
			return
		}
		waits++
	}
}

// dropExpired gives the records that are not too old. It is asked before every attempt; invokes counts those that were made.
func (p *poller) dropExpired(shard string, batch []Record, invokes int) []Record {
	limit := retention
	if s := p.config.MaximumRecordAgeInSeconds; s >= 0 {
		limit = min(limit, time.Duration(s)*time.Second)
	}
	now := p.opts.Clock.Now()
	expired := 0 // records of a shard are in the order of their age
	for expired < len(batch) && now.Sub(batch[expired].ApproximateCreationDateTime) > limit {
		expired++
	}
	if expired > 0 {
		p.drop(shard, batch[:expired], ageExceeded, invokes, nil)
		p.progress.advance(shard, batch[expired-1].SequenceNumber)
	}
	return batch[expired:]
}

// drop gives records up: to the mapping's destination, or for good where it has none.
func (p *poller) drop(shard string, records []Record, condition string, invokes int, last *invocation) {
	attrs := []any{
		slog.String("condition", condition), slog.String("function", p.config.FunctionARN), slog.String("stream", p.config.StreamARN),
		slog.String("shard", shard), slog.String("first", records[0].SequenceNumber),
		slog.String("last", records[len(records)-1].SequenceNumber), slog.Int("records", len(records)), slog.Int("invokes", invokes),
	}
	e := Event{Kind: Dropped, ShardID: shard, Records: records, Attempt: invokes, Condition: condition}
	defer func() { p.observe(e) }()
	if p.config.OnFailure == "" {
		p.opts.Logger.Warn("records dropped", attrs...)
		return
	}
	document := p.document(shard, records, condition, invokes, last)
	delivery := Delivery{
		Destination: p.config.OnFailure, FunctionARN: p.config.FunctionARN, Mapping: p.progress.uuid, ShardID: shard,
		At: p.opts.Clock.Now(), Document: document, Event: string(event(records)),
	}
	if err := p.opts.Destination(delivery); err != nil {
		p.opts.Logger.Warn("records dropped, and their destination did not take the report", append(attrs, slog.Any("error", err))...)
		e.Error = err.Error()
	}
}

// event is what the function is invoked with.
func event(batch []Record) []byte {
	size := len(payloadHead) + len(payloadTail)
	for _, r := range batch {
		size += len(r.JSON) + 1
	}
	b := append(make([]byte, 0, size), payloadHead...)
	for i, r := range batch {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.JSON...)
	}
	return append(b, payloadTail...)
}
