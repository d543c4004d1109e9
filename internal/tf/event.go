package tf

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
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
	// InitOutput is a line about what terraform init does; it has a Message only. OpenTofu has none.
	InitOutput Kind = "init_output"
)

// Event is one thing that terraform does or has done.
type Event struct {
	Kind Kind
	// Address is the resource's, such as "aws_dynamodb_table.orders".
	Address string
	Action  Action
	// Elapsed is how long the action has taken, to the second; zero where terraform does not say.
	Elapsed time.Duration
	// IDKey and ID name the resource as the provider does, where that is known.
	IDKey, ID string
	// Message is terraform's own sentence.
	Message string
}

// message is a line of terraform's machine-readable output.
type message struct {
	Text       string          `json:"@message"`
	Type       string          `json:"type"`
	Hook       hook            `json:"hook"`
	Change     change          `json:"change"`
	Changes    *Summary        `json:"changes"`
	Diagnostic *wireDiagnostic `json:"diagnostic"`
}

type hook struct {
	Resource resource `json:"resource"`
	Action   Action   `json:"action"`
	IDKey    string   `json:"id_key"`
	ID       string   `json:"id_value"`
	Elapsed  float64  `json:"elapsed_seconds"`
}

type change struct {
	Resource resource `json:"resource"`
	Previous resource `json:"previous_resource"`
	Action   Action   `json:"action"`
	Reason   string   `json:"reason"`
}

type resource struct {
	Address string `json:"addr"`
}

// transcript is what a terraform command said.
type transcript struct {
	diagnostics    []Diagnostic
	changes, drift []ResourceChange
	summary        Summary
	// other holds lines that are not messages, such as a crash report.
	other []string
	exit  exit
}

// maxOther bounds how many lines are kept that nobody understands.
const maxOther = 50

// stream runs a command that has -json output, passes events on and keeps the rest. The transcript
// is valid beside an error.
func (t *Terraform) stream(ctx context.Context, op string, args []string) (transcript, error) {
	var said transcript
	var err error
	said.exit, err = t.run(ctx, op, args, func(line []byte) {
		if e, ok := said.add(line); ok && t.Progress != nil {
			t.Progress(e)
		}
	})
	if err == nil && said.exit.orderly && (said.exit.code == 0 || op == "plan" && said.exit.code == 2) {
		return said, nil
	}
	return said, t.failed(ctx, op, said, err)
}

// failed makes the error of a command that did not succeed.
func (t *Terraform) failed(ctx context.Context, op string, said transcript, err error) error {
	stopped := t.ready(ctx)
	switch {
	case err != nil:
	case stopped != nil && said.exit.orderly:
		err = fmt.Errorf("stopped in good order: %w", stopped)
	case stopped != nil:
		err = fmt.Errorf("killed: %w", stopped)
	case !said.exit.orderly:
		err = fmt.Errorf("%s crashed or was killed", t.Binary.Product)
	default:
		err = fmt.Errorf("exit code %d", said.exit.code)
	}
	if text := strings.TrimSpace(strings.Join(append(said.other, said.exit.stderr), "\n")); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return &Error{Product: t.Binary.Product, Op: op, Diagnostics: said.diagnostics, Err: err, Stopped: stopped != nil}
}

// add takes one line. It gives an event when the line is one.
func (s *transcript) add(line []byte) (Event, bool) {
	var m message
	if json.Unmarshal(line, &m) != nil {
		if text := strings.TrimSpace(string(line)); text != "" && len(s.other) < maxOther {
			s.other = append(s.other, text)
		}
		return Event{}, false
	}
	switch m.Type {
	case "diagnostic":
		if m.Diagnostic != nil {
			s.diagnostics = append(s.diagnostics, m.Diagnostic.diagnostic())
		}
	case "planned_change":
		s.changes = append(s.changes, m.Change.resourceChange())
	case "resource_drift":
		s.drift = append(s.drift, m.Change.resourceChange())
	case "change_summary":
		if m.Changes != nil {
			s.summary = *m.Changes
		}
	case string(InitOutput):
		return Event{Kind: InitOutput, Message: m.Text}, true
	case string(RefreshStart), string(RefreshComplete), string(ApplyStart), string(ApplyProgress), string(ApplyComplete), string(ApplyErrored):
		return Event{
			Kind: Kind(m.Type), Address: m.Hook.Resource.Address, Action: m.Hook.Action,
			Elapsed: time.Duration(m.Hook.Elapsed * float64(time.Second)), IDKey: m.Hook.IDKey, ID: m.Hook.ID, Message: m.Text,
		}, true
	}
	return Event{}, false
}

func (c change) resourceChange() ResourceChange {
	return ResourceChange{Address: c.Resource.Address, Action: c.Action, Previous: c.Previous.Address, Reason: c.Reason}
}
