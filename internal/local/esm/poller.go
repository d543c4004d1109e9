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

// run reads the stream until ctx ends. Every shard is read from when its parent is drained until it is.
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

// rest waits for news, but no longer than d.
func (p *poller) rest(ctx context.Context, awake <-chan struct{}, d time.Duration) {
	timer, stop := p.opts.Clock.After(d)
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

// readSource reads with the rights of the function's role. Without them nothing is read and nothing is lost: what is in the stream waits.
func (p *poller) readSource(id, after string, limit int) (records []Record, closed bool, err error) {
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
