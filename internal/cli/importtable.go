package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"streamgen/internal/adopt"
	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/report"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
	"streamgen/internal/wholefile"
)

type importOptions struct {
	env   environment
	entry string
	write bool
	json  bool
}

func newImport(std streams, at func() (string, error)) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import TABLE",
		Short: "Make an entry of gen.yaml from a table that is there",
		Long: `Ask AWS, or the local stack, what a table is, and print the entry of gen.yaml that says the same: what is as the spec has it by default
is left out, and what AWS cannot tell stands there as a comment. TABLE is its whole name in AWS, with name_prefix. Nothing of it is changed.

--write puts the entry into gen.yaml, first below "tables", and leaves the rest of the file as it is. With import: true the next
'gen plan' shows that the table is taken into terraform's state, and what an apply would change of it.`,
		Example: `  gen import orders
  gen import shop-orders --env prod --write && gen plan --env prod
  gen import orders --as purchases    # another name for the entry`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runImport(cmd.Context(), std, start, args[0], o)
		},
	}
	envFlag(cmd, &o.env.name)
	f := cmd.Flags()
	f.StringVar(&o.env.endpoint, "endpoint", defaultEndpoint, "`URL` of the local stack, for --env local")
	f.StringVar(&o.entry, "as", "", "name the entry `ENTRY` (default: the table's name without name_prefix)")
	f.BoolVar(&o.write, "write", false, "add the entry to gen.yaml")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// importedTable is what 'gen import --json' prints.
type importedTable struct {
	// Table is the name in AWS, Entry the one below "tables" of gen.yaml.
	Table string `json:"table"`
	Entry string `json:"entry"`
	// Spec has the keys of the entry, Notes what else there is to know.
	Spec    adopt.Map `json:"spec"`
	Notes   []string  `json:"notes"`
	Written bool      `json:"written"`
}

func runImport(ctx context.Context, std streams, start, table string, o importOptions) error {
	p, err := loadSpec(start, findingsText)
	if err != nil {
		return err
	}
	o.env.complete(start)
	if err := o.env.resolve(p.spec); err != nil {
		return err
	}
	entry, err := entryOf(p.spec, o.env.settings, table, o.entry)
	if err != nil {
		return err
	}
	if o.env.local() {
		_, err = probeStack(ctx, o.env.endpoint)
	} else {
		ambient, _ := tf.CloudEnvironment(os.Environ())
		err = refuseLoopback(ambient)
	}
	if err != nil {
		return err
	}
	settings, err := o.env.aws(ctx)
	if err != nil {
		return err
	}
	there, err := adopt.Read(ctx, settings, table)
	if err != nil {
		return err
	}
	if err := allowedAccount(o.env, aws.ToString(there.Description.TableArn)); err != nil {
		return err
	}
	made := there.Entry(entry)
	return p.imported(std, table, made, o)
}

// entryOf says how the entry of a table is written, and refuses one that the spec has already.
func entryOf(s *spec.Spec, settings spec.Settings, table, entry string) (adopt.Options, error) {
	name, ok := strings.CutPrefix(table, settings.NamePrefix)
	if !ok || name == "" {
		return adopt.Options{}, usagef("the table %s cannot be of this environment: its tables begin with %s, the name_prefix", table, settings.NamePrefix)
	}
	o := adopt.Options{Name: name, TableName: name, Minimal: s.Profile == "minimal", DefaultTags: map[string]string{}}
	if entry != "" {
		o.Name = entry
	}
	for _, t := range s.Tables {
		switch {
		case t.Existing && t.TableName == table:
			return adopt.Options{}, usagef("tables.%s at %s reads the table %s as one of others: take the entry out first", t.Name, t.Origin.Pos, table)
		case !t.Existing && t.TableName == name:
			return adopt.Options{}, usagef("the table %s is in %s already, as tables.%s at %s", table, specFile, t.Name, t.Origin.Pos)
		case t.Name == o.Name:
			return adopt.Options{}, usagef("tables.%s at %s is another table; name the entry of %s with --as", t.Name, t.Origin.Pos, table)
		}
	}
	for _, tag := range fileplan.DefaultTags(s.Project, settings.Tags) {
		o.DefaultTags[tag.Key] = tag.Value
	}
	return o, nil
}

// allowedAccount refuses a table of an account that the environment must not be in.
func allowedAccount(e environment, table string) error {
	allowed := e.settings.AllowedAccountIDs
	if e.local() || len(allowed) == 0 {
		return nil
	}
	a, err := arn.Parse(table)
	if err != nil {
		return fmt.Errorf("reading the table's ARN: %w", err)
	}
	if !slices.Contains(allowed, a.AccountID) {
		return fmt.Errorf("the table is in the account %s, and allowed_account_ids has %s", a.AccountID, strings.Join(allowed, ", "))
	}
	return nil
}

// imported prints an entry or writes it, once it is sure that gen.yaml holds together with it.
func (p *project) imported(std streams, table string, e adopt.Entry, o importOptions) error {
	before, _ := p.sources(specFile)
	after, err := adopt.Insert(before, e)
	switch {
	case err != nil && o.write:
		return err
	case err == nil:
		err = findingsIn(after)
	}
	wrong := err
	if o.write {
		if err == nil {
			err = replaceSpec(p.dir, before, after)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case o.json:
		err = report.JSON(std.out, importedTable{Table: table, Entry: e.Name, Spec: e.Keys, Notes: e.Notes, Written: o.write})
	case o.write:
		_, err = fmt.Fprintf(std.out, "update  %s  (tables.%s)\n", specFile, e.Name)
	default:
		_, err = io.WriteString(std.out, e.YAML(2))
	}
	if err == nil && o.write {
		std.printf("gen: 'gen plan' shows what an apply would do with the table\n")
	}
	return errors.Join(err, wrong)
}

// findingsIn is an error when a spec with the new entry does not hold together.
func findingsIn(src []byte) error {
	s, findings := spec.Load(specFile, src)
	if !findings.Failed() {
		_, collisions := fileplan.Plan(s, fileplan.Project{Module: runtimeModule})
		findings = append(findings, collisions...)
	}
	if !findings.Failed() {
		return nil
	}
	findings = slices.DeleteFunc(findings, func(f diag.Finding) bool { return f.Severity != diag.Error })
	return findingsError{
		findings: findings, sources: func(file string) ([]byte, bool) { return src, file == specFile }, code: ExitFailed, as: findingsText,
		summary: "the entry would not be valid in " + specFile + " and is not written; nothing was changed",
	}
}

// replaceSpec writes gen.yaml unless somebody else did so in the meantime. A link stays one.
func replaceSpec(dir string, before, after []byte) error {
	file, err := filepath.EvalSymlinks(filepath.Join(dir, specFile))
	if err != nil {
		return err
	}
	now, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, before) {
		return fmt.Errorf("%s changed while the table was read, so nothing was written: run the same command again", specFile)
	}
	return wholefile.Write(file, after)
}
