package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

func TestChangedLocalIndexes(t *testing.T) {
	there, err := indexesOf([]byte(`{"local_secondary_index": [
		{"name": "by-day", "range_key": "Day", "projection_type": "INCLUDE", "non_key_attributes": ["B", "A"]},
		{"name": "by-week", "range_key": "Week", "projection_type": "ALL", "non_key_attributes": []}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	byDay := spec.LocalSecondaryIndex{Name: "by-day", RangeKey: "Day", ProjectionType: "INCLUDE", NonKeyAttributes: []string{"A", "B"}, Pos: diag.Position{File: "gen.yaml", Line: 5, Column: 9}}
	for name, c := range map[string]struct {
		change func(*spec.LocalSecondaryIndex)
		want   []string
	}{
		"nothing":       {func(*spec.LocalSecondaryIndex) {}, nil},
		"another index": {func(ix *spec.LocalSecondaryIndex) { ix.Name, ix.RangeKey = "by-month", "Month" }, nil},
		"range key":     {func(ix *spec.LocalSecondaryIndex) { ix.RangeKey = "Hour" }, []string{"gen.yaml:5:9: the local secondary index by-day of the table orders has range_key Day, and terraform would leave it so"}},
		"projection":    {func(ix *spec.LocalSecondaryIndex) { ix.ProjectionType = "ALL" }, []string{"gen.yaml:5:9: the local secondary index by-day of the table orders has projection_type INCLUDE, and terraform would leave it so"}},
		"projected":     {func(ix *spec.LocalSecondaryIndex) { ix.NonKeyAttributes = []string{"A"} }, []string{"gen.yaml:5:9: the local secondary index by-day of the table orders has non_key_attributes [B, A], and terraform would leave it so"}},
	} {
		ix := byDay
		c.change(&ix)
		var got []string
		for _, f := range changedIndexes(spec.Table{Name: "orders", LocalSecondaryIndexes: []spec.LocalSecondaryIndex{ix}}, there.Local) {
			got = append(got, f.Error())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if none, err := indexesOf(nil); len(none.Local) > 0 || err != nil {
		t.Error(none, err)
	}
	if _, err := indexesOf([]byte(`{"local_secondary_index": 1}`)); err == nil {
		t.Error("an index is read of a number")
	}
}

func TestKeptGlobalIndexes(t *testing.T) {
	there, err := indexesOf([]byte(`{"name": "prod-orders", "global_secondary_index": [{"name": "by-customer", "key_schema": []}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := keptIndexes(there, diag.Position{File: "gen.yaml", Line: 5, Column: 3})
	if len(got) != 1 || got[0].Severity != diag.Warning || got[0].Error() != "gen.yaml:5:3: the table prod-orders keeps its global secondary index by-customer: terraform does not take away a table's last one" {
		t.Errorf("got %v", got)
	}
}
