package streams

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
)

// orders are changes of a thousand items of about 1 KB.
func orders() []engine.Change {
	changes := make([]engine.Change, 1000)
	for i := range changes {
		keys := attr.Item{"id": attr.String(fmt.Sprintf("order-%06d", i))}
		image := attr.Item{"id": keys["id"], "note": attr.String(strings.Repeat("x", 900))}
		for n := range 5 {
			image[fmt.Sprintf("attribute%d", n)] = attr.String("value")
		}
		changes[i] = engine.Change{Kind: engine.Insert, Keys: keys, New: image, At: start}
	}
	return changes
}

func benchStream() (*Registry, *Stream) {
	r := New(Options{Account: "111111111111", Region: "us-east-1", Clock: clock.NewManual(start)})
	return r, r.Open(engine.StreamTable{Name: "T", Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: "NEW_AND_OLD_IMAGES"}).(*Stream)
}

// BenchmarkAppend is what a stream adds to a write: with one shard and with many, and, steady, with a day behind it, where for each
// record that comes one goes.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name   string
		splits int
		old    int           // records that lie there already
		step   time.Duration // between records
	}{
		{"one shard", 0, 0, 0},
		{"64 shards", 6, 0, 0},
		{"steady", 0, 864_000, 100 * time.Millisecond},
		{"steady, 64 shards", 6, 864_000, 100 * time.Millisecond},
	} {
		b.Run(c.name, func(b *testing.B) {
			_, s := benchStream()
			for range c.splits {
				for _, sh := range s.Shards() {
					if !sh.Closed {
						if _, err := s.Split(sh.ID); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			changes := orders()
			at := start
			add := func(i int) {
				change := changes[i%len(changes)]
				change.At = at
				at = at.Add(c.step)
				s.Append(change)
			}
			for i := range c.old {
				add(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				add(i)
			}
		})
	}
}

func filled(b *testing.B, n int) (*Registry, *Stream, string) {
	r, s := benchStream()
	changes := orders()
	for i := range n {
		s.Append(changes[i%len(changes)])
	}
	b.ReportAllocs()
	return r, s, s.Shards()[0].ID
}

// BenchmarkGetRecords reads 1,000 records of 1 KB, the most that fit into a page.
func BenchmarkGetRecords(b *testing.B) {
	r, s, shard := filled(b, 20_000)
	token, err := s.Iterator(shard, TrimHorizon, "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		records, _, err := r.Records(token, MaxRecords)
		if err != nil || len(records) != MaxRecords {
			b.Fatal(len(records), err)
		}
	}
}

// BenchmarkRead reads as a mapping does, 100 records at a time.
func BenchmarkRead(b *testing.B) {
	_, s, shard := filled(b, 20_000)
	for b.Loop() {
		records, _, err := s.Read(shard, "", 100)
		if err != nil || len(records) != 100 {
			b.Fatal(len(records), err)
		}
	}
}
