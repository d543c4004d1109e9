package stream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"streamgen/runtime/stream"
)

func TestLogHandler(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(stream.LogHandler(slog.NewJSONHandler(&log, nil))).With("service", "shop"))

	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1") //nolint:staticcheck // the key is aws-lambda-go's
	h := stream.Handler(func(ctx context.Context, _ stream.Change[Order]) error {
		slog.InfoContext(ctx, "seen")
		return errDown
	})
	for range 2 {
		if _, err := h.Invoke(ctx, event(insertRecord("101", "a"))); err != nil {
			t.Fatal(err)
		}
	}
	lines := logLines(t, log.Bytes())
	if len(lines) != 4 {
		t.Fatalf("log %s", &log)
	}
	for i, line := range lines {
		for key, want := range map[string]string{
			"service": "shop", "requestId": "r-1", "xrayTraceId": "1-5759e988-bd862e3fe1be46a994272793", "table": "orders", "eventID": "event-101", "keys": "map[Id:a]",
		} {
			if got := fmt.Sprint(line[key]); got != want {
				t.Errorf("line %d: %s is %s, want %s", i, key, got, want)
			}
		}
		if attempt := line["attempt"]; (i < 2) != (attempt == nil) || i >= 2 && attempt != 2.0 {
			t.Errorf("line %d: attempt %v", i, attempt)
		}
	}
	if lines[1]["error"] != "index is down" || bytes.Count(log.Bytes(), []byte(`"eventID"`)) != 4 {
		t.Errorf("log %s", &log)
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
			time.Sleep(10 * time.Millisecond)
			switch c.Keys.ID {
			case "skip":
				return stream.Skip(errDown)
			case "park":
				return stream.Park(errDown)
			case "fail":
				return errDown
			}
			return nil
		}, stream.Metrics(&out), stream.ParkTo(&parking{}))
		payload := event(insertRecord("1", "a"), insertRecord("2", "fail"), insertRecord("3", "skip"), insertRecord("4", "park"), insertRecord("5", "b"))
		for range 2 {
			if _, err := h.Invoke(t.Context(), payload); err != nil {
				t.Fatal(err)
			}
		}
		lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
		if len(lines) != 2 {
			t.Fatalf("metrics %s", &out)
		}
		// The checkpoint is before the second record, so the first is delivered again only here.
		for i, want := range []map[string]float64{
			{"Records": 5, "Failures": 1, "Skipped": 1, "Parked": 1, "ReplaysAvoided": 0, "Duration": 50},
			{"Records": 5, "Failures": 1, "Skipped": 0, "Parked": 0, "ReplaysAvoided": 3, "Duration": 20},
		} {
			var line struct {
				AWS struct {
					Timestamp         int64
					CloudWatchMetrics []struct {
						Namespace  string
						Dimensions [][]string
						Metrics    []struct{ Name, Unit string }
					}
				} `json:"_aws"`
				Table string
			}
			var values map[string]any
			if err := errors.Join(json.Unmarshal(lines[i], &line), json.Unmarshal(lines[i], &values)); err != nil {
				t.Fatalf("%s: %v", lines[i], err)
			}
			m := line.AWS.CloudWatchMetrics[0]
			if line.AWS.Timestamp == 0 || m.Namespace != stream.MetricsNamespace || fmt.Sprint(m.Dimensions) != "[[function table]]" || line.Table != "orders" || len(m.Metrics) != 7 {
				t.Errorf("metrics %s", lines[i])
			}
			for _, metric := range m.Metrics {
				got, ok := values[metric.Name].(float64)
				if want, has := want[metric.Name]; !ok || has && got != want {
					t.Errorf("invocation %d: %s is %v, want %v", i, metric.Name, values[metric.Name], want)
				}
			}
			if values["function"] == nil {
				t.Errorf("metrics %s: a dimension has no value", lines[i])
			}
		}
	})
}

func TestOwnLoggerStays(t *testing.T) {
	before := slog.Default() // the one of TestMain
	stream.LogToStdout()
	if slog.Default() != before {
		t.Error("a logger that was set is replaced")
	}
}
