package spec

import (
	"encoding/json"
	"fmt"

	"github.com/invopop/jsonschema"
)

// Schema gives the JSON Schema (draft 2020-12) of a spec, for editors. It is made from the fields that [Load] decodes with; what
// needs more than one value to judge, such as a handler's table, only Load checks. Equal versions give equal bytes.
func Schema() ([]byte, error) {
	s := specObject.schema()
	s.Version = jsonschema.Version
	s.Title = "streamgen spec"
	s.Definitions = jsonschema.Definitions{"attribute": attributeSchema()}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the schema of the spec: %w", err)
	}
	return append(out, '\n'), nil
}
