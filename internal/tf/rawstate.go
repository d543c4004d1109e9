package tf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// State is the whole state; empty when nothing was ever applied. A state on this machine is read without terraform, unless it is
// encrypted; any other needs [Terraform.Init] first.
func (t *Terraform) State(ctx context.Context) ([]byte, error) {
	if t.StateIsHere() {
		data, err := os.ReadFile(t.statePath())
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil || !encrypted(data) {
			return data, err
		}
	}
	var raw string
	err := t.read(ctx, "state pull", func(ctx context.Context) (err error) {
		raw, err = t.reader.StatePull(ctx)
		return err
	})
	return []byte(raw), err
}

// encrypted reports whether a state is one that only OpenTofu can read. https://opentofu.org/docs/language/state/encryption/
func encrypted(state []byte) bool {
	if !bytes.Contains(state, []byte(`"encrypted_data"`)) { // which spares reading megabytes
		return false
	}
	var sealed struct {
		Data json.RawMessage `json:"encrypted_data"`
	}
	return json.Unmarshal(state, &sealed) == nil && sealed.Data != nil
}

// StateIsHere reports whether the state is a file of this package's own choice on this machine.
func (t *Terraform) StateIsHere() bool { return t.Backend.Type == "" && t.StateFile != "" }

func (t *Terraform) statePath() string {
	if filepath.IsAbs(t.StateFile) {
		return t.StateFile
	}
	return t.path(filepath.FromSlash(t.StateFile))
}

// PushState puts a state in the place of the present one. terraform refuses it when the present one has another lineage, or a serial that
// is not smaller: when it has changed since it was read.
func (t *Terraform) PushState(ctx context.Context, state []byte) error {
	file := t.path(logDir, "push.tfstate")
	if err := os.WriteFile(file, state, 0o600); err != nil {
		return err
	}
	defer os.Remove(file)
	said, err := t.run(ctx, "state", []string{"push", t.lockTimeoutArg(), file}, func([]byte) {})
	if err == nil && said.orderly && said.code == 0 {
		return nil
	}
	return t.failed(ctx, "state push", transcript{exit: said}, err)
}

// StateResources lists the addresses of the resources that a state has terraform manage, in its order.
func StateResources(state []byte) ([]string, error) { return stateResources(state) }
