package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"streamgen/internal/graph"
)

func newGraph(std streams, at func() (string, error)) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Draw which handlers read which streams, and where failed records go",
		Long: `Print the topology of gen.yaml: tables and the handlers that read their streams, what handlers read and write
beside that, and the destinations of records that a mapping gives up. Nothing is written.

Mermaid is what GitHub and GitLab draw inside Markdown, DOT is for Graphviz, and SVG is a finished drawing.`,
		Example: `  gen graph                          # Mermaid
  gen graph --format svg > graph.svg
  gen graph --format dot | dot -Tpng > graph.png`,
		RunE: func(*cobra.Command, []string) error {
			draw, known := map[string]func(graph.Graph) string{
				"mermaid": graph.Graph.Mermaid, "dot": graph.Graph.DOT, "svg": graph.Graph.SVG,
			}[format]
			if !known {
				return usagef("--format %s: want mermaid, dot or svg", format)
			}
			start, err := at()
			if err != nil {
				return err
			}
			p, err := loadSpec(start, findingsText)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(std.out, draw(graph.Of(p.spec))); err != nil {
				return fmt.Errorf("writing the drawing: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "mermaid", "`FORMAT` of the drawing: mermaid, dot or svg")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"mermaid", "dot", "svg"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
