package cli

import (
	"fmt"
	"strings"
	"testing"

	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// A changed backend names both ways on, for the environment and the stack.
func TestChangedBackendNamesTheWaysOn(t *testing.T) {
	changed := &tf.Error{Op: "init", Diagnostics: []tf.Diagnostic{{Severity: tf.SeverityError, Summary: "Backend configuration changed"}}, Err: fmt.Errorf("exit code 1")}
	for stack, want := range map[string]string{"": "'gen terraform --env prod -- init", "billing": "'gen terraform --env prod --stack billing -- init"} {
		s := &session{stack: spec.Stack{Name: "billing"}}
		s.env.name = "prod"
		s.project = &project{spec: &spec.Spec{Tables: []spec.Table{{Stack: stack}}}}
		err := s.explain(changed)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--reconfigure") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestReconfigureReachesTerraform(t *testing.T) {
	p := &project{dir: t.TempDir(), spec: &spec.Spec{}, stacks: []spec.Stack{{Name: spec.MainStack}}}
	for _, reconfigure := range []bool{false, true} {
		e := environment{name: cloudEnvironment, reconfigure: reconfigure}
		got, err := e.openStack(t.Context(), p, tf.Binary{Path: "terraform"}, spec.MainStack, nil)
		if err != nil || got.Reconfigure != reconfigure {
			t.Errorf("%t becomes %v, %v", reconfigure, got, err)
		}
	}
}
