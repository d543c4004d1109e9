package engine

import (
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/attr"
)

// table is a table with its items. Everything below mu is guarded by it, except what never changes: name, arn, created.
type table struct {
	name, arn string
	created   time.Time

	mu       sync.RWMutex
	deleted  bool
	schema   schema
	items    store[attr.Item]
	bytes    int
	indexes  []*indexStore // what each of schema.indexes holds
	protect  bool
	tags     map[string]string
	ttl      string // the attribute; "" when off
	expiries store[struct{}]
	recovery Recovery

	view   string // of the open stream; "" when there is none
	stream Stream // the latest one; nil when there was none

	journal Journal // nil when there is none
}

// Description tells of a table as it stands.
type Description struct {
	Name, ARN          string
	Created            time.Time
	Attributes         []AttributeDefinition
	Keys               []KeyElement
	Indexes            []IndexDescription
	Items, Bytes       int
	DeletionProtection bool
	// View is the view type of the enabled stream, "" when none is enabled.
	View string
	// StreamARN and StreamLabel are those of the latest stream, also when it is disabled.
	StreamARN, StreamLabel string
}

// IndexDescription tells of an index as it stands.
type IndexDescription struct {
	Index
	ARN          string
	Items, Bytes int
}

func (t *table) describe() Description {
	s := t.schema.clone()
	d := Description{
		Name: t.name, ARN: t.arn, Created: t.created,
		Attributes: s.attributes, Keys: s.keys, Items: t.items.len(), Bytes: t.bytes,
		DeletionProtection: t.protect, View: t.view,
	}
	for i, ix := range s.indexes {
		d.Indexes = append(d.Indexes, IndexDescription{Index: ix, ARN: t.arn + "/index/" + ix.Name, Items: t.indexes[i].items.len(), Bytes: t.indexes[i].bytes})
	}
	if t.stream != nil {
		d.StreamARN, d.StreamLabel = t.stream.ARN(), t.stream.Label()
	}
	return d
}

// CreateTable describes a new table.
type CreateTable struct {
	Name               string
	Attributes         []AttributeDefinition
	Keys               []KeyElement // one or two
	Indexes            []Index
	View               string // "" for no stream
	DeletionProtection bool
	Tags               map[string]string
}

// CreateTable makes a table, which is active at once.
func (e *Engine) CreateTable(c CreateTable) (Description, error) {
	s := schema{attributes: c.Attributes, keys: c.Keys, indexes: c.Indexes}
	if err := s.check(); err != nil {
		return Description{}, err
	}
	t := e.newTable(c.Name, s)
	t.protect, t.tags = c.DeletionProtection, c.Tags
	t.reindex("")
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, exists := e.tables[c.Name]; exists {
		return Description{}, fail("ResourceInUseException", "Table already exists: %s", c.Name)
	}
	defer t.begin()()
	if c.View != "" {
		e.openStream(t, c.View)
	}
	e.add(t)
	return t.describe(), nil
}

// newTable gives a table without items and the stores of its indexes.
func (e *Engine) newTable(name string, s schema) *table {
	return &table{
		name: name, arn: e.arn(name), created: e.options.Clock.Now(), schema: s.clone(),
		items: newStore[attr.Item](), expiries: newStore[struct{}](), journal: e.options.Journal,
	}
}

// add makes a table one of the engine's. The caller holds e.mu and has begun a change.
func (e *Engine) add(t *table) {
	e.tables[t.name] = t
	t.keep()
	for key, item := range t.items.ascend("", "") {
		t.keepItem(key, item)
	}
}

func (e *Engine) openStream(t *table, view string) {
	t.view = view
	t.stream = e.options.Streams.Open(StreamTable{Name: t.name, Keys: slices.Clone(t.schema.keys), View: view})
}

func (t *table) closeStream() {
	if t.view != "" {
		t.stream.Close()
		t.view = ""
	}
}

// DescribeTable tells of a table.
func (e *Engine) DescribeTable(name string) (d Description, err error) {
	err = e.inspect(name, noTable, func(t *table) error {
		d = t.describe()
		return nil
	})
	return d, err
}

// DeleteTable deletes a table that is not protected, with its items. Its streams stay readable for a day.
func (e *Engine) DeleteTable(name string) (d Description, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, found := e.tables[name]
	if !found {
		return d, noTable(name)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.protect {
		return d, validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	d = t.describe()
	defer t.begin()()
	t.closeStream()
	t.deleted = true
	delete(e.tables, name)
	if t.journal != nil {
		t.journal.DeleteTable(t.name)
	}
	return d, nil
}

// UpdateTable describes changes of a table; what is nil or empty stays.
type UpdateTable struct {
	Name               string
	Attributes         []AttributeDefinition // of the keys of CreateIndex; what no key names is passed over
	CreateIndex        *Index
	DeleteIndex        string
	View               *string // "" disables the stream
	DeletionProtection *bool
}

// UpdateTable makes all the changes or none. They are done when it returns.
func (e *Engine) UpdateTable(u UpdateTable) (d Description, err error) {
	err = e.configure(u.Name, noTable, func(t *table) error {
		s := t.schema.clone()
		if err := s.change(u); err != nil {
			return err
		}
		if u.View != nil {
			switch {
			case *u.View != "" && t.view != "":
				return validation("Table already has an enabled stream")
			case *u.View == "" && t.view == "":
				return validation("Table has no stream to disable")
			case *u.View == "":
				t.closeStream()
			default:
				e.openStream(t, *u.View)
			}
		}
		if u.DeletionProtection != nil {
			t.protect = *u.DeletionProtection
		}
		t.schema = s
		if u.CreateIndex != nil || u.DeleteIndex != "" {
			t.reindex(u.DeleteIndex)
		}
		d = t.describe()
		return nil
	})
	return d, err
}

// change adds and removes indexes.
func (s *schema) change(u UpdateTable) error {
	if u.DeleteIndex != "" {
		i := s.at(u.DeleteIndex)
		if i < 0 || s.indexes[i].Local {
			return noIndex()
		}
		s.indexes = slices.Delete(s.indexes, i, i+1)
		s.dropUnused()
	}
	if err := s.merge(u.Attributes); err != nil {
		return err
	}
	if u.CreateIndex != nil {
		if s.at(u.CreateIndex.Name) >= 0 {
			return validation("Attempting to create an index which already exists")
		}
		s.indexes = append(s.indexes, *u.CreateIndex)
	}
	s.dropUnused()
	return s.check()
}

// replace puts next, which may be nil, in the place of old, which may be nil. It is the only way that an item changes.
func (t *table) replace(key string, old, next attr.Item, at time.Time, byTTL bool) {
	if old == nil && next == nil || old != nil && next != nil && old.Equal(next) {
		return
	}
	kind := Modify
	if old != nil {
		t.bytes -= old.Size()
		t.forgetExpiry(key, old)
	} else {
		kind = Insert
	}
	if next != nil {
		t.items.set(key, next)
		t.bytes += next.Size()
		t.rememberExpiry(key, next)
	} else {
		t.items.delete(key)
		kind = Remove
	}
	for _, ix := range t.indexes {
		ix.replace(key, old, next)
	}
	t.keepItem(key, next)
	if t.view == "" {
		return
	}
	keys := next
	if next == nil {
		keys = old
	}
	t.stream.Append(Change{Kind: kind, Keys: t.schema.keyOf(keys), Old: old, New: next, At: at, ByTTL: byTTL})
}
