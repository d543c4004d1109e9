package host

import "time"

// Observation is the end of an invocation, or one that was throttled.
type Observation struct {
	// Function is the function's name.
	Function string
	// Duration is how long the invocation took, without the start of a process.
	Duration time.Duration
	// Failed says that the function failed, Throttled that it was not run as too many others run.
	Failed, Throttled bool
	// Running is how many invocations of all functions there were, with this one.
	Running int
}

func (h *Host) observe(o Observation) {
	if h.opts.Observe != nil {
		h.opts.Observe(o)
	}
}

// observe tells of the end of an invocation.
func (r *revision) observe(o outcome, spent time.Duration) {
	r.host.mu.Lock()
	running := r.host.running()
	r.host.mu.Unlock()
	r.host.observe(Observation{Function: r.function.Name, Duration: spent, Failed: o.status != "success", Running: running})
}

// running is how many invocations of all functions there are. The caller holds h.mu.
func (h *Host) running() (n int) {
	for _, f := range h.functions {
		n += f.running
	}
	return n
}
