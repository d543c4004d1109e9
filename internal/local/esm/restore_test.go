package esm_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/esm"
)

// ledger is a journal in memory.
type ledger struct {
	mu      sync.Mutex
	entries map[string][]byte
}

func newLedger() *ledger { return &ledger{entries: map[string][]byte{}} }

func (l *ledger) Put(key string, entry any) {
	text, err := json.Marshal(entry)
	if err != nil {
		panic(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[key] = text
}

func (l *ledger) Delete(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, key)
}

func (l *ledger) Each(f func(string, []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(l.entries)) {
		if err := f(key, l.entries[key]); err != nil {
			return err
		}
	}
	return nil
}

// copy is what a crash leaves at this moment.
func (l *ledger) copy() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &ledger{entries: maps.Clone(l.entries)}
}

type journals struct{ mappings, checkpoints *ledger }

func newJournals() journals { return journals{newLedger(), newLedger()} }

func (j journals) copy() journals { return journals{j.mappings.copy(), j.checkpoints.copy()} }

func restoredRig(t *testing.T, s *stream, j journals) *rig {
	t.Helper()
	r := newRigOf(t, s)
	if err := r.Restore(j.mappings, j.checkpoints); err != nil {
		t.Fatal(err)
	}
	return r
}

// A mapping goes on after what was done when the process ended: what was in flight comes again, what was before LATEST never does.
func TestRestoredMappingGoesOn(t *testing.T) {
	s := newStream(clock.NewManual(epoch))
	s.put("shard-1", 1, 2)
	kept := newJournals()
	r := restoredRig(t, s, kept)
	m := r.create(func(c *esm.Config) { c.StartingPosition, c.BatchSize = esm.Latest, 1 })
	if err := r.UpdateTags(m.UUID, func(tags map[string]string) { tags["k"] = "v" }); err != nil {
		t.Fatal(err)
	}
	s.put("shard-1", 3, 4, 5)
	r.expect(3).ok(`{}`)
	r.expect(4) // and the process dies
	left := kept.copy()

	again := restoredRig(t, s, left)
	want, err := r.Get(m.UUID)
	if err != nil {
		t.Fatal(err)
	}
	want.LastProcessingResult = "No records processed" // since it was restored
	if got, err := again.Get(m.UUID); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	again.expect(4).ok(`{}`)
	again.expect(5).ok(`{}`)
	s.close("shard-1")
	s.open("shard-2", "shard-1")
	s.put("shard-2", 6)
	again.expect(6)
	restoredRig(t, s, left.copy()).expect(6)
}

func TestRestoredMappingsAreWhatTheyWere(t *testing.T) {
	s := newStream(clock.NewManual(epoch))
	kept := newJournals()
	r := restoredRig(t, s, kept)
	names := []string{"c", "a", "b", "d"}
	var all []esm.Mapping
	for _, name := range names {
		all = append(all, r.create(func(c *esm.Config) {
			c.FunctionARN, c.Enabled, c.StartingPosition = functionARN+name, false, esm.Latest
		}))
	}
	if _, err := r.Update(all[0].UUID, func(c *esm.Config) error { c.BatchSize = 7; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Delete(all[3].UUID); err != nil {
		t.Fatal(err)
	}
	again := restoredRig(t, s, kept.copy())
	if diff := cmp.Diff(r.List(), again.List()); diff != "" {
		t.Error(diff)
	}
	// One that was never enabled takes its place when it is.
	s.put("shard-1", 1)
	if _, err := again.Update(all[1].UUID, func(c *esm.Config) error { c.Enabled = true; return nil }); err != nil {
		t.Fatal(err)
	}
	s.put("shard-1", 2)
	again.expect(2)
	// A new one comes after them.
	last := again.create(func(c *esm.Config) { c.FunctionARN, c.Enabled = functionARN+"e", false })
	list := restoredRig(t, s, journals{kept.mappings.copy(), newLedger()}).List()
	if got := again.List(); got[len(got)-1].UUID != last.UUID || len(list) != 3 {
		t.Errorf("%d mappings, of which the last is %s; %d are kept in the copy", len(got), got[len(got)-1].UUID, len(list))
	}
}

func TestDeletedMappingLeavesNothing(t *testing.T) {
	s := newStream(clock.NewManual(epoch))
	kept := newJournals()
	r := restoredRig(t, s, kept)
	m := r.create(func(c *esm.Config) { c.BatchSize = 1 })
	s.put("shard-1", 1, 2)
	r.expect(1).ok(`{}`)
	inFlight := r.expect(2)
	if _, err := r.Delete(m.UUID); err != nil {
		t.Fatal(err)
	}
	inFlight.ok(`{}`)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(kept.mappings.entries)+len(kept.checkpoints.entries) > 0 {
		t.Errorf("left are %s and %s", kept.mappings.entries, kept.checkpoints.entries)
	}
	// What an older process left of one goes when it is restored.
	kept.checkpoints.Put("1234/shard-1", struct{}{})
	restoredRig(t, s, kept)
	if len(kept.checkpoints.entries) > 0 {
		t.Errorf("left are %s", kept.checkpoints.entries)
	}
}

// The stream of a mapping may be gone a day after it was disabled.
func TestRestoreWithoutTheStream(t *testing.T) {
	s := newStream(clock.NewManual(epoch))
	kept := newJournals()
	m := restoredRig(t, s, kept).create(nil)
	for key, text := range kept.mappings.entries {
		kept.mappings.entries[key] = []byte(strings.ReplaceAll(string(text), "table/orders", "table/gone"))
	}
	again := restoredRig(t, s, kept)
	if got, err := again.Get(m.UUID); err != nil || got.State != esm.Enabled {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := again.Delete(m.UUID); err != nil {
		t.Error(err)
	}
}
