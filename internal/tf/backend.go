package tf

import (
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"streamgen/internal/wholefile"
)

// Backend says where the state is kept: a backend block of terraform.
// https://developer.hashicorp.com/terraform/language/backend
type Backend struct {
	// Type is the block's label, such as "s3"; empty for no block at all.
	Type      string
	Arguments []BackendArgument
}

// BackendArgument is one argument of a backend. Its value is a string, an int, a bool, or a list of arguments for a nested object.
type BackendArgument struct {
	Name  string
	Value any
}

// stageBackend writes the backend into a file of its own, which overrides what the configuration says.
func (t *Terraform) stageBackend() error {
	b, err := t.backend()
	if err != nil {
		return err
	}
	if b.Type == "" {
		return remove(t.path(backendFile))
	}
	file := hclwrite.NewEmptyFile()
	block := file.Body().AppendNewBlock("terraform", nil).Body().AppendNewBlock("backend", []string{b.Type})
	for _, a := range b.Arguments {
		block.Body().SetAttributeValue(a.Name, backendValue(a.Value))
	}
	return wholefile.Write(t.path(backendFile), file.Bytes())
}

// backend is the one of the options, or that of StateFile, whose folder it makes.
func (t *Terraform) backend() (Backend, error) {
	if t.Backend.Type != "" || t.StateFile == "" {
		return t.Backend, nil
	}
	state := t.StateFile
	if !filepath.IsAbs(state) {
		state = t.path(state)
	}
	if err := os.MkdirAll(filepath.Dir(state), 0o755); err != nil {
		return Backend{}, err
	}
	return Backend{Type: "local", Arguments: []BackendArgument{{"path", filepath.ToSlash(t.StateFile)}}}, nil
}

func backendValue(v any) cty.Value {
	switch v := v.(type) {
	case bool:
		return cty.BoolVal(v)
	case int:
		return cty.NumberIntVal(int64(v))
	case []BackendArgument:
		object := map[string]cty.Value{}
		for _, a := range v {
			object[a.Name] = backendValue(a.Value)
		}
		return cty.ObjectVal(object)
	case string:
		return cty.StringVal(v)
	}
	return cty.NullVal(cty.String)
}
