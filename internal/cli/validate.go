package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"streamgen/internal/diag"
)

// findingsFormat is how findings are printed; the zero value is text.
type findingsFormat string

const (
	findingsText        findingsFormat = "text"
	findingsJSON        findingsFormat = "json"
	findingsAnnotations findingsFormat = "github"
)

// write prints findings: text to stderr, since it is the story of a run; the machine forms to stdout.
func (f findingsFormat) write(s streams, fs diag.Findings, sources diag.Sources) error {
	switch f {
	case findingsJSON:
		return diag.WriteJSON(s.out, fs)
	case findingsAnnotations:
		return diag.WriteAnnotations(s.out, fs)
	default:
		return diag.WriteText(s.err, fs, diag.TextOptions{Sources: sources, Color: s.color()})
	}
}

func newValidate(std streams, at func() (string, error)) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check gen.yaml and print every finding",
		Long: `Check gen.yaml as a whole and print every finding with file, line and column and the way out. Nothing is written.
The exit code is 2 when a finding is an error; warnings alone leave it at 0.`,
		Example: "  gen validate\n  gen validate --format github   # annotations for CI",
		RunE: func(*cobra.Command, []string) error {
			as := findingsFormat(format)
			switch as {
			case findingsText, findingsJSON, findingsAnnotations:
			default:
				return usagef("--format %s: want text, json or github", format)
			}
			start, err := at()
			if err != nil {
				return err
			}
			p, err := loadProject(start, as, loadOptions{})
			if err != nil {
				return err
			}
			if err := as.write(std, p.warnings, p.sources); err != nil || as != findingsText {
				return err
			}
			_, err = fmt.Fprintf(std.out, "%s is valid: %s, %s\n", specFile, count(len(p.spec.Tables), "table"), count(len(p.spec.Handlers), "handler"))
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", string(findingsText), "`FORMAT` of findings: text, json or github")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "github"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// count puts a number before a noun in its right form.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
