package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// MetricsNamespace is the namespace of the metrics in CloudWatch; their dimensions are function and table.
const MetricsNamespace = "streamgen"

// report writes the invocation's metrics.
func (b *batch) report(ctx context.Context, started time.Time) {
	if b.metrics == nil || len(b.records) == 0 {
		return
	}
	var counts [outcomes]int
	for _, o := range b.outcomes {
		counts[o]++
	}
	first, last := &b.records[0], &b.records[len(b.records)-1]
	var age time.Duration
	if at, err := epochSeconds(last.part(last.createdAt)); err == nil && !at.IsZero() {
		age = max(started.Sub(at), 0)
	}
	line := emf(started, lambdacontext.FunctionName, tableOf(first.part(first.streamARN)), []metric{
		{"Records", "Count", len(b.records)},
		{"Failures", "Count", counts[failed]},
		{"Skipped", "Count", counts[skipped]},
		{"Parked", "Count", counts[parked]},
		{"ReplaysAvoided", "Count", counts[replayed]},
		{"IteratorAge", "Milliseconds", int(age.Milliseconds())},
		{"Duration", "Milliseconds", int(time.Since(started).Milliseconds())},
	})
	if _, err := b.metrics.Write(line); err != nil {
		slog.WarnContext(ctx, "metrics not written", "error", err)
	}
}

type metric struct {
	name, unit string
	value      int
}

// emf gives a line in the embedded metric format.
func emf(at time.Time, function, table string, metrics []metric) []byte {
	line := fmt.Appendf(nil, `{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":%q,"Dimensions":[["function","table"]],"Metrics":[`, at.UnixMilli(), MetricsNamespace)
	for i, m := range metrics {
		if i > 0 {
			line = append(line, ',')
		}
		line = fmt.Appendf(line, `{"Name":%q,"Unit":%q}`, m.name, m.unit)
	}
	line = append(line, `]}]},"function":`...)
	line = append(line, quoted(function)...)
	line = append(line, `,"table":`...)
	line = append(line, quoted(table)...)
	for _, m := range metrics {
		line = fmt.Appendf(line, `,%q:%d`, m.name, m.value)
	}
	return append(line, '}', '\n')
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s) // a string can always be written
	return b
}
