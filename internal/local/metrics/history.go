package metrics

import (
	"encoding/json"
	"fmt"
	"time"
)

// The kinds of [HistoryItem].
const (
	ConfigurationUpdate = "ConfigurationUpdate"
	StateUpdate         = "StateUpdate"
	Action              = "Action"
)

// HistoryItem is something that happened to an alarm.
type HistoryItem struct {
	Alarm string
	At    time.Time
	// Kind is one of the constants above.
	Kind, Summary string
	// Data is JSON.
	Data string
}

// The history of a region's alarms is in memory alone, and bounded.
const (
	keptHistory = 30 * 24 * time.Hour
	maxHistory  = 2000
)

// History gives what happened to alarms, the oldest first.
func (a *Alarms) History() []HistoryItem {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []HistoryItem
	oldest := a.opts.Clock.Now().Add(-keptHistory)
	for _, item := range a.history {
		if !item.At.Before(oldest) {
			all = append(all, item)
		}
	}
	return all
}

// note adds to the history. The caller holds a.mu.
func (a *Alarms) note(alarm string, at time.Time, kind, summary string, data any) {
	text := "{}"
	if data != nil {
		written, _ := json.Marshal(data) // texts and what was JSON before
		text = string(written)
	}
	a.history = append(a.history, HistoryItem{alarm, at, kind, summary, text})
	if len(a.history) > maxHistory {
		a.history = append(a.history[:0:0], a.history[len(a.history)-maxHistory:]...)
	}
}

type stateOf struct {
	Value  string          `json:"stateValue"`
	Reason string          `json:"stateReason"`
	Data   json.RawMessage `json:"stateReasonData,omitempty"`
}

func stateIn(a *Alarm) stateOf {
	s := stateOf{Value: a.State, Reason: a.Reason}
	if json.Valid([]byte(a.ReasonData)) { // what SetAlarmState gave may be no JSON
		s.Data = json.RawMessage(a.ReasonData)
	}
	return s
}

func (a *Alarms) noteState(was, is *Alarm, at time.Time) {
	a.note(is.Name, at, StateUpdate, fmt.Sprintf("Alarm updated from %s to %s", was.State, is.State), struct {
		Version  string  `json:"version"`
		OldState stateOf `json:"oldState"`
		NewState stateOf `json:"newState"`
	}{"1.0", stateIn(was), stateIn(is)})
}

func (a *Alarms) noteAction(n notice, err error) {
	state, summary, problem := "Succeeded", "Successfully executed action "+n.receiver, ""
	if err != nil {
		state, summary, problem = "Failed", "Failed to execute action "+n.receiver, err.Error()
	}
	a.note(n.alarm.Name, n.at, Action, summary, struct {
		State    string `json:"actionState"`
		Update   string `json:"stateUpdateTimestamp"`
		Resource string `json:"notificationResource"`
		Error    string `json:"error,omitempty"`
	}{state, timestamp(n.at), n.receiver, problem})
}
