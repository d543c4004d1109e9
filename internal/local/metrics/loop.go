package metrics

import "time"

const (
	// coarse and fine are how often alarms are evaluated, by whether one has a period below a minute.
	coarse = time.Minute
	fine   = 10 * time.Second
	// activity is for how long something that happened is worth sampling: as long as SQS takes a queue for active.
	activity = 6 * time.Hour
	// caughtUp is how much is made up for, evaluation by evaluation, when the clock was set ahead.
	caughtUp = 24 * time.Hour
)

// Touch says that something happened that is worth sampling.
func (a *Alarms) Touch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active = a.opts.Clock.Now().Add(activity)
	if !a.running {
		a.wake()
	}
}

// wake makes the goroutine look at the alarms again, and starts it if there is none but should be. The caller holds a.mu.
func (a *Alarms) wake() {
	if a.running {
		select {
		case a.changed <- struct{}{}:
		default:
		}
		return
	}
	if a.closed || !a.needed() {
		return
	}
	a.running = true
	began := a.opts.Clock.Now()
	a.finished.Go(func() { a.run(began) })
}

// needed says whether there is anything to do each minute. The caller holds a.mu.
func (a *Alarms) needed() bool {
	return len(a.alarms) > 0 || a.opts.Sample != nil && a.opts.Clock.Now().Before(a.active)
}

// pace is how often there is something to do; false says never, and that the goroutine is over.
func (a *Alarms) pace() (time.Duration, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running = a.needed(); !a.running {
		return 0, false
	}
	for _, alarm := range a.alarms {
		if alarm.Rule.Period < coarse {
			return fine, true
		}
	}
	return coarse, true
}

// run does at the end of each minute, or of ten seconds, what is to be done then. Each is made up for when the clock was set ahead, so
// that an alarm goes through the states that it would have had.
func (a *Alarms) run(done time.Time) {
	for {
		every, more := a.pace()
		if !more {
			return
		}
		next := done.Truncate(every).Add(every)
		due, release := a.opts.Clock.After(next.Sub(a.opts.Clock.Now()))
		select {
		case <-due:
		case <-a.changed:
			release()
			continue
		case <-a.stop:
			release()
			return
		}
		release()
		now := a.opts.Clock.Now()
		if now.Sub(next) > caughtUp {
			next = now.Add(-caughtUp).Truncate(every)
		}
		for ; !next.After(now); next = next.Add(every) {
			a.tick(next)
			done = next
		}
	}
}

// tick is the end of a minute or of ten seconds.
func (a *Alarms) tick(at time.Time) {
	if a.opts.Sample != nil && at.Equal(at.Truncate(coarse)) {
		a.opts.Sample(at)
	}
	a.evaluate(at)
}
