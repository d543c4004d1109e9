package tf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"streamgen/internal/wholefile"
)

// restoreState puts the backup in the place of a state file that is torn, and reports whether it did. Terraform's local
// backend writes the state in place: it copies what the file held to a backup, empties the file and fills it again. A kill in
// between leaves a file that is empty, which terraform takes for a state without resources, or half a state. What was
// done since the backup is found as the rest of an interrupted apply is.
func (t *Terraform) restoreState() (bool, error) {
	if t.StateFile == "" {
		return false, nil // another backend holds the state
	}
	state := t.StateFile
	if !filepath.IsAbs(state) {
		state = t.path(filepath.FromSlash(state))
	}
	data, err := os.ReadFile(state)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("checking terraform's state: %w", err)
	}
	if json.Valid(data) {
		return false, nil
	}
	backup, err := os.ReadFile(state + ".backup")
	if errors.Is(err, fs.ErrNotExist) && len(data) == 0 {
		return false, nil // the first apply ever: terraform makes the empty file to lock it
	}
	if err != nil {
		return false, fmt.Errorf("%s was cut off while terraform wrote it, and its backup cannot be read: %w", state, err)
	}
	if !json.Valid(backup) {
		return false, fmt.Errorf("%s and its backup were cut off while terraform wrote them; restore the state from a copy", state)
	}
	if err := wholefile.Write(state, backup); err != nil {
		return false, fmt.Errorf("restoring terraform's state: %w", err)
	}
	return true, nil
}
