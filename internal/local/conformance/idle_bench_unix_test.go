//go:build unix

package conformance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"golang.org/x/sys/unix"
)

// BenchmarkIdle measures what share of a core 50 tables with 100 handlers take while nothing happens.
func BenchmarkIdle(b *testing.B) {
	const tables, handlers, watched = 50, 2, 2 * time.Second
	m := newBenched(b)
	for t := range tables {
		name := fmt.Sprint("table-", t)
		stream := m.table(name)
		for h := range handlers {
			m.mapping(stream, fmt.Sprintf("fn-%d-%d", t, h), lambda.CreateEventSourceMappingInput{}, doNothing)
		}
		must(b, m.stack.AwaitCaughtUp(b.Context(), "us-east-1", name))
	}
	var took, passed time.Duration
	for b.Loop() {
		before, begun := cpuTime(b), time.Now()
		time.Sleep(watched)
		took, passed = took+cpuTime(b)-before, passed+time.Since(begun)
	}
	b.ReportMetric(100*took.Seconds()/passed.Seconds(), "%-of-a-core")
}

// cpuTime is what this process has had of all cores.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage unix.Rusage
	must(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
