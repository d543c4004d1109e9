package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"github.com/spf13/cobra"

	"streamgen/internal/render"
	"streamgen/internal/report"
	"streamgen/internal/wholefile"
	"streamgen/templates"
)

// templatesFolder holds the templates of a project that take the place of gen's own.
const templatesFolder = "templates"

// templateState says whose a template is.
type templateState string

const (
	builtIn    templateState = "built-in"
	overridden templateState = "overridden"
	// behind is an overridden template of which gen's own was another when it was ejected.
	behind templateState = "behind"
	// unknown is a file that is no template of gen.
	unknown templateState = "unknown"
)

type projectTemplate struct {
	Name  string        `json:"name"`
	State templateState `json:"state"`
}

// mayOverride reports whether a template of gen's may have one of the project's in its place: those of the first files of a
// project and of the runtime's copy may not.
func mayOverride(name string) bool {
	return path.Ext(name) == ".tmpl" && !strings.HasPrefix(name, "project/") && !strings.HasPrefix(name, "go/runtime.")
}

// ejected is the first line of an ejected template: the version of gen's own that it was.
var ejected = regexp.MustCompile(`^\{\{- /\* ejected from gen's template ([0-9a-f]+) \*/ -\}\}\n`)

func versionOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// overlay is gen's templates with those of a project over them.
type overlay struct {
	fs.FS
	own map[string][]byte
}

func (o overlay) ReadFile(name string) ([]byte, error) {
	if text, found := o.own[name]; found {
		return text, nil
	}
	return fs.ReadFile(o.FS, name)
}

// projectTemplates gives the templates of the project in dir, and what is to be said of each that is there.
func projectTemplates(dir string) (render.Templates, []projectTemplate, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return render.Templates{}, nil, err
	}
	defer root.Close()
	own, list := map[string][]byte{}, []projectTemplate(nil)
	err = fs.WalkDir(templates.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !mayOverride(name) {
			return err
		}
		text, err := root.ReadFile(path.Join(templatesFolder, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		state, err := compareTemplate(name, text)
		if state != builtIn {
			own[name] = text
		}
		list = append(list, projectTemplate{name, state})
		return err
	})
	if err != nil {
		return render.Templates{}, nil, fmt.Errorf("reading templates: %w", err)
	}
	return render.Templates{FS: overlay{templates.FS, own}, Proven: len(own) == 0}, append(list, strays(root)...), nil
}

func compareTemplate(name string, text []byte) (templateState, error) {
	ours, err := templates.FS.ReadFile(name)
	if err != nil || text == nil || bytes.Equal(text, ours) {
		return builtIn, err
	}
	if m := ejected.FindSubmatch(text); m != nil {
		if bytes.Equal(text[len(m[0]):], ours) {
			return overridden, nil
		}
		if string(m[1]) != versionOf(ours) {
			return behind, nil
		}
	}
	return overridden, nil
}

// strays finds templates of the project that have no counterpart, in the folders that gen's own are in: another name does nothing.
func strays(root *os.Root) []projectTemplate {
	var list []projectTemplate
	for _, folder := range []string{"terraform", "go", "partial"} {
		names, _ := fs.Glob(root.FS(), path.Join(templatesFolder, folder, "*.tmpl")) // its only error is a malformed pattern
		for _, file := range names {
			name := strings.TrimPrefix(file, templatesFolder+"/")
			if _, err := fs.Stat(templates.FS, name); err != nil {
				list = append(list, projectTemplate{name, unknown})
			}
		}
	}
	return list
}

// templates gives the project's templates, and tells of those that somebody should look at.
func (p *project) templates() (render.Templates, error) {
	set, list, err := projectTemplates(p.dir)
	if err != nil {
		return set, err
	}
	for _, t := range list {
		switch t.State {
		case behind:
			p.notes = append(p.notes, fmt.Sprintf("templates/%s was ejected from an older gen: 'gen templates diff %s' shows what differs from the built-in one", t.Name, t.Name))
		case unknown:
			p.notes = append(p.notes, fmt.Sprintf("templates/%s is no template of gen, and nothing uses it: 'gen templates list' has their names", t.Name))
		case builtIn, overridden:
		}
	}
	return set, nil
}

func newTemplates(std streams, at func() (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "templates",
		Short: "List, eject and compare the templates of generated files",
		Long: `Every generated file comes from a template. A project may have its own in the place of gen's, one by one, under templates/.
Eject one to begin with what gen has; from then on it is yours. 'gen generate' says when gen's own has changed since.`,
		Example: `  gen templates list
  gen templates eject terraform/table.tf.tmpl
  gen templates diff terraform/table.tf.tmpl   # what yours and gen's differ in`,
		Args: cobra.NoArgs,
	}
	dir := func() (string, error) {
		start, err := at()
		if err != nil {
			return "", err
		}
		return findProject(start)
	}
	cmd.AddCommand(newTemplatesList(std, dir), newTemplatesEject(std, dir), newTemplatesDiff(std, dir))
	return cmd
}

func newTemplatesList(std streams, dir func() (string, error)) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the templates, and which of them are the project's own",
		Long: `List every template that a project may have its own of: built-in; overridden, by the file of that name under templates/; behind, an
overridden one of which gen has a newer version than was ejected; unknown, a file that is no template of gen.`,
		Example: "  gen templates list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			project, err := dir()
			if err != nil {
				return err
			}
			_, list, err := projectTemplates(project)
			if err != nil {
				return err
			}
			if asJSON {
				return report.JSON(std.out, list)
			}
			for _, t := range list {
				if _, err := fmt.Fprintf(std.out, "%-10s %s\n", t.State, t.Name); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newTemplatesEject(std streams, dir func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:               "eject NAME...",
		Short:             "Copy templates of gen into the project, to change them",
		Long:              "Copy gen's own templates to templates/NAME. A file that is there already is not touched.",
		Example:           "  gen templates eject terraform/table.tf.tmpl partial/policy.tf.tmpl",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeTemplates,
		RunE: func(_ *cobra.Command, names []string) error {
			project, err := dir()
			if err != nil {
				return err
			}
			files := map[string][]byte{}
			for _, name := range names {
				text, err := builtInTemplate(name)
				if err != nil {
					return err
				}
				file := filepath.Join(project, templatesFolder, filepath.FromSlash(name))
				if _, err := os.Lstat(file); err == nil {
					return usagef("templates/%s is there already; 'gen templates diff %s' shows what differs", name, name)
				}
				files[file] = append([]byte("{{- /* ejected from gen's template "+versionOf(text)+" */ -}}\n"), text...)
			}
			for _, name := range names {
				file := filepath.Join(project, templatesFolder, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					return err
				}
				if err := wholefile.Write(file, files[file]); err != nil {
					return err
				}
				if _, err := fmt.Fprintf(std.out, "eject   templates/%s\n", name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func newTemplatesDiff(std streams, dir func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:               "diff NAME",
		Short:             "Show what the project's template and gen's own differ in",
		Long:              "Print a unified diff from gen's own template to that of the project. The exit code is 3 when they differ.",
		Example:           "  gen templates diff terraform/table.tf.tmpl",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeTemplates,
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			project, err := dir()
			if err != nil {
				return err
			}
			ours, err := builtInTemplate(name)
			if err != nil {
				return err
			}
			root, err := os.OpenRoot(project)
			if err != nil {
				return err
			}
			defer root.Close()
			own, err := root.ReadFile(path.Join(templatesFolder, name))
			if errors.Is(err, fs.ErrNotExist) {
				return usagef("the project has no templates/%s: the built-in one is used", name)
			}
			if err != nil {
				return err
			}
			own = ejected.ReplaceAll(own, nil)
			if bytes.Equal(own, ours) {
				return nil
			}
			if err := difflib.WriteUnifiedDiff(std.out, difflib.UnifiedDiff{
				A: difflib.SplitLines(string(ours)), FromFile: "built-in/" + name,
				B: difflib.SplitLines(string(own)), ToFile: templatesFolder + "/" + name, Context: 3,
			}); err != nil {
				return err
			}
			return errPending
		},
	}
}

func builtInTemplate(name string) ([]byte, error) {
	text, err := templates.FS.ReadFile(name)
	if err != nil || !mayOverride(name) {
		return nil, usagef("%s is no template; 'gen templates list' has their names", name)
	}
	return text, nil
}

func completeTemplates(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	_ = fs.WalkDir(templates.FS, ".", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && mayOverride(name) && !slices.Contains(args, name) {
			names = append(names, name)
		}
		return err
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}
