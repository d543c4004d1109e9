package clock_test

import (
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/clock"
)

func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func fired(c <-chan time.Time) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestManualWakesInDueTime(t *testing.T) {
	m := clock.NewManual(start())
	one, _ := m.After(time.Second)
	two, _ := m.After(2 * time.Second)
	never, stop := m.After(time.Second)
	stop()
	stop()

	m.Advance(time.Second - 1)
	if fired(one) {
		t.Error("woke too early")
	}
	m.Advance(1)
	if !fired(one) || fired(two) || fired(never) {
		t.Error("after a second, the sleeper of one second alone must have woken")
	}
	if got, want := m.Now(), start().Add(time.Second); !got.Equal(want) {
		t.Errorf("it is %v, want %v", got, want)
	}
	m.Advance(time.Hour)
	if at := <-two; !at.Equal(start().Add(time.Hour + time.Second)) {
		t.Errorf("woke at %v", at)
	}
	if fired(one) {
		t.Error("woke twice")
	}
}

func TestManualAfterNothing(t *testing.T) {
	m := clock.NewManual(start())
	for _, d := range []time.Duration{0, -time.Second} {
		c, stop := m.After(d)
		if !fired(c) {
			t.Errorf("After(%v) does not fire at once", d)
		}
		stop()
	}
}

func TestManualAwaitSleepers(*testing.T) {
	m := clock.NewManual(start())
	var woken sync.WaitGroup
	for range 20 {
		woken.Go(func() {
			c, stop := m.After(time.Minute)
			defer stop()
			<-c
		})
	}
	m.AwaitSleepers(20)
	m.Advance(time.Minute)
	woken.Wait() // hangs if one was missed
}

func TestSystem(t *testing.T) {
	c := clock.System()
	before := time.Now()
	fire, stop := c.After(time.Millisecond)
	defer stop()
	if at := <-fire; at.Before(before) {
		t.Errorf("fired at %v, before %v", at, before)
	}
	if now := c.Now(); now.Before(before) {
		t.Errorf("now is %v, before %v", now, before)
	}
	fire, stop = c.After(time.Hour)
	stop()
	stop()
	if fired(fire) {
		t.Error("fired though it was stopped")
	}
}

func TestAwaitSleeper(t *testing.T) {
	m := clock.NewManual(start())
	_, stop := m.After(time.Minute) // somebody else
	defer stop()
	woke := make(chan time.Time, 1)
	go func() {
		c, _ := m.After(time.Second)
		woke <- <-c
	}()
	m.AwaitSleeper(time.Second)
	m.Advance(time.Second)
	if at := <-woke; !at.Equal(start().Add(time.Second)) {
		t.Errorf("woke at %v", at)
	}
	m.AwaitSleeper(59 * time.Second)
}
