package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/term"

	"streamgen/internal/fileplan"
	"streamgen/internal/progress"
	"streamgen/internal/tf"
)

// outlet is a stream of the command that a display may stand before. Only what is printed through it leaves a tree on the terminal whole.
type outlet struct {
	// stream is where it leads in the end.
	stream io.Writer

	mu     sync.Mutex
	before io.Writer
}

// Write writes to what stands before the stream, if anything does.
func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.before != nil {
		return o.before.Write(p)
	}
	return o.stream.Write(p)
}

func (o *outlet) put(before io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.before = before
}

// newStreams gives streams that a display may stand before. Interrupts are told there too.
func newStreams(ctx context.Context, in io.Reader, out, err io.Writer) streams {
	story := &outlet{stream: err}
	if i, ok := ctx.Value(interruptsKey{}).(interrupts); ok && i.story.stream == err {
		story = i.story
	}
	return streams{in: in, out: &outlet{stream: out}, err: story}
}

// following shows what the terraforms of a command do, while they do it. A nil one shows nothing.
type following struct {
	display *progress.Display
	end     func() error
}

// newProgress follows the terraforms of a command until it is closed. The story is told through its display meanwhile. Where file is not
// empty it gets the events. When ctx ends, the display says what has to be finished.
func newProgress(ctx context.Context, std streams, file string) (*following, error) {
	o := progress.Options{Out: std.err, Now: time.Now}
	restore := func() {}
	story, isOutlet := std.err.(*outlet)
	if isOutlet {
		o.Out = story.stream
		o.Size, restore = window(story.stream)
	}
	var events *os.File
	if file != "" {
		var err error
		if events, err = os.Create(file); err != nil {
			restore()
			return nil, usagef("--events: %w", err)
		}
		o.Events = events
	}
	display := progress.New(o)
	if isOutlet {
		story.put(display)
	}
	result, _ := std.out.(*outlet)
	if result != nil && o.Size != nil && isTerminal(result.stream) {
		result.put(aside{display, result.stream})
	}
	stop := tickUntil(display.Tick)
	calm := context.AfterFunc(ctx, display.Stopping)
	end := sync.OnceValue(func() error {
		defer restore()
		calm()
		stop()
		err := display.Close()
		if isOutlet {
			story.put(nil)
		}
		if result != nil {
			result.put(nil)
		}
		if events != nil {
			if closeErr := events.Close(); err == nil {
				err = closeErr
			}
		}
		if err != nil {
			return fmt.Errorf("writing the events to %s: %w", file, err)
		}
		return nil
	})
	return &following{display, end}, nil
}

// aside writes to a terminal that a display draws on.
type aside struct {
	display  *progress.Display
	terminal io.Writer
}

func (a aside) Write(p []byte) (n int, err error) {
	err = a.display.Aside(func() (err error) {
		n, err = a.terminal.Write(p)
		return err
	})
	return n, err
}

// window gives the size of the terminal that w is, if a tree can be drawn there. restore puts back what that changed.
func window(w io.Writer) (size func() (columns, rows int), restore func()) {
	terminal, ok := w.(*os.File)
	if !ok || !isTerminal(terminal) || !movesCursor(runtime.GOOS, os.Getenv) {
		return nil, func() {}
	}
	if restore, ok = startSequences(terminal); !ok {
		return nil, func() {}
	}
	return func() (columns, rows int) {
		columns, rows, _ = term.GetSize(int(terminal.Fd())) // zero means that it does not know
		return columns, rows
	}, restore
}

// close takes the display away. What is printed after it may go anywhere.
func (f *following) close() error {
	if f == nil {
		return nil
	}
	return f.end()
}

// of gives what hears the events of a stack's terraform; the stack's name is empty where there is only one. name names the entry of
// the spec that an address belongs to; it may be nil.
func (f *following) of(stack string, name func(address string) string) func(tf.Event) {
	if f == nil {
		return nil
	}
	return func(e tf.Event) {
		shown := progress.Event{Kind: progress.Kind(e.Kind), Stack: stack, Address: e.Address, Action: string(e.Action), Elapsed: e.Elapsed}
		if name != nil {
			shown.Name = name(e.Address)
		}
		f.display.Event(shown)
	}
}

// expect says what the plan of a stack changes, before it is applied.
func (f *following) expect(stack string, s tf.Summary) {
	if f != nil {
		f.display.Expect(stack, s.Add+s.Change+s.Remove)
	}
}

// entryNames names the entries of resources as people do, such as "table orders".
func entryNames(files []fileplan.File) func(address string) string {
	names := map[string]string{}
	for _, f := range files {
		kind := ""
		switch f.View.(type) {
		case fileplan.Table:
			kind = "table "
		case fileplan.Handler:
			kind = "handler "
		}
		for address, owner := range fileplan.Owners([]fileplan.File{f}) {
			names[address] = kind + owner.Entry
		}
	}
	return func(address string) string { return names[index.ReplaceAllString(address, "")] }
}

// movesCursor reports whether the terminal's user wants it drawn upon: a log of CI may be a terminal too.
func movesCursor(system string, getenv func(string) string) bool {
	kind := getenv("TERM")
	return getenv("NO_COLOR") == "" && (getenv("CI") == "" || getenv("CI") == "false") && kind != "dumb" && (kind != "" || system == "windows")
}

// tickUntil calls tick as often as a display wants it, until stop is called, which waits for the last call.
func tickUntil(tick func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(progress.Interval)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				tick()
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
