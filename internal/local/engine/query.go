package engine

import (
	"iter"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/expr"
)

// maxPage is how many bytes of items one page of a query or scan covers.
const maxPage = 1 << 20

// Page is a part of a query's or scan's result.
type Page struct {
	Items []attr.Item
	// Last is the key of the last item when there may be more, else nil.
	Last attr.Item
}

// Read is what Query and Scan have in common.
type Read struct {
	Table string
	// Limit is the most items on a page; 0 for as many as fit.
	Limit int
	// Start is the key after which to begin; nil for the beginning.
	Start attr.Item
}

// Query asks for the items with one hash key.
type Query struct {
	Read
	// KeyCondition is a KeyConditionExpression.
	KeyCondition string
	Names        map[string]string
	Values       attr.Item
	// Backward gives the items in descending order of the range key.
	Backward bool
}

// Query gives items of one hash key in the order of their range keys.
func (e *Engine) Query(q Query) (page Page, err error) {
	s, err := expr.NewSubstitutions(q.Names, q.Values)
	if err != nil {
		return page, invalid(err)
	}
	tests, err := expr.ParseKeyCondition(q.KeyCondition, s)
	if err != nil {
		return page, invalid(err)
	}
	if err := s.CheckUsed(); err != nil {
		return page, invalid(err)
	}
	err = e.inspect(q.Table, noItems, func(t *table) error {
		all, within, err := t.schema.interval(tests)
		if err != nil {
			return err
		}
		if q.Start != nil {
			if within, err = t.schema.after(q, all, within); err != nil {
				return err
			}
		}
		items := t.items.ascend(within.from, within.to)
		if q.Backward {
			items = t.items.descend(within.from, within.to)
		}
		page = t.page(q.Read, items)
		return nil
	})
	return page, err
}

// interval is the store keys from <= key < to; to = "" means no end.
type interval struct{ from, to string }

func (i interval) has(key string) bool { return key >= i.from && (i.to == "" || key < i.to) }

// beginning is the interval of the keys that begin with the prefix.
func beginning(prefix []byte) interval {
	end := append([]byte(nil), prefix...)
	for len(end) > 0 && end[len(end)-1] == 0xFF {
		end = end[:len(end)-1]
	}
	if len(end) > 0 {
		end[len(end)-1]++
	}
	return interval{from: string(prefix), to: string(end)}
}

// interval gives where the items of the hash key stand, and where those that pass the test of the range key.
func (s *schema) interval(tests []expr.KeyTest) (all, within interval, err error) {
	hash, ranged, err := s.assign(tests)
	if err != nil {
		return all, within, err
	}
	prefix := partition(hash.Values[0])
	all = beginning(prefix)
	within = all
	if ranged == nil {
		return all, within, nil
	}
	at := func(v attr.Value) string { return string(attr.AppendKey(partition(hash.Values[0]), v)) }
	value := ranged.Values[0]
	switch ranged.Operator {
	case "=":
		within = interval{from: at(value), to: following(at(value))}
	case "<":
		within.to = at(value)
	case "<=":
		within.to = following(at(value))
	case ">":
		within.from = following(at(value))
	case ">=":
		within.from = at(value)
	case "BETWEEN":
		within = interval{from: at(value), to: following(at(ranged.Values[1]))}
	default:
		within = beginning(attr.AppendKeyPrefix(prefix, value))
	}
	return all, within, nil
}

// following is the key next to the given one.
func following(key string) string { return key + "\x00" }

// assign finds out which test is on which key.
func (s *schema) assign(tests []expr.KeyTest) (hash, ranged *expr.KeyTest, err error) {
	for i := range tests {
		switch {
		case tests[i].Name == s.keys[0].Name:
			hash = &tests[i]
		case len(s.keys) > 1 && tests[i].Name == s.keys[1].Name:
			ranged = &tests[i]
		}
	}
	switch {
	case hash == nil:
		return nil, nil, validation("Query condition missed key schema element: %s", s.keys[0].Name)
	case len(tests) == 2 && len(s.keys) == 1:
		return nil, nil, validation("Query key condition not supported")
	case len(tests) == 2 && ranged == nil:
		return nil, nil, validation("Query condition missed key schema element: %s", s.keys[1].Name)
	}
	for _, test := range tests {
		for _, v := range test.Values {
			if v.Type() != s.typeOf(test.Name) {
				return nil, nil, validation(invalidParameters + "Condition parameter type does not match schema type")
			}
			if v.Type() != attr.N && v.Text() == "" {
				return nil, nil, validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", longType(v), test.Name)
			}
		}
	}
	if hash.Operator != "=" {
		return nil, nil, validation("Query key condition not supported")
	}
	return hash, ranged, nil
}

// after cuts the interval at the starting key.
func (s *schema) after(q Query, all, within interval) (interval, error) {
	key, err := s.startKey(q.Start)
	switch {
	case err != nil:
		return within, err
	case !all.has(key):
		return within, validation("The provided starting key is outside query boundaries based on provided conditions")
	case !within.has(key):
		return within, validation("The provided starting key does not match the range key predicate")
	case q.Backward:
		within.to = key
	default:
		within.from = following(key)
	}
	return within, nil
}

func (s *schema) startKey(start attr.Item) (string, error) {
	if err := s.checkKey(start); err != nil {
		return "", validation("The provided starting key is invalid: %s", reason(err))
	}
	return s.storeKey(start), nil
}

// Scan gives all items of a table, page by page, in an order that means nothing.
func (e *Engine) Scan(r Read) (page Page, err error) {
	err = e.inspect(r.Table, noItems, func(t *table) error {
		from := ""
		if r.Start != nil {
			key, err := t.schema.startKey(r.Start)
			if err != nil {
				return err
			}
			from = following(key)
		}
		page = t.page(r, t.items.ascend(from, ""))
		return nil
	})
	return page, err
}

// page takes items until the limit or a page's size is reached.
func (t *table) page(r Read, items iter.Seq2[string, attr.Item]) Page {
	var page Page
	size := 0
	for _, item := range items {
		size += item.Size()
		if len(page.Items) > 0 && size > maxPage {
			page.Last = t.schema.keyOf(page.Items[len(page.Items)-1])
			break
		}
		page.Items = append(page.Items, item)
		if len(page.Items) == r.Limit {
			page.Last = t.schema.keyOf(item)
			break
		}
	}
	return page
}
