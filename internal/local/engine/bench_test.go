package engine_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/expr"
	"streamgen/internal/local/streams"
)

// perHash is how many items have the same hash key.
const perHash = 100

// benchKey marks itself as no helper: that would take longer than a read.
func benchKey(b testing.TB, n int) attr.Item {
	sk, err := attr.Number(strconv.Itoa(n % perHash))
	if err != nil {
		b.Fatal(err)
	}
	return attr.Item{"pk": attr.String("customer-" + strconv.Itoa(n/perHash)), "sk": sk}
}

// benchItem is an item of 1 KB. Items of other versions differ.
func benchItem(b testing.TB, n, version int) attr.Item {
	it := benchKey(b, n)
	v, err := attr.Number(strconv.Itoa(version))
	if err != nil {
		b.Fatal(err)
	}
	it["version"] = v
	it["text"] = attr.String(strings.Repeat(string(rune('a'+n%26)), 960))
	return it
}

func filled(b *testing.B, items int, view string) *engine.Engine {
	b.Helper()
	registry := streams.New(streams.Options{Account: "000000000000", Region: "us-east-1", Clock: clock.System()})
	e := engine.New(engine.Options{Account: "000000000000", Region: "us-east-1", Clock: clock.System(), Streams: registry})
	b.Cleanup(e.Close)
	_, err := e.CreateTable(engine.CreateTable{
		Name: "orders", View: view,
		Attributes: []engine.AttributeDefinition{{Name: "pk", Type: attr.S}, {Name: "sk", Type: attr.N}},
		Keys:       []engine.KeyElement{{Name: "pk", Role: engine.Hash}, {Name: "sk", Role: engine.Range}},
	})
	if err != nil {
		b.Fatal(err)
	}
	for n := range items {
		putItem(b, e, benchItem(b, n, 0))
	}
	return e
}

func putItem(b *testing.B, e *engine.Engine, it attr.Item) {
	b.Helper()
	if _, err := e.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: it}); err != nil {
		b.Fatal(err)
	}
}

// far spreads the numbers below size: neighbours are far from each other.
func far(i, size int) int { return int(uint64(i) * 0x9E3779B97F4A7C15 >> 1 % uint64(size)) }

func parsed[T any](b *testing.B, parse func(string, *expr.Substitutions) (T, error), src string, values attr.Item) T {
	b.Helper()
	s, err := expr.NewSubstitutions(nil, values)
	if err != nil {
		b.Fatal(err)
	}
	out, err := parse(src, s)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// heap is what is in use, in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkEngine measures operations on a table of 1 KB items with a stream. A put is measured with the making of its item. The large one takes some GB: -short leaves it out.
func BenchmarkEngine(b *testing.B) {
	for _, size := range []int{1_000, 1_000_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			if size > 1_000 && testing.Short() {
				b.Skip("a table of a million items")
			}
			benchmarkOperations(b, size)
		})
	}
}

func benchmarkOperations(b *testing.B, size int) {
	e := filled(b, size, "NEW_AND_OLD_IMAGES")
	one := attr.Item{":one": benchKey(b, 1)["sk"]}
	increment := parsed(b, expr.ParseUpdate, "SET version = version + :one", one)
	exists := parsed(b, expr.ParseCondition, "attribute_exists(version)", nil)
	version, inserted := 0, size
	for _, op := range []struct {
		name string
		do   func(n int) error
	}{
		{"Insert", func(int) error {
			_, err := e.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: benchItem(b, inserted, 0)})
			inserted++
			return err
		}},
		{"Overwrite", func(n int) error {
			version++
			_, err := e.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: benchItem(b, n, version)})
			return err
		}},
		{"Get", func(n int) error {
			_, err := e.Get(engine.Get{Table: "orders", Key: benchKey(b, n)})
			return err
		}},
		{"Update", func(n int) error {
			_, err := e.Update(engine.Update{Write: engine.Write{Table: "orders", Condition: exists}, Key: benchKey(b, n), Update: increment})
			return err
		}},
		{"Query100", func(n int) error {
			key := parsed(b, expr.ParseKeyCondition, "pk = :pk", attr.Item{":pk": benchKey(b, n)["pk"]})
			_, err := e.Query(engine.Query{Read: engine.Read{Table: "orders", Limit: perHash}, Key: key})
			return err
		}},
		{"TransactWrite10", func(n int) error {
			var x engine.Transaction
			for i := range 10 {
				x.Update(engine.Update{Write: engine.Write{Table: "orders", Condition: exists}, Key: benchKey(b, (n+i)%size), Update: increment})
			}
			_, err := e.TransactWrite(x)
			return err
		}},
	} {
		b.Run(op.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := op.do(far(i, size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMemory tells what an item of 1 KB takes in a table, with and without a stream that holds its record.
func BenchmarkMemory(b *testing.B) {
	for name, view := range map[string]string{"plain": "", "stream": "NEW_AND_OLD_IMAGES"} {
		b.Run(name, func(b *testing.B) {
			const items = 50_000
			for b.Loop() {
				before := heap()
				e := filled(b, items, view)
				b.ReportMetric(float64(heap()-before)/items, "B/item")
				runtime.KeepAlive(e)
				e.Close()
			}
		})
	}
}
