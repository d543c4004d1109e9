package streams

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
)

// benchEngine is an engine with a table "orders" whose stream has both images.
func benchEngine(b *testing.B) *engine.Engine {
	b.Helper()
	c := clock.NewManual(start)
	e := engine.New(engine.Options{Account: "000000000000", Region: "us-east-1", Clock: c, Streams: New(Options{Account: "000000000000", Region: "us-east-1", Clock: c})})
	b.Cleanup(e.Close)
	if _, err := e.CreateTable(engine.CreateTable{Name: "orders", Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.S}},
		Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: "NEW_AND_OLD_IMAGES"}); err != nil {
		b.Fatal(err)
	}
	return e
}

func benchOrder(id int, note string) attr.Item {
	return attr.Item{"id": attr.String(fmt.Sprintf("order-%07d", id)), "note": attr.String(note)}
}

func putOrder(b *testing.B, e *engine.Engine, it attr.Item) {
	if _, err := e.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: it}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkWrite puts items of 1 KB in the place of others, in a table of a thousand and of a million, with their records in the stream.
func BenchmarkWrite(b *testing.B) {
	notes := [2]string{strings.Repeat("a", 1000), strings.Repeat("b", 1000)}
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := benchEngine(b)
			for i := range n {
				putOrder(b, e, benchOrder(i, notes[0]))
			}
			var rounds [2][1000]attr.Item // of items all over the table, each of which changes from round to round
			for round, note := range notes {
				for i := range rounds[round] {
					rounds[round][i] = benchOrder(i*(n/1000), note)
				}
			}
			runtime.GC() // of what making the table left
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				putOrder(b, e, rounds[(i/1000+1)%2][i%1000])
			}
		})
	}
}

// BenchmarkMemory is what a table of items of 1 KB takes for each: the item, its place in the table and its record in the stream.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := used()
		e := benchEngine(b)
		for i := range n {
			putOrder(b, e, benchOrder(i, strings.Repeat(string(rune('a'+i%26)), 1000)))
		}
		b.ReportMetric(float64(used()-before)/n, "B/item")
		runtime.KeepAlive(e)
	}
}
