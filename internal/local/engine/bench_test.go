package engine

import (
	"fmt"
	"strings"
	"testing"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/expr"
)

// benchItems is how many items the tables have that are measured: a hundred of each hash key.
const benchItems = 10_000

func benchItem(tb testing.TB, i int) attr.Item {
	tb.Helper()
	n, err := attr.Number(fmt.Sprint(i % 100))
	if err != nil {
		tb.Fatal(err)
	}
	return attr.Item{
		"pk": attr.String(fmt.Sprintf("customer-%d", i/100)), "sk": n, "team": attr.String(fmt.Sprintf("team-%d", i%100)), "n": n,
		"text": attr.String(strings.Repeat("some text ", 20)), "flag": attr.Bool(true),
	}
}

// benchTable is "orders" without a stream, with the indexes.
func benchTable(b *testing.B, indexes ...Index) *Engine {
	b.Helper()
	e := New(Options{Account: "000000000000", Region: "us-east-1", Clock: clock.NewManual(start), Streams: &recorders{}})
	b.Cleanup(e.Close)
	definitions := []AttributeDefinition{{"pk", attr.S}, {"sk", attr.N}}
	if len(indexes) > 0 {
		definitions = append(definitions, AttributeDefinition{"team", attr.S})
	}
	if _, err := e.CreateTable(CreateTable{Name: "orders", Attributes: definitions, Keys: []KeyElement{{"pk", Hash}, {"sk", Range}}, Indexes: indexes}); err != nil {
		b.Fatal(err)
	}
	for i := range benchItems {
		if _, err := e.Put(Put{Write: Write{Table: "orders"}, Item: benchItem(b, i)}); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

func byTeam(projection string) Index {
	return Index{Name: "by-team", Keys: []KeyElement{{"team", Hash}, {"sk", Range}}, Projection: Projection{Type: projection}}
}

func BenchmarkPut(b *testing.B) {
	for name, indexes := range map[string][]Index{"no index": nil, "ALL": {byTeam("ALL")}, "KEYS_ONLY": {byTeam("KEYS_ONLY")}} {
		b.Run(name, func(b *testing.B) {
			e := benchTable(b, indexes...)
			var items [2][1000]attr.Item // of which each item differs from its fellow
			for i := range items[0] {
				items[0][i], items[1][i] = benchItem(b, i), benchItem(b, i)
				items[1][i]["flag"] = attr.Bool(false)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := e.Put(Put{Write: Write{Table: "orders"}, Item: items[i/1000%2][i%1000]}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkQuery reads a hundred items, of the table and of an index.
func BenchmarkQuery(b *testing.B) {
	e := benchTable(b, byTeam("ALL"))
	s, err := expr.NewSubstitutions(nil, attr.Item{":b": attr.Bool(true)})
	if err != nil {
		b.Fatal(err)
	}
	filter, err := expr.ParseFilter("flag = :b", s)
	if err != nil {
		b.Fatal(err)
	}
	table := expr.KeyTest{Name: "pk", Operator: "=", Values: []attr.Value{attr.String("customer-7")}}
	index := expr.KeyTest{Name: "team", Operator: "=", Values: []attr.Value{attr.String("team-7")}}
	for name, q := range map[string]Query{
		"table":    {Read: Read{Table: "orders"}, Key: []expr.KeyTest{table}},
		"backward": {Read: Read{Table: "orders"}, Key: []expr.KeyTest{table}, Backward: true},
		"filter":   {Read: Read{Table: "orders", Filter: filter}, Key: []expr.KeyTest{table}},
		"index":    {Read: Read{Table: "orders", Index: "by-team"}, Key: []expr.KeyTest{index}},
		"count":    {Read: Read{Table: "orders", Select: SelectCount}, Key: []expr.KeyTest{table}},
		"project":  {Read: Read{Table: "orders", Projection: expr.ProjectAttributes([]string{"sk", "n"})}, Key: []expr.KeyTest{table}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if page, err := e.Query(q); err != nil || page.Count != 100 {
					b.Fatal(page.Count, err)
				}
			}
		})
	}
}
