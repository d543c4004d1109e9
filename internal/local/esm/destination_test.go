package esm_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/esm"
)

// TestBisect: halves are tried in order, without using up attempts, until the record that fails is alone.
func TestBisect(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2, 3, 4, 5)
	r.create(func(c *esm.Config) { c.BisectBatchOnFunctionError, c.MaximumRetryAttempts = true, 1 })
	r.expect(1, 2, 3, 4, 5).fail()
	r.expect(1, 2).ok(`{}`)
	r.expect(3, 4, 5).fail()
	r.expect(3).fail() // alone: its own attempts begin
	r.wait(time.Second)
	r.expect(3).fail()
	r.expect(4, 5).ok(`{}`)
	r.stream.put("shard-1", 6)
	r.expect(6).ok(`{}`)
	if diff := cmp.Diff([]string{"RetryAttemptsExhausted 3..3 (1) after 2"}, r.drops.all()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}

// TestBisectFromTheReportedRecord: of a partial answer only the rest comes again, and only an attempt that got nowhere is split.
func TestBisectFromTheReportedRecord(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2, 3, 4)
	r.create(func(c *esm.Config) { c.BisectBatchOnFunctionError, c.ReportBatchItemFailures = true, true })
	r.expect(1, 2, 3, 4).failItems(2)
	r.expect(2, 3, 4).failItems(2)
	r.expect(2).ok(`{}`)
	r.expect(3, 4).ok(`{}`)
}

// TestDestination holds the report to the form that AWS documents.
func TestDestination(t *testing.T) {
	type document = map[string]any
	info := func(size float64, start, end string) document {
		return document{
			"shardId": "shard-1", "startSequenceNumber": start, "endSequenceNumber": end, "batchSize": size, "streamArn": streamARN,
			"approximateArrivalOfFirstRecord": "2026-11-23T04:05:06Z", "approximateArrivalOfLastRecord": "2026-11-23T04:05:06Z",
		}
	}
	tests := map[string]struct {
		config func(*esm.Config)
		fail   func(*rig)
		want   document
	}{
		"a function error": {
			func(c *esm.Config) { c.MaximumRetryAttempts = 1 },
			func(r *rig) { r.expect(1, 2).fail(); r.wait(time.Second); r.expect(1, 2).fail() },
			document{
				"requestContext":  document{"functionArn": functionARN, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 2.0},
				"responseContext": document{"statusCode": 200.0, "executedVersion": "$LATEST", "functionError": "Unhandled"},
				"version":         "1.0", "timestamp": "2026-11-23T04:05:07.000Z", "DDBStreamBatchInfo": info(2, "7", "14"),
			},
		},
		"reported items": {
			func(c *esm.Config) { c.MaximumRetryAttempts, c.ReportBatchItemFailures = 0, true },
			func(r *rig) { r.expect(1, 2).failItems(2); r.expect(2).failItems(2) },
			document{
				"requestContext":  document{"functionArn": functionARN, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1.0},
				"responseContext": document{"statusCode": 200.0, "executedVersion": "$LATEST", "functionError": nil},
				"version":         "1.0", "timestamp": "2026-11-23T04:05:06.000Z", "DDBStreamBatchInfo": info(1, "14", "14"),
			},
		},
		"age": {
			func(c *esm.Config) { c.MaximumRecordAgeInSeconds = 60 },
			func(r *rig) { r.expect(1, 2).refuse(); r.wait(2 * time.Minute) },
			document{
				"requestContext": document{"functionArn": functionARN, "condition": "RecordAgeExceeded", "approximateInvokeCount": 1.0},
				"version":        "1.0", "timestamp": "2026-11-23T04:07:06.000Z", "DDBStreamBatchInfo": info(2, "7", "14"),
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.stream.put("shard-1", 1, 2)
			r.create(func(c *esm.Config) { test.config(c); c.OnFailure = queueARN })
			test.fail(r)
			var got document
			if err := json.Unmarshal([]byte(<-r.documents), &got); err != nil {
				t.Fatal(err)
			}
			if id, _ := got["requestContext"].(document)["requestId"].(string); len(id) != 36 {
				t.Errorf("request id %q", id)
			}
			delete(got["requestContext"].(document), "requestId")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
			if drops := r.drops.all(); len(drops) > 0 {
				t.Errorf("the log tells of drops: %v", drops)
			}
		})
	}
}

func TestDestinationThatIsGone(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1)
	r.create(func(c *esm.Config) {
		c.MaximumRetryAttempts, c.OnFailure = 0, "arn:aws:sqs:us-east-1:000000000000:gone"
	})
	r.expect(1).fail()
	r.stream.put("shard-1", 2)
	r.expect(2).ok(`{}`)
	if diff := cmp.Diff([]string{"RetryAttemptsExhausted 1..1 (1) after 1"}, r.drops.all()); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}
