package stream_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// asBootstrap makes the test binary run as a function's bootstrap instead of the tests.
const asBootstrap = "STREAM_TEST_BOOTSTRAP"

func TestMain(m *testing.M) {
	if os.Getenv(asBootstrap) != "" {
		bootstrap()
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// captureLog gives what the test logs from here on.
func captureLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	return &log
}

// insertRecord is a stream record as Lambda delivers it: order id is new.
func insertRecord(sequenceNumber, id string) string {
	return record(sequenceNumber, "INSERT", fmt.Sprintf(`"Keys":{"Id":{"S":%q}},"NewImage":{"Id":{"S":%[1]q}}`, id))
}

// record is a stream record as Lambda delivers it, with the given members in its dynamodb part.
func record(sequenceNumber, eventName, members string) string {
	return fmt.Sprintf(`{"eventID":"event-%s","eventName":%q,"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",`+
		`"dynamodb":{"ApproximateCreationDateTime":1733418659.0,%s,"SequenceNumber":%q,"SizeBytes":46,"StreamViewType":"NEW_AND_OLD_IMAGES"},`+
		`"eventSourceARN":"arn:aws:dynamodb:us-east-1:111111111111:table/orders/stream/2025-02-22T03:03:25.490"}`,
		sequenceNumber, eventName, members, sequenceNumber)
}

func event(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

const allDone = `{"batchItemFailures":[]}`

func unfinishedFrom(sequenceNumber string) string {
	return `{"batchItemFailures":[{"itemIdentifier":"` + sequenceNumber + `"}]}`
}

// logLines decodes a JSON log.
func logLines(t *testing.T, log []byte) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range bytes.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}
