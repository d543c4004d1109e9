package local

import (
	"encoding/json"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/engine"
)

// tableData keeps a region's tables in a data folder: each as an entry, and its items in a space of their own.
type tableData struct {
	folder *durable.Folder
	region string
	tables *durable.Space
}

func newTableData(f *durable.Folder, region string) *tableData {
	return &tableData{folder: f, region: region, tables: f.Space(region + "/tables")}
}

func (d *tableData) items(table string) *durable.Space {
	return d.folder.Space(d.region + "/items/" + table)
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

func (d *tableData) load() (states []engine.TableState, err error) {
	err = d.tables.Each(func(_ string, text []byte) error {
		var t engine.TableState
		err := json.Unmarshal(text, &t)
		states = append(states, t)
		return err
	})
	return states, err
}

func (d *tableData) loadItems(table string, put func(attr.Item)) error {
	return d.items(table).Each(func(_ string, value []byte) error {
		item, err := attr.ParseBinary(string(value))
		if err == nil {
			put(item)
		}
		return err
	})
}
