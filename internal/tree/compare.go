package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Kind says what happens, or would happen, to a file.
type Kind string

// The kinds of change. Only the first four are changes to the disk.
const (
	// Create: the file is not on disk.
	Create Kind = "create"
	// Update: the file on disk is gen's, of an earlier run.
	Update Kind = "update"
	// Remove: the file on disk is gen's and no longer wanted.
	Remove Kind = "remove"
	// Edited: the file on disk is not as gen wrote it; [Write] refuses to replace or remove it unless forced.
	Edited Kind = "edited"
	// Unchanged: the file on disk is as wanted, or the user's.
	Unchanged Kind = "unchanged"
	// Orphan: a file that is the user's, whose entry in the spec is gone. It stays, and is named this one time.
	Orphan Kind = "orphan"
)

// Class says why a file is not as it should be.
type Class string

// The classes of files.
const (
	UpToDate Class = "up to date"
	// Missing files are wanted and not on disk.
	Missing Class = "missing"
	// EditedByHand files are not as gen wrote them.
	EditedByHand Class = "edited"
	// Stale files are as gen wrote them, for another spec.
	Stale Class = "stale"
	// TemplateChanged files are as gen wrote them, with another template.
	TemplateChanged Class = "template-changed"
)

// Change is what happens to one path.
type Change struct {
	Kind  Kind
	Class Class
	Path  string
	// Origin is the entry of the spec that the file comes from or came from.
	Origin string
	// Old is what is on disk and New what is wanted; nil where there is nothing.
	Old, New []byte
}

// Changes is the difference between a project's disk and a wanted tree.
type Changes struct {
	// Files are sorted by path.
	Files []Change

	lock       lock
	lockStale  bool // gen.lock is not what it is to be
	unfinished bool // a run before this one did not end
	intent     intent
	leftovers  []string // paths that an earlier run had and this one does not, on disk or not
}

// Of gives the changes of some kinds.
func (c Changes) Of(kinds ...Kind) []Change {
	var of []Change
	for _, f := range c.Files {
		if slices.Contains(kinds, f.Kind) {
			of = append(of, f)
		}
	}
	return of
}

// Pending reports whether [Write] would change anything, gen.lock included.
func (c Changes) Pending() bool {
	return c.lockStale || c.unfinished || len(c.Of(Create, Update, Remove, Edited)) > 0
}

// LockStale reports whether gen.lock is not what it is to be.
func (c Changes) LockStale() bool { return c.lockStale }

// Compare reads gen.lock and the disk and tells what [Write] would do to have the wanted tree there. It writes nothing. notes is JSON
// that gen.lock is to keep for [Notes]; nil for none.
func Compare(root string, want Tree, notes json.RawMessage) (Changes, error) {
	if err := want.check(); err != nil {
		return Changes{}, fmt.Errorf("compare: %w", err)
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return Changes{}, fmt.Errorf("compare: %w", err)
	}
	defer dir.Close()
	c, err := compare(dir, want, notes)
	if err != nil {
		return Changes{}, fmt.Errorf("compare %s: %w", root, err)
	}
	return c, nil
}

func compare(dir *os.Root, want Tree, notes json.RawMessage) (Changes, error) {
	var have lock
	lockData, err := readJSON(dir, LockFile, &have)
	if err != nil {
		return Changes{}, err
	}
	var begun intent
	intentData, err := readJSON(dir, intentFile, &begun)
	if err != nil {
		return Changes{}, err
	}
	k, err := newKnown(have, begun)
	if err != nil {
		return Changes{}, err
	}

	c := Changes{lock: lockOf(want, notes), unfinished: intentData != nil, intent: begun}
	wantLock, err := encodeJSON(c.lock)
	if err != nil {
		return Changes{}, err
	}
	c.lockStale = !bytes.Equal(lockData, wantLock)

	wanted := make(map[string]bool, len(want))
	c.Files = make([]Change, len(want))
	for _, f := range want {
		wanted[f.Path] = true
	}
	if err := inParallel(len(want), func(i int) (err error) {
		c.Files[i], err = compareFile(dir, want[i], k)
		return err
	}); err != nil {
		return Changes{}, err
	}
	for p, origin := range k.paths {
		if wanted[p] {
			continue
		}
		change, found, err := compareGone(dir, p, origin, k)
		if err != nil {
			return Changes{}, err
		}
		if found {
			c.Files = append(c.Files, change)
		}
		if !found || change.Kind != Orphan {
			c.leftovers = append(c.leftovers, p)
		}
	}
	for i := range c.Files {
		c.Files[i].Class = classOf(c.Files[i], have, c.lock)
	}
	slices.Sort(c.leftovers)
	slices.SortFunc(c.Files, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return c, nil
}

func classOf(c Change, have, want lock) Class {
	switch c.Kind {
	case Create:
		return Missing
	case Edited:
		return EditedByHand
	case Update:
		if was := have.Files[c.Path].Template; was != want.Files[c.Path].Template {
			return TemplateChanged
		}
		return Stale
	case Remove:
		return Stale
	case Unchanged, Orphan:
	}
	return UpToDate
}

// compareFile says what happens to a wanted file.
func compareFile(dir *os.Root, f File, k known) (Change, error) {
	change := Change{Path: f.Path, Origin: f.Origin, New: f.Data}
	old, state, err := read(dir, f.Path)
	if err != nil {
		return Change{}, err
	}
	change.Old = old
	switch {
	case f.Once && state != absent:
		change.Kind, change.New = Unchanged, old
	case f.Once && (k.isSettled(dir, f.Path) || f.With != "" && k.isThere(dir, f.With)):
		change.Kind, change.New = Unchanged, nil
	case state == absent:
		change.Kind = Create
	case state == irregular:
		change.Kind = Edited
	case bytes.Equal(old, f.Data):
		change.Kind = Unchanged
	case k.isOurs(f.Path, old):
		change.Kind = Update
	default:
		change.Kind = Edited
	}
	return change, nil
}

// compareGone says what happens to a file that is known and not wanted, if it is on disk.
func compareGone(dir *os.Root, p, origin string, k known) (c Change, found bool, err error) {
	old, state, err := read(dir, p)
	if err != nil || state == absent {
		return Change{}, false, err
	}
	c = Change{Path: p, Origin: origin, Old: old}
	switch {
	case k.isCreated(p):
		c.Kind, c.New = Orphan, old
	case state == regular && k.isOurs(p, old):
		c.Kind = Remove
	default:
		c.Kind = Edited
	}
	return c, true, nil
}

// known is what gen.lock and an unfinished run say of the disk.
type known struct {
	lock   lock
	paths  map[string]string   // origin by path
	hashes map[string][]string // by folded path: a rename may change nothing but case
	intent intent
}

func newKnown(l lock, i intent) (known, error) {
	k := known{lock: l, intent: i, paths: map[string]string{}, hashes: map[string][]string{}}
	for p := range i.Files {
		k.paths[p] = ""
		k.hashes[fold(p)] = append(k.hashes[fold(p)], i.Files[p]...)
	}
	for p, f := range i.Created {
		k.paths[p] = f.Origin
	}
	for p, f := range l.Files {
		k.paths[p] = f.Origin
		k.hashes[fold(p)] = append(k.hashes[fold(p)], f.SHA256)
	}
	for p, f := range l.Created {
		k.paths[p] = f.Origin
	}
	for p := range k.paths {
		if err := checkPath(p); err != nil {
			return known{}, fmt.Errorf("read %s: %w", LockFile, err)
		}
	}
	return k, nil
}

// isOurs reports whether gen wrote the file. One that an unfinished run was to write and that holds nothing is what a power cut left.
func (k known) isOurs(p string, data []byte) bool {
	if _, begun := k.intent.Files[p]; begun && len(bytes.Trim(data, "\x00")) == 0 {
		return true
	}
	return slices.Contains(k.hashes[fold(p)], hash(data))
}

func (k known) isCreated(p string) bool {
	_, locked := k.lock.Created[p]
	_, begun := k.intent.Created[p]
	return locked || begun
}

// isSettled reports whether a created file that is gone is gone because the user, who kept its folder, arranged
// the code otherwise.
func (k known) isSettled(dir *os.Root, p string) bool {
	if _, created := k.lock.Created[p]; !created {
		return false
	}
	_, err := dir.Stat(path.Dir(p))
	return err == nil
}

// isThere reports whether a Once file was there before this run, and before one that did not come to its end.
func (k known) isThere(dir *os.Root, p string) bool {
	if _, created := k.lock.Created[p]; created {
		return true
	}
	if _, begun := k.intent.Created[p]; begun {
		return false
	}
	_, err := dir.Lstat(p)
	return err == nil
}

type state int

const (
	absent state = iota
	regular
	irregular // a folder, a symbolic link or a device
)

func read(dir *os.Root, p string) ([]byte, state, error) {
	info, err := dir.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, absent, nil
	}
	if err != nil {
		return nil, absent, err
	}
	if !info.Mode().IsRegular() {
		return nil, irregular, nil
	}
	data, err := dir.ReadFile(p)
	return data, regular, err
}
