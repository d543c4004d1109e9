package main

import (
	"testing"

	"streamgen/internal/tf"
)

// requireProvider skips where terraform cannot install the AWS provider.
func requireProvider(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes more than a minute")
	}
	if !tf.ProviderAvailable(t.Context()) {
		t.Skip("the AWS provider is not to be had; 'make provider' builds it")
	}
}

// testWriter is a test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
