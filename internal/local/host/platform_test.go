package host_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/host"
)

// In the JSON format the platform's lines are JSON, and levels leave lines out, the platform's and the function's.
func TestJSONLogs(t *testing.T) {
	for _, test := range []struct {
		name, application, system, mode string
		want                            []string // an event's type, or the line
	}{
		{"defaults", "", "", "echo", []string{"platform.start", `handling 1`, "platform.report"}},
		{"debug", "DEBUG", "DEBUG", "echo", []string{"platform.start", "handling 1", "platform.runtimeDone", "platform.report"}},
		{"warn", "WARN", "WARN", "echo", nil},
		{"warn of an error", "WARN", "WARN", "error", []string{"platform.runtimeDone", "platform.report"}},
		{"levels", "WARN", "WARN", "levels", []string{`{"level":"ERROR","msg":"three"}`}},
		{"all levels", "TRACE", "WARN", "levels", []string{`{"level":"DEBUG","msg":"one"}`, `{"level":"info","msg":"two"}`, `{"level":"ERROR","msg":"three"}`, "four"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, nil)
			c := config(test.mode)
			c.LogFormat, c.ApplicationLogLevel, c.SystemLogLevel = host.JSON, test.application, test.system
			s.create(t, c)
			r := s.invoke(t, `1`)
			var got []string
			for _, line := range s.logs.all() {
				var event struct {
					Time, Type string
					Record     struct {
						RequestID, Version, Status string
						Metrics                    struct {
							BilledDurationMs, DurationMs float64
							MemorySizeMB                 int
						}
					}
				}
				if json.Unmarshal([]byte(line), &event) != nil || event.Type == "" {
					got = append(got, line)
					continue
				}
				got = append(got, event.Type)
				if event.Record.RequestID != r.RequestID || event.Time == "" {
					t.Errorf("line %s of request %s", line, r.RequestID)
				}
				if m := event.Record.Metrics; event.Type == "platform.report" && (m.MemorySizeMB != 128 || m.BilledDurationMs < m.DurationMs || m.DurationMs <= 0) {
					t.Errorf("metrics %s", line)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJSONLogsEnvironment(t *testing.T) {
	s := start(t, nil)
	c := config("describe")
	c.LogFormat, c.ApplicationLogLevel = host.JSON, "DEBUG"
	s.create(t, c)
	d, _ := s.describe(t, "fn")
	if d.env["AWS_LAMBDA_LOG_FORMAT"] != "JSON" || d.env["AWS_LAMBDA_LOG_LEVEL"] != "DEBUG" {
		t.Error(d.env)
	}
}
