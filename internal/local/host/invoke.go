package host

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// initLimit is how long a process may take to ask for its first invocation.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
const initLimit = 10 * time.Second

// request is what one invocation was asked with.
type request struct {
	id, arn string // the ARN has the qualifier that it was invoked with
	payload []byte
	// client is what the caller says of himself, as JSON; nil for nothing.
	client []byte
}

// invoke runs the function once: in an idle process, or in a new one.
func (r *revision) invoke(ctx context.Context, req request) (Result, error) {
	if r.code.run != nil {
		return r.invokeFunc(ctx, req)
	}
	for p := r.take(); p != nil; p = r.take() {
		if result, ran, err := r.run(ctx, p, req); ran || err != nil {
			return result, err
		}
		p.kill() // it ended, or is about to, while it had nothing to do
	}
	p, failed, err := r.cold(ctx, req.id)
	if err != nil {
		return Result{}, err
	}
	if failed != nil {
		return *failed, nil
	}
	result, ran, err := r.run(ctx, p, req)
	if !ran && err == nil {
		return r.stillborn(p.log, req.id, exitedEarly(req.id, p.exitReason()), 0), nil
	}
	return result, err
}

// cold starts a process and waits until it asks for work. When it does not, that is the invocation's result. A process that
// exceeds the limit of the init phase is started once more, within the function's timeout.
func (r *revision) cold(ctx context.Context, id string) (*process, *Result, error) {
	if r.host.opts.MayStart != nil {
		if err := r.host.opts.MayStart(r.function); err != nil {
			return nil, nil, err
		}
	}
	for _, limit := range []time.Duration{initLimit, r.function.Timeout} {
		p, result, err := r.boot(ctx, id, limit)
		if p != nil || result != nil || err != nil {
			return p, result, err
		}
	}
	result := r.stillborn(r.newLog(), id, timedOut(id, r.function.Timeout), r.function.Timeout)
	return nil, &result, nil
}

// boot makes one try at a process; all its results are nil when limit ran out.
func (r *revision) boot(ctx context.Context, id string, limit time.Duration) (*process, *Result, error) {
	c := r.host.opts.Clock
	log, start := r.newLog(), c.Now()
	timer, stop := c.After(limit)
	defer stop()
	fail := func(o outcome) *Result {
		result := r.stillborn(log, id, o, c.Now().Sub(start))
		return &result
	}

	p, err := r.start(log)
	var broken *startError
	switch {
	case errors.As(err, &broken):
		return nil, fail(invalidEntrypoint(id, broken)), nil
	case err != nil:
		return nil, nil, err
	}
	var posted []byte
	for {
		select {
		case <-p.api.ready:
			p.init = max(c.Now().Sub(start), time.Nanosecond)
			return p, nil, nil
		case posted = <-p.api.initError: // and now it should exit
			continue
		case <-p.exited:
		case <-timer:
			p.kill()
			if posted == nil {
				return nil, nil, nil
			}
		case <-ctx.Done():
			p.kill()
			return nil, nil, ctx.Err()
		}
		break
	}
	if r.host.over() {
		return nil, nil, ErrClosed
	}
	if posted == nil {
		select {
		case posted = <-p.api.initError:
		default:
			return nil, fail(exitedEarly(id, p.exitReason())), nil
		}
	}
	return nil, fail(outcome{payload: posted, status: "error"}), nil
}

func (h *Host) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.isClosed()
}

// run puts one invocation through a process and lets it rest or ends it. It did not run if the process took no notice of it.
func (r *revision) run(ctx context.Context, p *process, req request) (result Result, ran bool, err error) {
	c, timeout, id := r.host.opts.Clock, r.function.Timeout, req.id
	start := c.Now()
	timer, stop := c.After(timeout)
	defer stop()
	inv := &invocation{
		request: req, traceID: traceID(start, r.function.Tracing == "Active"), deadline: start.Add(timeout),
		begin: func() {
			p.capture.flush() // what it wrote before belongs before
			r.started(p.log, id)
		},
		answer: make(chan answer, 1), finished: make(chan struct{}),
	}
	select {
	case p.api.work <- inv:
	case <-p.exited:
		return Result{}, false, r.closedErr()
	case <-timer: // it lives, but asks for nothing
		p.kill()
		return r.stillborn(p.log, id, timedOut(id, timeout), timeout), true, nil
	case <-ctx.Done():
		p.kill()
		return Result{}, false, ctx.Err()
	}

	// The invocation lasts until the process asks for the next one, as on AWS: only then can it be used again. What it
	// answered counts even if it ends after that.
	var answered, ended *outcome
	reusable := false
	for ended == nil && !reusable {
		select {
		case a := <-inv.answer:
			answered = a.outcome()
		case <-inv.finished:
			reusable = true
		case <-p.exited:
			ended = new(exitedEarly(id, p.exitReason()))
		case <-timer:
			p.kill()
			ended = new(timedOut(id, timeout))
		case <-ctx.Done():
			p.kill()
			return Result{}, true, ctx.Err()
		}
	}
	if answered == nil {
		select {
		case a := <-inv.answer: // it came together with the end
			answered = a.outcome()
		default:
			if err := r.closedErr(); err != nil {
				return Result{}, true, err
			}
			answered = ended
		}
	}
	spent := c.Now().Sub(start)
	if reusable {
		p.capture.flush()
		defer r.rest(p)
	}
	return r.report(p.log, p, id, *answered, spent), true, nil
}

// closedErr tells a process's own end from one that Close brought about.
func (r *revision) closedErr() error {
	if r.host.over() {
		return ErrClosed
	}
	return nil
}

func (r *revision) newLog() *logStream {
	return newLogStream(r.sink(), r.host.opts.Clock, r.function)
}

// traceID is an X-Ray trace. One that is sampled goes nowhere all the same.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func traceID(at time.Time, sampled bool) string {
	mark := 0
	if sampled {
		mark = 1
	}
	id := make([]byte, 20)
	_, _ = rand.Read(id) // never fails
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=%d", uint32(at.Unix()), hex.EncodeToString(id[:12]), hex.EncodeToString(id[12:]), mark)
}
