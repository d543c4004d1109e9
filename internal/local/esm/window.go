package esm

import (
	"context"
	"encoding/json"
	"strconv"
	"time"
)

const (
	emptyState = `{}`
	// maxState is the most that a tumbling window's state may be, in bytes, before the window is ended early.
	maxState = 1 << 20
	// windowGrace is how long after its end a tumbling window waits for records that were created before it. AWS waits for up to two minutes.
	windowGrace = time.Second
	// windowMembers is more than what an event says of its window takes, but for the state.
	windowMembers = 512
)

// window is the tumbling window that a shard is in. Its state is kept with the checkpoint, so that a restart goes on with it.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
type window struct {
	// Start and End bound the creation times of its records. Windows are counted from the start of 1970.
	Start, End time.Time
	// State is what the function answered last.
	State json.RawMessage
}

// windowStart is when the window of a record begins, in seconds since 1970.
func (l *lane) windowStart(r Record) int64 {
	length := int64(l.config.TumblingWindowInSeconds)
	return r.ApproximateCreationDateTime.Unix() / length * length
}

// windowOf gives the window that a record opens.
func (l *lane) windowOf(r Record) *window {
	start := time.Unix(l.windowStart(r), 0).UTC()
	return &window{start, start.Add(time.Duration(l.config.TumblingWindowInSeconds) * time.Second), json.RawMessage(emptyState)}
}

// sameWindow says whether two records may be in one batch.
func (l *lane) sameWindow(a, b Record) bool {
	return l.config.TumblingWindowInSeconds == 0 || l.windowStart(a) == l.windowStart(b)
}

// openWindow opens the window of a record that the function was run with, if none is open.
func (l *lane) openWindow(r Record) {
	if l.config.TumblingWindowInSeconds > 0 && l.window == nil {
		l.setWindow(l.windowOf(r))
	}
}

func (l *lane) setWindow(w *window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window = w
}

// resumeWindow takes up the window that was open when the shard was read last. One of another length, or of a mapping that has no windows
// any more, is forgotten with its state.
func (l *lane) resumeWindow(ctx context.Context) {
	w := l.progress.at(l.id).Window
	if w == nil {
		return
	}
	if length := time.Duration(l.config.TumblingWindowInSeconds) * time.Second; w.End.Sub(w.Start) != length {
		l.progress.move(l.id, func(c *checkpoint) { c.Window = nil })
		return
	}
	l.setWindow(w)
	if len(w.State) > maxState {
		l.endWindow(ctx, true)
	}
}

// windowIsOver says whether the window that is open, or that the next batch opens, has had its last record, and if not, how long it can still
// get one without news. The caller holds the shard's mu.
func (l *lane) windowIsOver() (over bool, wait time.Duration) {
	w := l.window
	switch {
	case w == nil && (len(l.queue) == 0 || l.config.TumblingWindowInSeconds == 0):
		return false, never
	case w == nil:
		w = l.windowOf(l.queue[0].Record) // the batch goes with it
	}
	if len(l.queue) > 0 {
		if l.windowStart(l.queue[0].Record) != w.Start.Unix() {
			return true, 0
		}
	} else if l.ended {
		return true, 0
	}
	last := w.End.Add(windowGrace)
	wait = max(last.Sub(l.opts.Clock.Now()), 0)
	switch {
	case wait > 0:
		return false, wait
	case len(l.queue) > 0:
		return false, 0
	case l.idle && !l.readAt.Before(last):
		return true, 0
	case !l.failing: // or the reader does so of itself
		l.rouse() // it looks once more
	}
	return false, never
}

// endWindow makes the final invocation of the window that is open. Nothing of the shard is delivered until it succeeds.
func (l *lane) endWindow(ctx context.Context, early bool) {
	invokes := 0
	for waits := 0; ctx.Err() == nil; waits++ {
		result, err := l.invoke(nil, invokes, early)
		e := Event{Kind: NotInvoked}
		if err != nil {
			e.Error = err.Error()
		} else {
			invokes++
			_, _, why := l.judge(result, nil)
			if why == "" {
				l.progress.note(allWell)
				l.observe(Event{Kind: Succeeded, Attempt: invokes, RequestID: result.RequestID})
				l.setWindow(nil)
				l.progress.move(l.id, func(c *checkpoint) { c.Window = nil })
				return
			}
			l.progress.note(callFailed)
			l.observe(Event{Kind: Failed, Attempt: invokes, RequestID: result.RequestID, Error: why, Payload: result.Payload})
			e.Kind = Retrying
		}
		e.Attempt = invokes
		if !l.pause(ctx, e, waits) {
			return
		}
	}
}

// stateOf gives the state in a function's answer; there must be one.
func stateOf(payload []byte) (state json.RawMessage, found bool) {
	var answer map[string]json.RawMessage // a struct would take the name in any case
	if err := json.Unmarshal(payload, &answer); err != nil {
		return nil, false
	}
	state = answer["state"]
	return state, len(state) > 0 && string(state) != "null"
}

// windowSize is the most that an event's members after its records take. The caller holds the shard's mu.
func (l *lane) windowSize() int {
	if l.window == nil {
		return windowMembers + len(l.config.StreamARN)
	}
	return windowMembers + len(l.config.StreamARN) + len(l.window.State)
}

// append writes what an event says of its window, and ends it.
func (w *window) append(b []byte, shardID, streamARN string, final, early bool) []byte {
	b = append(b, `,"window":{"start":"`...)
	b = w.Start.AppendFormat(b, time.RFC3339)
	b = append(b, `","end":"`...)
	b = w.End.AppendFormat(b, time.RFC3339)
	b = append(b, `"},"state":`...)
	b = append(b, w.State...)
	b = append(b, `,"shardId":`...)
	b = strconv.AppendQuote(b, shardID)
	b = append(b, `,"eventSourceARN":`...)
	b = strconv.AppendQuote(b, streamARN)
	b = append(b, `,"isFinalInvokeForWindow":`...)
	b = strconv.AppendBool(b, final)
	b = append(b, `,"isWindowTerminatedEarly":`...)
	b = strconv.AppendBool(b, early)
	return append(b, '}')
}
