package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"streamgen/internal/tf"
)

// openAsIs is [openWorkplace] for commands that look at what there is: nothing is generated or built, and no other gen is kept from working.
func openAsIs(ctx context.Context, std streams, start string, env environment) (w workplace, err error) {
	w = workplace{std: std, env: env, begun: time.Now(), release: func() {}}
	w.env.complete(start)
	if w.project, err = loadProject(start, findingsText, loadOptions{}); err != nil {
		return w, err
	}
	if err := w.env.resolve(w.project.spec); err != nil {
		return w, err
	}
	if _, err := w.chosen(); err != nil {
		return w, err
	}
	if w.env.local() {
		if w.life, err = probeStack(ctx, w.env.endpoint); err != nil {
			return w, err
		}
	}
	w.binary, err = w.env.findTerraform(ctx, std)
	return w, err
}

// states calls do with the state of each chosen stack, and an error that terraform has with it explained. No provider is needed for that, and
// another gen may be at work meanwhile.
func (w workplace) states(ctx context.Context, do func(stack string, state *tf.State) error) error {
	release, err := lockProject(ctx, w.std, w.project.dir, w.env.name+".state.lock")
	if err != nil {
		return err
	}
	defer release()
	chosen, err := w.chosen()
	if err != nil {
		return err
	}
	for _, stack := range chosen {
		t, err := w.env.openStack(ctx, w.project, w.binary, stack.Name, nil)
		if err != nil {
			return err
		}
		if w.env.local() {
			t.StateFile = stateOfLife(filepath.Join(t.WorkDir, filepath.FromSlash(t.StateFile)), w.life.ID)
		}
		s := &session{workplace: w, stack: stack, terraform: t}
		state, err := tf.OpenState(ctx, t.Options)
		if err != nil {
			return s.explain(err)
		}
		context.AfterFunc(hardStop(ctx), state.Kill)
		if err := do(stack.Name, state); err != nil {
			return s.explain(err)
		}
	}
	return nil
}

// stateOfLife is where the state of a life of the local stack lies, given where that of the present one does: see [switchLocalState].
func stateOfLife(state, id string) string {
	if owner, err := os.ReadFile(filepath.Join(filepath.Dir(state), "stack-id")); err == nil && string(owner) == id {
		if _, err := os.Stat(state); err == nil {
			return state
		}
	}
	return state + "." + filepath.Base(id)
}
