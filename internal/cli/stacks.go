package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"streamgen/internal/fileplan"
	"streamgen/internal/judge"
	"streamgen/internal/report"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// A project with stacks is worked on as a whole: each stack has a session of its own, and what one needs of another comes first.

// stackOptions are those of commands that work on several stacks.
type stackOptions struct {
	all      bool
	parallel int
}

func (o *stackOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.all, "all", false, "look at every stack, those too that are as the last apply left them")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "work on at most `N` stacks at once")
}

func stackNames(stacks []spec.Stack) []string {
	names := make([]string, len(stacks))
	for i, s := range stacks {
		names[i] = s.Name
	}
	return names
}

// completeStacks offers the stacks of the spec that is found.
func completeStacks(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	dir, _ := cmd.Flags().GetString("chdir")
	var names []string
	if start, err := startDir(dir); err == nil {
		if p, err := loadSpec(start, findingsText); err == nil {
			names = stackNames(p.spec.Stacks())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// chosen are the stacks to work on, each after those that it needs.
func (w workplace) chosen() ([]spec.Stack, error) {
	all := stackNames(w.project.stacks)
	for _, name := range w.env.stacks {
		if !slices.Contains(all, name) {
			return nil, usagef("there is no stack %q; gen.yaml has %s", name, strings.Join(all, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(w.project.stacks), func(s spec.Stack) bool {
		return len(w.env.stacks) > 0 && !slices.Contains(w.env.stacks, s.Name)
	}), nil
}

// stackSet are the sessions of a project's stacks.
type stackSet struct {
	workplace
	// chosen are the stacks to work on, in order; sessions are those of all stacks.
	chosen   []spec.Stack
	sessions map[string]*session
	console  *console
	options  stackOptions
	// initialising is held while terraform init runs: its plug-in cache is not made for two of them at once.
	initialising sync.Mutex
	// worked is how long any terraform was at work.
	worked time.Duration
	// relocated says of stacks what moves to or from them.
	relocated map[string]string
	// reading is held while the state of a stack is read, and states has those that are kept elsewhere.
	reading map[string]*sync.Mutex
	states  sync.Map

	mu   sync.Mutex
	runs map[string]report.StackRun
}

// openStacks opens a session for each stack of the project.
func (w workplace) openStacks(ctx context.Context, o stackOptions) (*stackSet, error) {
	if o.parallel < 1 {
		return nil, usagef("--parallel %d: want at least 1", o.parallel)
	}
	set := &stackSet{
		workplace: w, sessions: map[string]*session{}, console: &console{w: w.std.err}, options: o, relocated: map[string]string{},
		reading: map[string]*sync.Mutex{}, runs: map[string]report.StackRun{},
	}
	var err error
	if set.chosen, err = w.chosen(); err != nil {
		return nil, err
	}
	for _, stack := range w.project.stacks {
		std := w.std
		std.err = set.console.lines(stack.Name + ": ")
		set.reading[stack.Name] = &sync.Mutex{}
		if set.sessions[stack.Name], err = w.session(ctx, stack, std); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// init runs terraform init for a stack if it has to run.
func (set *stackSet) init(ctx context.Context, s *session) error {
	set.initialising.Lock()
	defer set.initialising.Unlock()
	return s.explain(s.terraform.Init(ctx))
}

// note keeps what became of a stack.
func (set *stackSet) note(stack string, status report.StackStatus, reason string, run *report.Run) {
	set.mu.Lock()
	defer set.mu.Unlock()
	set.runs[stack] = report.StackRun{Stack: stack, Status: status, Reason: reason, Run: run}
}

// each works on the chosen stacks, on one when those before it are done.
func (set *stackSet) each(ctx context.Context, before func(spec.Stack) []string, do func(*session) bool) {
	begun := time.Now()
	for _, stack := range inOrder(ctx, set.chosen, before, set.options.parallel, func(stack spec.Stack) bool {
		s := set.sessions[stack.Name]
		s.begun = time.Now()
		return do(s)
	}) {
		set.note(stack.Name, report.StackNotBegun, "", nil)
	}
	set.worked += time.Since(begun)
}

// needs are the stacks that have to be applied before a stack.
func needs(s spec.Stack) []string { return s.Needs }

// neededBy are the stacks that have to be destroyed before a stack.
func (set *stackSet) neededBy(s spec.Stack) []string {
	var names []string
	for _, other := range set.project.stacks {
		if slices.Contains(other.Needs, s.Name) {
			names = append(names, other.Name)
		}
	}
	return names
}

// inOrder runs do for each stack when those that stand before it are done, limit of them at once at most. When do reports false, or ctx
// ends, no other is begun; the ones that were not are returned.
func inOrder(ctx context.Context, stacks []spec.Stack, before func(spec.Stack) []string, limit int, do func(spec.Stack) bool) []spec.Stack {
	type end struct {
		name string
		ok   bool
	}
	open := map[string]bool{}
	for _, s := range stacks {
		open[s.Name] = true
	}
	waiting, ended := slices.Clone(stacks), make(chan end)
	for running, stopped := 0, false; ; {
		for i := 0; i < len(waiting) && running < limit && !stopped && ctx.Err() == nil; {
			s := waiting[i]
			if slices.ContainsFunc(before(s), func(name string) bool { return open[name] }) {
				i++
				continue
			}
			waiting = slices.Delete(waiting, i, i+1)
			running++
			go func() { ended <- end{s.Name, do(s)} }()
		}
		if running == 0 {
			return waiting
		}
		e := <-ended
		running--
		open[e.name] = false
		stopped = stopped || !e.ok
	}
}

// fail tells what is wrong with a stack, and notes it.
func (set *stackSet) fail(ctx context.Context, s *session, run *report.Run, err error) bool {
	if errors.Is(err, errRefused) {
		set.note(s.stack.Name, report.StackRefused, err.Error(), run)
		return false
	}
	s.std.exit(ctx, err)
	set.note(s.stack.Name, report.StackFailed, "failed, as told above", run)
	return false
}

// finish prints the result of all stacks, and gives the error that they stand for.
func (set *stackSet) finish(asJSON bool, text func(report.Run, io.Writer) error) error {
	out := report.Stacks{Environment: set.env.name, Timing: report.TimingOf(time.Since(set.begun), set.worked, set.compile)}
	byStatus := map[report.StackStatus][]string{}
	for _, stack := range set.chosen {
		r := set.runs[stack.Name]
		out.Stacks = append(out.Stacks, r)
		byStatus[r.Status] = append(byStatus[r.Status], r.Stack)
	}
	defer set.std.printf("gen: took %s\n", out.Timing)
	var err error
	if asJSON {
		err = report.JSON(set.std.out, out)
	} else {
		err = out.Text(set.std.out, text)
	}
	if err != nil {
		return err
	}
	var told []string
	for _, status := range []report.StackStatus{report.StackFailed, report.StackRefused, report.StackNotBegun} {
		if names := byStatus[status]; len(names) > 0 {
			told = append(told, fmt.Sprintf("%s: %s", status, strings.Join(names, ", ")))
		}
	}
	what := strings.Join(told, "; ")
	switch {
	case len(byStatus[report.StackFailed]) > 0:
		return fmt.Errorf("not all stacks are done: %s", what)
	case len(byStatus[report.StackRefused]) > 0:
		return fmt.Errorf("%w: %s", errRefused, what)
	case len(told) > 0:
		return fmt.Errorf("interrupted: %s", what)
	}
	return nil
}

// done completes the run of a stack.
func (s *session) done(run report.Run) *report.Run {
	run.Timing = report.TimingOf(time.Since(s.begun), s.terraform.Elapsed(), 0)
	return &run
}

// applyStacks applies the chosen stacks.
func (w workplace) applyStacks(ctx context.Context, o applyOptions) error {
	set, err := w.openStacks(ctx, o.stacks)
	if err != nil {
		return err
	}
	if err := set.relocate(ctx, !w.env.local() && !o.yes); err != nil {
		return err
	}
	set.each(ctx, needs, func(s *session) bool { return set.applyStack(ctx, s, o) })
	return set.finish(o.json, func(r report.Run, to io.Writer) error { return r.DoneText(to, "apply") })
}

func (set *stackSet) applyStack(ctx context.Context, s *session, o applyOptions) bool {
	if set.skips(ctx, s) {
		return true
	}
	if err := set.init(ctx, s); err != nil {
		return set.fail(ctx, s, nil, err)
	}
	// What is noted of a stack is worth nothing as soon as something may be done to it.
	if err := s.forget(); err != nil {
		return set.fail(ctx, s, nil, err)
	}
	run, err := s.applyPlan(ctx, o, func(run report.Run, refusal error, question string) error {
		return set.console.section(func(to io.Writer) error {
			r := report.StackRun{Stack: s.stack.Name, Status: report.StackPlanned, Run: &run}
			if err := r.Text(to, set.planText); err != nil || refusal != nil || question == "" {
				return errors.Join(err, refusal)
			}
			std := set.std
			std.err = to
			return ask(ctx, std, strings.Replace(question, "this", "stack "+s.stack.Name, 1), "yes")
		})
	})
	if err != nil {
		return set.fail(ctx, s, s.done(run), err)
	}
	if err := set.remember(ctx, s, run); err != nil {
		return set.fail(ctx, s, s.done(run), err)
	}
	set.note(s.stack.Name, report.StackApplied, "", s.done(run))
	return true
}

// planText prints a plan to where the story goes.
func (set *stackSet) planText(r report.Run, to io.Writer) error {
	return r.PlanText(to, set.std.color())
}

// planStacks plans the chosen stacks.
func (w workplace) planStacks(ctx context.Context, o planOptions) error {
	set, err := w.openStacks(ctx, o.stacks)
	if err != nil {
		return err
	}
	allowed, err := allowedData(w.project.spec.Destroy)
	if err != nil {
		return err
	}
	if !o.destroy {
		remove, err := set.planRelocations(ctx)
		defer remove()
		if err != nil {
			return err
		}
	}
	set.each(ctx, needs, func(s *session) bool {
		set.planStack(ctx, s, o, allowed)
		return true // a plan does nothing, so that the others may go on
	})
	color := w.std.colorOut()
	if err := set.finish(o.json, func(r report.Run, to io.Writer) error { return r.PlanText(to, color) }); err != nil {
		return err
	}
	pending := len(set.relocated) > 0
	for _, stack := range set.chosen {
		r := set.runs[stack.Name]
		if r.Run != nil && len(r.Refused) > 0 {
			return errWouldRefuse
		}
		pending = pending || r.Status == report.StackWaits || r.Run != nil && r.Changed
	}
	if pending {
		return errPending
	}
	return nil
}

func (set *stackSet) planStack(ctx context.Context, s *session, o planOptions, allowed allowedNames) bool {
	if why := set.waitsFor(s.stack); why != "" && !o.destroy {
		set.note(s.stack.Name, report.StackWaits, why, nil)
		return true
	}
	if !o.destroy && set.skips(ctx, s) {
		return true
	}
	if err := set.init(ctx, s); err != nil {
		return set.fail(ctx, s, nil, err)
	}
	plan, err := s.plan(ctx, tf.PlanOptions{Destroy: o.destroy}, allowed)
	if err != nil {
		return set.fail(ctx, s, nil, err)
	}
	run := plan.run(s.env.name, allowed)
	if o.destroy {
		run.Refused = nil // destroy asks for the project's name instead
		if run.Tables, err = s.tablesOf(ctx, plan); err != nil {
			return set.fail(ctx, s, nil, err)
		}
	}
	if !run.Changed && !o.destroy {
		if err := set.remember(ctx, s, run); err != nil {
			return set.fail(ctx, s, nil, err)
		}
	}
	set.note(s.stack.Name, report.StackPlanned, set.relocated[s.stack.Name], s.done(run))
	return true
}

// waitsFor says why a stack cannot be planned yet: a table that it looks up is not there before another stack is applied.
func (set *stackSet) waitsFor(stack spec.Stack) string {
	set.mu.Lock()
	defer set.mu.Unlock()
	for _, name := range stack.Foreign {
		t, _ := set.project.spec.Table(name)
		var missing bool
		switch r := set.runs[t.StackName()]; {
		case r.Run != nil:
			missing = slices.ContainsFunc(r.Findings, func(f judge.Finding) bool { return makes(f, name) })
		default: // nobody knows
			missing = r.Status == report.StackWaits || r.Status == report.StackFailed
		}
		if missing {
			return fmt.Sprintf("is planned when the stack %s is applied, whose table %s it uses", t.StackName(), name)
		}
	}
	return ""
}

// makes reports whether a finding is that a table comes into being.
func makes(f judge.Finding, table string) bool {
	address, _ := fileplan.DataAddress("table", table)
	return f.Address == address && (f.Action == judge.Create || f.Action == judge.Replace)
}

// destroyStacks destroys the chosen stacks, each before those that it needs.
func (w workplace) destroyStacks(ctx context.Context, o destroyOptions) error {
	set, err := w.openStacks(ctx, o.stacks)
	if err != nil {
		return err
	}
	if err := set.usedByOthers(ctx); err != nil {
		return err
	}
	plans := map[string]judgedPlan{}
	set.each(ctx, set.neededBy, func(s *session) bool {
		plan, run, err := set.planDestroy(ctx, s)
		if err != nil {
			return set.fail(ctx, s, nil, err)
		}
		set.mu.Lock()
		plans[s.stack.Name] = plan
		set.mu.Unlock()
		set.note(s.stack.Name, report.StackPlanned, "", run)
		return true
	})
	text := func(r report.Run, to io.Writer) error { return r.DoneText(to, "destroy") }
	if len(plans) < len(set.chosen) {
		for name := range plans {
			set.note(name, report.StackNotBegun, "", nil)
		}
		return set.finish(o.json, text)
	}
	if err := set.confirmDestroy(ctx, o, plans); err != nil {
		return err
	}
	runs := maps.Clone(set.runs)
	set.each(ctx, set.neededBy, func(s *session) bool {
		planned := runs[s.stack.Name].Run
		if plan := plans[s.stack.Name]; plan.Changed {
			err := s.forget()
			if err == nil {
				err = s.destroy(ctx, plan)
			}
			if err != nil {
				return set.fail(ctx, s, planned, err)
			}
		}
		set.note(s.stack.Name, report.StackDestroyed, "", s.done(*planned))
		return true
	})
	if err := set.finish(o.json, text); err != nil || o.json {
		return err
	}
	_, err = fmt.Fprintln(set.std.out, "nothing left")
	return err
}

// planDestroy plans to delete all that a stack's state holds, if it holds anything.
func (set *stackSet) planDestroy(ctx context.Context, s *session) (judgedPlan, *report.Run, error) {
	left, err := set.resources(ctx, s)
	if err != nil || len(left) == 0 {
		return judgedPlan{}, &report.Run{Environment: s.env.name}, err
	}
	if err := set.init(ctx, s); err != nil {
		return judgedPlan{}, nil, err
	}
	plan, err := s.plan(ctx, tf.PlanOptions{Destroy: true}, nil)
	if err != nil {
		return judgedPlan{}, nil, err
	}
	run := plan.run(s.env.name, nil)
	run.Tables, err = s.tablesOf(ctx, plan)
	return plan, &run, err
}

// confirmDestroy shows what is deleted, and asks.
func (set *stackSet) confirmDestroy(ctx context.Context, o destroyOptions, plans map[string]judgedPlan) error {
	changed := false
	for _, stack := range set.chosen {
		if err := set.runs[stack.Name].Text(set.std.err, set.planText); err != nil {
			return err
		}
		changed = changed || plans[stack.Name].Changed
	}
	if !changed || set.env.local() || o.confirm != "" {
		return nil
	}
	return ask(ctx, set.std, destroyQuestion, set.project.spec.Project)
}

// usedByOthers is an error when a stack that is not chosen uses tables of one that is.
func (set *stackSet) usedByOthers(ctx context.Context) error {
	for _, stack := range set.chosen {
		for _, name := range set.neededBy(stack) {
			if slices.ContainsFunc(set.chosen, func(c spec.Stack) bool { return c.Name == name }) {
				continue
			}
			left, err := set.resources(ctx, set.sessions[name])
			if err != nil {
				return err
			}
			if len(left) > 0 {
				return usagef("the stack %s uses tables of %s: destroy it as well, with --stack %s", name, stack.Name, name)
			}
		}
	}
	return nil
}

// resources are the addresses of what a stack's state holds.
func (set *stackSet) resources(ctx context.Context, s *session) ([]string, error) {
	state, err := set.state(ctx, s)
	if err != nil {
		return nil, err
	}
	return tf.StateResources(state)
}

// console is what several stacks print to at once.
type console struct {
	mu sync.Mutex
	w  io.Writer
}

// section prints something at once, and may ask something meanwhile.
func (c *console) section(print func(io.Writer) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return print(c.w)
}

// lines gives a writer that prints whole lines, each with a prefix.
func (c *console) lines(prefix string) io.Writer { return &lineWriter{console: c, prefix: prefix} }

type lineWriter struct {
	*console
	prefix  string
	pending []byte
}

// Write keeps what is no whole line yet.
func (l *lineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, p...)
	var out bytes.Buffer
	for {
		line, rest, found := bytes.Cut(l.pending, []byte("\n"))
		if !found {
			break
		}
		out.WriteString(l.prefix)
		out.Write(line)
		out.WriteByte('\n')
		l.pending = rest
	}
	_, err := l.w.Write(out.Bytes())
	return len(p), err
}
