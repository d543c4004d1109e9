package progress

import (
	"time"
)

// Kind says what an event is about.
type Kind string

// The kinds are terraform's own names for the messages of its machine-readable output:
// https://developer.hashicorp.com/terraform/internals/machine-readable-ui
const (
	RefreshStart    Kind = "refresh_start"
	RefreshComplete Kind = "refresh_complete"
	ApplyStart      Kind = "apply_start"
	ApplyProgress   Kind = "apply_progress"
	ApplyComplete   Kind = "apply_complete"
	ApplyErrored    Kind = "apply_errored"
)

// What the stream of events has beside terraform's kinds; docs/cli.md describes them.
const (
	expected    Kind = "expected"
	stopping    Kind = "stopping"
	applyCutOff Kind = "apply_cut_off"
	end         Kind = "end"
)

// Event is one thing that a terraform does or has done. Events of any other kind are not shown.
type Event struct {
	Kind Kind
	// Stack is the root module that the terraform works on; empty where there is only one.
	Stack string
	// Address is the resource's, Name what the spec calls the entry that it belongs to, such as "table orders"; empty where none does.
	Address, Name string
	// Action is what is done, in terraform's words: "create", "update", "delete"; "read" for a data source. A refresh needs none.
	Action string
	// Elapsed is how long it has taken, as far as terraform says.
	Elapsed time.Duration
}

// record is a line of the stream of events. Its names and meanings stay.
type record struct {
	Event   Kind      `json:"event"`
	Time    time.Time `json:"time"`
	Stack   string    `json:"stack,omitempty"`
	Address string    `json:"address,omitempty"`
	Name    string    `json:"name,omitempty"`
	Action  string    `json:"action,omitempty"`
	Elapsed *float64  `json:"elapsed_seconds,omitempty"`
	Changes *int      `json:"changes,omitempty"`
	*result
}

// result is what the last record says.
type result struct {
	Done   int `json:"done"`
	Failed int `json:"failed"`
	CutOff int `json:"cut_off"`
}

func (e Event) record() record {
	r := record{Event: e.Kind, Stack: e.Stack, Address: e.Address, Name: e.Name, Action: e.Action}
	switch e.Kind {
	case ApplyProgress, ApplyComplete, ApplyErrored, applyCutOff:
		seconds := e.Elapsed.Seconds()
		r.Elapsed = &seconds
	}
	return r
}

// emit writes a record. Once writing has failed, no more is written: what came after a gap would mislead.
func (d *Display) emit(r record) {
	if d.events == nil || d.eventsErr != nil {
		return
	}
	r.Time = d.now().UTC().Truncate(time.Millisecond)
	d.eventsErr = d.events.Encode(r)
}
