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

// windowOf gives the bounds of the window that a record is in.
func (l *lane) windowOf(r Record) (start, end time.Time) {
	length := int64(l.config.TumblingWindowInSeconds)
	at := r.ApproximateCreationDateTime.Unix()
	return time.Unix(at-at%length, 0).UTC(), time.Unix(at-at%length+length, 0).UTC()
}

// sameWindow says whether two records may be in one batch.
func (l *lane) sameWindow(a, b Record) bool {
	if l.config.TumblingWindowInSeconds == 0 {
		return true
	}
	start, _ := l.windowOf(a)
	other, _ := l.windowOf(b)
	return start.Equal(other)
}

// openWindow opens the window of the record that comes next, if none is open.
func (l *lane) openWindow(r Record) {
	if l.config.TumblingWindowInSeconds == 0 || l.window != nil {
		return
	}
	start, end := l.windowOf(r)
	l.setWindow(&window{start, end, json.RawMessage(emptyState)})
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

// windowIsOver says whether the window that is open has had its last record, and if not, how long it can still get one without news. The
// caller holds the shard's mu.
func (l *lane) windowIsOver() (over bool, wait time.Duration) {
	if l.window == nil {
		return false, never
	}
	if len(l.queue) > 0 {
		start, _ := l.windowOf(l.queue[0].Record)
		if !start.Equal(l.window.Start) {
			return true, 0
		}
	} else if l.ended {
		return true, 0
	}
	last := l.window.End.Add(windowGrace)
	wait = max(last.Sub(l.opts.Clock.Now()), 0)
	switch {
	case wait > 0:
		return false, wait
	case len(l.queue) > 0:
		return false, 0
	case l.idle && !l.readAt.Before(last):
		return true, 0
	}
	l.rouse() // the reader looks once more
	return false, never
}

// keepState takes in the state after records that the function did.
func (l *lane) keepState(b batch, state []byte) {
	w := *l.window
	w.State = state
	l.setWindow(&w)
	l.finish(b.places, b.size(), func(c *checkpoint) { c.Window = &w })
}

// endWindow makes the final invocation of the window that is open. Nothing of the shard is delivered until it succeeds.
func (l *lane) endWindow(ctx context.Context, early bool) {
	for failures := 0; ctx.Err() == nil; failures++ {
		result, err := l.invoke(nil, failures, early)
		e := Event{Kind: Retrying, Attempt: failures + 1, RequestID: result.RequestID, Payload: result.Payload}
		if err != nil {
			e.Kind, e.Error = NotInvoked, err.Error()
		} else {
			_, e.Error = judge(result, nil, l.config.ReportBatchItemFailures)
			if _, stated := stateOf(result.Payload); e.Error == "" && !stated {
				e.Error = noState
			}
			if e.Error == "" {
				l.progress.note(allWell)
				l.observe(Event{Kind: Succeeded, Attempt: failures + 1, RequestID: result.RequestID})
				l.setWindow(nil)
				l.progress.move(l.id, func(c *checkpoint) { c.Window = nil })
				return
			}
			l.progress.note(callFailed)
		}
		if !l.pause(ctx, e, failures) {
			return
		}
	}
}

// noState is why an invocation within a window failed that the function answered.
const noState = "the answer has no state, and the window needs one"

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
