package local

import (
	"encoding/json"
	"fmt"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/engine"
)

// tableData keeps a region's tables in a data folder: each as an entry, and its items in a space of their own.
type tableData struct {
	folder          *durable.Folder
	region          string
	tables, backups *durable.Space
}

func newTableData(f *durable.Folder, region string) *tableData {
	return &tableData{folder: f, region: region, tables: f.Space(region + "/tables"), backups: f.Space(region + "/backups")}
}

func (d *tableData) items(table string) *durable.Space {
	return d.folder.Space(d.region + "/items/" + table)
}

func (d *tableData) backupItems(arn string) *durable.Space {
	return d.folder.Space(d.region + "/backup-items/" + arn)
}

// Begin implements [engine.Journal].
func (d *tableData) Begin() (end func()) { return d.folder.Begin() }

// PutTable implements [engine.Journal].
func (d *tableData) PutTable(t engine.TableState) { d.tables.Put(t.Name, t) }

// DeleteTable implements [engine.Journal].
func (d *tableData) DeleteTable(name string) {
	d.items(name).Clear()
	d.tables.Delete(name)
}

// PutItem implements [engine.Journal].
func (d *tableData) PutItem(table, key string, item attr.Item) {
	value, _ := item.AppendBinary(nil) // no error: see there
	d.items(table).PutBytes(key, value)
}

// DeleteItem implements [engine.Journal].
func (d *tableData) DeleteItem(table, key string) { d.items(table).Delete(key) }

// PutBackup implements [engine.Journal].
func (d *tableData) PutBackup(b engine.Backup, items []attr.Item) {
	d.backups.Put(b.ARN, b)
	space := d.backupItems(b.ARN)
	for i, item := range items {
		value, _ := item.AppendBinary(nil) // no error: see there
		space.PutBytes(fmt.Sprintf("%010d", i), value)
	}
}

// DeleteBackup implements [engine.Journal].
func (d *tableData) DeleteBackup(arn string) {
	d.backupItems(arn).Clear()
	d.backups.Delete(arn)
}

// load reads what the folder has. The items are read when the engine asks for them.
func (d *tableData) load() (engine.Kept, error) {
	kept := engine.Kept{
		Items:       func(table string, put func(attr.Item)) error { return loadItems(d.items(table), put) },
		BackupItems: func(arn string, put func(attr.Item)) error { return loadItems(d.backupItems(arn), put) },
	}
	err := d.tables.Each(func(_ string, text []byte) error {
		var t engine.TableState
		err := json.Unmarshal(text, &t)
		kept.Tables = append(kept.Tables, t)
		return err
	})
	if err != nil {
		return kept, err
	}
	err = d.backups.Each(func(_ string, text []byte) error {
		var b engine.Backup
		err := json.Unmarshal(text, &b)
		kept.Backups = append(kept.Backups, b)
		return err
	})
	return kept, err
}

func loadItems(space *durable.Space, put func(attr.Item)) error {
	return space.Each(func(_ string, value []byte) error {
		item, err := attr.ParseBinary(string(value))
		if err == nil {
			put(item)
		}
		return err
	})
}
