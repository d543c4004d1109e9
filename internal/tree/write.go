package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// WriteOptions says how [Write] writes.
type WriteOptions struct {
	// Force replaces and removes edited files too. What was edited is lost.
	Force bool

	// step runs before each operation on the disk, so that a test can die there.
	step func()
}

// EditedError refuses to write because files that are gen's have been edited. Nothing was written.
type EditedError struct {
	// Paths are the edited files, sorted.
	Paths []string
}

func (e *EditedError) Error() string {
	return fmt.Sprintf("edited since gen wrote them, and nothing was written: %s", strings.Join(e.Paths, ", "))
}

// Write makes the changes that [Compare] found in the same project. Two writes to a project must not overlap.
//
// A run that is killed leaves every file either as it was or as it is to be, and a note in .gen/tree.json of what it
// meant to write. The next Compare and Write, of the same tree or another, go on from there: they know unfinished
// files as gen's own, remove what the killed run left behind and end with the disk that a run without
// interruption would have left.
func Write(root string, c Changes, opts WriteOptions) error {
	if edited := c.Of(Edited); len(edited) > 0 && !opts.Force {
		e := &EditedError{}
		for _, f := range edited {
			e.Paths = append(e.Paths, f.Path)
		}
		return e
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	defer dir.Close()
	w := &writer{dir: dir, step: opts.step, touched: map[string]bool{}}
	if err := w.write(c); err != nil {
		return fmt.Errorf("write %s: %w", root, err)
	}
	return nil
}

// writer makes changes to a project's disk, some of them at the same time.
type writer struct {
	dir *os.Root

	mu      sync.Mutex
	step    func()
	touched map[string]bool // folders with an entry that is not yet safe from a power cut
}

func (w *writer) write(c Changes) error {
	if err := w.sweep(c.intent); err != nil || !c.Pending() {
		return err
	}
	meant, err := encodeJSON(c.intent.with(c.lock))
	if err != nil {
		return err
	}
	if err := w.replace(intentFile, meant); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}

	changes := c.Of(Create, Update, Remove, Edited)
	// Removals come first: where case does not tell files apart, a new file may bear the name of an old one.
	for _, f := range changes {
		if f.New == nil {
			if err := w.remove(f.Path); err != nil {
				return err
			}
		}
	}
	for _, p := range c.leftovers {
		if err := w.prune(path.Dir(p)); err != nil {
			return err
		}
	}
	if err := w.replaceAll(slices.DeleteFunc(changes, func(f Change) bool { return f.New == nil })); err != nil {
		return err
	}

	if c.lockStale {
		manifest, err := encodeJSON(c.lock)
		if err != nil {
			return err
		}
		if err := w.replace(LockFile, manifest); err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.remove(intentFile)
}

// temporary is where the next content of a file stands until it is complete. Its name keeps it out of go and terraform.
func temporary(p string) string { return path.Join(path.Dir(p), ".gen-"+path.Base(p)+".tmp") }

// sweep removes what an unfinished run left half written.
func (w *writer) sweep(unfinished intent) error {
	paths := slices.AppendSeq([]string{intentFile, LockFile}, maps.Keys(unfinished.Files))
	for _, p := range slices.AppendSeq(paths, maps.Keys(unfinished.Created)) {
		if err := w.remove(temporary(p)); err != nil {
			return err
		}
	}
	return nil
}

// replaceAll gives files their new content, those of a folder one after the other, and makes all of it safe from a power cut.
func (w *writer) replaceAll(changes []Change) error {
	byFolder := map[string][]Change{}
	for _, f := range changes {
		byFolder[path.Dir(f.Path)] = append(byFolder[path.Dir(f.Path)], f)
	}
	// Of many files each would wait for the disk; together they wait once.
	together := len(changes) > 32 && canSyncTogether
	folders := slices.Sorted(maps.Keys(byFolder))
	err := inParallel(len(folders), func(i int) error {
		name := folders[i]
		folder, err := w.folder(name)
		if err != nil {
			return err
		}
		defer folder.Close()
		for _, f := range byFolder[name] {
			if err := w.replaceIn(folder, path.Base(f.Path), f.New, !together); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !together {
		return errors.Join(err, w.flush())
	}
	clear(w.touched)
	w.next()
	return syncTogether(w.dir)
}

// folder opens a folder of the project and makes it where it is missing.
func (w *writer) folder(name string) (*os.Root, error) {
	w.next()
	if err := w.dir.MkdirAll(name, 0o755); err != nil {
		return nil, err
	}
	w.touch(name)
	return w.dir.OpenRoot(name)
}

// replace gives a file its new content, all of it or none.
func (w *writer) replace(p string, data []byte) error {
	folder, err := w.folder(path.Dir(p))
	if err != nil {
		return err
	}
	defer folder.Close()
	return w.replaceIn(folder, path.Base(p), data, true)
}

// replaceIn is replace for a file of a folder; synced says that it is safe from a power cut before it has its name.
func (w *writer) replaceIn(folder *os.Root, name string, data []byte, synced bool) error {
	temp := temporary(name)
	err := w.create(folder, temp, data, synced)
	if errors.Is(err, fs.ErrExist) { // left by an unfinished run, or a link to somewhere
		w.next()
		if err := folder.Remove(temp); err != nil {
			return err
		}
		err = w.create(folder, temp, data, synced)
	}
	if err == nil {
		w.next()
		err = folder.Rename(temp, name)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		_ = folder.Remove(temp) // what failed is told, not that this did too
	}
	return err
}

func (w *writer) create(folder *os.Root, name string, data []byte, synced bool) error {
	w.next()
	f, err := folder.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	w.next()
	_, err = f.Write(data)
	if err == nil && synced {
		w.next()
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// inParallel calls do for each number below n, on all processors, and gives one of the errors.
func inParallel(n int, do func(i int) error) error {
	var workers errgroup.Group
	workers.SetLimit(2 * runtime.GOMAXPROCS(0)) // some of them wait for the disk
	for i := range n {
		workers.Go(func() error { return do(i) })
	}
	return workers.Wait()
}

// remove removes a file that need not be there.
func (w *writer) remove(p string) error {
	w.next()
	err := w.dir.Remove(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	w.touch(path.Dir(p))
	return err
}

func (w *writer) touch(folder string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.touched[folder] = true
}

// prune removes a folder and those above it as far as they are empty.
func (w *writer) prune(folder string) error {
	for ; folder != "."; folder = path.Dir(folder) {
		entries, err := fs.ReadDir(w.dir.FS(), folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || len(entries) > 0 {
			return err
		}
		w.next()
		if err := w.dir.Remove(folder); err != nil {
			return err
		}
		delete(w.touched, folder)
		w.touched[path.Dir(folder)] = true
	}
	return nil
}

// flush makes renames and removals safe from a power cut.
func (w *writer) flush() error {
	defer clear(w.touched)
	if runtime.GOOS == "windows" {
		return nil // it offers no way to do so for a folder
	}
	for _, folder := range slices.Sorted(maps.Keys(w.touched)) {
		w.next()
		f, err := w.dir.Open(folder)
		if err != nil {
			return err
		}
		err = f.Sync()
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
			err = nil // a file system that cannot do so for a folder, as some shared ones
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) next() {
	if w.step != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.step()
	}
}
