package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/internal/wholefile"
	"streamgen/templates"
)

type initOptions struct {
	spec        string
	module      string
	noTerraform bool
}

func newInit(std streams, at func() (string, error)) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a new project, or render one from a spec",
		Long: `Make a project in DIR, by default the folder that gen runs in: gen.yaml, go.mod, what git needs, the generated files and a scaffold
of each handler; then run terraform init for the local environment.

The spec is a starter, or the one that --spec names, or the gen.yaml that lies in DIR already. No file that is there
is overwritten. A go.mod that is there gets the lines that it lacks.`,
		Example: `  gen init orders
  gen init orders --spec ../orders.yaml
  gen init                     # here, from gen.yaml if there is one`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			dir := start
			if len(args) == 1 {
				if dir = args[0]; !filepath.IsAbs(dir) {
					dir = filepath.Join(start, dir)
				}
			}
			if o.spec != "" && !filepath.IsAbs(o.spec) {
				o.spec = filepath.Join(start, o.spec)
			}
			return runInit(cmd.Context(), std, dir, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.spec, "spec", "", "start from the spec in `FILE`")
	f.StringVar(&o.module, "module", "", "module `PATH` of a new go.mod (default example.com/<project>)")
	f.BoolVar(&o.noTerraform, "no-terraform", false, "do not run terraform init")
	_ = cmd.MarkFlagFilename("spec", "yaml", "yml")
	return cmd
}

func runInit(ctx context.Context, std streams, dir string, o initOptions) error {
	s, src, err := initialSpec(dir, o.spec)
	if err != nil {
		return err
	}
	if o.module == "" {
		o.module = "example.com/" + strings.ToLower(s.Project)
	}
	if err := module.CheckImportPath(o.module); err != nil {
		return usagef("--module: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	starter, err := starterFiles(o.module, src)
	if err != nil {
		return err
	}
	for _, f := range starter {
		if err := f.write(std, dir); err != nil {
			return err
		}
	}
	p, err := loadProject(dir, findingsText, loadOptions{})
	if err != nil {
		return err
	}
	if err := p.generate(ctx, std, generateOptions{}); err != nil {
		return err
	}
	if !o.noTerraform {
		if err := initTerraform(ctx, std, p); err != nil {
			return fmt.Errorf("the project is written, but terraform init failed; run 'gen init' there again once it can work: %w", err)
		}
	}
	std.printf(`
Next, in %s:
  gen local                  # in a second terminal: the local stack
  gen apply --env local      # generate, compile, apply
`, dir)
	return nil
}

// initialSpec is the spec to start from. Nothing is written before it is known to be good.
func initialSpec(dir, file string) (*spec.Spec, []byte, error) {
	there := filepath.Join(dir, specFile)
	src, err := os.ReadFile(there)
	switch {
	case err == nil && file != "":
		return nil, nil, usagef("%s is there already; leave --spec out to render from it", there)
	case err == nil:
		file = specFile
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, err
	case file != "":
		if src, err = os.ReadFile(file); err != nil {
			return nil, nil, usageError{err}
		}
	default:
		if src, err = starter("gen.yaml", map[string]string{"Project": projectName(dir)}); err != nil {
			return nil, nil, err
		}
		file = specFile
	}
	s, findings := spec.Load(file, src)
	if !findings.Failed() {
		// Names that collide once they are generated are bad input too; the module's path does not matter to them.
		_, collisions := fileplan.Plan(s, fileplan.Project{Module: runtimeModule})
		findings = append(findings, collisions...)
	}
	if findings.Failed() {
		sources := func(name string) ([]byte, bool) { return src, name == file }
		return nil, nil, findingsError{findings: findings, sources: sources, code: ExitInput, as: findingsText}
	}
	return s, src, nil
}

var notInName = regexp.MustCompile(`[^a-z0-9-]+`)

// projectName makes a name that AWS takes for tables and functions out of a folder's name.
func projectName(dir string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(filepath.Base(dir)), "-"), "-")
	const shortest = 3 // of a table's name
	if len(name) < shortest || name[0] < 'a' || name[0] > 'z' {
		name = "app-" + name
	}
	const longest = 40 // leaves room for "process-" within a function's 64 characters
	return strings.Trim(name[:min(len(name), longest)], "-")
}

// starterFile is a file of the user's that gen init makes where it is missing, or completes.
type starterFile struct {
	path     string
	data     []byte
	complete func(have, want []byte) ([]byte, error)
}

func starterFiles(modulePath string, src []byte) ([]starterFile, error) {
	files := []starterFile{{path: specFile, data: src}}
	view := map[string]string{"Module": modulePath, "GoVersion": fileplan.GoVersion, "LambdaVersion": fileplan.LambdaVersion}
	for _, f := range []struct {
		path, template string
		complete       func(have, want []byte) ([]byte, error)
	}{
		{"go.mod", "go.mod", completeModule},
		{"go.sum", "go.sum", completeLines},
		{".gitignore", "gitignore", completeLines},
		{".gitattributes", "gitattributes", completeLines},
	} {
		data, err := starter(f.template, view)
		if err != nil {
			return nil, err
		}
		files = append(files, starterFile{path: f.path, data: data, complete: f.complete})
	}
	return files, nil
}

// completeModule adds what a go.mod lacks to import the runtime. A module that is the runtime's own needs nothing.
func completeModule(have, _ []byte) ([]byte, error) {
	f, err := modfile.Parse("go.mod", have, nil)
	if err != nil {
		return nil, usageError{err}
	}
	requires := func(path string) bool {
		for _, r := range f.Require {
			if r.Mod.Path == path {
				return true
			}
		}
		return false
	}
	if f.Module != nil && f.Module.Mod.Path == runtimeModule || requires(runtimeModule) {
		return have, nil
	}
	if err := f.AddRequire(runtimeModule, "v0.0.0"); err != nil {
		return nil, err
	}
	if err := f.AddReplace(runtimeModule, "", vendoredRuntime, ""); err != nil {
		return nil, err
	}
	if f.Go == nil || version.Compare("go"+f.Go.Version, "go"+fileplan.GoVersion) < 0 {
		if err := f.AddGoStmt(fileplan.GoVersion); err != nil { // the runtime's copy needs it
			return nil, err
		}
	}
	if !requires("github.com/aws/aws-lambda-go") {
		f.AddNewRequire("github.com/aws/aws-lambda-go", fileplan.LambdaVersion, true)
	}
	f.Cleanup()
	return f.Format()
}

// completeLines appends the lines that are missing.
func completeLines(have, want []byte) ([]byte, error) {
	lines := map[string]bool{}
	for line := range strings.Lines(string(have)) {
		lines[strings.TrimSpace(line)] = true
	}
	out := bytes.Clone(have)
	for line := range strings.Lines(string(want)) {
		if lines[strings.TrimSpace(line)] {
			continue
		}
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
		out = append(out, line...)
	}
	return out, nil
}

// starter renders one of the templates of a new project.
func starter(name string, view map[string]string) ([]byte, error) {
	t, err := template.New(name+".tmpl").Option("missingkey=error").ParseFS(templates.FS, "project/"+name+".tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, view); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (f starterFile) write(std streams, dir string) error {
	target := filepath.Join(dir, f.path)
	have, err := os.ReadFile(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := wholefile.Write(target, f.data); err != nil {
			return err
		}
		_, err = fmt.Fprintf(std.out, "create  %s\n", f.path)
		return err
	case err != nil || f.complete == nil:
		return err
	}
	want, err := f.complete(have, f.data)
	if err != nil || bytes.Equal(want, have) {
		return err
	}
	if err := wholefile.Write(target, want); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "update  %s\n", f.path)
	return err
}
