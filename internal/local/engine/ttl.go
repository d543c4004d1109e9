package engine

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"streamgen/internal/local/attr"
)

const (
	// sweepInterval is how often expired items are deleted. AWS promises days.
	sweepInterval = time.Second
	// maxExpiryAge is how long ago an item may have expired: an older time is taken for an accident.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
	maxExpiryAge = 5 * 365 * 24 * time.Hour
)

// TimeToLive is the attribute that holds the items' expiry, "" when time to live is off.
func (e *Engine) TimeToLive(name string) (attribute string, err error) {
	err = e.inspect(name, noTable, func(t *table) error {
		attribute = t.settings.TimeToLive
		return nil
	})
	return attribute, err
}

// SetTimeToLive turns time to live on or off. While it is on, an item whose attribute is a number of seconds since 1970 that have
// passed is deleted within a second, which its stream shows as the service's own doing.
func (e *Engine) SetTimeToLive(name, attribute string, enabled bool) error {
	err := e.configure(name, noTable, func(t *table) error {
		switch {
		case enabled && t.strong():
			return validation("Time to Live is not supported for global tables with MultiRegionConsistency set to STRONG")
		case !enabled && t.settings.TimeToLive == "":
			return validation("TimeToLive is already disabled")
		case t.settings.TimeToLive != "" && t.settings.TimeToLive != attribute:
			return validation("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.settings.TimeToLive)
		case enabled && t.settings.TimeToLive != "":
			return validation("TimeToLive is already enabled")
		}
		t.settings.TimeToLive = ""
		if enabled {
			t.settings.TimeToLive = attribute
		}
		t.rememberExpiries()
		return nil
	})
	if err == nil && enabled {
		e.startExpiry()
	}
	return err
}

// rememberExpiries finds anew when which item expires.
func (t *table) rememberExpiries() {
	t.expiries = newStore[struct{}]()
	if t.settings.TimeToLive == "" {
		return
	}
	for key, item := range t.items.ascend("", "") {
		t.rememberExpiry(key, item)
	}
}

// startExpiry begins to sweep, once, unless the engine is closed.
func (e *Engine) startExpiry() {
	e.life.Lock()
	defer e.life.Unlock()
	if e.closing != nil || e.closed {
		return
	}
	closing := make(chan struct{})
	e.closing = closing
	tick, stop := e.options.Clock.After(sweepInterval) // now: a clock that is moved next must find it
	e.expiry.Go(func() {
		for {
			select {
			case <-tick:
				e.sweep()
				tick, stop = e.options.Clock.After(sweepInterval)
			case <-closing:
				stop()
				return
			}
		}
	})
}

func (e *Engine) sweep() {
	e.mu.RLock()
	tables := make([]*table, 0, len(e.tables))
	for _, t := range e.tables {
		tables = append(tables, t)
	}
	e.mu.RUnlock()
	now := e.options.Clock.Now()
	for _, t := range tables {
		t.expire(now)
	}
}

// expire deletes the items that have expired.
func (t *table) expire(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.deleted {
		return
	}
	defer begin(t.journal)()
	var due []string
	for entry := range t.expiries.ascend(expiryKey(now.Add(-maxExpiryAge).Unix(), ""), expiryKey(now.Unix(), "")) {
		due = append(due, entry[8:])
	}
	for _, key := range due {
		item, _ := t.items.get(key)
		t.replace(key, item, nil, now, true)
	}
}

// expiryKey sorts by time of expiry.
func expiryKey(seconds int64, key string) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(max(seconds, 0)))) + key
}

func (t *table) rememberExpiry(key string, item attr.Item) {
	if seconds, ok := t.expiry(item); ok {
		t.expiries.set(expiryKey(seconds, key), struct{}{})
	}
}

func (t *table) forgetExpiry(key string, item attr.Item) {
	if seconds, ok := t.expiry(item); ok {
		t.expiries.delete(expiryKey(seconds, key))
	}
}

// expiry is when an item expires, in seconds since 1970.
func (t *table) expiry(item attr.Item) (seconds int64, ok bool) {
	v := item[t.settings.TimeToLive]
	if t.settings.TimeToLive == "" || v.Type() != attr.N {
		return 0, false
	}
	whole, _, _ := strings.Cut(v.Text(), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	return seconds, err == nil && seconds >= 0
}
