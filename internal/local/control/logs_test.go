package control

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"streamgen/internal/local/clock"
)

func newLogs() (*Logs, *clock.Manual) {
	c := clock.NewManual(start())
	return NewLogs("000000000000", "eu-west-1", c), c
}

func every(LogEvent) bool { return true }

func messages(t *testing.T, l *Logs, group string) []string {
	t.Helper()
	events, err := l.Events(group, every)
	must(t, err)
	var all []string
	for _, e := range events {
		all = append(all, e.Message)
	}
	return all
}

func wantMessages(t *testing.T, l *Logs, group string, want ...string) {
	t.Helper()
	if got := messages(t, l, group); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAppendMakesGroupAndStream(t *testing.T) {
	l, _ := newLogs()
	l.Append("g", "s", start(), "hello")
	wantCode(t, l.CreateGroup(LogGroup{Name: "g"}), "ResourceAlreadyExistsException")
	wantCode(t, l.CreateStream("g", "s"), "ResourceAlreadyExistsException")
	wantMessages(t, l, "g", "hello")
	streams, err := l.Streams("g")
	must(t, err)
	if want := "arn:aws:logs:eu-west-1:000000000000:log-group:g:log-stream:s"; len(streams) != 1 || streams[0].ARN != want {
		t.Errorf("got %+v, want the one stream %s", streams, want)
	}
}

func TestAppendKeepsAnExistingGroup(t *testing.T) {
	l, _ := newLogs()
	must(t, l.CreateGroup(LogGroup{Name: "g", Tags: map[string]string{"a": "1"}}))
	must(t, l.UpdateGroup("g", func(g *LogGroup) { g.RetentionDays = 3 }))
	l.Append("g", "s", start(), "hello")
	groups := l.Groups()
	if len(groups) != 1 || groups[0].RetentionDays != 3 || groups[0].Tags["a"] != "1" || groups[0].StoredBytes != len("hello")+EventOverhead {
		t.Errorf("got %+v", groups)
	}
}

func TestEventsAreOrderedByTime(t *testing.T) {
	l, _ := newLogs()
	l.Append("g", "b", start().Add(2*time.Millisecond), "third")
	l.Append("g", "a", start(), "first")
	l.Append("g", "b", start(), "second")
	wantMessages(t, l, "g", "first", "second", "third")
	events, err := l.StreamEvents("g", "b", every)
	must(t, err)
	if len(events) != 2 || events[0].Message != "second" || events[1].Message != "third" {
		t.Errorf("got %+v", events)
	}
}

func TestRetention(t *testing.T) {
	l, c := newLogs()
	must(t, l.CreateGroup(LogGroup{Name: "g"}))
	l.Append("g", "s", start(), "old")
	c.Advance(23 * time.Hour)
	l.Append("g", "s", c.Now(), "new")
	must(t, l.UpdateGroup("g", func(g *LogGroup) { g.RetentionDays = 1 }))
	wantMessages(t, l, "g", "old", "new")
	c.Advance(time.Hour)
	wantMessages(t, l, "g", "old", "new")
	c.Advance(time.Millisecond)
	wantMessages(t, l, "g", "new")
	if got := l.Groups()[0].StoredBytes; got != len("new")+EventOverhead {
		t.Errorf("%d bytes are stored", got)
	}
	must(t, l.UpdateGroup("g", func(g *LogGroup) { g.RetentionDays = 0 }))
	c.Advance(10 * 365 * 24 * time.Hour)
	wantMessages(t, l, "g", "new")
}

func TestPutRejects(t *testing.T) {
	l, c := newLogs()
	must(t, l.CreateGroup(LogGroup{Name: "g"}))
	_, err := l.Put("g", "s", nil)
	wantCode(t, err, "ResourceNotFoundException")
	must(t, l.CreateStream("g", "s"))
	now := c.Now()
	events := []NewLogEvent{
		{now.Add(-15 * 24 * time.Hour), "a"}, {now.Add(-2 * 24 * time.Hour), "b"}, {now, "c"},
		{now.Add(2*time.Hour + time.Second), "d"}, {now.Add(3 * time.Hour), "e"},
	}
	rejected, err := l.Put("g", "s", events)
	must(t, err)
	if want := (Rejected{Expired: -1, TooOld: 1, TooNew: 3}); rejected != want {
		t.Errorf("got %+v, want %+v", rejected, want)
	}
	wantMessages(t, l, "g", "b", "c")

	must(t, l.UpdateGroup("g", func(g *LogGroup) { g.RetentionDays = 1 }))
	rejected, err = l.Put("g", "s", events)
	must(t, err)
	if want := (Rejected{Expired: 2, TooOld: -1, TooNew: 3}); rejected != want {
		t.Errorf("with retention: got %+v, want %+v", rejected, want)
	}
	wantMessages(t, l, "g", "c", "c")
}

func TestGroupsAreBounded(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		l, _ := newLogs()
		message := strings.Repeat("x", MaxEventBytes-EventOverhead-1)
		for i := range 2 * MaxGroupBytes / MaxEventBytes {
			l.Append("g", "s", start(), message+string(rune('0'+i%10)))
		}
		if got := l.Groups()[0].StoredBytes; got != MaxGroupBytes {
			t.Errorf("%d bytes are stored, want %d", got, MaxGroupBytes)
		}
		if got := len(messages(t, l, "g")); got != MaxGroupBytes/MaxEventBytes {
			t.Errorf("%d events are left", got)
		}
	})
	t.Run("events", func(t *testing.T) {
		l, _ := newLogs()
		for i := range MaxGroupEvents + 5 {
			l.Append("g", "s", start(), fmt.Sprint(i))
		}
		got := messages(t, l, "g")
		if len(got) != MaxGroupEvents || got[0] != "5" {
			t.Errorf("%d events are left, the first is %s", len(got), got[0])
		}
	})
}

func TestAppendCutsLongMessages(t *testing.T) {
	l, _ := newLogs()
	long := strings.Repeat("é", MaxEventBytes) + "\xff\xff\xff\xff\xff"
	l.Append("g", "s", start(), long)
	got := messages(t, l, "g")
	if strings.Join(got, "") != long {
		t.Error("the parts are not the whole")
	}
	for i, part := range got {
		if len(part)+EventOverhead > MaxEventBytes {
			t.Errorf("a part has %d bytes", len(part))
		}
		if i < len(got)-1 && !utf8.ValidString(part) {
			t.Error("a character is split")
		}
	}
	l.Append("empty", "s", start(), "")
	wantMessages(t, l, "empty", "")
}

func TestSubscribe(t *testing.T) {
	l, _ := newLogs()
	var mu sync.Mutex
	got := map[string][]string{}
	cancel := l.Subscribe(func(e LogEvent) {
		l.Groups() // a subscriber may call the registry
		mu.Lock()
		defer mu.Unlock()
		got[e.Stream] = append(got[e.Stream], e.Message)
	})
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 100 {
				l.Append("g", fmt.Sprint(w), start(), fmt.Sprint(i))
			}
		})
	}
	writers.Wait()
	must(t, l.CreateStream("g", "put"))
	_, err := l.Put("g", "put", []NewLogEvent{{start(), "0"}})
	must(t, err)
	cancel()
	cancel()
	l.Append("g", "0", start(), "after the end")
	for w := range 4 {
		if len(got[fmt.Sprint(w)]) != 100 {
			t.Fatalf("writer %d: %d events", w, len(got[fmt.Sprint(w)]))
		}
		for i, m := range got[fmt.Sprint(w)] {
			if m != fmt.Sprint(i) {
				t.Fatalf("writer %d: event %d is %s", w, i, m)
			}
		}
	}
	if len(got["put"]) != 1 {
		t.Error("a put event was not told")
	}
}

func TestDeletingAStreamTakesItsEvents(t *testing.T) {
	l, _ := newLogs()
	l.Append("g", "a", start(), "a")
	l.Append("g", "b", start(), "b")
	must(t, l.DeleteStream("g", "a"))
	wantMessages(t, l, "g", "b")
	if got := l.Groups()[0].StoredBytes; got != 1+EventOverhead {
		t.Errorf("%d bytes are stored", got)
	}
	wantCode(t, l.DeleteStream("g", "a"), "ResourceNotFoundException")
	must(t, l.DeleteGroup("g"))
	wantCode(t, l.DeleteGroup("g"), "ResourceNotFoundException")
}

func BenchmarkAppend(b *testing.B) {
	l, _ := newLogs()
	message := strings.Repeat("x", 200)
	for b.Loop() {
		l.Append("g", "s", start(), message)
	}
}
