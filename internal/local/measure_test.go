package local

import (
	"testing"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/metrics"
)

func TestOwnMetrics(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC))
	s := &Stack{opts: Options{Clock: c}}
	queues, groups := control.NewQueues(Account, "us-east-1", c), control.NewLogs(Account, "us-east-1", c)
	p := s.newPlatform("us-east-1", queues, groups)
	defer p.alarms.Close()

	const live = "arn:aws:lambda:us-east-1:000000000000:function:f:live"
	p.meter.invocation(host.Ended{FunctionARN: live, Result: host.Result{Duration: 20 * time.Millisecond}, Running: 1})
	p.meter.invocation(host.Ended{FunctionARN: live, Result: host.Result{Duration: 40 * time.Millisecond, FunctionError: "Unhandled"}, Running: 2})
	p.meter.invocation(host.Ended{FunctionARN: live, Err: &host.Error{Code: host.TooManyRequests}, Throttled: true})
	p.meter.mapping(esm.Metric{Mapping: "m", FunctionARN: live, Name: esm.IteratorAge, Value: 2000})
	p.meter.mapping(esm.Metric{Mapping: "m", FunctionARN: live, Name: esm.PolledEventCount, Value: 3})
	if err := queues.Create("q", nil, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := queues.Send("q", "body", nil, -1); err != nil {
			t.Fatal(err)
		}
	}
	undelivered := host.Delivery{FunctionARN: "arn:aws:lambda:us-east-1:000000000000:function:f"}
	p.meter.undelivered(undelivered)
	undelivered.Attributes = map[string]string{"RequestID": "1"}
	p.meter.undelivered(undelivered)
	const emf = `{"_aws":{"Timestamp":1767323040000,"CloudWatchMetrics":[{"Namespace":"app","Dimensions":[["function","table"],[]],"Metrics":[{"Name":"Records","Unit":"Count"},{"Name":"Gone"}]}]},"function":"f","table":"t","Records":[3,4]}`
	groups.Append("g", "s", c.Now(), emf)
	groups.Append("g", "s", c.Now(), emf[:40])
	if err := groups.CreateGroup(control.LogGroup{Name: "cold", Class: control.InfrequentLogs}); err != nil {
		t.Fatal(err)
	}
	groups.Append("cold", "s", c.Now(), emf)
	from := c.Now()
	c.AwaitSleepers(1) // the queue is active: it is sampled at the end of the minute
	c.Advance(time.Minute)
	c.AwaitSleepers(1)

	for _, test := range []struct {
		metric    metrics.Metric
		statistic string
		want      float64
	}{
		{metrics.Of("AWS/Lambda", "Invocations", "FunctionName", "f"), metrics.Sum, 2},
		{metrics.Of("AWS/Lambda", "Errors", "FunctionName", "f"), metrics.Sum, 1},
		{metrics.Of("AWS/Lambda", "Errors", "Resource", "f", "FunctionName", "f"), metrics.SampleCount, 2},
		{metrics.Of("AWS/Lambda", "Throttles"), metrics.Sum, 1},
		{metrics.Of("AWS/Lambda", "Duration", "FunctionName", "f"), metrics.Average, 30},
		{metrics.Of("AWS/Lambda", "ConcurrentExecutions"), metrics.Maximum, 2},
		{metrics.Of("AWS/Lambda", "IteratorAge", "FunctionName", "f"), metrics.Maximum, 2000},
		{metrics.Of("AWS/Lambda", "DestinationDeliveryFailures", "FunctionName", "f"), metrics.Sum, 1},
		{metrics.Of("AWS/Lambda", "DeadLetterErrors", "FunctionName", "f"), metrics.Sum, 1},
		{metrics.Of("AWS/Lambda", "PolledEventCount", "EventSourceMappingUUID", "m"), metrics.Maximum, 3},
		{metrics.Of("AWS/SQS", "NumberOfMessagesSent", "QueueName", "q"), metrics.Sum, 2},
		{metrics.Of("AWS/SQS", "SentMessageSize", "QueueName", "q"), metrics.Average, 4},
		{metrics.Of("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "q"), metrics.Maximum, 2},
		{metrics.Of("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "q"), metrics.Maximum, 60},
		{metrics.Of("app", "Records", "function", "f", "table", "t"), metrics.Sum, 7},
		{metrics.Of("app", "Records"), metrics.SampleCount, 2},
	} {
		points := p.meter.store.Read(test.metric, "", from, from.Add(time.Minute), time.Minute)
		statistic, err := metrics.ParseStatistic(test.statistic)
		if err != nil {
			t.Fatal(err)
		}
		if len(points) != 1 {
			t.Errorf("%v has %d points", test.metric, len(points))
			continue
		}
		if got, ok := statistic(points[0].Stats); !ok || got != test.want {
			t.Errorf("%s of %v is %v, want %v", test.statistic, test.metric, got, test.want)
		}
	}
}
