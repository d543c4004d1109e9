package esm

import "time"

// The kinds of [Event].
const (
	// Invoking: a batch goes to the function.
	Invoking = "invoke"
	// Succeeded: the function is done with the batch.
	Succeeded = "success"
	// Partial: the function did the first records of a batch; Records are those that it left.
	Partial = "partial"
	// Failed: the function failed, or reported the first record of the batch.
	Failed = "failure"
	// NotInvoked: the function was not run, as it is throttled or gone.
	NotInvoked = "refused"
	// Retrying: the batch comes again after Pause.
	Retrying = "retry"
	// Bisected: the batch is now two.
	Bisected = "bisect"
	// Dropped: the records are given up, for the reason in Condition.
	Dropped = "drop"
	// Filtered: the records match no filter.
	Filtered = "filtered"
)

// Event is something that a mapping did.
type Event struct {
	Time                                     time.Time
	Kind                                     string
	Mapping, FunctionARN, StreamARN, ShardID string
	// Lane is which of the shard's batches side by side it is about, from 0.
	Lane int
	// Records are those that it is about; they are not the receiver's to change. The final invocation of a tumbling window has none.
	Records []Record
	// Attempt is how often the function was invoked with this batch.
	Attempt int
	// RequestID is the invocation's; "" where there was none.
	RequestID string
	// Error is what went wrong; Payload is the answer of a function that failed.
	Error   string
	Payload []byte
	// Condition is why records are dropped, as their destination reads it.
	Condition string
	// Destination is the ARN that is told of dropped records; "" for none.
	Destination string
	// Pause is how long the batch waits.
	Pause time.Duration
}

// observe tells of an event of the lane.
func (l *lane) observe(e Event) {
	e.ShardID, e.Lane = l.id, l.number
	l.poller.observe(e)
}

// observe tells of an event of the poller's mapping.
func (p *poller) observe(e Event) {
	if p.opts.Observe == nil {
		return
	}
	e.Time, e.Mapping, e.FunctionARN, e.StreamARN = p.opts.Clock.Now(), p.progress.uuid, p.config.FunctionARN, p.config.StreamARN
	p.opts.Observe(e)
}
