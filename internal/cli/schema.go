package cli

import (
	"github.com/spf13/cobra"

	"streamgen/internal/spec"
)

func newSchema(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of gen.yaml",
		Long: `Print the JSON Schema of gen.yaml, with a description and the default of each key.

'gen generate' keeps a copy in gen.schema.json beside the spec. An editor with a YAML language server uses it when the
spec's first line is

  # yaml-language-server: $schema=./gen.schema.json`,
		Example: "  gen schema > gen.schema.json",
		RunE: func(*cobra.Command, []string) error {
			schema, err := spec.Schema()
			if err != nil {
				return err
			}
			_, err = std.out.Write(schema)
			return err
		},
	}
}
