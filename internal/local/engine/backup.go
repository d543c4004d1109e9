package engine

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"streamgen/internal/local/attr"
)

// Backup tells of a table's backup.
type Backup struct {
	ARN, Name string
	Created   time.Time
	// Table is the table as it stood.
	Table Description
}

// backup is a backup with its items. No item of a table is ever changed: it is replaced.
type backup struct {
	Backup
	items []attr.Item
}

// CreateBackup copies a table as it stands. The backup outlives the table.
func (e *Engine) CreateBackup(name, backupName string) (b Backup, err error) {
	var made *backup
	err = e.inspect(name, noBackedUp, func(t *table) error {
		now := e.options.Clock.Now()
		arn := fmt.Sprintf("%s/backup/%014d-%08x", t.arn, now.UnixMilli(), rand.Uint32())
		made = &backup{Backup: Backup{ARN: arn, Name: backupName, Created: now, Table: t.describe(now)}, items: make([]attr.Item, 0, t.items.len())}
		for _, item := range t.items.ascend("", "") {
			made.items = append(made.items, item)
		}
		return nil
	})
	if err != nil {
		return Backup{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.backups[made.ARN] = made
	if e.options.Journal != nil {
		defer begin(e.options.Journal)()
		e.options.Journal.PutBackup(made.Backup, made.items)
	}
	return made.Backup, nil
}

// DescribeBackup tells of a backup.
func (e *Engine) DescribeBackup(arn string) (Backup, error) {
	b, err := e.backup(arn)
	if err != nil {
		return Backup{}, err
	}
	return b.Backup, nil
}

func (e *Engine) backup(arn string) (*backup, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	b, found := e.backups[arn]
	if !found {
		return nil, noBackup(arn)
	}
	return b, nil
}

// ListBackups gives the backups in the order in which they were made; table, a table's name or ARN unless "", narrows them.
func (e *Engine) ListBackups(table string) []Backup {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var all []Backup
	for b := range maps.Values(e.backups) {
		if table == "" || b.Table.Name == e.named(table) {
			all = append(all, b.Backup)
		}
	}
	slices.SortFunc(all, func(a, b Backup) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ARN, b.ARN)) })
	return all
}

// DeleteBackup deletes a backup and tells of it.
func (e *Engine) DeleteBackup(arn string) (Backup, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, found := e.backups[arn]
	if !found {
		return Backup{}, noBackup(arn)
	}
	delete(e.backups, arn)
	if e.options.Journal != nil {
		defer begin(e.options.Journal)()
		e.options.Journal.DeleteBackup(arn)
	}
	return b.Backup, nil
}

// Restore describes a table to be made of a backup; what is nil is as it was.
type Restore struct {
	Backup, Name    string // the ARN, and the new table's name
	Keep            func(Index) bool
	OnDemand        *bool
	Capacity        CapacityChange
	IndexCapacities []IndexCapacity
	Encryption      *Encryption
}

// RestoreTable makes a table of a backup, with those of its indexes that Keep wants. It has no stream, tags, time to live, policies
// nor recovery of its own yet.
func (e *Engine) RestoreTable(r Restore) (Description, error) {
	b, err := e.backup(r.Backup)
	if err != nil {
		return Description{}, err
	}
	if r.Name, err = e.newName(r.Name); err != nil {
		return Description{}, err
	}
	now := e.options.Clock.Now()
	s, settings := schema{attributes: b.Table.Attributes, keys: b.Table.Keys}, b.Table.Settings.clone()
	for _, ix := range b.Table.Indexes {
		if r.Keep == nil || r.Keep(ix.Index) {
			s.indexes = append(s.indexes, ix.Index)
		} else {
			delete(settings.Indexes, ix.Name)
		}
	}
	s.dropUnused()
	if err := settings.override(r, s.indexes, now); err != nil {
		return Description{}, err
	}
	if r.Encryption != nil {
		settings.Encryption = e.encryption(*r.Encryption)
	}
	settings = settings.restore(Restored{BackupARN: b.ARN, TableARN: b.Table.ARN, At: now})
	t := e.newTable(r.Name, s, settings)
	t.created = now
	for _, item := range b.items {
		t.items.set(t.schema.storeKey(item), item)
		t.bytes += item.Size()
	}
	t.reindex("")
	return e.publish(t, "", "TableAlreadyExistsException")
}

// override applies what is to be other than in the backup. A capacity may be given as it was.
func (s *Settings) override(r Restore, indexes []Index, now time.Time) error {
	if r.Capacity.Provisioned != nil {
		s.Provisioned = Units{}
	}
	for _, by := range r.IndexCapacities {
		if c, found := s.Indexes[by.Name]; found && by.Provisioned != nil {
			c.Provisioned = Units{}
			s.Indexes[by.Name] = c
		}
	}
	return s.bill(UpdateTable{OnDemand: r.OnDemand, Capacity: r.Capacity, IndexCapacities: r.IndexCapacities}, indexes, now)
}

func noBackup(arn string) error { return fail("BackupNotFoundException", "Backup not found: %s", arn) }

// noBackedUp is how the operations on backups say that a table does not exist.
func noBackedUp(name string) error {
	return fail("TableNotFoundException", "Table not found: %s", name)
}
