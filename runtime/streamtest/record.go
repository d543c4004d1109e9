package streamtest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"streamgen/runtime/stream"
)

// Record is a stream record. Its fields may be changed before it is delivered.
type Record struct {
	// Table is the table's name in AWS, "table" unless it is set; a handler with several tables needs it.
	Table string
	Kind  stream.Kind
	// Keys, Old and New are images in DynamoDB's JSON; an empty one is not in the record.
	Keys, Old, New stream.JSON
	// ByTTL is set for a removal that DynamoDB has made itself.
	ByTTL bool
	// EventID and SequenceNumber are chosen when the record is delivered, unless they are set: equal records in equal places get equal ones.
	EventID, SequenceNumber string
	// CreatedAt is the time of the change, the start of 2026 unless it is set. Events have whole seconds.
	CreatedAt time.Time

	view string
	err  error
}

// Insert is the record of a new item.
func Insert[T any, P stream.Item[T]](item P) Record {
	return newRecord[T](stream.Insert, nil, item)
}

// Modify is the record of an item that changes. Both must have the same key.
func Modify[T any, P stream.Item[T]](old, current P) Record {
	return newRecord(stream.Modify, old, current)
}

// Remove is the record of an item that is deleted.
func Remove[T any, P stream.Item[T]](old P) Record { return newRecord[T](stream.Remove, old, nil) }

// Expire is the record of an item that DynamoDB deletes because its time to live is over.
func Expire[T any, P stream.Item[T]](old P) Record {
	r := Remove[T](old)
	r.ByTTL = true
	return r
}

func newRecord[T any, P stream.Item[T]](kind stream.Kind, old, current P) Record {
	r := Record{Kind: kind}
	var oldKeys stream.JSON
	if old != nil {
		r.Old, oldKeys, r.err = images(old)
		r.Keys = oldKeys
	}
	if current != nil {
		var err error
		r.New, r.Keys, err = images(current)
		r.err = errors.Join(r.err, err)
	}
	if old != nil && current != nil && oldKeys != r.Keys {
		r.err = errors.Join(r.err, fmt.Errorf("the item before has the key %s and the item after %s: these are two items", oldKeys, r.Keys))
	}
	return r
}

// images gives an item's image and that of its key.
func images[T any, P stream.Item[T]](item P) (image, keys stream.JSON, err error) {
	all, err := stream.Marshal(item)
	if err != nil {
		return "", "", err
	}
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(all, &attributes); err != nil {
		return "", "", err
	}
	key := map[string]json.RawMessage{}
	for _, name := range item.KeyNames() {
		if attributes[name] == nil {
			return "", "", fmt.Errorf("the item has no %q, which is of its key", name)
		}
		key[name] = attributes[name]
	}
	only, err := encode(key)
	return stream.JSON(all), stream.JSON(only), err
}

// encode writes JSON as AWS does, with <, > and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

const (
	keysOnly  = "KEYS_ONLY"
	newImage  = "NEW_IMAGE"
	oldImage  = "OLD_IMAGE"
	twoImages = "NEW_AND_OLD_IMAGES"
)

// View gives the record as a stream with this view type has it: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES, which it is
// without View. Any other fails when the record is delivered.
func (r Record) View(streamViewType string) Record {
	switch r.view = streamViewType; streamViewType {
	case keysOnly:
		r.Old, r.New = "", ""
	case newImage:
		r.Old = ""
	case oldImage:
		r.New = ""
	case twoImages:
	default:
		r.err = errors.Join(r.err, fmt.Errorf("no stream has the view type %q", streamViewType))
	}
	return r
}

// String gives what happened and the item's key, such as "MODIFY Id=1".
func (r Record) String() string { return describe(r.Kind, r.Keys) }

// describe words a change. What has no key that can be read is told by the text of its keys.
func describe(kind stream.Kind, keys stream.JSON) string {
	var attributes map[string]map[string]json.RawMessage
	if err := json.Unmarshal([]byte(keys), &attributes); err != nil {
		return strings.TrimSpace(string(kind) + " " + string(keys))
	}
	words := []string{string(kind)}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		for _, value := range attributes[name] {
			text := string(value)
			_ = json.Unmarshal(value, &text) // what is no string stays as it is
			words = append(words, name+"="+text)
		}
	}
	return strings.Join(words, " ")
}

func describeAll(records []Record) []string {
	var names []string
	for _, r := range records {
		names = append(names, r.String())
	}
	return names
}

// settled gives the record with all that is chosen for it in the i-th place of a delivery.
func (r Record) settled(i int) Record {
	r.Table = cmp.Or(r.Table, "table")
	r.SequenceNumber = cmp.Or(r.SequenceNumber, fmt.Sprintf("1%020d", i))
	r.view = cmp.Or(r.view, twoImages)
	if r.CreatedAt.IsZero() {
		r.CreatedAt = epoch()
	}
	if r.EventID == "" {
		sum := sha256.Sum256(fmt.Append(nil, r.Table, i, r.Kind, r.Keys, r.Old, r.New))
		r.EventID = hex.EncodeToString(sum[:16])
	}
	return r
}

// settle gives the records the names that they keep when some of them are delivered again.
func settle(records []Record) []Record {
	records = slices.Clone(records)
	for i, r := range records {
		records[i] = r.settled(i)
	}
	return records
}

// epoch is when everything happens that a test gives no time for.
func epoch() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
