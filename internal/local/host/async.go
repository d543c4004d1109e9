package host

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// What AWS does with an asynchronous invocation unless it is configured.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	DefaultRetries  = 2
	DefaultEventAge = 6 * time.Hour
	// maxThrottlePause is the longest pause between tries while the function is throttled; the first is a second.
	maxThrottlePause = 5 * time.Minute
)

// AsyncConfig says what becomes of asynchronous invocations.
type AsyncConfig struct {
	// Retries is how often one that failed comes again, 0 to 2; nil is [DefaultRetries].
	Retries *int `json:",omitempty"`
	// EventAge is how old an event may get before it is given up, 1 minute to 6 hours; nil is [DefaultEventAge].
	EventAge *time.Duration `json:",omitempty"`
	// OnSuccess and OnFailure are ARNs of destinations, "" for none.
	OnSuccess, OnFailure string `json:",omitempty"`
	LastModified         time.Time
}

// Delivery is something that a function sends to a destination or a dead-letter queue.
type Delivery struct {
	// Destination is an ARN. FunctionARN is the function, whose role sends.
	Destination, FunctionARN string
	// Document is the body: JSON.
	Document string
	// Attributes are what a dead letter has: RequestID, ErrorCode (a number) and ErrorMessage. nil for a destination.
	Attributes map[string]string
	// At is when it was sent.
	At time.Time
}

func asyncKey(qualifier string) string {
	if qualifier == "" {
		return Latest
	}
	return qualifier
}

// SetAsync applies change to what is configured for a qualifier; to nothing if replace is true. Without replace there must be something.
func (h *Host) SetAsync(r Ref, replace bool, change func(*AsyncConfig) error) (AsyncConfig, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil {
		return AsyncConfig{}, err
	}
	c, found := rev.family.async[asyncKey(r.Qualifier)]
	switch {
	case replace:
		c = AsyncConfig{}
	case !found:
		return AsyncConfig{}, h.noAsync(r)
	}
	if err := change(&c); err != nil {
		return AsyncConfig{}, err
	}
	c.LastModified = h.opts.Clock.Now()
	rev.family.async[asyncKey(r.Qualifier)] = c
	h.keep(rev.family)
	return c, nil
}

func (h *Host) noAsync(r Ref) error {
	return errorf(ResourceNotFound, "The function %s doesn't have an EventInvokeConfig", h.ARN(Ref{r.Name, asyncKey(r.Qualifier)}))
}

// Async gives what is configured for a qualifier.
func (h *Host) Async(r Ref) (AsyncConfig, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil {
		return AsyncConfig{}, err
	}
	c, found := rev.family.async[asyncKey(r.Qualifier)]
	if !found {
		return c, h.noAsync(r)
	}
	return c, nil
}

// AsyncAll gives the qualifiers of a function that have a configuration, sorted, and what each has.
func (h *Host) AsyncAll(r Ref) ([]string, map[string]AsyncConfig, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil {
		return nil, nil, err
	}
	return slices.Sorted(maps.Keys(rev.family.async)), maps.Clone(rev.family.async), nil
}

// DeleteAsync removes what is configured for a qualifier.
func (h *Host) DeleteAsync(r Ref) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	rev, err := h.find(r)
	if err != nil {
		return err
	}
	if _, found := rev.family.async[asyncKey(r.Qualifier)]; !found {
		return h.noAsync(r)
	}
	delete(rev.family.async, asyncKey(r.Qualifier))
	h.keep(rev.family)
	return nil
}

// event is an asynchronous invocation that waits to be done.
type event struct {
	host    *Host
	ref     Ref
	id      string
	payload []byte
	came    time.Time
	invokes int
	result  Result // of the last one
}

// InvokeAsync takes an event for a function and gives the id that its invocations have. Events are in memory alone: those that wait
// when the host is closed are lost.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
func (h *Host) InvokeAsync(ref string, payload []byte) (requestID string, err error) {
	r, err := h.Parse(ref)
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return "", ErrClosed
	}
	if _, err := h.find(r); err != nil {
		return "", err
	}
	e := &event{host: h, ref: r, id: uuid.NewString(), payload: bytes.Clone(payload), came: h.opts.Clock.Now()}
	h.wg.Go(e.run)
	return e.id, nil
}

// run invokes the function until the event is done or given up.
func (e *event) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-e.host.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	throttled := time.Second
	for {
		config := e.host.asyncOf(e.ref)
		e.result = Result{}
		result, err := e.host.invoke(ctx, e.ref, request{id: e.id, payload: e.payload})
		var pause time.Duration
		switch {
		case err == nil && result.FunctionError == "":
			e.invokes, e.result = e.invokes+1, result
			e.deliver(ctx, config.OnSuccess, "Success")
			return
		case err == nil:
			e.invokes, e.result = e.invokes+1, result
			if e.invokes > value(config.Retries, DefaultRetries) {
				e.giveUp(ctx, config, "RetriesExhausted")
				return
			}
			pause = time.Duration(e.invokes) * time.Minute // one minute, then two
		case passing(err):
			if n, err := e.host.Reserved(e.ref); err == nil && n != nil && *n == 0 {
				e.giveUp(ctx, config, "ZeroReservedConcurrency")
				return
			}
			pause = throttled
			throttled = min(2*throttled, maxThrottlePause)
		default: // the function or the host is gone
			return
		}
		limit := e.came.Add(value(config.EventAge, DefaultEventAge))
		due := e.host.opts.Clock.Now().Add(pause)
		expired := due.After(limit)
		if expired {
			due = limit
		}
		if !e.host.sleep(due) {
			return
		}
		if expired {
			e.giveUp(ctx, config, "EventAgeExceeded")
			return
		}
	}
}

func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// sleep waits for a time; it is false when the host was closed first.
func (h *Host) sleep(until time.Time) bool {
	timer, stop := h.opts.Clock.After(until.Sub(h.opts.Clock.Now()))
	defer stop()
	select {
	case <-timer:
		return true
	case <-h.closed:
		return false
	}
}

// asyncOf gives what is configured for asynchronous invocations of a reference, or nothing.
func (h *Host) asyncOf(r Ref) AsyncConfig {
	c, err := h.Async(r)
	if err != nil {
		return AsyncConfig{}
	}
	return c
}

// giveUp reports an event that is given up, to the destination and to the dead-letter queue.
func (e *event) giveUp(ctx context.Context, c AsyncConfig, condition string) {
	e.deliver(ctx, c.OnFailure, condition)
	f, err := e.host.Get(e.ref)
	if err != nil || f.DeadLetterARN == "" {
		return
	}
	code, message := 429, "Rate Exceeded."
	if e.result.RequestID != "" {
		var answer struct{ ErrorMessage string }
		_ = json.Unmarshal(e.result.Payload, &answer) // without one there is no message
		code, message = 200, answer.ErrorMessage
	}
	const longest = 1 << 10
	e.send(ctx, Delivery{Destination: f.DeadLetterARN, FunctionARN: f.ARN, Document: string(e.payload), Attributes: map[string]string{
		"RequestID": e.id, "ErrorCode": strconv.Itoa(code), "ErrorMessage": message[:min(len(message), longest)],
	}})
}

// outcomeDocument is what a destination gets.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type outcomeDocument struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"` // qualified
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

func (e *event) deliver(ctx context.Context, destination, condition string) {
	if destination == "" {
		return
	}
	h := e.host
	d := outcomeDocument{
		Version: "1.0", Timestamp: h.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{e.id, h.ARN(Ref{e.ref.Name, asyncKey(e.ref.Qualifier)}), condition, e.invokes},
		RequestPayload: e.payload,
	}
	if e.result.RequestID != "" {
		d.ResponseContext = &responseContext{200, e.result.ExecutedVersion, e.result.FunctionError}
		if d.ResponsePayload = e.result.Payload; !json.Valid(d.ResponsePayload) {
			d.ResponsePayload, _ = json.Marshal(string(e.result.Payload)) // a string cannot fail
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		h.opts.Logger.Warn("an event's outcome is no JSON", "function", e.ref.Name, "error", err)
		return
	}
	e.send(ctx, Delivery{Destination: destination, FunctionARN: h.ARN(Ref{Name: e.ref.Name}), Document: string(text)})
}

// send hands a delivery over. One that fails is lost, as on AWS, and logged.
func (e *event) send(ctx context.Context, d Delivery) {
	d.At = e.host.opts.Clock.Now()
	if err := e.host.opts.Deliver(ctx, d); err != nil {
		e.host.opts.Logger.Warn("a function's destination did not take an event", "function", e.ref.Name, "destination", d.Destination, "error", err)
	}
}
