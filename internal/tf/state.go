package tf

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// Output is the value of one of the configuration's outputs.
type Output struct {
	Value     json.RawMessage
	Sensitive bool
}

// Output gives the outputs that the last apply left. A state on this machine is read without terraform, which would first compute the
// digests of the work folder's providers.
func (t *Terraform) Output(ctx context.Context) (map[string]Output, error) {
	if t.StateIsHere() {
		state, err := t.State(ctx)
		if err != nil {
			return nil, err
		}
		return stateOutputs(state)
	}
	var read map[string]tfexec.OutputMeta
	err := t.read(ctx, "output", func(ctx context.Context) (err error) {
		read, err = t.reader.Output(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	outputs := make(map[string]Output, len(read))
	for name, o := range read {
		outputs[name] = Output{Value: o.Value, Sensitive: o.Sensitive}
	}
	return outputs, nil
}

// Resources lists the addresses of the resources that terraform manages, in the order of the state; none means that nothing is left. It
// reads the state itself, because every other way starts the provider and costs seconds.
func (t *Terraform) Resources(ctx context.Context) ([]string, error) {
	state, err := t.State(ctx)
	if err != nil {
		return nil, err
	}
	return stateResources(state)
}

func stateOutputs(raw []byte) (map[string]Output, error) {
	var state struct {
		Version int               `json:"version"`
		Outputs map[string]Output `json:"outputs"`
	}
	if len(raw) == 0 {
		return nil, nil // nothing was ever applied
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return nil, fmt.Errorf("reading terraform's state: %w", err)
	}
	if err := checkStateVersion(state.Version); err != nil {
		return nil, err
	}
	return state.Outputs, nil
}

// stateVersion is the format of state files since terraform 0.12.
const stateVersion = 4

func checkStateVersion(version int) error {
	if version != stateVersion {
		return fmt.Errorf("reading terraform's state: format %d is not known, want %d", version, stateVersion)
	}
	return nil
}

func stateResources(raw []byte) ([]string, error) {
	if len(raw) == 0 {
		return nil, nil // nothing was ever applied
	}
	var state struct {
		Version   int `json:"version"`
		Resources []struct {
			Module, Mode, Type, Name string
			Instances                []struct {
				Index json.RawMessage `json:"index_key"`
			}
		}
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return nil, fmt.Errorf("reading terraform's state: %w", err)
	}
	if err := checkStateVersion(state.Version); err != nil {
		return nil, err
	}
	var addresses []string
	for _, r := range state.Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, instance := range r.Instances {
			addresses = append(addresses, stateAddress(r.Module, r.Type, r.Name, instance.Index))
		}
	}
	return addresses, nil
}
