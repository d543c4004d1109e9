package esm_test

import (
	"strings"
	"testing"

	"streamgen/internal/local/esm"
)

// What no filter matches is not delivered, counts for no batch, and is behind the mapping for good.
func TestFilters(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2, 3, 4, 5, 6)
	m := r.create(func(c *esm.Config) {
		c.BatchSize, c.Filters = 2, []string{`{"n":[2]}`, `{"n":[{"numeric":[">",4]}]}`}
	})
	r.expect(2, 5).ok(`{}`)
	r.expect(6).ok(`{}`)

	many := make([]int, 250)
	for i := range many {
		many[i] = 1
	}
	r.stream.put("shard-1", many...) // more than a page of what nobody wants
	r.stream.put("shard-1", 7)
	r.expect(7).ok(`{}`)
	r.settle()
	if _, err := r.Update(m.UUID, func(c *esm.Config) error { c.Filters = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	r.stream.put("shard-1", 8)
	r.expect(8).ok(`{}`)
}

func TestFiltersAreChecked(t *testing.T) {
	r := newRig(t)
	const want = "Invalid filter pattern definition."
	bad := config(func(c *esm.Config) { c.Filters = []string{`{"n":1}`} })
	if _, err := r.Create(bad, nil); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("created, or refused with %v", err)
	}
	if _, err := r.Create(config(func(c *esm.Config) { c.Filters = make([]string, 11) }), nil); err == nil || !strings.Contains(err.Error(), "at most 10") {
		t.Errorf("created, or refused with %v", err)
	}
	m := r.create(nil)
	if _, err := r.Update(m.UUID, func(c *esm.Config) error { c.Filters = bad.Filters; return nil }); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("updated, or refused with %v", err)
	}
	if got, err := r.Get(m.UUID); err != nil || len(got.Filters) > 0 {
		t.Errorf("changed to %v, %v", got.Filters, err)
	}
}
