package esm_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/esm"
)

// events keeps what a mapping tells, shortened.
type events struct {
	mu  sync.Mutex
	all []string
}

func (o *events) add(e esm.Event) {
	text := fmt.Sprintf("%s %d", e.Kind, len(e.Records))
	if e.Pause > 0 {
		text += " " + e.Pause.String()
	}
	if e.Condition != "" {
		text += " " + e.Condition
	}
	if e.Error != "" {
		text += " " + e.Error
	}
	if e.Kind == esm.Failed {
		text += " " + string(e.Payload)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, text)
}

func (o *events) list() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.all)
}

// TestObserve sees a batch of two to its end: tried twice as a whole, then its second record alone, which is given up.
func TestObserve(t *testing.T) {
	var told events
	r := newRigWith(t, func(o *esm.Options) { o.Observe = told.add })
	r.stream.put("shard-1", 1, 2)
	r.create(func(c *esm.Config) {
		c.MaximumRetryAttempts, c.ReportBatchItemFailures, c.OnFailure = 1, true, queueARN
	})
	r.expect(1, 2).fail()
	r.wait(time.Second)
	r.expect(1, 2).failItems(2)
	r.expect(2).fail()
	r.wait(time.Second)
	r.expect(2).failItems(2)
	<-r.documents
	r.stream.put("shard-1", 3)
	r.expect(3).ok(`{}`)
	want := []string{
		"invoke 2", `failure 2 Unhandled {"errorMessage":"no"}`, "retry 2 500ms", "invoke 2", "partial 1",
		"invoke 1", `failure 1 Unhandled {"errorMessage":"no"}`, "retry 1 500ms",
		"invoke 1", `failure 1 the answer reports the first record {"batchItemFailures":[{"itemIdentifier":"` + sequence(2) + `"}]}`,
		"drop 1 RetryAttemptsExhausted", "invoke 1",
	}
	if diff := cmp.Diff(want, told.list()[:len(want)]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
