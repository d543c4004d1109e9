package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/mod/modfile"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/render"
	"streamgen/internal/spec"
	"streamgen/internal/tree"
)

const (
	specFile   = "gen.yaml"
	schemaFile = "gen.schema.json"
	// workFolder holds what can be made again; git ignores it.
	workFolder = ".gen"
	// stateFolder holds terraform's local state, which cannot: it lies outside what gen deletes.
	stateFolder = "state"
	// vendoredRuntime is where a project that cannot download the runtime keeps its copy.
	vendoredRuntime = "./" + fileplan.RuntimeFolder
	runtimeModule   = "streamgen"
)

// startDir is the folder that a command starts from.
func startDir(flag string) (string, error) {
	if flag == "" {
		return os.Getwd()
	}
	dir, err := filepath.Abs(flag)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", usagef("--chdir %s: no such folder", flag)
	}
	return dir, nil
}

// project is a loaded project: its folder, its spec and the files that the spec plans.
type project struct {
	dir   string
	spec  *spec.Spec
	files []fileplan.File
	// stacks are its root modules, each after those that it needs.
	stacks []spec.Stack
	// history is what gen.lock is to remember of the spec.
	history fileplan.History
	// modules are the module's files that lack what generated code needs.
	modules []moduleFile
	// notes are what else there is to say.
	notes []string
	// warnings are findings that stop nothing.
	warnings diag.Findings
	sources  diag.Sources
}

// findProject looks for gen.yaml in the folder and its parents.
func findProject(start string) (string, error) {
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, specFile)); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", usagef("no %s in %s or any folder above; 'gen init DIR' makes a new project", specFile, start)
		}
	}
}

// loadSpec reads and checks the spec of the project that start lies in. Bad input is a [findingsError].
func loadSpec(start string, as findingsFormat) (*project, error) {
	dir, err := findProject(start)
	if err != nil {
		return nil, err
	}
	src, err := os.ReadFile(filepath.Join(dir, specFile))
	if err != nil {
		return nil, fmt.Errorf("reading the spec: %w", err)
	}
	p := &project{dir: dir, sources: func(file string) ([]byte, bool) { return src, file == specFile }}
	s, findings := spec.Load(specFile, src)
	if findings.Failed() {
		return nil, findingsError{findings: findings, sources: p.sources, code: ExitInput, as: as}
	}
	p.spec, p.warnings = s, findings
	return p, nil
}

// loadOptions are what the command line says of resources that left the spec, by the names of [fileplan.DataName].
type loadOptions struct {
	// forget are gone from AWS, and destroy are to be destroyed, as if the spec said so.
	forget, destroy []string
}

// loadProject is loadSpec and the plan of its files, which needs the project's go.mod.
func loadProject(start string, as findingsFormat, o loadOptions) (*project, error) {
	p, err := loadSpec(start, as)
	if err != nil {
		return nil, err
	}
	module, err := readModule(p.dir)
	if err != nil {
		return nil, err
	}
	before, err := readHistory(p.dir)
	if err != nil {
		return nil, err
	}
	before, unknown := before.Forgetting(o.forget)
	if len(unknown) > 0 {
		return nil, usagef("--forget %s: %s does not say that it was dropped", unknown[0], tree.LockFile)
	}
	p.spec.Destroy = append(p.spec.Destroy, o.destroy...)
	known, history, findings := before.Next(p.spec)
	p.spec, p.history, module.History = known, history, history
	p.stacks = history.Stacks(p.spec)
	files, collisions := fileplan.Plan(p.spec, module)
	findings = append(findings, collisions...)
	p.warnings = append(p.warnings, findings...)
	if findings.Failed() {
		return nil, findingsError{findings: p.warnings, sources: p.sources, code: ExitInput, as: as}
	}
	p.files = files
	p.checkHandlers()
	return p, nil
}

// readHistory reads what gen.lock remembers of the spec before.
func readHistory(dir string) (h fileplan.History, err error) {
	notes, err := tree.Notes(dir)
	if err != nil || notes == nil {
		return h, err
	}
	if err := json.Unmarshal(notes, &h); err != nil {
		return h, fmt.Errorf("read %s: %w", tree.LockFile, err)
	}
	return h, nil
}

// compare tells what a generation of the project would do.
func (p *project) compare() (tree.Changes, error) {
	want, err := p.tree()
	if err != nil {
		return tree.Changes{}, err
	}
	if p.modules, err = moduleFiles(p.dir, want); err != nil {
		return tree.Changes{}, err
	}
	notes, err := json.Marshal(p.history)
	if err != nil {
		return tree.Changes{}, err
	}
	return tree.Compare(p.dir, want, notes)
}

// readModule reads from the nearest go.mod how the project's packages are imported and where its runtime comes from.
func readModule(dir string) (fileplan.Project, error) {
	root, data, err := findModule(dir)
	if err != nil {
		return fileplan.Project{}, err
	}
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return fileplan.Project{}, usageError{err}
	}
	if f.Module == nil {
		return fileplan.Project{}, usagef("%s: no module directive", filepath.Join(root, "go.mod"))
	}
	below, err := filepath.Rel(root, dir)
	if err != nil {
		return fileplan.Project{}, err
	}
	p := fileplan.Project{Module: path.Join(f.Module.Mod.Path, filepath.ToSlash(below))}
	for _, r := range f.Replace {
		p.VendorRuntime = p.VendorRuntime || root == dir && r.Old.Path == runtimeModule && r.New.Path == vendoredRuntime
	}
	return p, nil
}

// findModule gives the folder and text of the go.mod beside a project's spec, or of the nearest one above: a module may hold
// several projects.
func findModule(dir string) (root string, text []byte, err error) {
	for root = dir; ; root = filepath.Dir(root) {
		text, err = os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return root, text, err
		}
		if root == filepath.Dir(root) {
			return "", nil, usagef("neither %s nor a folder above it has a go.mod; 'gen init' there makes one", dir)
		}
	}
}

// tree renders every file of the project, the schema that editors check the spec against among them.
func (p *project) tree() (tree.Tree, error) {
	set, err := p.templates()
	if err != nil {
		return nil, err
	}
	t, err := render.Render(p.files, set)
	if err != nil {
		return nil, err
	}
	schema, err := spec.Schema()
	if err != nil {
		return nil, err
	}
	return t.With(tree.File{Path: schemaFile, Data: schema}), nil
}

// stacked reports whether the project has stacks beside the main one, or instead of it.
func (p *project) stacked() bool { return len(p.stacks) > 1 || p.stacks[0].Name != spec.MainStack }

// stackWork is the folder that terraform runs in for a stack and an environment. It lies as deep as the stack's root module.
func (p *project) stackWork(environment, stack string) string {
	if stack == spec.MainStack {
		return p.work(environment)
	}
	return p.work("stacks", environment+"."+stack)
}

// work is a path in the project's work folder.
func (p *project) work(elem ...string) string {
	return filepath.Join(append([]string{p.dir, workFolder}, elem...)...)
}

// filesLock guards what gen writes from a spec: generated files and packages.
const filesLock = "lock"

// lockProject keeps a second gen from doing the same in a project at the same time; name is the lock's file.
func lockProject(ctx context.Context, std streams, dir, name string) (release func(), err error) {
	work := filepath.Join(dir, workFolder)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(work, name))
	release = func() { _ = l.Unlock() } // the system releases it when gen ends, whatever comes
	if ok, err := l.TryLock(); err != nil || ok {
		return release, err
	}
	std.printf("gen: waiting for another gen that works on %s\n", dir)
	if _, err := l.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for another gen: %w", err)
	}
	return release, nil
}
