package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/tree"
)

type generateOptions struct {
	check, diff, force, json bool
	forget                   []string
}

func newGenerate(std streams, at func() (string, error)) *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Render Terraform and Go from gen.yaml",
		Long: `Render everything under generated/ from gen.yaml, and a scaffold for each handler that has none yet.

Files under handlers/ are yours: they are created once and never touched again. When a handler leaves the spec its
generated files go and its handler.go stays. A generated file that was edited is named and not overwritten, unless --force.

--check and --diff write nothing; the exit code is 3 when there is something to write. --check says of each file what is wrong
with it: missing; edited by hand; stale, made from another gen.yaml; or template-changed, made with another template.

gen.lock remembers what was in the spec. A table, or a queue or bucket of failures, that leaves it lives on, and terraform forgets it; the
key destroy of gen.yaml names those that may be destroyed. An entry with another key and the same name in AWS was renamed.`,
		Example: `  gen generate
  gen generate --diff     # show what would change
  gen generate --check    # for CI: fail when generated files are not up to date`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			if done, err := generatedAlready(std, start, o); done || err != nil {
				return err
			}
			p, err := loadProject(start, findingsText, loadOptions{forget: o.forget})
			if err != nil {
				return err
			}
			if err := p.warn(std); err != nil {
				return err
			}
			return p.generate(cmd.Context(), std, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.check, "check", false, "write nothing; exit code 3 when something is not up to date")
	f.BoolVar(&o.diff, "diff", false, "write nothing; print what would change as a unified diff")
	f.BoolVar(&o.force, "force", false, "overwrite generated files that were edited")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.StringArrayVar(&o.forget, "forget", nil, "know no more of `table.NAME`, queue.HANDLER or bucket.HANDLER, which left the spec and is gone from AWS, or of stack.NAME, which is empty everywhere (repeatable)")
	cmd.MarkFlagsMutuallyExclusive("check", "diff", "force")
	cmd.MarkFlagsMutuallyExclusive("diff", "json")
	return cmd
}

// warn prints the findings that stop nothing.
func (p *project) warn(std streams) error {
	return findingsText.write(std, p.warnings, p.sources)
}

// generate brings the project's files to what the spec says. It returns errPending when it was asked not to write and
// there was something to write.
func (p *project) generate(ctx context.Context, std streams, o generateOptions) error {
	release, err := lockProject(ctx, std, p.dir, filesLock)
	if err != nil {
		return err
	}
	defer release()
	changes, err := p.compare()
	if err != nil {
		return err
	}
	for _, note := range p.notes {
		std.printf("gen: %s\n", note)
	}
	if o.diff {
		if err := changes.Diff(std.out); err != nil {
			return err
		}
	}
	dry := o.check || o.diff
	for _, f := range p.modules {
		if dry {
			std.printf("gen: %s lacks what the copied runtime needs; 'gen generate' adds it\n", f.name)
		} else {
			std.printf("gen: %s gets what the copied runtime needs\n", f.name)
		}
	}
	if !dry {
		if err := p.write(changes, o); err != nil {
			return err
		}
		p.remember(changes)
	}
	switch {
	case o.json:
		err = report.JSON(std.out, report.FilesOf(changes))
	case o.check:
		err = report.FilesOf(changes).CheckText(std.out)
	case !o.diff:
		err = report.FilesOf(changes).Text(std.out)
	}
	if err == nil && dry && (changes.Pending() || len(p.modules) > 0) {
		err = errPending
	}
	return err
}

func (p *project) write(changes tree.Changes, o generateOptions) error {
	err := tree.Write(p.dir, changes, tree.WriteOptions{Force: o.force})
	var edited *tree.EditedError
	if errors.As(err, &edited) {
		return fmt.Errorf("generated files were edited, so nothing was written:\n  %s\n'gen generate --diff' shows the edits, 'gen generate --force' overwrites them",
			strings.Join(edited.Paths, "\n  "))
	}
	if err != nil {
		return err
	}
	return writeModuleFiles(p.dir, p.modules)
}
