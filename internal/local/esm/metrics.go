package esm

import "time"

// Metric is a value of one of a mapping's metrics.
type Metric struct {
	// Mapping is the mapping's UUID.
	Mapping, FunctionARN string
	// Name is one of the constants below.
	Name  string
	Value float64
}

// The names of a [Metric].
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics
const (
	// PolledEventCount is how many records a read gave, 0 included.
	PolledEventCount = "PolledEventCount"
	// FilteredOutEventCount is how many of them match no filter; a mapping without filters does not have it.
	FilteredOutEventCount = "FilteredOutEventCount"
	// InvokedEventCount is the records of each attempt to invoke the function.
	InvokedEventCount = "InvokedEventCount"
	// FailedInvokeEventCount is the records of each attempt that failed; of a partial failure those that come again.
	FailedInvokeEventCount = "FailedInvokeEventCount"
	// DroppedEventCount is the records that are given up and of which no destination has a report. Those that grew older than the stream keeps
	// them are not counted.
	DroppedEventCount = "DroppedEventCount"
	// OnFailureDestinationDeliveredEventCount is the records of which the destination has a report.
	OnFailureDestinationDeliveredEventCount = "OnFailureDestinationDeliveredEventCount"

	// IteratorAge is the age of a batch's last record when the function is invoked with it, in milliseconds. This and the next one are metrics
	// of the function, which every mapping has.
	IteratorAge = "IteratorAge"
	// DestinationDeliveryFailures is 1 for each report that the destination did not take.
	DestinationDeliveryFailures = "DestinationDeliveryFailures"
)

// count gives out one of a mapping's own metrics, which its MetricsConfig asks for.
func (p *poller) count(name string, records int) {
	if p.config.EventCount {
		p.metric(name, float64(records))
	}
}

func (p *poller) metric(name string, value float64) {
	if p.opts.Metrics != nil {
		p.opts.Metrics(Metric{p.progress.uuid, p.config.FunctionARN, name, value})
	}
}

func (p *poller) measureAge(last Record) {
	age := p.opts.Clock.Now().Sub(last.ApproximateCreationDateTime)
	p.metric(IteratorAge, float64(age)/float64(time.Millisecond))
}
