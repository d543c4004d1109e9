package host

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"os"
	"sync"
	"time"

	"streamgen/internal/local/clock"
)

// LogSink takes what functions write, one call per line, without the newline. It must be safe for concurrent use and
// must not call the host.
type LogSink interface {
	Append(group, stream string, at time.Time, message string)
}

type discard struct{}

func (discard) Append(string, string, time.Time, string) {}

const (
	// maxEvent is the longest log event, in bytes; a longer line is cut into several.
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
	maxEvent = 256 << 10
	// maxTail is how much of an invocation's log a caller can have with the answer, in bytes.
	// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
	maxTail = 4 << 10
)

// logStream is one process's log stream.
type logStream struct {
	sink   LogSink
	clock  clock.Clock
	config Config
	name   string

	mu   sync.Mutex
	tail []byte
}

func newLogStream(sink LogSink, c clock.Clock, f Function) *logStream {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return &logStream{
		sink: sink, clock: c, config: f.Config,
		name: c.Now().UTC().Format("2006/01/02") + "/[" + f.Version + "]" + hex.EncodeToString(id),
	}
}

// output logs a line of the process, unless its level leaves it out.
func (l *logStream) output(line string) {
	if !l.config.drops(line) {
		l.line(line)
	}
}

func (l *logStream) line(message string) {
	l.sink.Append(l.config.LogGroup, l.name, l.clock.Now(), message)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(append(l.tail, message...), '\n')
	if over := len(l.tail) - maxTail; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
}

// takeTail gives the last of what was logged since it was called last.
func (l *logStream) takeTail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	tail := string(l.tail)
	l.tail = l.tail[:0]
	return tail
}

// capture turns what a process writes into log lines. Its standard output and error are one pipe, which keeps their order.
type capture struct {
	out    *logStream
	r, w   *os.File
	marker []byte
	marked chan struct{}
	ended  chan struct{}
	mu     sync.Mutex // one flush at a time
}

func newCapture(out *logStream) (*capture, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// A pipe is first in, first out: once the marker, which the process cannot know, has come through, everything that
	// was written before it has.
	marker := []byte("\x00" + rand.Text() + "\x00")
	c := &capture{out: out, r: r, w: w, marker: marker, marked: make(chan struct{}), ended: make(chan struct{})}
	go c.read()
	return c, nil
}

// flush returns once all that the process has written by now is logged.
func (c *capture) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.w.Write(c.marker); err != nil {
		return
	}
	select {
	case <-c.marked:
	case <-c.ended:
	}
}

// close logs the rest and ends the capture, even if a process that broke out of its group still holds the pipe.
func (c *capture) close() {
	c.flush()
	_ = c.w.Close()
	_ = c.r.Close()
	<-c.ended
}

func (c *capture) read() {
	defer close(c.ended)
	var pending []byte
	chunk := make([]byte, 32<<10)
	for {
		n, err := c.r.Read(chunk)
		pending = c.lines(append(pending, chunk[:n]...))
		if err != nil {
			return
		}
	}
}

// lines logs every whole line, and at a marker what stands before it, and gives back the rest.
func (c *capture) lines(b []byte) []byte {
	for {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		marker := bytes.Index(line, c.marker) // it holds no newline
		switch {
		case marker >= 0:
			if marker > 0 {
				c.out.output(string(line[:marker]))
			}
			b = b[marker+len(c.marker):]
			c.marked <- struct{}{}
		case whole && len(line) > maxEvent || len(line) > maxEvent+len(c.marker):
			c.out.output(string(line[:maxEvent]))
			b = b[maxEvent:]
		case whole:
			c.out.output(string(bytes.TrimSuffix(line, []byte("\r"))))
			b = rest
		default:
			return bytes.Clone(b)
		}
	}
}
