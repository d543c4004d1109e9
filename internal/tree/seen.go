package tree

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// seenFile remembers how the files looked when they were last found to be as wanted, as git's index does. It can go at any time.
const seenFile = ".gen/seen.json"

type seen struct {
	Version int `json:"version"`
	// Key stands for all that the tree was made from.
	Key string `json:"key"`
	// At is when the files were looked at, in nanoseconds: what changed shortly before may change again without a trace.
	At int64 `json:"at"`
	// Files are gen's, with what tells their state; Created need only be there.
	Files   map[string]fileState `json:"files"`
	Created []string             `json:"created"`
}

// fileState tells states of a file apart without reading it: size, modification time, and where the system has them change time and inode.
type fileState [4]int64

// tick is more than file systems' clocks take from one reading to the next.
const tick = 50 * time.Millisecond

// Remember notes that the project's files are as c wants them, after [Write] or when nothing was pending. key stands for all that the
// tree was made from, and for gen.lock. A note that fails costs time and nothing else.
func Remember(root string, c Changes, key string) error {
	s := seen{Version: formatVersion, Key: key, Files: map[string]fileState{}}
	for p := range c.lock.Created {
		s.Created = append(s.Created, p)
	}
	for p := range c.lock.Files {
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(p)))
		if err != nil {
			return err
		}
		s.Files[p] = stateOf(info)
	}
	s.At = time.Now().UnixNano()
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer dir.Close()
	w := &writer{dir: dir, touched: map[string]bool{}}
	folder, err := w.folder(filepath.ToSlash(filepath.Dir(seenFile)))
	if err != nil {
		return err
	}
	defer folder.Close()
	return w.replaceIn(folder, filepath.Base(seenFile), data, false)
}

// Seen reports whether the files are as [Remember] saw them, made from what key stands for, and how many there are. When it
// cannot tell, it says no: [Compare] does.
func Seen(root, key string) (files int, yes bool) {
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(seenFile)))
	if err != nil {
		return 0, false
	}
	var s seen
	if json.Unmarshal(data, &s) != nil || s.Version != formatVersion || s.Key != key {
		return 0, false
	}
	if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(intentFile))); err == nil {
		return 0, false // an unfinished run
	}
	for _, p := range s.Created {
		if info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(p))); err != nil || !info.Mode().IsRegular() {
			return 0, false
		}
	}
	for p, was := range s.Files {
		if checkPath(p) != nil {
			return 0, false
		}
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(p)))
		if err != nil || !info.Mode().IsRegular() || stateOf(info) != was || changedAt(was) > s.At-int64(tick) {
			return 0, false
		}
	}
	return len(s.Files) + len(s.Created), true
}

func stateOf(info fs.FileInfo) fileState {
	changed, inode := identity(info)
	return fileState{info.Size(), info.ModTime().UnixNano(), changed, inode}
}

func changedAt(s fileState) int64 { return max(s[1], s[2]) }
