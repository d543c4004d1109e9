package records

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"streamgen/internal/wholefile"
)

// Version is that of the recordings that this package writes, and the highest that it reads.
const Version = 1

// Header is the first line of a recording.
type Header struct {
	// Recording is the format's version.
	Recording int `json:"streamgen_recording"`
	// Table is the table's name in AWS.
	Table     string `json:"table"`
	StreamARN string `json:"stream_arn"`
	Region    string `json:"region"`
	// ViewType is the stream's, such as NEW_AND_OLD_IMAGES.
	ViewType string `json:"view_type"`
	// Keys are the table's key attributes, the hash key first.
	Keys []string `json:"keys"`
	// Begun is when the recording began.
	Begun time.Time `json:"begun"`
}

// line is every other line of a recording.
type line struct {
	Shard  string          `json:"shard"`
	Record json.RawMessage `json:"record"`
}

// Line is a record's line in a recording, with its end.
func (r Record) Line() ([]byte, error) { return encode(line{r.Shard, r.JSON}) }

// Line is the header's line, with its end.
func (h Header) Line() ([]byte, error) { return encode(h) }

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the record's bytes stay as Lambda has them
	err := e.Encode(v)
	return b.Bytes(), err
}

// Read reads a recording and calls each with its records, in their order. A last line that was cut off, as by a power failure, is left
// out; whole is where it begins, or the recording's length.
func Read(r io.Reader, each func(Record) error) (h Header, whole int64, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	for number := 1; ; number++ {
		text, err := in.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF) && number == 1:
			return h, 0, errors.New("it is no recording: there is not even one line in it")
		case errors.Is(err, io.EOF):
			return h, whole, nil
		case err != nil:
			return h, whole, err
		}
		if number == 1 {
			err = h.parse(text)
		} else {
			err = readLine(text, each)
		}
		if err != nil {
			return h, whole, fmt.Errorf("line %d: %w", number, err)
		}
		whole += int64(len(text))
	}
}

func (h *Header) parse(text []byte) error {
	if err := json.Unmarshal(text, h); err != nil || h.Recording == 0 {
		return errors.New(`it is no recording: the first line has no "streamgen_recording"`)
	}
	if h.Recording > Version {
		return fmt.Errorf("the recording is of version %d, and this gen knows those up to %d", h.Recording, Version)
	}
	return nil
}

func readLine(text []byte, each func(Record) error) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	record, err := Parse(l.Record)
	if err != nil {
		return err
	}
	record.Shard = l.Shard
	return each(record)
}

// File is a recording that is being written. A line is written as a whole, so that whoever reads meanwhile, or after a crash, finds
// whole lines and at most one that was cut off.
type File struct {
	f *os.File
	// Header is the recording's own, which an earlier run may have written.
	Header Header
	// Last is by shard the sequence number up to which the recording has the shard; Count is how many records it has.
	Last  map[string]string
	Count int
}

// Open makes a recording, or goes on with one of the same stream.
func Open(path string, h Header) (*File, error) {
	file := &File{Header: h, Last: map[string]string{}}
	was, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return file, file.create(path)
	}
	if err != nil {
		return nil, err
	}
	defer was.Close()
	found, whole, err := Read(was, func(r Record) error {
		file.note(r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if found.StreamARN != h.StreamARN {
		return nil, fmt.Errorf("%s is a recording of another stream, %s; the table's is %s now: choose another file", path, found.StreamARN, h.StreamARN)
	}
	file.Header = found
	if file.f, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	if err := file.f.Truncate(whole); err != nil { // a line that was cut off ends nothing
		return nil, errors.Join(err, file.f.Close())
	}
	if _, err := file.f.Seek(whole, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.f.Close())
	}
	return file, nil
}

func (f *File) create(path string) (err error) {
	f.Header.Recording = Version
	text, err := f.Header.Line()
	if err != nil {
		return err
	}
	if err := wholefile.Write(path, text); err != nil {
		return err
	}
	f.f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

func (f *File) note(r Record) {
	f.Count++
	f.Last[r.Shard] = r.Sequence
}

// Write adds records.
func (f *File) Write(list []Record) error {
	var b []byte
	for _, r := range list {
		text, err := r.Line()
		if err != nil {
			return err
		}
		b = append(b, text...)
	}
	if _, err := f.f.Write(b); err != nil {
		return err
	}
	for _, r := range list {
		f.note(r)
	}
	return nil
}

// Close makes sure that what was written is on the disk.
func (f *File) Close() error { return errors.Join(f.f.Sync(), f.f.Close()) }
