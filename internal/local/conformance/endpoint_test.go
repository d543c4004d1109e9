package conformance_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"streamgen/internal/local"
)

const endpointVariable = "STREAMGEN_CONFORMANCE_ENDPOINT"

// endpoint is the stack under test.
func endpoint(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(endpointVariable); url != "" {
		return url
	}
	return newStack(t, local.Options{}).Endpoint()
}

// newStack starts a stack of the test's own, on a free port.
func newStack(t testing.TB, opts local.Options) *local.Stack {
	t.Helper()
	opts.Listen = "127.0.0.1:0"
	opts.Dir = t.TempDir()
	stack, err := local.Start(t.Context(), opts)
	must(t, err)
	t.Cleanup(func() {
		if err := stack.Close(context.Background()); err != nil {
			t.Errorf("closing the stack: %v", err)
		}
	})
	return stack
}

func config(endpoint string) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1, HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// unique makes a name that no other test run has.
func unique(name string) *string { return aws.String(name + "-" + uuid.NewString()[:8]) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

// eventually waits for what AWS promises to come true without saying when.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come true that %s", what)
		}
	}
}
