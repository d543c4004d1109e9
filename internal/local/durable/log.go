package durable

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The log begins with a line that tells its format. What follows are groups: length, checksum, changes. A group is written and
// synced before the next is begun, so that a crash can tear the last one alone.
const (
	formatLine = "streamgen local stack, format "
	format     = 1
	groupHead  = 8 // bytes: the length of the changes, and the checksum of the length and the changes
	// compactAbove is how large a log may be, in bytes, before what is out of date in it counts.
	compactAbove = 32 << 20
	// compactGroup is about how large the groups of a log that was written anew are.
	compactGroup = 1 << 20
)

type kind byte

const (
	put kind = iota + 1
	remove
	clearAll
)

// change is a change of a space.
type change struct {
	kind       kind
	space, key string
	value      []byte
}

func (c change) append(b []byte) []byte {
	b = append(b, byte(c.kind))
	b = appendText(b, c.space)
	b = appendText(b, c.key)
	return appendText(b, c.value)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// readChange reads the first change of a group and gives the rest. at is where its value begins.
func readChange(group []byte) (c change, at int, rest []byte, err error) {
	c.kind, rest = kind(group[0]), group[1:]
	if c.kind < put || c.kind > clearAll {
		return c, 0, nil, fmt.Errorf("a change is of the unknown kind %d", c.kind)
	}
	var parts [3][]byte
	for i := range parts {
		n, width := binary.Uvarint(rest)
		if width <= 0 || n > uint64(len(rest)-width) {
			return c, 0, nil, errors.New("a change is cut off")
		}
		parts[i], rest = rest[width:][:n], rest[width+int(n):] //nolint:gosec // n fits: it is not longer than what is there
	}
	c.space, c.key, c.value = string(parts[0]), string(parts[1]), parts[2]
	return c, len(group) - len(rest) - len(c.value), rest, nil
}

// place is where the log has a value.
type place struct {
	at   int64
	size uint32 // of the value
	cost uint32 // of the change
}

// log is a log and what is in it that is not out of date. It is not safe for concurrent use.
type log struct {
	path   string
	file   *os.File
	end    int64
	spaces map[string]map[string]place
	live   int64 // bytes of the changes that are not out of date
	above  int64 // the size from which on the log may be wasteful
}

func openLog(path string) (*log, error) {
	l := &log{path: path, spaces: map[string]map[string]place{}, above: compactAbove}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return l, l.compact()
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	l.file = file
	if err := l.replay(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// replay reads the log and cuts off its torn end.
func (l *log) replay() error {
	size, err := l.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(l.file, 0, size), 1<<20)
	if l.end, err = readFormat(r); err != nil {
		return err
	}
	for l.end < size {
		group, err := readGroup(r, size-l.end)
		if errors.Is(err, errTorn) {
			if err := l.checkTorn(size); err != nil {
				return err
			}
			return l.file.Truncate(l.end)
		}
		if err != nil {
			return err
		}
		if err := l.note(group); err != nil {
			return fmt.Errorf("the log is damaged at byte %d: %w", l.end, err)
		}
	}
	return nil
}

func readFormat(r *bufio.Reader) (length int64, err error) {
	line, err := r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	text, ours := strings.CutPrefix(line, formatLine)
	n, err := strconv.Atoi(strings.TrimSpace(text))
	switch {
	case !ours || err != nil:
		return 0, errors.New("its log is none of the local stack's")
	case n > format:
		return 0, fmt.Errorf("a newer version wrote it, in format %d; this one knows up to %d", n, format)
	}
	return int64(len(line)), nil
}

var errTorn = errors.New("the group is torn")

// readGroup reads a group of which there are left bytes at most.
func readGroup(r io.Reader, left int64) ([]byte, error) {
	var head [groupHead]byte
	if left < groupHead {
		return nil, errTorn
	}
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(head[:]))
	if length > left-groupHead {
		return nil, errTorn
	}
	group := make([]byte, length)
	if _, err := io.ReadFull(r, group); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(head[4:]) != checksum(head[:4], group) {
		return nil, errTorn
	}
	return group, nil
}

func checksum(length, group []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, group)
}

// checkTorn tells a log whose last group is torn from one that is damaged: there, a whole group follows the bad one, which was
// durable then.
func (l *log) checkTorn(size int64) error {
	rest := make([]byte, size-l.end)
	if _, err := l.file.ReadAt(rest, l.end); err != nil {
		return err
	}
	for i := 1; i+groupHead < len(rest); i++ {
		if beginsGroup(rest[i:]) {
			return fmt.Errorf("the log is damaged between bytes %d and %d", l.end, l.end+int64(i))
		}
	}
	return nil
}

// beginsGroup says whether data begins with a whole group. It sums up only what looks like one.
func beginsGroup(data []byte) bool {
	length := int64(binary.LittleEndian.Uint32(data))
	if length == 0 || length > int64(len(data)-groupHead) {
		return false
	}
	if _, _, _, err := readChange(data[groupHead:][:length]); err != nil {
		return false
	}
	_, err := readGroup(bytes.NewReader(data), int64(len(data)))
	return err == nil
}

// note takes in a group that the log has at its end.
func (l *log) note(group []byte) error {
	base := l.end + groupHead
	for rest := group; len(rest) > 0; {
		c, at, next, err := readChange(rest)
		if err != nil {
			return err
		}
		l.apply(c, place{at: base + int64(at), size: uint32(len(c.value)), cost: uint32(len(rest) - len(next))}) //nolint:gosec // a group's length fits
		base += int64(len(rest) - len(next))
		rest = next
	}
	l.end += groupHead + int64(len(group))
	return nil
}

func (l *log) apply(c change, p place) {
	space := l.spaces[c.space]
	switch c.kind {
	case put:
		if space == nil {
			space = map[string]place{}
			l.spaces[c.space] = space
		}
		l.live += int64(p.cost) - int64(space[c.key].cost)
		space[c.key] = p
	case remove:
		l.live -= int64(space[c.key].cost)
		delete(space, c.key)
	case clearAll:
		for _, old := range space {
			l.live -= int64(old.cost)
		}
		clear(space)
	}
	if len(space) == 0 {
		delete(l.spaces, c.space)
	}
}

// append writes and syncs a group.
func (l *log) append(group []byte, sync func(*os.File) error) error {
	if _, err := l.file.WriteAt(frame(group), l.end); err != nil {
		return err
	}
	if err := sync(l.file); err != nil {
		return err
	}
	return l.note(group)
}

// frame is a group as the log has it.
func frame(group []byte) []byte {
	b := make([]byte, groupHead, groupHead+len(group))
	binary.LittleEndian.PutUint32(b, uint32(len(group))) //nolint:gosec // of what is pending between two syncs
	binary.LittleEndian.PutUint32(b[4:], checksum(b[:4], group))
	return append(b, group...)
}

// wasteful says that more than half of a log that is not small is out of date.
func (l *log) wasteful() bool { return l.end > l.above && l.end > 2*l.live }

// compact writes the log anew without what is out of date. When it fails the log goes on as it is, unless file is nil then.
func (l *log) compact() error {
	next := &log{path: l.path, spaces: map[string]map[string]place{}, above: compactAbove}
	l.above = 2 * l.end // the next attempt, if this fails
	err := prepareFile(l.path, func(w *bufio.Writer) error {
		line := fmt.Sprintf("%s%d\n", formatLine, format)
		next.end = int64(len(line))
		if _, err := w.WriteString(line); err != nil {
			return err
		}
		return l.copyTo(w, next)
	})
	if err != nil {
		return err
	}
	if err := l.close(); err != nil { // before renaming, as Windows wants it
		return err
	}
	placed := putInPlace(l.path)
	file, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		return errors.Join(placed, err)
	}
	if placed != nil {
		l.file = file
		return placed
	}
	next.file = file
	*l = *next
	return nil
}

func (l *log) close() error {
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	return file.Close()
}

// copyTo writes what is not out of date, and notes in next where.
func (l *log) copyTo(w *bufio.Writer, next *log) error {
	var group []byte
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		if _, err := w.Write(frame(group)); err != nil {
			return err
		}
		err := next.note(group)
		group = group[:0]
		return err
	}
	for _, space := range slices.Sorted(maps.Keys(l.spaces)) {
		err := l.each(space, func(key string, value []byte) error {
			group = change{kind: put, space: space, key: key, value: value}.append(group)
			if len(group) < compactGroup {
				return nil
			}
			return flush()
		})
		if err != nil {
			return err
		}
	}
	return flush()
}

// each gives the values of a space in the order of their keys. A value is the callee's own.
func (l *log) each(space string, f func(key string, value []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(l.spaces[space])) {
		p := l.spaces[space][key]
		value := make([]byte, p.size)
		if _, err := l.file.ReadAt(value, p.at); err != nil {
			return err
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	return nil
}

// prepareFile writes the next content of a file beside it.
func prepareFile(path string, write func(*bufio.Writer) error) (err error) {
	f, err := os.OpenFile(path+newSuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error tells more
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(w.Flush(), f.Sync(), f.Close())
}

const newSuffix = ".new"

// putInPlace makes what was prepared the file's content: whole, whenever the process or the machine ends.
func putInPlace(path string) error {
	if err := os.Rename(path+newSuffix, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
