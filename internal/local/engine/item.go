package engine

import (
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/expr"
)

// Return says which attributes a write gives back.
type Return string

// What a write can give back: nothing, the item before or after it, or the parts of it that an update touched.
const (
	ReturnNone       Return = "NONE"
	ReturnAllOld     Return = "ALL_OLD"
	ReturnAllNew     Return = "ALL_NEW"
	ReturnUpdatedOld Return = "UPDATED_OLD"
	ReturnUpdatedNew Return = "UPDATED_NEW"
)

// Write is what writes of one item have in common.
type Write struct {
	Table string
	// Condition is what the item must be like before it; nil for no condition.
	Condition *expr.Condition
	Return    Return
	// ReturnOnFailure puts the item into the error of a failed condition.
	ReturnOnFailure bool
	// Measure asks for the size of the item's collection.
	Measure bool
}

// Put replaces or makes an item.
type Put struct {
	Write
	Item attr.Item
}

// Update changes or makes an item.
type Update struct {
	Write
	Key attr.Item
	// Update is what changes; nil makes an item of the key alone, if there is none. One that only takes something away makes no item.
	Update *expr.Update
}

// Delete removes an item, if there is one.
type Delete struct {
	Write
	Key attr.Item
}

// Written is what a write did.
type Written struct {
	// Attributes are those that the request asked for, nil when there are none.
	Attributes attr.Item
	Consumed   Consumed
	// Collection is the item's, where the request asks for it.
	Collection Collection
}

// action is one write of one item, alone or in a transaction.
type action interface {
	write() Write
	// locate checks what needs the table and gives where in it the item stands.
	locate(s *schema) (key string, err error)
	// next gives what stands there after the write, nil for nothing, where old, which may be nil, stands now.
	next(s *schema, old attr.Item) (attr.Item, error)
	// returned picks what the write gives back.
	returned(old, next attr.Item) attr.Item
}

// Put puts an item and gives the old one when the request asks for it.
func (e *Engine) Put(p Put) (Written, error) { return e.do(p) }

// Update updates an item and gives the attributes that the request asks for.
func (e *Engine) Update(u Update) (Written, error) { return e.do(u) }

// Delete deletes an item and gives it when the request asks for it.
func (e *Engine) Delete(d Delete) (Written, error) { return e.do(d) }

func (e *Engine) do(a action) (out Written, err error) {
	err = e.alter(a.write().Table, noItems, func(t *table) error {
		w, err := t.stage(a)
		if err != nil {
			return err
		}
		out.Consumed = t.commit(w, e.options.Clock.Now())
		out.Attributes = a.returned(w.old, w.item)
		out.Collection = t.collection(a, w)
		return nil
	})
	return out, err
}

// staged is a write that was found to be possible, with all it takes to make it.
type staged struct {
	key       string
	old, item attr.Item
}

// stage checks a write against the table and the item as it is, and changes nothing.
func (t *table) stage(a action) (w staged, err error) {
	if w.key, err = a.locate(&t.schema); err != nil {
		return w, err
	}
	w.old, _ = t.items.get(w.key)
	if err := a.write().verify(w.old); err != nil {
		return w, err
	}
	w.item, err = a.next(&t.schema, w.old)
	return w, invalid(err)
}

func (t *table) commit(w staged, at time.Time) Consumed {
	return t.replace(w.key, w.old, w.item, at, false)
}

// verify checks the condition against the item as it is.
func (w Write) verify(item attr.Item) error {
	if w.Condition == nil || w.Condition.Holds(item) {
		return nil
	}
	failed := &Error{Code: conditionFailed, Message: "The conditional request failed"}
	if w.ReturnOnFailure {
		failed.Item = item
	}
	return failed
}

func (w Write) write() Write { return w }

// returned is for writes that can give back the old item alone.
func (w Write) returned(old, _ attr.Item) attr.Item {
	if w.Return != ReturnAllOld {
		return nil
	}
	return old
}

func (p Put) locate(s *schema) (string, error) {
	if err := s.checkItem(p.Item); err != nil {
		return "", err
	}
	return s.storeKey(p.Item), s.checkNested(nil, p.Condition)
}

func (p Put) next(*schema, attr.Item) (attr.Item, error) { return p.Item, nil }

func (d Delete) locate(s *schema) (string, error) { return s.locate(d.Key, nil, d.Condition) }

func (Delete) next(*schema, attr.Item) (attr.Item, error) { return nil, nil }

func (u Update) locate(s *schema) (string, error) { return s.locate(u.Key, u.Update, u.Condition) }

func (u Update) next(s *schema, old attr.Item) (attr.Item, error) {
	if old != nil {
		return s.update(old, u.Update)
	}
	next, err := s.update(u.Key, u.Update)
	if u.Update != nil && u.Update.OnlyTakes() {
		next = nil
	}
	return next, err
}

func (u Update) returned(old, next attr.Item) attr.Item { return u.Return.of(old, next, u.Update) }

// locate checks a key, and expressions, of which each may be nil, and gives where the key's item stands.
func (s *schema) locate(key attr.Item, u *expr.Update, c *expr.Condition) (string, error) {
	if err := s.checkKey(key); err != nil {
		return "", err
	}
	if err := s.checkUntouched(u); err != nil {
		return "", err
	}
	if err := s.checkTypes(u); err != nil {
		return "", err
	}
	return s.storeKey(key), s.checkNested(u, c)
}

// CheckItemSize refuses an item that is larger than any table takes.
func CheckItemSize(item attr.Item) error {
	if item.Size() > attr.MaxItemSize {
		return validation("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// checkNested refuses expressions, of which each may be nil, whose paths lead through a key attribute: a key has no parts.
func (s *schema) checkNested(u *expr.Update, c *expr.Condition) error {
	var nested []string
	if u != nil {
		nested = u.Nested()
	}
	if c != nil {
		nested = append(nested, c.Nested()...)
	}
	return s.checkScalar(nested)
}

// checkUntouched refuses an update of a primary key's attribute.
func (s *schema) checkUntouched(u *expr.Update) error {
	for _, name := range touched(u) {
		for _, k := range s.keys {
			if name == k.Name {
				return validation(invalidParameters+"Cannot update attribute %s. This attribute is part of the key", name)
			}
		}
	}
	return nil
}

// checkTypes refuses an update, which may be nil, that is known to give an index's key another type than its own.
func (s *schema) checkTypes(u *expr.Update) error {
	if u == nil {
		return nil
	}
	types := u.Types()
	for _, ix := range s.indexes {
		for _, k := range ix.Keys {
			if t, found := types[k.Name]; found && t != s.typeOf(k.Name) {
				return wrongIndexKey(k.Name, s.typeOf(k.Name), t, ix.Name)
			}
		}
	}
	return nil
}

// touched are the attributes that an update, which may be nil, changes as a whole or in part.
func touched(u *expr.Update) []string {
	if u == nil {
		return nil
	}
	var all []string
	for _, path := range u.Paths() {
		all = append(all, path[0].Name)
	}
	return all
}

// update applies an update and checks what comes out.
func (s *schema) update(item attr.Item, u *expr.Update) (attr.Item, error) {
	if u == nil {
		return item, nil
	}
	next, err := u.Apply(item)
	if err != nil {
		return nil, err
	}
	changed := next.Pick(touched(u)...)
	if _, _, found := s.mismatch(changed); found {
		return nil, validation("The update expression attempted to update the secondary index key to unsupported type")
	}
	if err := s.checkIndexKeys(changed); err != nil {
		return nil, err
	}
	if next.Depth() > attr.MaxDepth {
		return nil, validation("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
	}
	if next.Size() > attr.MaxItemSize {
		return nil, validation("Item size to update has exceeded the maximum allowed size")
	}
	return next, nil
}

// of picks what an update returns; nothing is nil.
func (r Return) of(old, next attr.Item, u *expr.Update) attr.Item {
	var returned attr.Item
	switch r {
	case ReturnAllOld:
		returned = old
	case ReturnAllNew:
		returned = next
	case ReturnUpdatedOld, ReturnUpdatedNew:
		if r == ReturnUpdatedOld {
			next = old
		}
		if u != nil {
			returned = expr.Project(next, u.Paths())
		}
	}
	if len(returned) == 0 {
		return nil
	}
	return returned
}

// Get asks for the item with a key.
type Get struct {
	Table string
	Key   attr.Item
	// Consistent reads take twice the capacity. All reads are consistent here.
	Consistent bool
	// Projection is what is asked for of the item; nil for all.
	Projection *expr.Projection
}

// Got is what a read of one item gave.
type Got struct {
	// Item is nil when there is none, and empty when it has nothing of what is asked for.
	Item     attr.Item
	Consumed Consumed
	size     int // of the whole item
}

// Get gives the item with the key.
func (e *Engine) Get(g Get) (out Got, err error) {
	err = e.inspect(g.Table, noItems, func(t *table) error {
		out, err = t.get(g)
		return err
	})
	return out, err
}

func (t *table) get(g Get) (out Got, err error) {
	if err := t.schema.checkKey(g.Key); err != nil {
		return out, err
	}
	if g.Projection != nil {
		if err := t.schema.checkScalar(g.Projection.Nested()); err != nil {
			return out, err
		}
	}
	item, found := t.items.get(t.schema.storeKey(g.Key))
	out.size = item.Size()
	out.Consumed = Consumed{Table: t.name, Units: readUnits(out.size, g.Consistent)}
	if out.Item = item; found && g.Projection != nil {
		out.Item = g.Projection.Of(item)
	}
	return out, nil
}
