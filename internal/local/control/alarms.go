package control

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/clock"
)

// Alarm is a metric alarm: what it was described as, of whatever form, and its tags. Nothing is measured here, so that its state
// stays INSUFFICIENT_DATA.
type Alarm[D any] struct {
	Name, ARN   string
	Description D
	Tags        map[string]string
	Updated     time.Time
}

// Alarms is the registry of one region's alarms. It is safe for concurrent use.
type Alarms[D any] struct {
	account, region string
	clock           clock.Clock

	mu      sync.Mutex
	alarms  map[string]Alarm[D]
	journal Journal // nil keeps nothing
}

// NewAlarms gives an empty registry.
func NewAlarms[D any](account, region string, c clock.Clock) *Alarms[D] {
	return &Alarms[D]{account: account, region: region, clock: c, alarms: map[string]Alarm[D]{}}
}

// Restore takes in the alarms that the journal has, and tells it of every change from then on. It comes before all other calls.
func (a *Alarms[D]) Restore(j Journal) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.journal = j
	return each(j, func(name string, alarm Alarm[D]) { a.alarms[name] = alarm })
}

// keep tells the journal of an alarm that changed.
func (a *Alarms[D]) keep(alarm Alarm[D]) {
	if a.journal != nil {
		a.journal.Put(alarm.Name, alarm)
	}
}

// Put makes an alarm or describes it anew. Tags are those of a new one; one that is there keeps its own.
func (a *Alarms[D]) Put(name string, description D, tags map[string]string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alarm, there := a.alarms[name]
	if !there {
		alarm = Alarm[D]{Name: name, ARN: fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", a.region, a.account, name), Tags: maps.Clone(tags)}
		if alarm.Tags == nil {
			alarm.Tags = map[string]string{}
		}
	}
	alarm.Description, alarm.Updated = description, a.clock.Now()
	a.alarms[name] = alarm
	a.keep(alarm)
}

// All gives every alarm by name.
func (a *Alarms[D]) All() []Alarm[D] {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]Alarm[D], 0, len(a.alarms))
	for _, name := range slices.Sorted(maps.Keys(a.alarms)) {
		alarm := a.alarms[name]
		alarm.Tags = maps.Clone(alarm.Tags)
		all = append(all, alarm)
	}
	return all
}

// Delete removes alarms; all of them must be there.
func (a *Alarms[D]) Delete(names []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		if _, there := a.alarms[name]; !there {
			return &Error{"ResourceNotFound", "Unable to find alarm " + name}
		}
	}
	for _, name := range names {
		delete(a.alarms, name)
		if a.journal != nil {
			a.journal.Delete(name)
		}
	}
	return nil
}

// UpdateTags applies change to the tags of the alarm of an ARN.
func (a *Alarms[D]) UpdateTags(arn string, change func(tags map[string]string)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alarm := range a.alarms {
		if alarm.ARN == arn {
			change(alarm.Tags)
			a.keep(alarm)
			return nil
		}
	}
	return &Error{"ResourceNotFoundException", "Unable to find the alarm " + arn}
}
