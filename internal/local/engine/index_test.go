package engine

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/expr"
)

// modelled is a table with a plain map of what it must hold.
type modelled struct {
	*testing.T
	r      *rand.Rand
	e      *Engine
	schema schema
	items  map[string]attr.Item
}

// attributes are the names that keys and items of the model have.
var attributes = []string{"a", "b", "c", "d", "e", "f", "g", "h"}

// newModelled makes a table with random keys and indexes.
func newModelled(t *testing.T, seed uint64) *modelled {
	m := &modelled{T: t, r: rand.New(rand.NewPCG(seed, 1)), items: map[string]attr.Item{}}
	for _, name := range attributes {
		m.schema.attributes = append(m.schema.attributes, AttributeDefinition{Name: name, Type: []attr.Type{attr.S, attr.N, attr.B}[m.r.IntN(3)]})
	}
	m.schema.keys = []KeyElement{{Name: "a", Role: Hash}}
	if m.r.IntN(4) > 0 {
		m.schema.keys = append(m.schema.keys, KeyElement{Name: "b", Role: Range})
		for i := range m.r.IntN(3) {
			name := attributes[1+m.r.IntN(len(attributes)-1)]
			m.schema.indexes = append(m.schema.indexes, Index{
				Name: fmt.Sprintf("local%d", i), Local: true, Keys: []KeyElement{{Name: "a", Role: Hash}, {Name: name, Role: Range}}, Projection: m.projection(),
			})
		}
	}
	for i := range 1 + m.r.IntN(3) {
		m.schema.indexes = append(m.schema.indexes, m.globalIndex(fmt.Sprintf("global%d", i)))
	}
	m.schema.dropUnused()
	s := m.schema.clone()
	m.e, _, _ = newTable(t, func(c *CreateTable) {
		*c = CreateTable{Name: "t", Attributes: s.attributes, Keys: s.keys, Indexes: s.indexes}
	})
	return m
}

func (m *modelled) globalIndex(name string) Index {
	ix := Index{Name: name, Projection: m.projection()}
	hashes := 1 + m.r.IntN(2)
	for i, at := range m.r.Perm(len(attributes))[:hashes+m.r.IntN(4)] {
		role := Hash
		if i >= hashes {
			role = Range
		}
		ix.Keys = append(ix.Keys, KeyElement{Name: attributes[at], Role: role})
	}
	return ix
}

func (m *modelled) projection() Projection {
	switch m.r.IntN(3) {
	case 0:
		return Projection{Type: "ALL"}
	case 1:
		return Projection{Type: "KEYS_ONLY"}
	default:
		return Projection{Type: "INCLUDE", NonKey: []string{"x", "h"}}
	}
}

// value is one of few, so that keys meet.
func (m *modelled) value(t attr.Type) attr.Value {
	switch t {
	case attr.S:
		return attr.String([]string{"p", "q", "p\x00", "pq", "\xff"}[m.r.IntN(5)])
	case attr.B:
		return attr.Binary([][]byte{{0}, {0, 0}, {1}, {0xFF}}[m.r.IntN(4)])
	default:
		return number(m.T, m.r.IntN(5)-2)
	}
}

// item is a random one that the table takes: attributes that are no keys may have any type.
func (m *modelled) item() attr.Item {
	it := attr.Item{"x": number(m.T, m.r.IntN(10)), "y": attr.Bool(true)}
	for _, name := range attributes {
		t := m.schema.typeOf(name)
		if t == 0 {
			t = []attr.Type{attr.S, attr.N, attr.B}[m.r.IntN(3)]
		}
		if m.r.IntN(4) > 0 || slices.Contains(names(m.schema.keys), name) {
			it[name] = m.value(t)
		}
	}
	return it
}

func (m *modelled) write() {
	it := m.item()
	key := m.schema.keyOf(it)
	at := string(key.AppendJSON(nil))
	var err error
	switch m.r.IntN(4) {
	case 0:
		_, err = m.e.Delete(Delete{Write: Write{Table: "t"}, Key: key})
		delete(m.items, at)
	case 1:
		next := maps.Clone(m.items[at])
		if next == nil {
			next = maps.Clone(key)
		}
		next["x"] = it["x"]
		set := update(m, "SET x = :x", string(attr.Item{":x": it["x"]}.AppendJSON(nil)))
		_, err = m.e.Update(Update{Write: Write{Table: "t"}, Key: key, Update: set})
		m.items[at] = next
	default:
		_, err = m.e.Put(Put{Write: Write{Table: "t"}, Item: it})
		m.items[at] = it
	}
	if err != nil {
		m.Fatal(err)
	}
}

// held is what the index holds, or the table when it is nil: the whole items by their keys' JSON, and projected ones.
func (m *modelled) held(ix *Index) (whole, projected map[string]attr.Item) {
	whole, projected = map[string]attr.Item{}, map[string]attr.Item{}
	for at, it := range m.items {
		if ix == nil {
			whole[at], projected[at] = it, it
			continue
		}
		if slices.ContainsFunc(ix.Keys, func(k KeyElement) bool { return it[k.Name].Type() != m.schema.typeOf(k.Name) }) {
			continue
		}
		whole[at], projected[at] = it, it
		if ix.Projection.Type != "ALL" {
			projected[at] = it.Pick(slices.Concat(names(ix.Keys), names(m.schema.keys), ix.Projection.NonKey)...)
		}
	}
	return whole, projected
}

func (m *modelled) check() {
	m.Helper()
	d, err := m.e.DescribeTable("t")
	if err != nil || d.Items != len(m.items) {
		m.Fatalf("%d items, want %d, %v", d.Items, len(m.items), err)
	}
	m.checkReads(nil)
	for i := range d.Indexes {
		ix := &d.Indexes[i].Index
		_, projected := m.held(ix)
		bytes := 0
		for _, it := range projected {
			bytes += it.Size()
		}
		if d.Indexes[i].Items != len(projected) || d.Indexes[i].Bytes != bytes {
			m.Fatalf("index %+v holds %d items of %d bytes, want %d of %d", *ix, d.Indexes[i].Items, d.Indexes[i].Bytes, len(projected), bytes)
		}
		m.checkReads(ix)
	}
}

// checkReads scans and queries the index, or the table when it is nil.
func (m *modelled) checkReads(ix *Index) {
	m.Helper()
	read := Read{Table: "t", Limit: m.r.IntN(8)}
	keys := m.schema.keys
	if ix != nil {
		read.Index, keys = ix.Name, ix.Keys
	}
	whole, projected := m.held(ix)
	if m.r.IntN(2) == 0 && (ix == nil || ix.Local || ix.Projection.Type == "ALL") {
		read.Select, projected = SelectAll, whole
	}
	m.checkScan(read, projected)
	for range 4 {
		m.checkQuery(read, keys, projected)
	}
}

// checkScan wants each item in exactly one segment.
func (m *modelled) checkScan(read Read, want map[string]attr.Item) {
	m.Helper()
	segments := m.r.IntN(5)
	got := map[string]attr.Item{}
	for segment := range max(segments, 1) {
		for _, it := range m.pages(read, func(read Read) (Page, error) { return m.e.Scan(Scan{Read: read, Segment: segment, Segments: segments}) }) {
			at := string(m.schema.keyOf(it).AppendJSON(nil))
			if _, twice := got[at]; twice {
				m.Fatalf("%s came twice", at)
			}
			got[at] = it
		}
	}
	if !maps.EqualFunc(got, want, attr.Item.Equal) {
		m.Fatalf("scan %+v gives\n%v\nwant\n%v", read, got, want)
	}
}

// pages reads to the end.
func (m *modelled) pages(read Read, page func(Read) (Page, error)) []attr.Item {
	m.Helper()
	var all []attr.Item
	for {
		p, err := page(read)
		if err != nil {
			m.Fatal(err)
		}
		if read.Limit > 0 && p.Scanned > read.Limit || p.Count > p.Scanned || p.Count != len(p.Items) {
			m.Fatalf("page %+v of %+v", p, read)
		}
		all = append(all, p.Items...)
		if read.Start = p.Last; p.Last == nil {
			return all
		}
	}
}

// checkQuery asks with equal hash attributes and a random test of a prefix of the range attributes, and filters on x.
func (m *modelled) checkQuery(read Read, keys []KeyElement, held map[string]attr.Item) {
	m.Helper()
	var tests []expr.KeyTest
	hashes := hashLength(keys)
	tested := hashes + m.r.IntN(len(keys)-hashes+1)
	for i, k := range keys[:tested] {
		test := expr.KeyTest{Name: k.Name, Operator: "=", Values: []attr.Value{m.value(m.schema.typeOf(k.Name))}}
		if i == tested-1 && k.Role == Range {
			test = m.rangeTest(test)
		}
		tests = append(tests, test)
	}
	want := map[string]attr.Item{}
	filter, least := m.filter()
	for at, it := range held {
		passes := !slices.ContainsFunc(tests, func(test expr.KeyTest) bool { return !test.Holds(it[test.Name]) })
		if n, err := strconv.Atoi(it["x"].Text()); passes && (least < 0 || err == nil && n >= least) {
			want[at] = it
		}
	}
	if i := slices.IndexFunc(m.schema.indexes, func(ix Index) bool { return ix.Name == read.Index }); least >= 0 && i >= 0 && m.schema.indexes[i].Projection.Type == "KEYS_ONLY" && read.Select == "" {
		_, err := m.e.Query(Query{Read: Read{Table: "t", Index: read.Index, Filter: filter}, Key: tests})
		expectError(m.T, err, "ValidationException", invalidParameters+"Secondary index "+read.Index+" does not project one or more filter attributes: [x]")
		return
	}
	m.r.Shuffle(len(tests), func(i, j int) { tests[i], tests[j] = tests[j], tests[i] })
	read.Filter = filter
	ask := func(backward bool) []attr.Item {
		return m.pages(read, func(read Read) (Page, error) { return m.e.Query(Query{Read: read, Key: tests, Backward: backward}) })
	}
	got := ask(false)
	gotByKey := map[string]attr.Item{}
	for _, it := range got {
		gotByKey[string(m.schema.keyOf(it).AppendJSON(nil))] = it
	}
	if len(got) != len(gotByKey) || !maps.EqualFunc(gotByKey, want, attr.Item.Equal) {
		m.Fatalf("query %+v of keys %v with %+v gives\n%v\nwant\n%v", read, keys, tests, got, want)
	}
	inOrder := func(a, b attr.Item) int {
		for _, k := range keys {
			if order, _ := attr.Compare(a[k.Name], b[k.Name]); order != 0 {
				return order
			}
		}
		return 0
	}
	if !slices.IsSortedFunc(got, inOrder) {
		m.Fatalf("query of keys %v gives %v", keys, got)
	}
	backward := ask(true)
	slices.Reverse(backward)
	if !slices.EqualFunc(got, backward, attr.Item.Equal) {
		m.Fatalf("forward %v\nbackward, reversed %v", got, backward)
	}
}

func (m *modelled) rangeTest(test expr.KeyTest) expr.KeyTest {
	value := test.Values[0]
	operators := []string{"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"}
	if value.Type() == attr.N {
		operators = operators[:6]
	}
	test.Operator = operators[m.r.IntN(len(operators))]
	if test.Operator == "BETWEEN" {
		bounds := []attr.Value{value, m.value(value.Type())}
		slices.SortFunc(bounds, func(a, b attr.Value) int { order, _ := attr.Compare(a, b); return order })
		test.Values = bounds
	}
	return test
}

// filter is one on x, and what x must be at least; or none, and -1.
func (m *modelled) filter() (*expr.Condition, int) {
	least := m.r.IntN(20) - 10
	if least < 0 {
		return nil, -1
	}
	s, err := expr.NewSubstitutions(nil, attr.Item{":v": number(m.T, least)})
	if err != nil {
		m.Fatal(err)
	}
	f, err := expr.ParseFilter("x >= :v", s)
	if err != nil {
		m.Fatal(err)
	}
	return f, least
}

// Tables with random indexes give, after random writes, what filtering, projecting and sorting all their items would give.
func TestIndexesAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := newModelled(t, seed)
			for range 6 {
				for range 20 {
					m.write()
				}
				m.check()
			}
			m.addIndex()
			m.check()
			for range 20 {
				m.write()
			}
			m.check()
			m.removeIndex()
			m.check()
		})
	}
}

// addIndex makes an index of items that are there already, some of which have another type than its key.
func (m *modelled) addIndex() {
	m.Helper()
	ix := m.globalIndex("late")
	var added []AttributeDefinition
	for _, k := range ix.Keys {
		if m.schema.typeOf(k.Name) == 0 {
			added = append(added, AttributeDefinition{Name: k.Name, Type: attr.N})
		}
	}
	m.schema.attributes = append(m.schema.attributes, added...)
	m.schema.indexes = append(m.schema.indexes, ix)
	if _, err := m.e.UpdateTable(UpdateTable{Name: "t", Attributes: added, CreateIndex: &ix}); err != nil {
		m.Fatal(err)
	}
}

func (m *modelled) removeIndex() {
	m.Helper()
	i := slices.IndexFunc(m.schema.indexes, func(ix Index) bool { return !ix.Local })
	name := m.schema.indexes[i].Name
	if _, err := m.e.UpdateTable(UpdateTable{Name: "t", DeleteIndex: name}); err != nil {
		m.Fatal(err)
	}
	m.schema.indexes = slices.Delete(m.schema.indexes, i, i+1)
	m.schema.dropUnused()
	_, err := m.e.Scan(Scan{Read: Read{Table: "t", Index: name}})
	expectError(m.T, err, "ValidationException", "The table does not have the specified index: "+name)
}

// Whoever reads an index while an item moves in it finds the item once, with the parts that belong together.
func TestIndexMovesAtOnce(t *testing.T) {
	e, _, _ := newTable(t, func(c *CreateTable) {
		c.Attributes = append(c.Attributes, AttributeDefinition{"team", attr.S})
		c.Indexes = []Index{byTeam("ALL"), {Name: "keys", Keys: []KeyElement{{"team", Hash}}, Projection: Projection{Type: "KEYS_ONLY"}}}
	})
	move := func(i int) {
		put(t, e, fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"N":"1"},"team":{"S":"%d"},"copy":{"S":"%d"}}`, i%7, i%7))
	}
	move(0)
	written := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			for _, index := range []string{"by-team", "keys"} {
				page, err := e.Scan(Scan{Read: Read{Table: "orders", Index: index}})
				if err != nil || page.Count != 1 || index == "by-team" && !page.Items[0]["team"].Equal(page.Items[0]["copy"]) {
					t.Errorf("%s: %+v, %v", index, page, err)
					return
				}
			}
			select {
			case <-written:
				return
			default:
			}
		}
	})
	for i := range 2000 {
		move(i)
	}
	close(written)
	reader.Wait()
}

// What a write takes of an index is what changes in it.
func TestCapacityTakenOfAnIndex(t *testing.T) {
	s := &schema{attributes: []AttributeDefinition{{"pk", attr.S}, {"g", attr.S}}, keys: []KeyElement{{"pk", Hash}}}
	small := attr.Item{"pk": attr.String("p"), "g": attr.String("a")}
	with := func(change attr.Item) attr.Item {
		it := maps.Clone(small)
		maps.Copy(it, change)
		return it
	}
	large := attr.Item{"text": attr.String(strings.Repeat("x", 1500))}
	for _, c := range []struct {
		what       string
		projection string
		old, next  attr.Item
		want       float64
	}{
		{"a new item", "ALL", nil, small, 1},
		{"a new large item", "ALL", nil, with(large), 2},
		{"of which the index holds the keys", "KEYS_ONLY", nil, with(large), 1},
		{"a new item without the key", "ALL", nil, attr.Item{"pk": attr.String("p")}, 0},
		{"an item that gets the key", "ALL", attr.Item{"pk": attr.String("p")}, small, 1},
		{"an item that loses the key", "ALL", small, attr.Item{"pk": attr.String("p")}, 1},
		{"a deleted item", "ALL", with(large), nil, 2},
		{"an item that moves", "ALL", with(large), with(attr.Item{"g": attr.String("b")}), 3},
		{"an item that shrinks", "ALL", with(large), small, 2},
		{"an item that changes where the index does not hold it", "KEYS_ONLY", with(large), small, 0},
	} {
		is := newIndexStore(s, Index{Name: "i", Keys: []KeyElement{{"g", Hash}}, Projection: Projection{Type: c.projection}})
		is.replace("p", nil, c.old)
		if got := is.replace("p", c.old, c.next); got != c.want {
			t.Errorf("%s: %v units, want %v", c.what, got, c.want)
		}
		if is.replace("p", c.next, nil); is.items.len() != 0 || is.bytes != 0 {
			t.Errorf("%s: %d items of %d bytes are left", c.what, is.items.len(), is.bytes)
		}
	}
}

// Short keys come into all segments alike.
func TestSegmentsAreEven(t *testing.T) {
	const keys, segments = 2000, 8
	counts := map[int]int{}
	for i := range keys {
		at := (&schema{keys: []KeyElement{{Name: "a", Role: Hash}}}).storeKey(attr.Item{"a": number(t, i)})
		for s := range segments {
			if from, to := boundary(s, segments), boundary(s+1, segments); at >= from && (to == "" || at < to) {
				counts[s]++
			}
		}
	}
	total := 0
	for s, n := range counts {
		total += n
		if n < keys/segments/2 {
			t.Errorf("segment %d has %d of %d keys", s, n, keys)
		}
	}
	if total != keys {
		t.Errorf("%d of %d keys are in segments", total, keys)
	}
}

func TestBoundaries(t *testing.T) {
	for _, segments := range []int{1, 2, 3, 7, 999_999, 1_000_000} {
		last := ""
		for _, s := range []int{0, 1, segments / 2, segments - 1} {
			if b := boundary(s, segments); s < segments {
				if cmp.Compare(b, last) < 0 || len(b) != hashSize {
					t.Errorf("segment %d of %d begins at %x, after %x", s, segments, b, last)
				}
				last = b
			}
		}
		if b := boundary(segments, segments); b != "" {
			t.Errorf("the last of %d segments ends at %x", segments, b)
		}
		if b := boundary(0, segments); b != strings.Repeat("\x00", hashSize) {
			t.Errorf("the first segment begins at %x", b)
		}
	}
}
