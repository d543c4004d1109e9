// Package durable keeps values under names in a folder, so that they outlive the process. All of them lie in one log, to which
// changes are appended in their order; many share one write and one sync, and whoever acknowledges a change waits for it first, see
// [Folder.Wait]. After a crash the folder has the changes up to some moment, the acknowledged ones among them: none of a later moment
// and no part of a transaction.
//
// The values are read once, at start, and written from then on: the state itself is in the memory of those who keep it here.
package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gofrs/flock"
)

// Folder is an open folder. It is safe for concurrent use.
type Folder struct {
	dir  string
	lock *flock.Flock
	sync func(*os.File) error // Sync, but for measurements

	// gate is held for reading by transactions, and for writing to take what is pending: it is never taken in the middle of one.
	gate sync.RWMutex

	mu       sync.Mutex
	pending  []byte        // changes that are not written yet
	enqueued uint64        // times that changes came
	durable  uint64        // of them in the log
	settled  chan struct{} // closed, and replaced, when durable grows or failed is set
	failed   error
	closed   bool
	wake     chan struct{} // of the writer; closed with the folder
	ended    chan struct{} // closed by the writer

	logMu sync.Mutex
	log   *log
}

// Open opens a folder, and makes it if there is none. A folder that another process has open is refused, and so is one that holds
// something else, that a newer version wrote or that is damaged. The torn end that a crash leaves is cut off: nobody was told that it is durable.
func Open(dir string) (*Folder, error) {
	f, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the data folder %s: %w", dir, err)
	}
	return f, nil
}

func open(dir string) (_ *Folder, err error) {
	if err := errors.Join(os.MkdirAll(dir, 0o700), syncDir(filepath.Dir(dir))); err != nil {
		return nil, err
	}
	if err := errors.Join(checkWriters(dir), checkOwn(dir)); err != nil {
		return nil, err
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = lock.Unlock() // the first error tells more
		}
	}()
	l, err := openLog(filepath.Join(dir, logName))
	if err != nil {
		return nil, err
	}
	f := &Folder{
		dir: dir, lock: lock, log: l, sync: (*os.File).Sync,
		settled: make(chan struct{}), wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go f.write()
	return f, nil
}

// checkWriters refuses a folder that every user of the machine may write to: what lies in it could be somebody else's.
func checkWriters(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0 { // Windows has no such bits
		return fmt.Errorf("every user of this machine may write to it (%v): chmod o-w it, or choose another folder", info.Mode())
	}
	return nil
}

// checkOwn refuses a folder that holds something else: what lies in a data folder is this package's to change and to remove.
func checkOwn(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, logName)); err == nil {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != lockName && name != ownerName && name != logName+newSuffix { // of a start that was cut off
			return fmt.Errorf("it holds %s and is no data folder: choose an empty one or a new one", name)
		}
	}
	return nil
}

const lockName, ownerName, logName = "lock", "pid", "log"

// acquire makes this process the folder's only one. The system lets go of the lock when the process dies, however it does.
func acquire(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, lockName))
	owner := filepath.Join(dir, ownerName) // not in the lock itself, which Windows lets nobody else read
	locked, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		pid, err := os.ReadFile(owner)
		if err != nil {
			pid = []byte("unknown")
		}
		return nil, fmt.Errorf("process %s has it open: end that one, or choose another folder", strings.TrimSpace(string(pid)))
	}
	if err := os.WriteFile(owner, fmt.Appendln(nil, os.Getpid()), 0o600); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return lock, nil
}

// ErrClosed says that a change came after the folder was closed.
var ErrClosed = errors.New("the data folder is closed")

// Close writes what is pending and closes the folder. Later changes are lost, as those who wait for them are told.
func (f *Folder) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		<-f.ended
		return nil
	}
	f.closed = true
	close(f.wake)
	f.mu.Unlock()
	<-f.ended
	err := f.fail(ErrClosed)
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	return errors.Join(err, f.log.close(), f.lock.Unlock())
}

// fail ends what waits, and what will, unless something else did before. It gives the reason.
func (f *Folder) fail(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		f.failed = err
	}
	f.settle()
	return f.failed
}

// settle wakes those who wait. The caller holds f.mu.
func (f *Folder) settle() {
	close(f.settled)
	f.settled = make(chan struct{})
}

// Begin begins a transaction: after a crash all the changes until end are there, or none. They may be those of several spaces and,
// under a lock, of several goroutines. Transactions run side by side and do not nest; whoever holds one must not wait for another.
func (f *Folder) Begin() (end func()) {
	f.gate.RLock()
	return f.gate.RUnlock
}

// Wait returns when all that was changed before the call outlives the process and a power failure. An error means that it may not,
// and that nothing will from now on; or it is the context's.
func (f *Folder) Wait(ctx context.Context) error {
	f.mu.Lock()
	upTo := f.enqueued
	for f.durable < upTo && f.failed == nil {
		settled := f.settled
		f.mu.Unlock()
		select {
		case <-settled:
		case <-ctx.Done():
			return ctx.Err()
		}
		f.mu.Lock()
	}
	defer f.mu.Unlock()
	if f.durable < upTo {
		return f.failed
	}
	return nil
}

// Entry is a value to be kept, see [Space.Entry].
type Entry struct{ change change }

// Put keeps values: after a crash all of them are there, or none. Unlike a transaction that needs no care in which order locks are taken.
func (f *Folder) Put(entries ...Entry) {
	changes := make([]change, len(entries))
	for i, e := range entries {
		changes[i] = e.change
	}
	f.enqueue(changes...)
}

// enqueue adds changes. They are never refused: whether they became durable, Wait tells.
func (f *Folder) enqueue(changes ...change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enqueued++
	if f.closed || f.failed != nil {
		return
	}
	for _, c := range changes {
		f.pending = c.append(f.pending)
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// write appends what is pending to the log until the folder is closed. What comes meanwhile is the next group.
func (f *Folder) write() {
	defer close(f.ended)
	var group []byte
	for range f.wake {
		group = f.writeGroup(group)
	}
	f.writeGroup(group)
}

// writeGroup gives the memory of the group back for the next.
func (f *Folder) writeGroup(free []byte) []byte {
	f.gate.Lock()
	f.mu.Lock()
	group, upTo := f.pending, f.enqueued
	f.pending = free[:0]
	f.mu.Unlock()
	f.gate.Unlock()
	if len(group) == 0 {
		return group
	}
	if err := f.append(group); err != nil {
		err = f.fail(fmt.Errorf("the data folder %s takes no more changes: %w", f.dir, err))
		slog.Error("what changes from now on is lost when the stack ends", "error", err)
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.durable = upTo
	f.settle()
	if cap(group) > maxSpare {
		return nil
	}
	return group
}

// maxSpare is how much memory of a group that is written is used again.
const maxSpare = 4 << 20

func (f *Folder) append(group []byte) error {
	f.logMu.Lock()
	defer f.logMu.Unlock()
	if err := f.log.append(group, f.sync); err != nil {
		return err
	}
	if f.log.wasteful() {
		if err := f.log.compact(); err != nil {
			if f.log.file == nil {
				return err
			}
			slog.Warn("the log of the data folder was not made smaller", "folder", f.dir, "error", err)
		}
	}
	return nil
}

// Spaces gives the names of the spaces that hold something and begin with the prefix, in order.
func (f *Folder) Spaces(prefix string) []string {
	f.logMu.Lock()
	defer f.logMu.Unlock()
	names := slices.Sorted(maps.Keys(f.log.spaces))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, prefix) })
}

// Space gives the space of a name. There is no need to make it.
func (f *Folder) Space(name string) *Space { return &Space{f, name} }

// Space is a part of a folder: values by key.
type Space struct {
	folder *Folder
	name   string
}

// Entry is a value as JSON, as it is now.
func (s *Space) Entry(key string, value any) Entry {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("%s cannot be kept in space %s: %v", key, s.name, err)) // a type that has no JSON
	}
	return Entry{change{kind: put, space: s.name, key: key, value: text}}
}

// Put keeps a value as JSON, as it is now.
func (s *Space) Put(key string, value any) { s.folder.Put(s.Entry(key, value)) }

// PutBytes keeps a value.
func (s *Space) PutBytes(key string, value []byte) {
	s.folder.enqueue(change{kind: put, space: s.name, key: key, value: value})
}

// Delete forgets a value; one that is not there is no error.
func (s *Space) Delete(key string) { s.folder.enqueue(change{kind: remove, space: s.name, key: key}) }

// Clear forgets all values.
func (s *Space) Clear() { s.folder.enqueue(change{kind: clearAll, space: s.name}) }

// Each gives the values that are in the log, in the order of their keys. f may change the space, but must not wait.
func (s *Space) Each(f func(key string, value []byte) error) error {
	s.folder.logMu.Lock()
	defer s.folder.logMu.Unlock()
	if err := s.folder.log.each(s.name, f); err != nil {
		return fmt.Errorf("reading %s from the data folder %s: %w", s.name, s.folder.dir, err)
	}
	return nil
}

// syncDir makes new names in a folder outlive a power failure, where the system lets a folder be synced.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}
