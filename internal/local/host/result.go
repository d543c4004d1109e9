package host

import (
	"encoding/json"
	"fmt"
	"time"
)

// Result is what an invocation gave.
type Result struct {
	// Payload is the function's answer, or says what failed.
	Payload []byte
	// FunctionError is "Unhandled" when the invocation failed, else "".
	FunctionError string
	// RequestID is the invocation's id, which its log lines carry.
	RequestID string
	// ExecutedVersion is the version that ran, a number or [Latest].
	ExecutedVersion string
	// LogTail is the last 4 KB of what the invocation logged.
	LogTail string
	// Duration is how long the function took, without the start of a process.
	Duration time.Duration
}

// outcome is how an invocation ended.
type outcome struct {
	payload []byte
	status  string // "success", "error" or "timeout"
	kind    string // the error's type where Lambda itself found the failure
	line    string // the log line for it, if any
}

var tooLargeMessage = fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxResponse)

func (a answer) outcome() *outcome {
	switch {
	case a.tooLarge:
		o := found("Function.ResponseSizeTooLarge", tooLargeMessage)
		return &o
	case a.failed:
		return &outcome{payload: a.payload, status: "error"}
	default:
		return &outcome{payload: a.payload, status: "success"}
	}
}

// found is a failure that Lambda itself reports.
func found(kind, message string) outcome {
	payload, _ := json.Marshal(struct { // strings only: cannot fail
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	return outcome{payload: payload, status: "error", kind: kind, line: message}
}

func timedOut(id string, timeout time.Duration) outcome {
	message := fmt.Sprintf("Task timed out after %.2f seconds", timeout.Seconds())
	o := found("Sandbox.Timedout", "RequestId: "+id+" Error: "+message)
	o.status, o.line = "timeout", id+" "+message
	return o
}

func exitedEarly(id, reason string) outcome {
	return found("Runtime.ExitError", "RequestId: "+id+" Error: "+reason)
}

func invalidEntrypoint(id string, err error) outcome {
	return found("Runtime.InvalidEntrypoint", "RequestId: "+id+" Error: "+err.Error())
}

// stillborn reports an invocation that no process took.
func (r *revision) stillborn(log *logStream, id string, o outcome, spent time.Duration) Result {
	r.started(log, id)
	return r.report(log, nil, id, o, spent)
}

// report writes an invocation's last log lines and gives its result. p may be nil.
func (r *revision) report(log *logStream, p *process, id string, o outcome, spent time.Duration) Result {
	m := metrics{spent: spent}
	if p != nil {
		m.init, p.init = p.init, 0
		m.memory = p.peakMemory()
	}
	if r.function.LogFormat == JSON {
		r.reportJSON(log, id, o, m)
	} else {
		r.reportText(log, id, o, m)
	}
	result := Result{Payload: o.payload, RequestID: id, LogTail: log.takeTail(), ExecutedVersion: r.function.Version, Duration: spent}
	if o.status != "success" {
		result.FunctionError = "Unhandled"
	}
	return result
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
