package host

import "time"

// permitted is the sink of one function: what it may not write is dropped, as on AWS.
type permitted struct {
	LogSink
	may func(group, stream string) bool
}

func (p permitted) Append(group, stream string, at time.Time, message string) {
	if p.may(group, stream) {
		p.LogSink.Append(group, stream, at, message)
	}
}

// sink is where the lines of a revision go.
func (r *revision) sink() LogSink {
	may := r.host.opts.MayLog
	if may == nil {
		return r.host.opts.Logs
	}
	return permitted{r.host.opts.Logs, func(group, stream string) bool { return may(r.function, group, stream) }}
}
