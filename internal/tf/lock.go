package tf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Lock is a lock on a state, as terraform describes it.
// https://developer.hashicorp.com/terraform/language/state/locking
type Lock struct {
	ID string
	// Operation is what terraform was doing, such as "OperationTypeApply"; Info says more, and is often empty.
	Operation, Info string
	// Who is the user and the host, with an @ between; Version that of terraform.
	Who, Version string
	// Created is zero where it could not be read.
	Created time.Time
	// Path is where the state is, as its backend names it.
	Path string
}

// LockOf gives the lock that made a command fail, if that is why it did.
func LockOf(err error) (Lock, bool) {
	var failed *Error
	if !errors.As(err, &failed) {
		return Lock{}, false
	}
	for _, d := range failed.Diagnostics {
		if l, found := parseLock(d.Detail); found {
			return l, true
		}
	}
	return parseLock(failed.Err.Error()) // a command without -json writes it as text
}

// httpLock is how the http backend names the lock that is in the way; as its info it gives that of the command that failed.
var httpLock = regexp.MustCompile(`already locked: ID=(\S+)`)

// parseLock reads the lines below "Lock Info:" in a message of terraform's.
func parseLock(text string) (l Lock, found bool) {
	before, text, found := strings.Cut(text, "Lock Info:\n")
	if !found {
		return Lock{}, false
	}
	fields := map[string]*string{
		"ID": &l.ID, "Path": &l.Path, "Operation": &l.Operation, "Who": &l.Who, "Version": &l.Version, "Info": &l.Info,
	}
	for line := range strings.Lines(text) {
		name, value, isField := strings.Cut(strings.TrimSpace(line), ":")
		if !isField || !strings.HasPrefix(line, " ") {
			break
		}
		value = strings.TrimSpace(value)
		if to := fields[name]; to != nil {
			*to = value
		} else if name == "Created" {
			l.Created, _ = time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", value) // zero where it cannot be read
		}
	}
	if id := first(httpLock, before); id != "" && id != l.ID {
		l = Lock{ID: id, Path: l.Path}
	}
	return l, l.ID != ""
}

// lockInfoFile is where terraform describes its lock on a state file.
func lockInfoFile(state string) string {
	dir, name := filepath.Split(state)
	return filepath.Join(dir, "."+strings.TrimPrefix(name, ".")+".lock.info")
}

// readLock reads terraform's description of a lock on a state file; found is false when there is none.
func readLock(state string) (l Lock, found bool, err error) {
	data, err := os.ReadFile(lockInfoFile(state))
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &l)
	}
	if err != nil {
		return Lock{}, false, fmt.Errorf("reading who locked %s: %w", state, err)
	}
	return l, true, nil
}
