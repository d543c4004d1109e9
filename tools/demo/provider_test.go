package main

import (
	"os"
	"runtime"
	"testing"

	"streamgen/internal/tf"
)

// requireProvider skips where terraform cannot install the AWS provider.
func requireProvider(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes more than a minute")
	}
	mirror, err := tf.MirrorDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tf.MirrorPath(mirror, tf.ProviderVersion, runtime.GOOS, runtime.GOARCH)); err != nil && os.Getenv("STREAMGEN_PROVIDER_FROM_REGISTRY") == "" {
		t.Skip("the AWS provider is not in the mirror; 'make provider' puts it there, and STREAMGEN_PROVIDER_FROM_REGISTRY=1 uses the registry's")
	}
}

// testWriter is a test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
