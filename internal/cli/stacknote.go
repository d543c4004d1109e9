package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"streamgen/internal/fileplan"
	"streamgen/internal/report"
	"streamgen/internal/tf"
	"streamgen/internal/wholefile"
)

// stackNote is what a stack was made of when nothing was left to do in it. As long as all of that is the same, so is the plan: there are no
// changes, unless somebody else made some in AWS, which --all looks for.
type stackNote struct {
	// Inputs is a digest of all that a plan depends on beside the state, State one of the state.
	Inputs string `json:"inputs"`
	State  string `json:"state"`
}

// noteFile is where the note of a stack lies.
func (s *session) noteFile() string {
	return s.project.work("stacks", s.env.name+"."+s.stack.Name+".json")
}

// forget takes a stack's note away: something may be done to it.
func (s *session) forget() error {
	if err := os.Remove(s.noteFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// skips reports whether a stack is as it was noted, and then says so.
func (set *stackSet) skips(ctx context.Context, s *session) bool {
	if set.options.all || set.relocated[s.stack.Name] != "" {
		return false
	}
	var was stackNote
	data, err := os.ReadFile(s.noteFile())
	if err != nil || json.Unmarshal(data, &was) != nil {
		return false // a note that cannot be read is as good as none
	}
	if now, err := set.noteOf(ctx, s); err != nil || now != was {
		return false // what is wrong shows when the stack is planned
	}
	set.note(s.stack.Name, report.StackUnchanged, "unchanged since the last apply", nil)
	return true
}

// remember notes that there is nothing left to do in a stack.
func (set *stackSet) remember(ctx context.Context, s *session, run report.Run) error {
	for _, stream := range run.Streams {
		if stream.Waits != "" {
			return nil // the next apply goes on with it
		}
	}
	if set.relocated[s.stack.Name] != "" {
		return nil // it was planned as if
	}
	set.stale(s)
	note, err := set.noteOf(ctx, s)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(note, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.noteFile()), 0o755); err != nil {
		return err
	}
	return wholefile.Write(s.noteFile(), append(data, '\n'))
}

// noteOf digests a stack as it is now.
func (set *stackSet) noteOf(ctx context.Context, s *session) (stackNote, error) {
	state, err := set.state(ctx, s)
	if err != nil {
		return stackNote{}, err
	}
	tree, err := digestOf(s.tree())
	if err != nil {
		return stackNote{}, err
	}
	packages := map[string]string{}
	for _, h := range s.handlers() {
		packages[h] = s.packages[h].SHA256
	}
	tables, err := set.foreignTables(ctx, s)
	if err != nil {
		return stackNote{}, err
	}
	inputs, err := json.Marshal([]any{
		s.binary.Path, s.binary.Version, tree, packages, tables, s.terraform.VarFile, s.terraform.Vars, s.terraform.Backend, s.terraform.StateFile,
		settingsOfEnvironment(s.terraform.Env), s.life.ID,
	})
	return stackNote{Inputs: digestOfText(inputs), State: digestOfText(state)}, err
}

func digestOfText(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// settingsOfEnvironment are the variables that say where terraform works and with which values. Credentials are not among them: those of
// a session differ every hour.
func settingsOfEnvironment(env map[string]string) map[string]string {
	settings := map[string]string{}
	for name, value := range env {
		switch {
		case strings.HasPrefix(name, "TF_VAR_"), strings.HasPrefix(name, "AWS_ENDPOINT_URL"):
			settings[name] = value
		case name == "AWS_PROFILE", name == "AWS_REGION", name == "AWS_DEFAULT_REGION", name == "AWS_ROLE_ARN", name == "AWS_CONFIG_FILE":
			settings[name] = value
		}
	}
	return settings
}

// foreignTables are what a stack looks up of the tables of other stacks, as these know it.
func (set *stackSet) foreignTables(ctx context.Context, s *session) (map[string]string, error) {
	tables := map[string]string{}
	for _, name := range s.stack.Foreign {
		t, _ := set.project.spec.Table(name)
		state, err := set.state(ctx, set.sessions[t.StackName()])
		if err != nil {
			return nil, err
		}
		address, _ := fileplan.DataAddress("table", name)
		there, err := tf.StateAttributes(state, "aws_dynamodb_table")
		if err != nil {
			return nil, err
		}
		var table struct {
			ARN       string `json:"arn"`
			StreamARN string `json:"stream_arn"`
		}
		if attributes := there[address]; attributes != nil {
			if err := json.Unmarshal(attributes, &table); err != nil {
				return nil, fmt.Errorf("reading %s in terraform's state: %w", address, err)
			}
		}
		tables[name] = table.ARN + " " + table.StreamARN
	}
	return tables, nil
}

// state is the state of a stack. One that is kept elsewhere is got once, until something is done to the stack.
func (set *stackSet) state(ctx context.Context, s *session) ([]byte, error) {
	lock := set.reading[s.stack.Name]
	lock.Lock()
	defer lock.Unlock()
	if s.terraform.StateIsHere() {
		return s.terraform.State(ctx)
	}
	if state, have := set.states.Load(s.stack.Name); have {
		return state.([]byte), nil
	}
	if err := set.init(ctx, s); err != nil {
		return nil, err
	}
	state, err := s.terraform.State(ctx)
	if err != nil {
		return nil, s.explain(err)
	}
	set.states.Store(s.stack.Name, state)
	return state, nil
}

// readStates reads the states of the chosen stacks, several at once: a state that is kept elsewhere takes its time.
func (set *stackSet) readStates(ctx context.Context) error {
	var workers errgroup.Group
	workers.SetLimit(set.options.parallel)
	for _, stack := range set.chosen {
		workers.Go(func() error {
			_, err := set.state(ctx, set.sessions[stack.Name])
			return err
		})
	}
	return workers.Wait()
}

// stale says that the state of a stack may have changed.
func (set *stackSet) stale(s *session) { set.states.Delete(s.stack.Name) }
