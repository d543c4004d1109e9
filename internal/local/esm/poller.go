package esm

import (
	"context"
	"errors"
	"sync"
	"time"

	"streamgen/internal/filter"
)

// poller reads a mapping's stream under one configuration.
type poller struct {
	opts     Options
	config   Config
	filters  []filter.Pattern
	source   Source
	progress *progress
	invoking context.Context
	stop     context.CancelFunc
	done     chan struct{} // closed when it has ended

	mu   sync.Mutex
	wake chan struct{} // closed, and replaced, when there may be something to read
}

// run reads the stream until ctx ends. Every shard has its own goroutine, from when its parent is drained until it is.
func (p *poller) run(ctx context.Context) {
	var shards sync.WaitGroup
	defer shards.Wait()
	shards.Go(func() { p.listen(ctx) })
	reading := map[string]bool{}
	for ctx.Err() == nil {
		awake := p.awake()
		all := p.source.Shards()
		p.progress.keep(all)
		for _, s := range p.readable(all) {
			if !reading[s.ID] {
				reading[s.ID] = true
				shards.Go(func() { p.shard(ctx, s.ID) })
			}
		}
		p.rest(ctx, awake, p.opts.PollInterval)
	}
}

// readable gives the shards that have something left and whose parent has nothing.
func (p *poller) readable(all []Shard) []Shard {
	open := map[string]bool{}
	var ready []Shard
	for _, s := range all {
		if p.progress.at(s.ID).Done {
			continue
		}
		open[s.ID] = true
		if !open[s.ParentID] {
			ready = append(ready, s)
		}
	}
	return ready
}

// listen wakes the goroutines that rest when the source has something new.
func (p *poller) listen(ctx context.Context) {
	for p.source.Wait(ctx) == nil && ctx.Err() == nil {
		p.rouse()
	}
}

func (p *poller) rouse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.wake)
	p.wake = make(chan struct{})
}

// awake gives the channel that is closed at the next news. Taken before reading, it misses none.
func (p *poller) awake() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wake
}

// rest waits for news, for as long as a poll takes, but no longer than d.
func (p *poller) rest(ctx context.Context, awake <-chan struct{}, d time.Duration) {
	timer, stop := p.opts.Clock.After(min(d, p.opts.PollInterval))
	defer stop()
	select {
	case <-awake:
	case <-timer:
	case <-ctx.Done():
	}
}

// sleep is false when ctx ended first.
func (p *poller) sleep(ctx context.Context, d time.Duration) bool {
	timer, stop := p.opts.Clock.After(d)
	defer stop()
	select {
	case <-timer:
		return true
	case <-ctx.Done():
		return false
	}
}

// shard reads one shard from its checkpoint until it is drained.
func (p *poller) shard(ctx context.Context, id string) {
	window := p.opts.Clock.Now()
	for ctx.Err() == nil {
		batch, drained := p.gather(ctx, id, window)
		if len(batch) > 0 && ctx.Err() == nil {
			p.process(ctx, id, batch)
			window = p.opts.Clock.Now()
		}
		if drained && ctx.Err() == nil {
			p.progress.drained(id)
			p.rouse() // its children may be read now
			return
		}
	}
}

// read reads with the rights of the function's role. Without them nothing is read and nothing is lost: what is in the stream waits.
func (p *poller) read(id, after string, limit int) (records []Record, closed bool, err error) {
	if p.opts.Access != nil {
		if err := p.opts.Access(p.config.FunctionARN, p.config.StreamARN); err != nil {
			var denied *Error
			if errors.As(err, &denied) {
				p.progress.note("PROBLEM: " + denied.Message)
			}
			return nil, false, err
		}
	}
	return p.source.Read(id, after, limit)
}

// pageSize is how many records are read at once: a source renders all that it gives, and of large ones few fit into a payload.
const pageSize = 100

// gather reads the next batch: the first of BatchSize records, the payload's limit, the end of the window or that of the shard.
// The window runs from when the last invocation ended, and over again while it stays empty.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
func (p *poller) gather(ctx context.Context, id string, window time.Time) (batch []Record, drained bool) {
	length := time.Duration(p.config.MaximumBatchingWindowInSeconds) * time.Second
	after, size := p.progress.at(id).After, len(payloadHead)+len(payloadTail)
	for ctx.Err() == nil {
		awake := p.awake()
		empty := len(batch) == 0
		limit := min(p.config.BatchSize-len(batch), pageSize)
		records, closed, err := p.read(id, after, limit)
		for _, r := range records {
			if !matches(p.filters, r) {
				after = r.SequenceNumber
				p.observe(Event{Kind: Filtered, ShardID: id, Records: []Record{r}})
				continue
			}
			if size += len(r.JSON) + 1; size > maxPayload && len(batch) > 0 {
				return batch, false
			}
			batch, after = append(batch, r), r.SequenceNumber
		}
		if len(batch) == 0 && len(records) > 0 { // what nobody wants is done
			p.progress.advance(id, after)
		}
		now := p.opts.Clock.Now()
		if empty && length > 0 {
			window = window.Add(now.Sub(window).Truncate(length))
		}
		left := window.Add(length).Sub(now)
		switch {
		case err == nil && closed:
			return batch, true
		case len(batch) == 0 && len(records) == limit:
		case len(batch) == 0:
			p.rest(ctx, awake, p.opts.PollInterval)
		case len(batch) >= p.config.BatchSize:
			return batch, false
		case len(records) == limit: // more may be there already
		case left <= 0:
			return batch, false
		default:
			p.rest(ctx, awake, left)
		}
	}
	return nil, false
}
