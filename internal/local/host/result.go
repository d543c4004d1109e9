package host

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
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
	// LogTail is the last 4 KB of what the invocation logged.
	LogTail string
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

func startLine(id string) string { return "START RequestId: " + id + " Version: " + Latest }

// stillborn reports an invocation that no process took.
func (r *revision) stillborn(log *logStream, id string, o outcome, spent time.Duration) Result {
	log.line(startLine(id))
	return r.report(log, nil, id, o, spent)
}

// report writes an invocation's last log lines and gives its result. p may be nil.
func (r *revision) report(log *logStream, p *process, id string, o outcome, spent time.Duration) Result {
	switch {
	case o.status == "timeout":
		log.line(r.host.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + o.line)
	case o.line != "":
		log.line(o.line)
		log.line(o.kind)
	}
	log.line("END RequestId: " + id)

	var init time.Duration
	var memory int
	if p != nil {
		init, p.init = p.init, 0
		memory = peakMemory(p.cmd.Process.Pid)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\t",
		id, milliseconds(spent), math.Ceil(milliseconds(spent+init)), r.function.MemorySize)
	if memory > 0 {
		fmt.Fprintf(&b, "Max Memory Used: %d MB\t", memory)
	}
	if init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", milliseconds(init))
	}
	if o.status != "success" {
		fmt.Fprintf(&b, "Status: %s\t", o.status)
	}
	if o.status == "error" && o.kind != "" {
		fmt.Fprintf(&b, "Error Type: %s\t", o.kind)
	}
	log.line(b.String())
	r.observe(o, spent)

	result := Result{Payload: o.payload, RequestID: id, LogTail: log.takeTail()}
	if o.status != "success" {
		result.FunctionError = "Unhandled"
	}
	return result
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
