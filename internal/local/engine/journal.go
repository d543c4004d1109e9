package engine

import (
	"fmt"
	"time"

	"streamgen/internal/local/attr"
)

// Journal is told of every change of tables and items, under the locks that order the changes and before anybody can see them. It
// must not call the engine.
type Journal interface {
	// Begin begins a change of which the journal keeps all or nothing. It ends with end.
	Begin() (end func())
	// PutTable tells of a table that is new, or of one as it is now.
	PutTable(TableState)
	// DeleteTable tells that a table is gone with its items.
	DeleteTable(name string)
	// PutItem tells of an item that is new, or of one as it is now. The key stands for its primary key and means nothing else.
	PutItem(table, key string, item attr.Item)
	// DeleteItem tells that an item is gone.
	DeleteItem(table, key string)
	// PutBackup tells of a new backup with its items.
	PutBackup(b Backup, items []attr.Item)
	// DeleteBackup tells that a backup is gone.
	DeleteBackup(arn string)
}

// TableState is all there is to a table but its items, as plain values.
type TableState struct {
	Name       string
	Created    time.Time
	Attributes []AttributeDefinition
	Keys       []KeyElement
	Indexes    []Index
	Settings   Settings
	// View is the view type of the enabled stream, "" when none is enabled. StreamARN is that of the latest stream, "" when there was none.
	View, StreamARN string
	// Global is nil for a table in one region.
	Global *GlobalState `json:",omitempty"`
}

// begin begins a change, of a journal that may be nil. The caller has locked all the tables that it is about: whoever waited for one
// in the middle of a change would keep the journal from all others.
func begin(j Journal) (end func()) {
	if j == nil {
		return func() {}
	}
	return j.Begin()
}

// keep tells the journal of the table as it is. The caller holds t.mu.
func (t *table) keep() {
	if t.journal == nil {
		return
	}
	state := TableState{
		Name: t.name, Created: t.created, Attributes: t.schema.attributes, Keys: t.schema.keys, Indexes: t.schema.indexes,
		Settings: t.settings, View: t.view, Global: t.globalState(),
	}
	if t.stream != nil {
		state.StreamARN = t.stream.ARN()
	}
	t.journal.PutTable(state)
}

// keepItem tells the journal of an item: nil is one that is gone. The caller holds t.mu.
func (t *table) keepItem(key string, item attr.Item) {
	switch {
	case t.journal == nil:
	case item == nil:
		t.journal.DeleteItem(t.name, key)
	default:
		t.journal.PutItem(t.name, key, item)
	}
}

// Kept is what a journal kept, to reopen an engine with.
type Kept struct {
	Tables  []TableState
	Backups []Backup
	// Items calls put for each item of a table, BackupItems for each of a backup by its ARN.
	Items, BackupItems func(of string, put func(attr.Item)) error
	// Stream finds a stream by its ARN.
	Stream func(arn string) (Stream, bool)
}

// Reopen gives an engine with what was kept, of which the journal is not told again. It is to be linked before it is used.
func Reopen(o Options, kept Kept) (*Engine, error) {
	e := New(o)
	for _, state := range kept.Tables {
		t, err := e.reopen(state, kept)
		if err != nil {
			return nil, fmt.Errorf("reopening table %s: %w", state.Name, err)
		}
		e.tables[t.name] = t
	}
	for _, b := range kept.Backups {
		made := &backup{Backup: b}
		if err := kept.BackupItems(b.ARN, func(item attr.Item) { made.items = append(made.items, item) }); err != nil {
			return nil, fmt.Errorf("reopening backup %s: %w", b.ARN, err)
		}
		e.backups[b.ARN] = made
	}
	return e, nil
}

func (e *Engine) reopen(state TableState, kept Kept) (*table, error) {
	s := schema{attributes: state.Attributes, keys: state.Keys, indexes: state.Indexes}
	t := e.newTable(state.Name, s, state.Settings)
	t.created, t.view, t.kept = state.Created, state.View, state.Global
	if state.StreamARN != "" {
		stream, found := kept.Stream(state.StreamARN)
		switch {
		case found:
			t.stream = stream
		case t.view != "":
			return nil, fmt.Errorf("its stream %s is not there", state.StreamARN)
		}
	}
	err := kept.Items(t.name, func(item attr.Item) {
		key := t.schema.storeKey(item)
		t.items.set(key, item)
		t.bytes += item.Size()
		t.rememberExpiry(key, item)
	})
	t.reindex("")
	return t, err
}
