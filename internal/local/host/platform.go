package host

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// JSON is the log format in which what the platform logs is JSON too.
const JSON = "JSON"

// LogLevels are the levels of JSON logs, least first. The platform knows DEBUG, INFO and WARN of them.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func LogLevels() []string { return []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} }

// reaches says whether a level is at least the one that is kept.
func reaches(level, least string) bool {
	return slices.Index(LogLevels(), level) >= slices.Index(LogLevels(), least)
}

func (c Config) applicationLevel() string { return orInfo(c.ApplicationLogLevel) }

func orInfo(level string) string {
	if level == "" {
		return "INFO"
	}
	return level
}

// drops says whether the function's log level leaves out a line of the process: a JSON object with a known "level" below it. Any other
// line counts as INFO.
func (c Config) drops(line string) bool {
	if c.LogFormat != JSON {
		return false
	}
	level := "INFO"
	var event struct{ Level string }
	if json.Unmarshal([]byte(line), &event) == nil && slices.Contains(LogLevels(), strings.ToUpper(event.Level)) {
		level = strings.ToUpper(event.Level)
	}
	return !reaches(level, c.applicationLevel())
}

// metrics are the figures of an invocation.
type metrics struct {
	spent, init time.Duration // init is 0 unless the process was new
	memory      int           // MB, 0 when it is unknown
}

func (m metrics) billed() float64 { return math.Ceil(milliseconds(m.spent + m.init)) }

// started writes an invocation's first log line.
func (r *revision) started(log *logStream, id string) {
	if r.function.LogFormat != JSON {
		log.line("START RequestId: " + id + " Version: " + r.function.Version)
		return
	}
	r.platform(log, "INFO", "platform.start", map[string]any{"requestId": id, "version": r.function.Version})
}

// platform writes a log line of the platform in the JSON format, if the function's system log level has it.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
func (r *revision) platform(log *logStream, level, kind string, record map[string]any) {
	if !reaches(level, orInfo(r.function.SystemLogLevel)) {
		return
	}
	text, _ := json.Marshal(struct { // strings and numbers alone cannot fail
		Time   string         `json:"time"`
		Type   string         `json:"type"`
		Record map[string]any `json:"record"`
	}{r.host.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), kind, record})
	log.line(string(text))
}

func (r *revision) reportJSON(log *logStream, id string, o outcome, m metrics) {
	level, done := "INFO", "DEBUG"
	if o.status != "success" {
		level, done = "WARN", "WARN"
	}
	figures := map[string]any{
		"durationMs": hundredths(m.spent), "billedDurationMs": m.billed(), "memorySizeMB": r.function.MemorySize,
	}
	if m.memory > 0 {
		figures["maxMemoryUsedMB"] = m.memory
	}
	if m.init > 0 {
		figures["initDurationMs"] = hundredths(m.init)
	}
	record := func(figures map[string]any) map[string]any {
		all := map[string]any{"requestId": id, "metrics": figures, "status": o.status}
		if o.kind != "" && o.status == "error" {
			all["errorType"] = o.kind
		}
		return all
	}
	r.platform(log, done, "platform.runtimeDone", record(map[string]any{"durationMs": hundredths(m.spent)}))
	r.platform(log, level, "platform.report", record(figures))
}

// hundredths is a duration in milliseconds as reports have it.
func hundredths(d time.Duration) float64 { return math.Round(milliseconds(d)*100) / 100 }

func (r *revision) reportText(log *logStream, id string, o outcome, m metrics) {
	switch {
	case o.status == "timeout":
		log.line(r.host.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z") + " " + o.line)
	case o.line != "":
		log.line(o.line)
		log.line(o.kind)
	}
	log.line("END RequestId: " + id)
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\t",
		id, milliseconds(m.spent), m.billed(), r.function.MemorySize)
	if m.memory > 0 {
		fmt.Fprintf(&b, "Max Memory Used: %d MB\t", m.memory)
	}
	if m.init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", milliseconds(m.init))
	}
	if o.status != "success" {
		fmt.Fprintf(&b, "Status: %s\t", o.status)
	}
	if o.status == "error" && o.kind != "" {
		fmt.Fprintf(&b, "Error Type: %s\t", o.kind)
	}
	log.line(b.String())
}
