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
	"streamgen/internal/report"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// session is one run of terraform on a project: generated and built if stale, initialised, in one environment.
type session struct {
	std       streams
	project   *project
	env       environment
	terraform *tf.Terraform
	begun     time.Time
	compile   time.Duration
	release   func()
}

// openSession brings the project up to date and terraform to where it can plan. What left the spec lives on, but for what the names
// in destroy allow to be destroyed. The caller closes it.
func openSession(ctx context.Context, std streams, start string, env environment, destroy ...string) (*session, error) {
	s := &session{std: std, env: env, begun: time.Now()}
	s.env.complete(start)
	p, err := loadProject(start, findingsText, loadOptions{destroy: destroy})
	if err != nil {
		return nil, err
	}
	s.project = p
	if err := s.env.resolve(p.spec); err != nil {
		return nil, err
	}
	if err := p.warn(std); err != nil {
		return nil, err
	}
	var stack stackHealth
	if s.env.local() {
		if stack, err = probeStack(ctx, env.endpoint); err != nil {
			return nil, err
		}
	}
	if s.release, err = lockProject(ctx, std, p.dir, s.env.name+".lock"); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, stack); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// close lets another gen work in the environment.
func (s *session) close() { s.release() }

// prepare generates and builds what is stale, and runs terraform init if it has to run.
func (s *session) prepare(ctx context.Context, stack stackHealth) error {
	story := s.std
	story.out = story.err // the result of these commands is what terraform does
	if err := s.project.generate(ctx, story, generateOptions{}); err != nil {
		return err
	}
	built, err := s.project.build(ctx, s.std, s.env.target())
	s.compile = built.Go
	if err != nil {
		return err
	}
	if s.env.local() {
		if err := switchLocalState(s.project.work(s.env.name, filepath.FromSlash(localState)), stack.ID); err != nil {
			return err
		}
	}
	if s.terraform, err = s.env.open(ctx, s.std, s.project, progressLines(s.std)); err != nil {
		return err
	}
	return s.explain(s.terraform.Init(ctx))
}

// say names the step that begins: terraform is silent for seconds while it loads the provider.
func (s *session) say(step string) { s.std.printf("gen: terraform %s\n", step) }

// apply applies a plan; review judges the plan that is made anew when an interrupted apply had left something.
func (s *session) apply(ctx context.Context, p judgedPlan, review func(tf.Plan) error) error {
	s.say("apply")
	_, err := s.terraform.ApplyConverging(ctx, p.Plan, p.options, review)
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
	return findingsError{
		findings: s.findings(failed.Diagnostics), sources: s.sources, code: ExitFailed, as: findingsText,
		summary: fmt.Sprintf("terraform %s failed", failed.Op),
	}
}

func (s *session) findings(diagnostics []tf.Diagnostic) diag.Findings {
	origins := fileplan.Origins(s.project.files)
	var findings diag.Findings
	for _, d := range diagnostics {
		f := d.Finding(func(file, argument string) (diag.Position, bool) {
			return originOf(origins, file, argument)
		})
		if f.Pos.File == d.File && d.File != "" {
			f.Pos.File = path.Join(fileplan.TerraformFolder, d.File)
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

// progressLines tells what terraform does, a line each.
func progressLines(std streams) func(tf.Event) {
	return func(e tf.Event) {
		if e.Action == tf.Read {
			return // a data source changes nothing
		}
		switch e.Kind {
		case tf.ApplyStart:
			std.printf("  %s: %s…\n", e.Address, e.Action)
		case tf.ApplyProgress:
			std.printf("  %s: still at it after %s\n", e.Address, e.Elapsed)
		case tf.ApplyComplete:
			std.printf("  %s: %s done in %s\n", e.Address, e.Action, e.Elapsed)
		case tf.ApplyErrored:
			std.printf("  %s: %s failed after %s\n", e.Address, e.Action, e.Elapsed)
		case tf.RefreshStart, tf.RefreshComplete, tf.InitOutput:
			// A line for each resource that is only looked at, or provider that is installed, would hide the others.
		}
	}
}
