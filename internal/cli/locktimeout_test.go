package cli

import (
	"testing"
	"time"

	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

func TestLockTimeout(t *testing.T) {
	p := &project{dir: t.TempDir(), spec: &spec.Spec{}, stacks: []spec.Stack{{Name: spec.MainStack}}}
	for timeout, want := range map[time.Duration]time.Duration{5 * time.Minute: 5 * time.Minute, 0: 1} {
		e := environment{name: cloudEnvironment, lockTimeout: timeout}
		got, err := e.openStack(t.Context(), p, tf.Binary{Path: "terraform"}, spec.MainStack, nil)
		if err != nil || got.LockTimeout != want {
			t.Errorf("%s becomes %v, %v", timeout, got, err)
		}
	}
}
