package esm_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/esm"
)

// TestMetrics sums what a mapping counts: of four records one is filtered out, two are reported to the destination and one is dropped.
func TestMetrics(t *testing.T) {
	var mu sync.Mutex
	sums := map[string]float64{}
	r := newRigWith(t, func(o *esm.Options) {
		o.Metrics = func(m esm.Metric) {
			name, value := m.Name, m.Value
			mu.Lock()
			defer mu.Unlock()
			sums[name] += value
		}
	})
	r.stream.put("shard-1", 1, 2, 3)
	m := r.create(func(c *esm.Config) {
		c.EventCount, c.MaximumRetryAttempts, c.OnFailure = true, 0, queueARN
		c.Filters = []string{`{"n":[1,2,4]}`}
	})
	r.expect(1, 2).fail()
	<-r.documents
	r.caughtUp(m)
	r.update(m.UUID, func(c *esm.Config) { c.OnFailure += "-gone" })
	r.stream.put("shard-1", 4)
	r.expect(4).fail()
	r.caughtUp(m)
	mu.Lock()
	defer mu.Unlock()
	want := map[string]float64{
		esm.PolledEventCount: 4, esm.FilteredOutEventCount: 1, esm.InvokedEventCount: 3, esm.FailedInvokeEventCount: 3,
		esm.OnFailureDestinationDeliveredEventCount: 2, esm.DroppedEventCount: 1, esm.DestinationDeliveryFailures: 1, esm.IteratorAge: 0,
	}
	if diff := cmp.Diff(want, sums); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}
