package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"streamgen/internal/local/clock"
)

func TestOffsetRunsAndSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := clock.NewOffset()
		if !o.Now().Equal(time.Now()) {
			t.Errorf("it is %v before the first move, want the machine's %v", o.Now(), time.Now())
		}
		hour, _ := o.After(time.Hour)
		day, _ := o.After(24 * time.Hour)
		never, stop := o.After(time.Hour)
		stop()
		stop()
		o.Advance(time.Hour - time.Second)
		if fired(hour) {
			t.Error("woke too early")
		}
		o.Advance(time.Second)
		if !fired(hour) || fired(day) || fired(never) {
			t.Error("after an hour, the sleeper of one hour alone must have woken")
		}
		if got, want := o.Now(), time.Now().Add(time.Hour); !got.Equal(want) {
			t.Errorf("it is %v, want %v", got, want)
		}
		begin := time.Now()
		<-day
		if got := time.Since(begin); got != 23*time.Hour {
			t.Errorf("the rest of a day took %v of the machine's time, want 23 h", got)
		}
		at := <-after(o, time.Second)
		if want := time.Now().Add(time.Hour); !at.Equal(want) {
			t.Errorf("a sleeper that was begun later woke at %v, want %v", at, want)
		}
	})
}

func after(c clock.Clock, d time.Duration) <-chan time.Time {
	woke, _ := c.After(d)
	return woke
}
