package engine

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"
	"strings"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/expr"
)

// maxPage ends a page: once this many bytes of items have been read, the page reads no more. The last item may exceed it.
const maxPage = 1 << 20

// Select says what a query or scan gives of the items that it finds.
type Select string

// What can be selected. Without one it is the projection's attributes, where there is a projection, or else all that the table or
// index holds. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
const (
	SelectAll       Select = "ALL_ATTRIBUTES"
	SelectProjected Select = "ALL_PROJECTED_ATTRIBUTES"
	SelectSpecific  Select = "SPECIFIC_ATTRIBUTES"
	SelectCount     Select = "COUNT"
)

// Read is what Query and Scan have in common.
type Read struct {
	Table string
	// Index is the name of the index to read; "" for the table.
	Index string
	// Consistent reads are refused of global indexes. All reads are consistent here.
	Consistent bool
	// Limit is the most items that are read for a page, before the filter; 0 for as many as fit.
	Limit int
	// Start is the key after which to begin; nil for the beginning.
	Start attr.Item
	// Select fits Projection: the caller has checked it.
	Select Select
	// Filter is what items of the page must pass; nil for all.
	Filter *expr.Condition
	// Projection is what the page has of the items; nil for all that Select says.
	Projection *expr.Projection
}

// Query asks for the items with one hash key.
type Query struct {
	Read
	// Key are the tests of the key attributes, at most one of each.
	Key []expr.KeyTest
	// QueryFilter says, for the words of errors, that the filter is the legacy parameter of that name.
	QueryFilter bool
	// Backward gives the items in descending order of the range key.
	Backward bool
}

// Scan asks for all items.
type Scan struct {
	Read
	// Segments is the number of parts in which the items are divided, of which Segment, from 0, is asked for; 0 for no division.
	// Every item is in one segment, always in the same one.
	Segment, Segments int
}

// Page is a part of a query's or scan's result.
type Page struct {
	// Items are shared with the table: they must not be changed. None are given for SelectCount.
	Items []attr.Item
	// Count is the number of items that passed the filter, Scanned of those that were read.
	Count, Scanned int
	// Last is the key of the last item that was read when there may be more, else nil: key attributes of the table and the index.
	Last attr.Item
	// Bytes of the items that were read, as the table or the index holds them.
	Bytes    int
	Consumed Consumed
	// Fetched are the bytes of items that were read from the table because a local index does not hold all that was asked for, each
	// rounded up to 4 KB: so is the capacity that they take.
	Fetched int
}

// Query gives items of one hash key in the order of their range keys.
func (e *Engine) Query(q Query) (page Page, err error) {
	err = e.inspect(q.Table, noItems, func(t *table) error {
		from, err := t.source(q.Read)
		if err != nil {
			return err
		}
		within, err := from.interval(q)
		if err != nil {
			return err
		}
		if err := from.checkQuery(q); err != nil {
			return err
		}
		items := from.items.ascend(within.from, within.to)
		if q.Backward {
			items = from.items.descend(within.from, within.to)
		}
		page = from.page(q.Read, items)
		return nil
	})
	return page, err
}

// Scan gives all items of a table or index, page by page, in an order that means nothing.
func (e *Engine) Scan(s Scan) (page Page, err error) {
	err = e.inspect(s.Table, noItems, func(t *table) error {
		from, err := t.source(s.Read)
		if err != nil {
			return err
		}
		within, err := from.segment(s)
		if err != nil {
			return err
		}
		if err := from.checkScan(s); err != nil {
			return err
		}
		page = from.page(s.Read, from.items.ascend(within.from, within.to))
		return nil
	})
	return page, err
}

// source is what a query or scan reads: a table's items, or those of one of its indexes.
type source struct {
	table *table
	keys  []KeyElement
	items store[attr.Item]
	// index and held are nil for the table itself.
	index *Index
	held  *indexStore
}

func (t *table) source(r Read) (*source, error) {
	if r.Index == "" {
		return &source{table: t, keys: t.schema.keys, items: t.items}, nil
	}
	i := t.schema.at(r.Index)
	switch {
	case i < 0:
		return nil, validation("The table does not have the specified index: %s", r.Index)
	case r.Consistent && !t.schema.indexes[i].Local:
		return nil, validation("Consistent reads are not supported on global secondary indexes")
	default:
		held := t.indexes[i]
		return &source{table: t, keys: held.keys, items: held.items, index: &t.schema.indexes[i], held: held}, nil
	}
}

// global reports whether the source is a global index.
func (s *source) global() bool { return s.index != nil && !s.index.Local }

// names are the attributes of which a key of a page consists: those of the table's key and of the index's.
func (s *source) names() []string {
	all := names(s.table.schema.keys)
	for _, k := range s.keys {
		if !slices.Contains(all, k.Name) {
			all = append(all, k.Name)
		}
	}
	return all
}

// storeKey is where the item with the key stands in the source.
func (s *source) storeKey(key attr.Item) string {
	own := s.table.schema.storeKey(key)
	if s.held == nil {
		return own
	}
	at, _ := s.held.storeKey(own, key)
	return at
}

// interval is the store keys from <= key < to; to = "" means no end.
type interval struct{ from, to string }

// beginning is the interval of the keys that begin with the prefix.
func beginning(prefix []byte) interval {
	end := slices.Clone(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xFF {
		end = end[:len(end)-1]
	}
	if len(end) > 0 {
		end[len(end)-1]++
	}
	return interval{from: string(prefix), to: string(end)}
}

// interval gives where the items stand that pass the query's tests and come after its starting key.
func (s *source) interval(q Query) (within interval, err error) {
	if q.Start != nil {
		if err := s.checkStartPieces(q.Start); err != nil {
			return within, err
		}
	}
	tests, err := s.assign(q.Key)
	if err != nil {
		return within, err
	}
	within = s.passing(tests)
	if q.Start == nil {
		return within, nil
	}
	if err := s.checkStart(q.Start, tests); err != nil {
		return within, err
	}
	if key := s.storeKey(q.Start); q.Backward {
		within.to = key
	} else {
		within.from = following(key)
	}
	return within, nil
}

// passing gives where the items stand that pass the tests of the key's first attributes.
func (s *source) passing(tests []expr.KeyTest) interval {
	equal := attr.Item{}
	for _, test := range tests {
		if test.Operator == "=" {
			equal[test.Name] = test.Values[0]
		}
	}
	prefix := appendStoreKey(nil, s.keys[:len(equal)], equal)
	within := beginning(prefix)
	if len(equal) == len(tests) {
		return within
	}
	last := tests[len(tests)-1]
	// at is where the items with the value stand.
	at := func(v attr.Value) interval { return beginning(attr.AppendKey(slices.Clone(prefix), v)) }
	value := at(last.Values[0])
	switch last.Operator {
	case "<":
		within.to = value.from
	case "<=":
		within.to = value.to
	case ">":
		within.from = value.to
	case ">=":
		within.from = value.from
	case "BETWEEN":
		within = interval{from: value.from, to: at(last.Values[1]).to}
	default:
		within = beginning(attr.AppendKeyPrefix(prefix, last.Values[0]))
	}
	return within
}

// following is the key next to the given one.
func following(key string) string { return key + "\x00" }

// assign brings the tests into the order of the key's attributes and checks that they fit it.
func (s *source) assign(tests []expr.KeyTest) ([]expr.KeyTest, error) {
	if len(tests) > len(s.keys) {
		return nil, validation("The number of query conditions (%d) exceeds the number of key attributes defined in the schema (%d)", len(tests), len(s.keys))
	}
	ordered := make([]expr.KeyTest, 0, len(tests))
	var missed []string
	for _, k := range s.keys {
		i := slices.IndexFunc(tests, func(test expr.KeyTest) bool { return test.Name == k.Name })
		switch {
		case i >= 0:
			if err := s.checkTest(k, tests[i]); err != nil {
				return nil, err
			}
			ordered = append(ordered, tests[i])
		case k.Role == Hash:
			return nil, validation("Query condition missed key schema element: %s", k.Name)
		default:
			missed = append(missed, k.Name)
		}
	}
	if len(ordered) < len(tests) {
		return nil, validation("Query condition missed key schema element: %s", missed[0])
	}
	return ordered, s.checkPrefix(ordered)
}

func (s *source) checkTest(k KeyElement, test expr.KeyTest) error {
	if test.Operator == "" {
		return validation("Attempted conditional constraint is not an indexable operation")
	}
	for _, v := range test.Values {
		if v.Type() != s.table.schema.typeOf(k.Name) {
			return validation(invalidParameters + "Condition parameter type does not match schema type")
		}
		if v.Type() != attr.N && v.Text() == "" {
			return validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", longType(v), k.Name)
		}
	}
	if k.Role == Hash && test.Operator != "=" {
		return validation("Query key condition not supported")
	}
	return nil
}

// checkPrefix wants the tests, in the order of the key, to leave out none of its attributes before the last one that is tested, and
// all but the last to be of equality.
func (s *source) checkPrefix(tests []expr.KeyTest) error {
	last := tests[len(tests)-1].Name
	var open []string
	for _, k := range s.keys {
		if k.Name == last {
			break
		}
		if !slices.ContainsFunc(tests, func(test expr.KeyTest) bool { return test.Name == k.Name && test.Operator == "=" }) {
			open = append(open, k.Name)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return validation("RANGE key attributes %s must have equality conditions specified in the query because a condition is present on key attribute %s",
		strings.Join(open, ", "), last)
}

// badStart is how a starting key is refused that has other attributes than a page's last key.
func badStart() error { return validation("The provided starting key is invalid") }

// checkStartPieces wants the starting key to have the attributes that it needs, and those of the source's own key to be valid.
func (s *source) checkStartPieces(start attr.Item) error {
	if len(start) != len(s.names()) {
		return badStart()
	}
	for _, k := range s.keys {
		switch v := start[k.Name]; {
		case v.IsZero():
			return badStart()
		case v.Type() != s.table.schema.typeOf(k.Name):
			return noSuchKey()
		default:
			if err := checkKeyValue(k, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkStartKey checks the table's key in a starting key.
func (s *source) checkStartKey(start attr.Item) error {
	if err := s.table.schema.checkKey(start.Pick(names(s.table.schema.keys)...)); err != nil {
		return validation("The provided starting key is invalid: %s", reason(err))
	}
	return nil
}

// checkStart wants the starting key to be one of an item that passes the tests, which are in the order of the key.
func (s *source) checkStart(start attr.Item, tests []expr.KeyTest) error {
	if err := s.checkStartKey(start); err != nil {
		return err
	}
	hashes := hashLength(s.keys)
	fits := func(test expr.KeyTest) bool { return test.Holds(start[test.Name]) }
	sameHash, inRange := all(tests[:hashes], fits), all(tests[hashes:], fits)
	switch {
	case !inRange:
		return validation("The provided starting key does not match the range key predicate")
	case !sameHash && len(tests) > hashes:
		return validation("The query can return at most one row and cannot be restarted")
	case !sameHash:
		return validation("The provided starting key is outside query boundaries based on provided conditions")
	default:
		return nil
	}
}

func all(tests []expr.KeyTest, holds func(expr.KeyTest) bool) bool {
	return !slices.ContainsFunc(tests, func(test expr.KeyTest) bool { return !holds(test) })
}

// segment gives where the items of the scan's segment stand that come after its starting key.
func (s *source) segment(scan Scan) (within interval, err error) {
	if scan.Segments > 1 {
		within = interval{from: boundary(scan.Segment, scan.Segments), to: boundary(scan.Segment+1, scan.Segments)}
	}
	if scan.Start == nil {
		return within, nil
	}
	if s.index != nil {
		if err := s.checkStartPieces(scan.Start); err != nil {
			return within, err
		}
	} else if len(scan.Start) != len(s.keys) {
		return within, validation("The provided starting key is invalid: %s", reason(noSuchKey()))
	}
	if err := s.checkStartKey(scan.Start); err != nil {
		return within, err
	}
	key := s.storeKey(scan.Start)
	if key < within.from || within.to != "" && key >= within.to {
		return within, validation("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d",
			scan.Segments, scan.Segment)
	}
	within.from = following(key)
	return within, nil
}

// boundary is where a segment begins, "" after the last one: segments divide the range of the hash with which store keys begin.
func boundary(segment, segments int) string {
	if segment >= segments {
		return ""
	}
	at, _ := bits.Div64(uint64(segment), 0, uint64(segments))
	return string(binary.BigEndian.AppendUint64(nil, at))
}

// checkQuery checks what a query gives and filters.
func (s *source) checkQuery(q Query) error {
	if err := s.checkProjection(q.Read); err != nil {
		return err
	}
	if q.Filter != nil {
		parameter := "Filter Expression"
		if q.QueryFilter {
			parameter = "QueryFilter"
		}
		filtered := q.Filter.Attributes()
		for _, k := range s.keys {
			if slices.Contains(filtered, k.Name) {
				return validation("%s can only contain non-primary key attributes: Primary key attribute: %s", parameter, k.Name)
			}
		}
	}
	if err := s.checkSelect(q.Read); err != nil {
		return err
	}
	if q.Filter == nil {
		return nil
	}
	if err := s.table.schema.checkScalar(q.Filter.Nested()); err != nil {
		return err
	}
	if s.held == nil || q.Select == SelectAll {
		return nil
	}
	if lacking := s.held.lacks(q.Filter.Attributes()); len(lacking) > 0 {
		return validation(invalidParameters+"Secondary index %s does not project one or more filter attributes: %s", s.index.Name, list(lacking))
	}
	return nil
}

// checkScan checks what a scan gives and filters. Unlike a query's, its filter may ask for key attributes, and for attributes that
// an index does not hold: then no item has them.
func (s *source) checkScan(scan Scan) error {
	if err := s.checkSelect(scan.Read); err != nil {
		return err
	}
	if err := s.checkProjection(scan.Read); err != nil {
		return err
	}
	if scan.Filter == nil {
		return nil
	}
	return s.table.schema.checkScalar(scan.Filter.Nested())
}

func (s *source) checkProjection(r Read) error {
	if r.Projection == nil {
		return nil
	}
	return s.table.schema.checkScalar(r.Projection.Nested())
}

// checkSelect refuses to give of a global index what it does not hold.
func (s *source) checkSelect(r Read) error {
	switch {
	case !s.global():
		return nil
	case r.Select == SelectAll && s.index.Projection.Type != "ALL":
		return validation(invalidParameters+"Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", s.index.Name)
	case r.Projection == nil:
		return nil
	}
	if lacking := s.held.lacks(r.Projection.Attributes()); len(lacking) > 0 {
		return validation(invalidParameters+"Global secondary index %s does not project %s", s.index.Name, list(lacking))
	}
	return nil
}

// page reads items until the limit or a page's size is reached.
func (s *source) page(r Read, items iter.Seq2[string, attr.Item]) Page {
	var page Page
	fetch := s.fetches(r)
	for _, item := range items {
		page.Scanned++
		page.Bytes += item.Size()
		last := item
		if fetch {
			item, _ = s.table.items.get(s.table.schema.storeKey(item))
			page.Fetched += roundUp(item.Size(), readUnit)
		}
		if r.Filter == nil || r.Filter.Holds(item) {
			page.Count++
			switch {
			case r.Select == SelectCount:
			case r.Projection != nil:
				page.Items = append(page.Items, r.Projection.Of(item))
			default:
				page.Items = append(page.Items, item)
			}
		}
		if page.Scanned == r.Limit || page.Bytes >= maxPage {
			page.Last = last.Pick(s.names()...)
			break
		}
	}
	page.Consumed = s.consumed(page, r.Consistent)
	return page
}

// fetches reports whether a read of a local index asks for more than the index holds.
func (s *source) fetches(r Read) bool {
	switch {
	case s.held == nil || s.held.holds == nil || s.global():
		return false
	case r.Projection != nil:
		return len(s.held.lacks(r.Projection.Attributes())) > 0
	default:
		return r.Select == SelectAll
	}
}

// roundUp gives a size in whole units.
func roundUp(size, unit int) int { return (size + unit - 1) / unit * unit }
