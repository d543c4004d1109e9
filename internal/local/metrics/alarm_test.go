package metrics

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/clock"
)

type ledger map[string][]byte

func (l ledger) Put(key string, entry any) { l[key], _ = json.Marshal(entry) }
func (l ledger) Delete(key string)         { delete(l, key) }
func (l ledger) Each(f func(string, []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if err := f(key, l[key]); err != nil {
			return err
		}
	}
	return nil
}

type rig struct {
	*Alarms
	clock *clock.Manual
	store *Store

	mu   sync.Mutex
	told []string
	fail error
}

func newRig(t *testing.T) *rig {
	c := clock.NewManual(start())
	r := &rig{clock: c, store: NewStore(c)}
	r.Alarms = NewAlarms(Options{Account: "000000000000", Region: "us-east-1", Clock: c, Store: r.store, Publish: func(arn, subject, message string) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !json.Valid([]byte(message)) {
			t.Errorf("the message is %s", message)
		}
		r.told = append(r.told, arn+" "+subject)
		return r.fail
	}})
	t.Cleanup(r.Close)
	return r
}

// minute lets a minute go by and waits until the alarms are evaluated.
func (r *rig) minute() {
	r.clock.AwaitSleepers(1)
	r.clock.Advance(time.Minute)
	r.clock.AwaitSleepers(1)
}

func errorsAlarm() Alarm {
	return Alarm{Name: "errors", ActionsEnabled: true, AlarmActions: []string{"arn:aws:sns:us-east-1:000000000000:ops"}, OKActions: []string{"arn:aws:sns:us-east-1:000000000000:fine"},
		Rule: Rule{Metric: Of("AWS/Lambda", "Errors", "FunctionName", "f"), Statistic: Sum, Period: time.Minute, EvaluationPeriods: 3, DatapointsToAlarm: 2, Comparison: "GreaterThanThreshold", Missing: NotBreaching}}
}

func TestAlarmLifeCycle(t *testing.T) {
	r := newRig(t)
	r.Put(errorsAlarm())
	state := func() string { return r.All()[0].State }
	if got := r.All()[0]; got.State != StateInsufficient || got.Reason != "Unchecked: Initial alarm creation" {
		t.Errorf("got %+v", got)
	}
	r.minute()
	if state() != StateOK {
		t.Fatalf("the state is %s", state())
	}
	fail := func() { r.store.Count(errorsAlarm().Rule.Metric, "Count", 1) }
	fail()
	r.minute()
	if state() != StateOK {
		t.Fatalf("after one minute with an error the state is %s", state())
	}
	fail()
	r.minute()
	if got := r.All()[0]; got.State != StateAlarm || !got.Transitioned.Equal(start().Add(3*time.Minute)) {
		t.Fatalf("got %+v", got)
	}
	for range 5 {
		r.minute()
	}
	if state() != StateOK {
		t.Fatalf("the state is %s", state())
	}
	want := []string{
		`arn:aws:sns:us-east-1:000000000000:fine OK: "errors" in US East (N. Virginia)`,
		`arn:aws:sns:us-east-1:000000000000:ops ALARM: "errors" in US East (N. Virginia)`,
		`arn:aws:sns:us-east-1:000000000000:fine OK: "errors" in US East (N. Virginia)`,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.told, want) {
		t.Errorf("told %q", r.told)
	}
	var kinds []string
	for _, h := range r.History() {
		kinds = append(kinds, h.Kind)
	}
	if wantKinds := []string{ConfigurationUpdate, StateUpdate, Action, StateUpdate, Action, StateUpdate, Action}; !slices.Equal(kinds, wantKinds) {
		t.Errorf("the history is %q", kinds)
	}
}

// A clock that is set ahead takes an alarm through the states that it would have had.
func TestAlarmCatchesUp(t *testing.T) {
	r := newRig(t)
	r.Put(errorsAlarm())
	r.clock.AwaitSleepers(1)
	for i := range 2 {
		r.store.Put(Datum{Metric: errorsAlarm().Rule.Metric, At: start().Add(time.Duration(i) * time.Minute), Unit: "Count", Stats: One(1)})
	}
	r.clock.Advance(time.Hour)
	r.clock.AwaitSleepers(1)
	var states []string
	for _, h := range r.History() {
		if h.Kind == StateUpdate {
			states = append(states, h.Summary)
		}
	}
	want := []string{"Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"}
	if !slices.Equal(states, want) {
		t.Errorf("the history is %q", states)
	}
}

func TestFineAlarm(t *testing.T) {
	r := newRig(t)
	alarm := errorsAlarm()
	alarm.Rule.Period, alarm.Rule.EvaluationPeriods, alarm.Rule.DatapointsToAlarm = 10*time.Second, 1, 1
	r.Put(alarm)
	r.store.Put(Datum{Metric: alarm.Rule.Metric, At: start(), Fine: true, Stats: One(1)})
	r.clock.AwaitSleepers(1)
	r.clock.Advance(10 * time.Second)
	r.clock.AwaitSleepers(1)
	if got := r.All()[0]; got.State != StateAlarm || !got.Updated.Equal(start().Add(10*time.Second)) {
		t.Errorf("got %+v", got)
	}
}

func TestSetStateAndActions(t *testing.T) {
	r := newRig(t)
	r.fail = errors.New("no such topic")
	r.Put(errorsAlarm())
	r.EnableActions([]string{"errors", "none"}, false)
	if err := r.SetState("errors", StateAlarm, "a test", "{}"); err != nil {
		t.Fatal(err)
	}
	r.EnableActions([]string{"errors"}, true)
	if err := r.SetState("errors", StateOK, "a test", "{}"); err != nil {
		t.Fatal(err)
	}
	history := r.History()
	if last := history[len(history)-1]; len(r.told) != 1 || last.Summary != "Failed to execute action arn:aws:sns:us-east-1:000000000000:fine" {
		t.Errorf("told %q, last %+v", r.told, last)
	}
	if err := r.SetState("none", StateOK, "a test", ""); err == nil {
		t.Error("an alarm that is not there has a state")
	}
}

// Without alarms nothing runs.
func TestIdle(t *testing.T) {
	r := newRig(t)
	r.Put(errorsAlarm())
	r.clock.AwaitSleepers(1)
	if err := r.Delete([]string{"errors"}); err != nil {
		t.Fatal(err)
	}
	r.finished.Wait() // hangs if the goroutine lives on
	r.Put(errorsAlarm())
	r.minute()
	if got := r.All()[0].State; got != StateOK {
		t.Errorf("an alarm that came later is %s", got)
	}
}

func TestRestoreAlarms(t *testing.T) {
	journal, c := ledger{}, clock.NewManual(start())
	made := NewAlarms(Options{Clock: c, Store: NewStore(c)})
	defer made.Close()
	if err := made.Restore(journal); err != nil {
		t.Fatal(err)
	}
	made.Put(errorsAlarm())
	if err := made.SetState("errors", StateAlarm, "a test", ""); err != nil {
		t.Fatal(err)
	}
	restored := NewAlarms(Options{Clock: c, Store: NewStore(c)})
	defer restored.Close()
	if err := restored.Restore(journal); err != nil {
		t.Fatal(err)
	}
	if got, want := restored.All(), made.All(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// BenchmarkEvaluate is one minute of 300 alarms.
func BenchmarkEvaluate(b *testing.B) {
	c := clock.NewManual(start())
	a := NewAlarms(Options{Clock: c, Store: NewStore(c)})
	defer a.Close()
	for i := range 300 {
		alarm := errorsAlarm()
		alarm.Name = time.Duration(i).String()
		alarm.Rule.Metric = Of("AWS/Lambda", "Errors", "FunctionName", alarm.Name)
		a.Put(alarm)
	}
	for b.Loop() {
		a.evaluate(start())
	}
}
