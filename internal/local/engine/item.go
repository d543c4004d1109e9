package engine

import (
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
	// Condition is a ConditionExpression; nil when the request has none.
	Condition *string
	// Names and Values are the expressions' placeholders; nil when the request has none.
	Names  map[string]string
	Values attr.Item
	Return Return
	// ReturnOnFailure puts the item into the error of a failed condition.
	ReturnOnFailure bool
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
	// Expression is an UpdateExpression; nil makes an item of the key alone, if there is none. One that only takes something away
	// makes no item.
	Expression *string
}

// Delete removes an item, if there is one.
type Delete struct {
	Write
	Key attr.Item
}

// checkPlaceholders refuses placeholders in a request without expressions. parameters names the expressions that
// could use them.
func (w Write) checkPlaceholders(parameters string, anyExpression bool) error {
	switch {
	case anyExpression:
		return nil
	case w.Names != nil:
		return validation("ExpressionAttributeNames can only be specified when using expressions")
	case w.Values != nil:
		return validation("ExpressionAttributeValues can only be specified when using expressions: %s null", parameters)
	default:
		return nil
	}
}

func (w Write) parseCondition(s *expr.Substitutions) (*expr.Condition, error) {
	if w.Condition == nil {
		return nil, nil
	}
	return expr.ParseCondition(*w.Condition, s)
}

// verify checks the condition against the item as it is.
func (w Write) verify(c *expr.Condition, item attr.Item) error {
	if c == nil || c.Holds(item) {
		return nil
	}
	failed := &Error{Code: "ConditionalCheckFailedException", Message: "The conditional request failed"}
	if w.ReturnOnFailure {
		failed.Item = item
	}
	return failed
}

// Put puts an item and gives the old one when the request asks for it.
func (e *Engine) Put(p Put) (old attr.Item, err error) {
	condition, err := p.prepare()
	if err != nil {
		return nil, err
	}
	err = e.alter(p.Table, noItems, func(t *table) error {
		if err := t.schema.checkItem(p.Item); err != nil {
			return err
		}
		if err := t.schema.checkNested(nil, condition); err != nil {
			return err
		}
		key := t.schema.storeKey(p.Item)
		old, _ = t.items.get(key)
		if err := p.verify(condition, old); err != nil {
			return err
		}
		t.replace(key, old, p.Item, e.options.Clock.Now(), false)
		return nil
	})
	if err != nil || p.Return != ReturnAllOld {
		return nil, err
	}
	return old, nil
}

// prepare makes the checks that need no table.
func (p Put) prepare() (*expr.Condition, error) {
	condition, err := p.onlyCondition()
	if err != nil {
		return nil, err
	}
	return condition, checkSize(p.Item)
}

// onlyCondition reads the expressions of a request that can have a condition and no other.
func (w Write) onlyCondition() (*expr.Condition, error) {
	if err := w.checkPlaceholders("ConditionExpression is", w.Condition != nil); err != nil {
		return nil, err
	}
	s, err := expr.NewSubstitutions(w.Names, w.Values)
	if err != nil {
		return nil, invalid(err)
	}
	condition, err := w.parseCondition(s)
	if err != nil {
		return nil, invalid(err)
	}
	return condition, invalid(s.CheckUsed())
}

func checkSize(item attr.Item) error {
	if item.Size() > attr.MaxItemSize {
		return validation("Item size has exceeded the maximum allowed size")
	}
	return nil
}

// Delete deletes an item and gives it when the request asks for it.
func (e *Engine) Delete(d Delete) (old attr.Item, err error) {
	condition, err := d.onlyCondition()
	if err != nil {
		return nil, err
	}
	err = e.alter(d.Table, noItems, func(t *table) error {
		if err := t.schema.checkKey(d.Key); err != nil {
			return err
		}
		if err := t.schema.checkNested(nil, condition); err != nil {
			return err
		}
		key := t.schema.storeKey(d.Key)
		old, _ = t.items.get(key)
		if err := d.verify(condition, old); err != nil {
			return err
		}
		t.replace(key, old, nil, e.options.Clock.Now(), false)
		return nil
	})
	if err != nil || d.Return != ReturnAllOld {
		return nil, err
	}
	return old, nil
}

// Update updates an item and gives the attributes that the request asks for, nil when there are none.
func (e *Engine) Update(u Update) (returned attr.Item, err error) {
	update, condition, err := u.parse()
	if err != nil {
		return nil, invalid(err)
	}
	err = e.alter(u.Table, noItems, func(t *table) error {
		if err := t.schema.checkKey(u.Key); err != nil {
			return err
		}
		if err := t.schema.checkUntouched(update); err != nil {
			return err
		}
		if err := t.schema.checkNested(update, condition); err != nil {
			return err
		}
		key := t.schema.storeKey(u.Key)
		old, found := t.items.get(key)
		if err := u.verify(condition, old); err != nil {
			return err
		}
		before := old
		if !found {
			before = u.Key
		}
		next, err := t.schema.update(before, update)
		if err != nil {
			return err
		}
		if !found && update != nil && update.OnlyTakes() {
			next = nil
		}
		t.replace(key, old, next, e.options.Clock.Now(), false)
		returned = u.Return.of(old, next, update)
		return nil
	})
	return returned, invalid(err)
}

func (u Update) parse() (*expr.Update, *expr.Condition, error) {
	if err := u.checkPlaceholders("UpdateExpression and ConditionExpression are", u.Expression != nil || u.Condition != nil); err != nil {
		return nil, nil, err
	}
	s, err := expr.NewSubstitutions(u.Names, u.Values)
	if err != nil {
		return nil, nil, err
	}
	var update *expr.Update
	if u.Expression != nil {
		if update, err = expr.ParseUpdate(*u.Expression, s); err != nil {
			return nil, nil, err
		}
	}
	condition, err := u.parseCondition(s)
	if err != nil {
		return nil, nil, err
	}
	return update, condition, s.CheckUsed()
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

// Get gives the item with the key, nil when there is none.
func (e *Engine) Get(name string, key attr.Item) (item attr.Item, err error) {
	err = e.inspect(name, noItems, func(t *table) error {
		if err := t.schema.checkKey(key); err != nil {
			return err
		}
		item, _ = t.items.get(t.schema.storeKey(key))
		return nil
	})
	return item, err
}
