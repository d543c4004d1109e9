package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/pack"
	"streamgen/internal/report"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// workplace is a project that is generated and built, in one environment: what the sessions of its stacks have in common.
type workplace struct {
	std     streams
	project *project
	env     environment
	begun   time.Time
	compile time.Duration
	release func()
	// progress shows what terraform does; nil where nobody looks.
	progress *following
	// binary is the terraform that runs, life the local stack's where the environment is local, and packages has each handler's.
	binary   tf.Binary
	life     stackHealth
	packages map[string]pack.Package
}

// session is one run of terraform on a stack of a project: generated and built if stale, initialised, in one environment.
type session struct {
	workplace
	stack     spec.Stack
	terraform *tf.Terraform
}

// openSession brings the project up to date and terraform to where it can plan: on the project's only stack, or on the one that
// --stack names. What left the spec lives on, but for what the names in destroy allow to be destroyed. The caller closes it.
func openSession(ctx context.Context, std streams, start string, env environment, destroy ...string) (*session, error) {
	w, err := openWorkplace(ctx, std, start, env, destroy...)
	if err != nil {
		return nil, err
	}
	return w.onlySession(ctx)
}

// onlySession is the session of the only stack that is worked on. When there is none, it closes the workplace.
func (w workplace) onlySession(ctx context.Context) (s *session, err error) {
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	chosen, err := w.chosen()
	if err != nil {
		return nil, err
	}
	if len(chosen) != 1 {
		return nil, usagef("the project has stacks: choose one with --stack: %s", strings.Join(stackNames(chosen), ", "))
	}
	if s, err = w.session(ctx, chosen[0], w.std); err != nil {
		return nil, err
	}
	return s, s.explain(s.terraform.Init(ctx))
}

// openWorkplace loads, generates and builds the project, and keeps others from working in the environment until it is closed.
func openWorkplace(ctx context.Context, std streams, start string, env environment, destroy ...string) (w workplace, err error) {
	w = workplace{std: std, env: env, begun: time.Now()}
	w.env.complete(start)
	if w.project, err = loadProject(start, findingsText, loadOptions{destroy: destroy}); err != nil {
		return w, err
	}
	if err := w.env.resolve(w.project.spec); err != nil {
		return w, err
	}
	if _, err := w.chosen(); err != nil {
		return w, err
	}
	if err := w.project.warn(std); err != nil {
		return w, err
	}
	if w.env.local() {
		if w.life, err = probeStack(ctx, env.endpoint); err != nil {
			return w, err
		}
	}
	if w.release, err = lockProject(ctx, std, w.project.dir, w.env.name+".lock"); err != nil {
		return w, err
	}
	if w.progress, err = newProgress(ctx, std, w.env.events); err != nil {
		w.release()
		return w, err
	}
	if err := w.prepare(ctx); err != nil {
		w.close()
		return w, err
	}
	return w, nil
}

// close ends the display and lets another gen work in the environment.
func (w workplace) close() {
	if err := w.progress.close(); err != nil {
		w.std.printf("gen: %v\n", err)
	}
	w.release()
}

// prepare generates and builds what is stale, and finds terraform.
func (w *workplace) prepare(ctx context.Context) error {
	story := w.std
	story.out = story.err // the result of these commands is what terraform does
	if err := w.project.generate(ctx, story, generateOptions{}); err != nil {
		return err
	}
	built, err := w.project.build(ctx, w.std, w.env.target())
	w.compile = built.Go
	if err != nil {
		return err
	}
	w.packages = map[string]pack.Package{}
	for _, p := range built.Packages {
		w.packages[p.Name] = p
	}
	w.env.warn(w.std)
	w.binary, err = w.env.findTerraform(ctx, w.std)
	return err
}

// session opens a stack; what it tells goes to std. terraform init has yet to run.
func (w workplace) session(ctx context.Context, stack spec.Stack, std streams) (*session, error) {
	s := &session{workplace: w, stack: stack}
	s.std = std
	if s.env.local() {
		state := filepath.Join(s.project.stackWork(s.env.name, stack.Name), filepath.FromSlash(localState))
		if err := switchLocalState(state, s.life.ID); err != nil {
			return nil, err
		}
	}
	var err error
	s.terraform, err = s.env.openStack(ctx, s.project, s.binary, stack.Name, s.progress.of(s.label(), entryNames(s.project.files)))
	return s, err
}

// label names the stack where there are several.
func (s *session) label() string {
	if !s.project.stacked() {
		return ""
	}
	return s.stack.Name
}

// say names the step that begins: terraform is silent for seconds while it loads the provider.
func (s *session) say(step string) {
	s.std.printf("gen: %s %s\n", string(s.terraform.Binary.Product), step)
}

// apply applies a plan; review judges the plan that is made anew when an interrupted apply had left something.
func (s *session) apply(ctx context.Context, p judgedPlan, review func(tf.Plan) error) error {
	s.say("apply")
	s.progress.expect(s.label(), p.Summary)
	_, err := s.terraform.ApplyConverging(ctx, p.Plan, p.options, func(again tf.Plan) error {
		if err := review(again); err != nil {
			return err
		}
		s.progress.expect(s.label(), again.Summary)
		return nil
	})
	return s.explain(err)
}

// outputs are the module's outputs but the sensitive ones.
func (s *session) outputs(ctx context.Context) (map[string]json.RawMessage, error) {
	all, err := s.terraform.Output(ctx)
	if err != nil {
		return nil, s.explain(err)
	}
	shown := map[string]json.RawMessage{}
	for name, o := range all {
		if !o.Sensitive {
			shown[name] = o.Value
		}
	}
	return shown, nil
}

// tell prints a plan's warnings and what was found of an interrupted apply.
func (s *session) tell(p tf.Plan) error {
	for _, address := range p.Recovered {
		s.std.printf("gen: an interrupted apply had created %s; it is in the state now\n", address)
	}
	return findingsText.write(s.std, s.findings(p.Warnings), s.sources)
}

// finish prints a run's result, as JSON or by text, and tells where the time went.
func (s *session) finish(r report.Run, asJSON bool, text func(report.Run) error) error {
	r.Timing = report.TimingOf(time.Since(s.begun), s.terraform.Elapsed(), s.compile)
	defer s.std.printf("gen: took %s\n", r.Timing)
	if asJSON {
		return report.JSON(s.std.out, r)
	}
	return text(r)
}

// explain turns terraform's diagnostics into findings about the spec, where they come from there.
func (s *session) explain(err error) error {
	var failed *tf.Error
	switch {
	case !errors.As(err, &failed):
		return err
	case failed.Stopped:
		return fmt.Errorf("%w; run the same command again to go on from here", err)
	case len(failed.Diagnostics) == 0:
		return err
	}
	summary := fmt.Sprintf("%s %s failed", string(failed.Product), failed.Op)
	if _, locked := tf.LockOf(err); locked {
		summary += "; 'gen unlock' shows who has the state locked, and releases a lock that was left behind"
	}
	if tf.BackendChanged(err) {
		return usagef("the backend of the environment %[1]s changed since gen worked here last. 'gen terraform --env %[1]s%[2]s -- init -migrate-state' moves the state to the new one; "+
			"with --reconfigure gen goes on with the state that is there, and leaves the old one where it is", s.env.name, s.stackFlag())
	}
	return findingsError{
		findings: s.findings(failed.Diagnostics), sources: s.sources, code: ExitFailed, as: findingsText, summary: summary,
	}
}

// stackFlag chooses the session's stack, in a project that has several.
func (s *session) stackFlag() string {
	if !s.project.spec.HasStacks() {
		return ""
	}
	return " --stack " + s.stack.Name
}

func (s *session) findings(diagnostics []tf.Diagnostic) diag.Findings {
	origins := fileplan.Origins(s.project.files, s.stack.Name)
	var findings diag.Findings
	for _, d := range diagnostics {
		f := d.Finding(func(file, argument string) (diag.Position, bool) {
			return originOf(origins, file, argument)
		})
		if f.Pos.File == d.File && d.File != "" {
			f.Pos.File = path.Join(fileplan.StackFolder(s.stack.Name), d.File)
		}
		if strings.Contains(f.Summary+f.Detail, "Table already exists") {
			f.Detail = strings.TrimSpace(f.Detail + "\nWrite import: true to take the table over with what is in it, or give this one another name.")
		}
		findings = append(findings, f)
	}
	return findings
}

// originOf finds where in the spec a generated file's argument is set; a key has the name of its argument.
func originOf(origins map[string]spec.Origin, file, argument string) (diag.Position, bool) {
	origin, found := origins[file]
	if !found || origin.Pos.IsZero() {
		return diag.Position{}, false
	}
	if pos, set := keyOf(origin, argument); set {
		return pos, true
	}
	return origin.Pos, true
}

// keyOf finds where an entry sets an argument: by its path below the entry, or by the end of it.
func keyOf(origin spec.Origin, argument string) (diag.Position, bool) {
	if pos, set := origin.Keys[argument]; set {
		return pos, true
	}
	for _, key := range slices.Sorted(maps.Keys(origin.Keys)) {
		if strings.HasSuffix(key, "."+argument) {
			return origin.Keys[key], true
		}
	}
	return diag.Position{}, false
}

// sources shows lines of the spec and of generated files.
func (s *session) sources(file string) ([]byte, bool) {
	if content, ok := s.project.sources(file); ok {
		return content, true
	}
	if !filepath.IsLocal(filepath.FromSlash(file)) {
		return nil, false
	}
	content, err := os.ReadFile(filepath.Join(s.project.dir, filepath.FromSlash(file)))
	return content, err == nil
}
