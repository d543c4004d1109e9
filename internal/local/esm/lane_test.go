package esm_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/esm"
)

// inTwoLanes gives records of odd and of even numbers keys of their own, whose lanes differ with a factor of two.
func inTwoLanes(n int) string { return []string{"a", "b"}[n%2] }

// TestLaneThatFailsBlocksItselfAlone, and the checkpoint stays below it: what is past it comes again after a restart.
func TestLaneThatFailsBlocksItselfAlone(t *testing.T) {
	s := newStream(clock.NewManual(epoch))
	s.key = inTwoLanes
	s.put("shard-1", 1, 2, 3, 4)
	kept := newJournals()
	r := restoredRig(t, s, kept)
	m := r.create(func(c *esm.Config) { c.ParallelizationFactor, c.BatchSize = 2, 1 })
	calls := map[int]call{}
	for range 2 {
		c := <-r.calls
		calls[c.numbers[0]] = c
	}
	calls[1].fail()
	calls[2].ok(`{}`)
	r.expect(4).ok(`{}`)
	if places, err := r.Checkpoints(m.UUID); err != nil || places["shard-1"] != "" {
		t.Errorf("checkpoints %v, %v: record 1 is not done", places, err)
	}
	left := kept.copy()
	r.wait(time.Minute)
	r.expect(1).ok(`{}`)
	r.expect(3).ok(`{}`)
	r.caughtUp(m)
	if places, _ := r.Checkpoints(m.UUID); places["shard-1"] != sequence(4) {
		t.Errorf("checkpoints %v, want record 4", places)
	}
	again := restoredRig(t, s, left)
	seen := map[int]bool{}
	for range 4 {
		c := <-again.calls
		seen[c.numbers[0]] = true
		c.ok(`{}`)
	}
	if len(seen) != 4 {
		t.Errorf("after the restart came %v", seen)
	}
}

// TestKeyIsNeverInFlightTwice answers from many goroutines, and sees the records of each key one after the other.
func TestKeyIsNeverInFlightTwice(t *testing.T) {
	const keys, records = 20, 400
	s := newStream(clock.NewManual(epoch))
	s.key = func(n int) string { return fmt.Sprint(n % keys) }
	for n := range records {
		s.put("shard-1", n+1)
	}
	r := newRigOf(t, s)
	m := r.create(func(c *esm.Config) { c.ParallelizationFactor, c.BatchSize = 10, 7 })
	var mu sync.Mutex
	last, busy, done := [keys]int{}, [keys]bool{}, 0
	for done < records {
		c := <-r.calls
		mu.Lock()
		of := map[int]bool{}
		for _, n := range c.numbers {
			k := n % keys
			if busy[k] && !of[k] {
				t.Errorf("key %d is in flight twice", k)
			}
			if n <= last[k] {
				t.Errorf("record %d of key %d comes after %d", n, k, last[k])
			}
			of[k], busy[k], last[k] = true, true, n
		}
		done += len(c.numbers)
		mu.Unlock()
		go func() {
			mu.Lock()
			for k := range of {
				busy[k] = false
			}
			mu.Unlock()
			c.ok(`{}`)
		}()
	}
	r.caughtUp(m)
}
