package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"streamgen/internal/tf"
)

// An entry that moves from one stack to another keeps what it is in AWS: its resources move from one state to the other. The one that they
// move to is written first. When gen is killed in between, they are in both, and the same command takes them out of the other; terraform
// plans neither before that is done.

// relocation is what moves from the state of one stack to that of another.
type relocation struct {
	from, to string
	// entries are the paths of the entries, addresses those of all their resources.
	entries, addresses []string
}

func (r relocation) String() string {
	return fmt.Sprintf("%s from the stack %s to %s, with its state", strings.Join(r.entries, ", "), r.from, r.to)
}

// relocations finds what has yet to move. states are those of all stacks that are concerned, before and after.
func (set *stackSet) relocations(ctx context.Context) (list []relocation, before, after map[string][]byte, err error) {
	before, after = map[string][]byte{}, map[string][]byte{}
	held := map[string]map[string]bool{} // by stack, what its state has: nearly always nothing is to be moved, and a state is long
	load := func(stack string) error {
		if _, have := after[stack]; have {
			return nil
		}
		state, err := set.state(ctx, set.sessions[stack])
		if err != nil {
			return err
		}
		before[stack], after[stack] = state, state
		addresses, err := tf.StateResources(state)
		held[stack] = map[string]bool{}
		for _, a := range addresses {
			held[stack][index.ReplaceAllString(a, "")] = true
		}
		return err
	}
	// The states of the chosen stacks are read anyway, and so gen.lock need not know of a move that somebody has taken back.
	if err := set.readStates(ctx); err != nil {
		return nil, nil, nil, err
	}
	chosen := stackNames(set.chosen)
	for _, r := range set.project.history.Relocations(set.project.spec) {
		for _, stack := range set.project.stacks {
			from := stack.Name
			if from == r.To || !slices.Contains(r.From, from) && (!slices.Contains(chosen, from) || !slices.Contains(chosen, r.To)) {
				continue
			}
			for _, stack := range []string{from, r.To} {
				if err := load(stack); err != nil {
					return nil, nil, nil, err
				}
			}
			if !slices.ContainsFunc(r.Addresses, func(a string) bool { return held[from][a] }) {
				continue
			}
			newFrom, newTo, moved, err := tf.MoveResources(after[from], after[r.To], r.Addresses)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("moving %s from the stack %s to %s: %w", r.Entry, from, r.To, err)
			}
			if len(moved) == 0 {
				continue
			}
			after[from], after[r.To] = newFrom, newTo
			for _, a := range moved {
				delete(held[from], a)
				held[r.To][a] = true
			}
			i := slices.IndexFunc(list, func(have relocation) bool { return have.from == from && have.to == r.To })
			if i < 0 {
				i, list = len(list), append(list, relocation{from: from, to: r.To})
			}
			list[i].entries, list[i].addresses = append(list[i].entries, r.Entry), append(list[i].addresses, r.Addresses...)
		}
	}
	list = slices.DeleteFunc(list, func(r relocation) bool { return !slices.Contains(chosen, r.from) && !slices.Contains(chosen, r.to) })
	for _, r := range list {
		if !slices.Contains(chosen, r.from) || !slices.Contains(chosen, r.to) {
			return nil, nil, nil, usagef("gen apply moves %s: choose both with --stack", r)
		}
	}
	return list, before, after, nil
}

// settled is an error when an entry has yet to move to or from the only stack that is chosen: a plan of that stack alone would take it for
// one that is gone, or new.
func (w workplace) settled(ctx context.Context) error {
	if !w.project.stacked() {
		return nil
	}
	set, err := w.openStacks(ctx, stackOptions{parallel: 1})
	if err != nil {
		return err
	}
	_, _, _, err = set.relocations(ctx)
	return err
}

// relocate moves the state of entries that have moved, after it has asked where that is wanted.
func (set *stackSet) relocate(ctx context.Context, confirm bool) error {
	list, current, _, err := set.relocations(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	for _, r := range list {
		set.std.printf("gen: moving %s\n", r)
	}
	if confirm {
		if err := ask(ctx, set.std, "Move their state, and nothing in AWS? Only 'yes' will do: ", "yes"); err != nil {
			return err
		}
	}
	for _, r := range list {
		from, to := set.sessions[r.from], set.sessions[r.to]
		newFrom, newTo, _, err := tf.MoveResources(current[r.from], current[r.to], r.addresses)
		if err != nil {
			return err
		}
		for _, s := range []*session{to, from} {
			state := map[*session][]byte{to: newTo, from: newFrom}[s]
			if bytes.Equal(state, current[s.stack.Name]) {
				continue
			}
			current[s.stack.Name] = state
			if err := set.init(ctx, s); err != nil {
				return err
			}
			if err := s.forget(); err != nil {
				return err
			}
			set.stale(s)
			if err := s.terraform.PushState(ctx, state); err != nil {
				return fmt.Errorf("moving %s: %w; run the same command again to go on", r, s.explain(err))
			}
		}
	}
	return nil
}

// planRelocations has the stacks of entries that have moved planned as if their state had moved already: with copies of it, in folders of
// their own. remove takes the copies away.
func (set *stackSet) planRelocations(ctx context.Context) (remove func(), err error) {
	var copies []string
	remove = func() {
		for _, folder := range copies {
			_ = os.RemoveAll(folder) // the next plan writes it anew
		}
	}
	list, _, after, err := set.relocations(ctx)
	if err != nil {
		return remove, err
	}
	for _, r := range list {
		for _, stack := range []string{r.from, r.to} {
			if set.relocated[stack] != "" {
				set.relocated[stack] += "\n"
			}
			set.relocated[stack] += "'gen apply' moves " + r.String()
		}
	}
	for stack := range set.relocated {
		s := set.sessions[stack]
		if err := s.asIf(ctx, after[stack]); err != nil {
			return remove, err
		}
		copies = append(copies, filepath.Dir(filepath.Join(s.terraform.WorkDir, filepath.FromSlash(localState))))
	}
	return remove, nil
}

// asIf has a session work on a copy of its stack with another state.
func (s *session) asIf(ctx context.Context, state []byte) error {
	o := s.terraform.Options
	o.WorkDir += ".moved"
	o.StateFile, o.Backend = localState, tf.Backend{}
	file := filepath.Join(o.WorkDir, filepath.FromSlash(localState))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file, state, 0o600); err != nil {
		return err
	}
	t, err := tf.Open(o)
	if err != nil {
		return err
	}
	context.AfterFunc(hardStop(ctx), t.Kill)
	s.terraform = t
	return nil
}
