package engine

import (
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/attr"
)

// table is a table with its items. Everything below mu is guarded by it, except what never changes: home, name, arn, created.
type table struct {
	home      *Engine
	name, arn string
	created   time.Time

	mu       *sync.RWMutex // that of the name
	deleted  bool
	schema   schema
	items    store[attr.Item]
	bytes    int
	indexes  []*indexStore // what each of schema.indexes holds
	settings Settings
	expiries store[struct{}]

	view   string // of the open stream; "" when there is none
	stream Stream // the latest one; nil when there was none

	global *globalTable // nil for a table in one region
	kept   *GlobalState // until it is linked

	journal Journal // nil when there is none
}

// Description tells of a table as it stands.
type Description struct {
	Name, ARN    string
	Created      time.Time
	Attributes   []AttributeDefinition
	Keys         []KeyElement
	Indexes      []IndexDescription
	Items, Bytes int
	// Settings must not be changed.
	Settings Settings
	// View is the view type of the enabled stream, "" when none is enabled.
	View string
	// StreamARN and StreamLabel are those of the latest stream, also when it is disabled.
	StreamARN, StreamLabel string
	Global                 Global
}

// IndexDescription tells of an index as it stands.
type IndexDescription struct {
	Index
	ARN          string
	Items, Bytes int
}

func (t *table) describe(now time.Time) Description {
	s := t.schema.clone()
	d := Description{
		Name: t.name, ARN: t.arn, Created: t.created,
		Attributes: s.attributes, Keys: s.keys, Items: t.items.len(), Bytes: t.bytes,
		Settings: t.settings.asOf(now), View: t.view, Global: t.replicas(),
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
	Name       string
	Attributes []AttributeDefinition
	Keys       []KeyElement // one or two
	Indexes    []Index
	// IndexCapacities are those of the global indexes: of each, when the table is provisioned.
	IndexCapacities    []IndexCapacity
	Capacity           CapacityChange // without Provisioned it is an on-demand table
	Class              string         // "" for STANDARD
	Encryption         Encryption
	View               string // "" for no stream
	DeletionProtection bool
	Tags               map[string]string
	Policy             string // a resource policy, or ""
}

// CreateTable makes a table, which is active at once.
func (e *Engine) CreateTable(c CreateTable) (Description, error) {
	name, err := e.newName(c.Name)
	if err != nil {
		return Description{}, err
	}
	c.Name = name
	s := schema{attributes: c.Attributes, keys: c.Keys, indexes: c.Indexes}
	if len(c.Keys) > len(c.Attributes) {
		return Description{}, validation("Invalid KeySchema: Some index key attribute have no definition")
	}
	if err := s.check(); err != nil {
		return Description{}, err
	}
	settings, err := e.newSettings(c)
	if err != nil {
		return Description{}, err
	}
	t := e.newTable(c.Name, s, settings)
	t.reindex("")
	return e.publish(t, c.View, "ResourceInUseException")
}

// publish makes a table known under its name, with a stream of the view type unless that is "". taken is the code of the error where
// there is a table of that name.
func (e *Engine) publish(t *table, view, taken string) (Description, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, exists := e.tables[t.name]; exists {
		return Description{}, fail(taken, "Table already exists: %s", t.name)
	}
	defer begin(t.journal)()
	if view != "" {
		e.openStream(t, view)
	}
	e.add(t)
	return t.describe(e.options.Clock.Now()), nil
}

func (e *Engine) newSettings(c CreateTable) (Settings, error) {
	now := e.options.Clock.Now()
	s := Settings{OnDemand: c.Capacity.Provisioned == nil, Class: Class{Name: c.Class}, Encryption: e.encryption(c.Encryption), DeletionProtection: c.DeletionProtection, Tags: c.Tags}
	if s.OnDemand {
		s.OnDemandSince = now
	}
	if c.Policy != "" {
		s.Policies = map[string]Policy{e.arn(c.Name): newPolicy(c.Policy, Policy{}, now)}
	}
	err := s.settle(c)
	return s, err
}

// newTable gives a table without items and the stores of its indexes.
func (e *Engine) newTable(name string, s schema, settings Settings) *table {
	return &table{
		home: e, mu: e.options.Locks.of(name), name: name, arn: e.arn(name), created: e.options.Clock.Now(), schema: s.clone(), settings: settings,
		items: newStore[attr.Item](), expiries: newStore[struct{}](), journal: e.options.Journal,
	}
}

// add makes a table with its items one of the engine's. The caller holds e.mu and has begun a change.
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
		d = t.describe(e.options.Clock.Now())
		return nil
	})
	return d, err
}

// DeleteTable deletes a table that is not protected, with its items. Its streams stay readable for a day.
func (e *Engine) DeleteTable(name string) (d Description, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, found := e.tables[e.named(name)]
	if !found {
		return d, e.absent(name, noTable)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.settings.DeletionProtection {
		return d, deletionProtected()
	}
	d = t.describe(e.options.Clock.Now())
	defer begin(t.journal)()
	if err := t.leave(); err != nil {
		return d, err
	}
	e.remove(t)
	return d, nil
}

func deletionProtected() error {
	return validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
}

// remove makes a table unknown. The caller holds e.mu and the table's lock and has begun a change.
func (e *Engine) remove(t *table) {
	t.closeStream()
	t.deleted, t.global = true, nil
	delete(e.tables, t.name)
	if t.journal != nil {
		t.journal.DeleteTable(t.name)
	}
}

// UpdateTable describes changes of a table; what is nil or empty stays.
type UpdateTable struct {
	Name               string
	Attributes         []AttributeDefinition // of the keys of CreateIndex; what no key names is passed over
	CreateIndex        *Index
	CreateCapacity     CapacityChange // of CreateIndex
	DeleteIndex        string
	OnDemand           *bool
	Capacity           CapacityChange
	IndexCapacities    []IndexCapacity
	Class              string // "" when it stays
	Encryption         *Encryption
	View               *string // "" disables the stream
	DeletionProtection *bool
}

// UpdateTable makes all the changes or none. They are done when it returns.
func (e *Engine) UpdateTable(u UpdateTable) (d Description, err error) {
	err = e.configure(u.Name, noTable, func(t *table) error {
		s, settings := t.schema.clone(), t.settings.clone()
		if err := settings.update(u, s.indexes, e.options.Clock.Now()); err != nil {
			return err
		}
		if u.Encryption != nil {
			settings.Encryption = e.encryption(*u.Encryption)
		}
		if err := s.change(u); err != nil {
			return err
		}
		if u.View != nil {
			switch {
			case *u.View != "" && t.view != "":
				return validation("Table already has an enabled stream")
			case *u.View == "" && t.view == "":
				return validation("Table has no stream to disable")
			case *u.View == "" && t.global != nil && !t.strong():
				return validation(invalidParameters + "Disabling Stream is not allowed for a Global Table replica.")
			case *u.View == "":
				t.closeStream()
			default:
				e.openStream(t, *u.View)
			}
		}
		t.schema, t.settings = s, settings
		if u.CreateIndex != nil || u.DeleteIndex != "" {
			t.reindex(u.DeleteIndex)
		}
		d = t.describe(e.options.Clock.Now())
		return nil
	})
	return d, err
}

// update applies what an update says of the settings. indexes are those that the table has so far.
func (s *Settings) update(u UpdateTable, indexes []Index, now time.Time) error {
	if err := s.bill(u, indexes, now); err != nil {
		return err
	}
	if u.DeleteIndex != "" {
		delete(s.Indexes, u.DeleteIndex)
		delete(s.Insights, u.DeleteIndex)
	}
	if u.CreateIndex != nil && !slices.ContainsFunc(indexes, func(ix Index) bool { return ix.Name == u.CreateIndex.Name }) {
		if err := s.addIndex(u.CreateIndex.Name, u.CreateCapacity); err != nil {
			return err
		}
	}
	if u.Class != "" {
		s.Class = Class{Name: u.Class, Changed: now}
	}
	if u.DeletionProtection != nil {
		s.DeletionProtection = *u.DeletionProtection
	}
	return nil
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

// replace puts next, which may be nil, in the place of old, which may be nil, here and in all replicas, and gives the capacity that this
// takes here. It is the only way that an item changes.
func (t *table) replace(key string, old, next attr.Item, at time.Time, byTTL bool) Consumed {
	took := t.put(key, old, next, at, byTTL)
	if t.global != nil {
		for _, m := range t.global.members {
			if m != t {
				m.put(key, old, next, at, false) // a replica's stream does not say that an item expired elsewhere
			}
		}
	}
	return took
}

// put is replace in one replica.
func (t *table) put(key string, old, next attr.Item, at time.Time, byTTL bool) Consumed {
	before, after := old.Size(), next.Size()
	took := Consumed{Table: t.name, Units: units(max(before, after), writeUnit)}
	if old == nil && next == nil || old != nil && next != nil && old.Equal(next) {
		return took
	}
	kind := Modify
	if old != nil {
		t.forgetExpiry(key, old)
	} else {
		kind = Insert
	}
	t.bytes += after - before
	if next != nil {
		t.items.set(key, next)
		t.rememberExpiry(key, next)
	} else {
		t.items.delete(key)
		kind = Remove
	}
	for i, ix := range t.indexes {
		if n := ix.replace(key, old, next); n > 0 {
			took.Indexes = append(took.Indexes, IndexConsumed{Name: ix.name, Local: t.schema.indexes[i].Local, Units: n})
		}
	}
	t.keepItem(key, next)
	if t.view == "" {
		return took
	}
	keys := next
	if next == nil {
		keys = old
	}
	t.stream.Append(Change{Kind: kind, Keys: t.schema.keyOf(keys), Old: old, New: next, At: at, ByTTL: byTTL})
	return took
}
