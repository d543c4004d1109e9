package control

import (
	"maps"
	"slices"
	"time"
)

// QueueGauge is how a queue stands.
type QueueGauge struct {
	Queue                       string
	Visible, Invisible, Delayed int
	// Oldest is the age of the oldest message that was not deleted; 0 when there is none.
	Oldest time.Duration
}

// Gauges gives how every queue stands, ordered by name.
func (q *Queues) Gauges() []QueueGauge {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	var all []QueueGauge
	for _, name := range slices.Sorted(maps.Keys(q.queues)) {
		u, err := q.find(name)
		if err != nil {
			continue
		}
		g := QueueGauge{Queue: name}
		for _, m := range u.messages {
			g.Oldest = max(g.Oldest, now.Sub(m.Sent))
			switch {
			case !m.Visible.After(now):
				g.Visible++
			case m.Delayed:
				g.Delayed++
			default:
				g.Invisible++
			}
		}
		all = append(all, g)
	}
	return all
}

// Observe tells f of what happens to a queue's messages, by the names of SQS's metrics, from now on. f must not call the registry.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (q *Queues) Observe(f func(queue, metric string, value float64)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.observer = f
}

// observe tells of something that happened. The caller holds q.mu.
func (q *Queues) observe(queue, metric string, value float64) {
	if q.observer != nil {
		q.observer(queue, metric, value)
	}
}
