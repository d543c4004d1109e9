package engine

import (
	"encoding/binary"
	"slices"
	"strings"

	"streamgen/internal/local/attr"
)

// Limits of tables. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxHashKey  = 2048 // bytes
	maxRangeKey = 1024 // bytes
	maxIndexes  = 20   // global ones
	maxLocal    = 5    // local ones
	maxNonKeys  = 100  // projected non-key attributes, over all indexes
	maxOfRole   = 4    // hash attributes of a global index's key, and range attributes
)

// Role is an attribute's part in a key: "HASH" or "RANGE".
type Role string

// The roles.
const (
	Hash  Role = "HASH"
	Range Role = "RANGE"
)

// KeyElement is an attribute of a key.
type KeyElement struct {
	Name string
	Role Role
}

// AttributeDefinition declares the type of a key attribute: S, N or B.
type AttributeDefinition struct {
	Name string
	Type attr.Type
}

// Projection says which attributes of an item an index holds: "ALL", "KEYS_ONLY" or "INCLUDE", the last with NonKey.
type Projection struct {
	Type   string
	NonKey []string
}

// Index is a secondary index.
type Index struct {
	Name       string
	Keys       []KeyElement
	Projection Projection
	// Local is one that has the table's hash key, and is made with the table or never.
	Local bool
}

// schema is the keys of a table and of its indexes with the types of their attributes.
type schema struct {
	attributes []AttributeDefinition
	keys       []KeyElement
	indexes    []Index
}

// at is the place of the index with the name among the indexes, -1 when there is none.
func (s *schema) at(name string) int {
	return slices.IndexFunc(s.indexes, func(ix Index) bool { return ix.Name == name })
}

func names(keys []KeyElement) []string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.Name
	}
	return all
}

func (s *schema) typeOf(name string) attr.Type {
	for _, a := range s.attributes {
		if a.Name == name {
			return a.Type
		}
	}
	return 0
}

func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

const invalidParameters = "One or more parameter values were invalid: "

// check makes the checks of CreateTable on keys and indexes.
func (s *schema) check() error {
	if err := s.checkDefinitions(); err != nil {
		return err
	}
	if err := s.checkKeys(s.keys); err != nil {
		return err
	}
	if err := checkSingle(s.keys); err != nil {
		return err
	}
	local := 0
	for _, ix := range s.indexes {
		if ix.Local {
			local++
		}
	}
	if len(s.indexes)-local > maxIndexes {
		return validation(invalidParameters+"GlobalSecondaryIndex count exceeds the per-table limit of %d", maxIndexes)
	}
	if local > maxLocal {
		return validation(invalidParameters+"Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocal)
	}
	nonKeys := 0
	for i, ix := range s.indexes {
		if err := s.checkKeys(ix.Keys); err != nil {
			return err
		}
		if err := s.checkRoles(ix); err != nil {
			return err
		}
		if err := ix.Projection.check(); err != nil {
			return err
		}
		if slices.ContainsFunc(s.indexes[:i], func(other Index) bool { return other.Name == ix.Name }) {
			return validation(invalidParameters+"Duplicate index name: %s", ix.Name)
		}
		nonKeys += len(ix.Projection.NonKey)
	}
	if nonKeys > maxNonKeys {
		return validation(invalidParameters+"Number of projected attributes over all secondary indexes exceeds the limit of %d", maxNonKeys)
	}
	return s.checkUnused()
}

func (s *schema) checkDefinitions() error {
	seen := make(map[string]bool, len(s.attributes))
	for _, a := range s.attributes {
		if seen[a.Name] {
			return validation("Cannot have two attributes with the same name")
		}
		seen[a.Name] = true
	}
	return nil
}

func (s *schema) checkKeys(keys []KeyElement) error {
	var defined []string
	for _, a := range s.attributes {
		defined = append(defined, a.Name)
	}
	for _, k := range keys {
		if !slices.Contains(defined, k.Name) {
			return validation(invalidParameters+"Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s", list(names(keys)), list(defined))
		}
	}
	switch {
	case len(keys) == 2 && keys[0].Name == keys[1].Name:
		return validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	case keys[0].Role != Hash:
		return validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	default:
		return nil
	}
}

// checkSingle wants a key of one hash attribute and at most one range attribute: that of a table or a local index.
func checkSingle(keys []KeyElement) error {
	switch {
	case len(keys) > 1 && keys[1].Role != Range:
		return validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	case len(keys) > 2:
		return validation("Invalid KeySchema: Only a global secondary index has more than two key attributes")
	default:
		return nil
	}
}

// checkGlobal checks the key of a global index, which may have several attributes of each role: first those of its hash key, then
// those of its range key, in the order in which they sort. How AWS words what is wrong with such a key is not known.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
func checkGlobal(ix Index) error {
	hashes := hashLength(ix.Keys)
	for i, k := range ix.Keys {
		switch {
		case i > hashes && k.Role == Hash:
			return validation("Invalid KeySchema: The HASH key elements of index %s do not come before its RANGE key elements", ix.Name)
		case slices.Contains(names(ix.Keys[:i]), k.Name):
			return validation("Invalid KeySchema: The KeySchema of index %s has more than one element with the name %s", ix.Name, k.Name)
		}
	}
	if hashes > maxOfRole || len(ix.Keys)-hashes > maxOfRole {
		return validation("Invalid KeySchema: Index %s has more than %d HASH key elements or more than %d RANGE key elements", ix.Name, maxOfRole, maxOfRole)
	}
	return nil
}

// hashLength is the number of a key's hash attributes, which come first.
func hashLength(keys []KeyElement) int {
	n := slices.IndexFunc(keys, func(k KeyElement) bool { return k.Role == Range })
	if n < 0 {
		return len(keys)
	}
	return n
}

func (s *schema) checkRoles(ix Index) error {
	if !ix.Local {
		return checkGlobal(ix)
	}
	if err := checkSingle(ix.Keys); err != nil {
		return err
	}
	return s.checkLocal(ix)
}

// checkLocal checks what is asked of a local index alone.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
func (s *schema) checkLocal(ix Index) error {
	switch {
	case len(s.keys) == 1:
		return validation(invalidParameters + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	case len(ix.Keys) == 1:
		return validation(invalidParameters+"Index KeySchema does not have a range key for index: %s", ix.Name)
	case ix.Keys[0].Name != s.keys[0].Name:
		return validation(invalidParameters+"Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
			ix.Name, ix.Keys[0].Name, s.keys[0].Name)
	default:
		return nil
	}
}

func (p Projection) check() error {
	switch {
	case p.Type == "":
		return validation(invalidParameters + "Unknown ProjectionType: null")
	case p.Type != "INCLUDE" && len(p.NonKey) > 0:
		return validation(invalidParameters+"ProjectionType is %s, but NonKeyAttributes is specified", p.Type)
	case p.Type == "INCLUDE" && len(p.NonKey) == 0:
		return validation(invalidParameters + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	default:
		return nil
	}
}

// used are the attributes that some key names, in order.
func (s *schema) used() []string {
	all := names(s.keys)
	for _, ix := range s.indexes {
		all = append(all, names(ix.Keys)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *schema) checkUnused() error {
	used := s.used()
	if len(used) == len(s.attributes) {
		return nil
	}
	if len(s.indexes) == 0 {
		return validation(invalidParameters + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	var defined []string
	for _, a := range s.attributes {
		defined = append(defined, a.Name)
	}
	return validation(invalidParameters+"Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: %s", list(defined), list(used))
}

// dropUnused forgets the types of attributes that no key names any more.
func (s *schema) dropUnused() {
	used := s.used()
	s.attributes = slices.DeleteFunc(slices.Clone(s.attributes), func(a AttributeDefinition) bool { return !slices.Contains(used, a.Name) })
}

// checkItem checks an item's keys, those of indexes as far as the item has them.
func (s *schema) checkItem(item attr.Item) error {
	for _, k := range s.keys {
		v, found := item[k.Name]
		if !found {
			return validation(invalidParameters+"Missing the key %s in the item", k.Name)
		}
		if want := s.typeOf(k.Name); v.Type() != want {
			return validation(invalidParameters+"Type mismatch for key %s expected: %s actual: %s", k.Name, want, v.Type())
		}
		if err := checkKeyValue(k, v); err != nil {
			return err
		}
	}
	if ix, k, found := s.mismatch(item); found {
		return wrongIndexKey(k.Name, s.typeOf(k.Name), item[k.Name].Type(), ix.Name)
	}
	return s.checkIndexKeys(item)
}

func wrongIndexKey(name string, want, got attr.Type, index string) error {
	return validation(invalidParameters+"Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", name, want, got, index)
}

// mismatch finds an attribute of the item that is an index's key and has another type than the key.
func (s *schema) mismatch(item attr.Item) (Index, KeyElement, bool) {
	for _, ix := range s.indexes {
		for _, k := range ix.Keys {
			if v, found := item[k.Name]; found && v.Type() != s.typeOf(k.Name) {
				return ix, k, true
			}
		}
	}
	return Index{}, KeyElement{}, false
}

// checkIndexKeys checks the values of those index keys that the item has.
func (s *schema) checkIndexKeys(item attr.Item) error {
	for _, ix := range s.indexes {
		for _, k := range ix.Keys {
			v, found := item[k.Name]
			if !found {
				continue
			}
			if v.Type() != attr.N && v.Text() == "" {
				return validation("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
					"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", longType(v), ix.Name, k.Name)
			}
			if err := checkKeySize(k, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// noSuchKey is how a key is refused that has other attributes than the table's, or of other types.
func noSuchKey() error { return validation("The provided key element does not match the schema") }

// checkKey checks a Key parameter: exactly the key attributes, of their types.
func (s *schema) checkKey(key attr.Item) error {
	if len(key) != len(s.keys) {
		return noSuchKey()
	}
	for _, k := range s.keys {
		if v := key[k.Name]; v.Type() != s.typeOf(k.Name) {
			return noSuchKey()
		}
	}
	for _, k := range s.keys {
		if err := checkKeyValue(k, key[k.Name]); err != nil {
			return err
		}
	}
	return nil
}

func checkKeyValue(k KeyElement, v attr.Value) error {
	if v.Type() != attr.N && v.Text() == "" {
		return validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", longType(v), k.Name)
	}
	return checkKeySize(k, v)
}

func checkKeySize(k KeyElement, v attr.Value) error {
	switch {
	case v.Type() == attr.N:
		return nil
	case k.Role == Hash && len(v.Text()) > maxHashKey:
		return validation(invalidParameters + "Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case k.Role == Range && len(v.Text()) > maxRangeKey:
		return validation(invalidParameters + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	default:
		return nil
	}
}

func longType(v attr.Value) string {
	if v.Type() == attr.B {
		return "binary"
	}
	return "string"
}

// checkScalar refuses paths that lead through a key attribute, of which nested are the beginnings: a key has no parts.
func (s *schema) checkScalar(nested []string) error {
	const fault = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
	for _, name := range nested {
		if slices.Contains(names(s.keys), name) {
			return validation(fault+"Key: %s", name)
		}
		for _, ix := range s.indexes {
			if slices.Contains(names(ix.Keys), name) {
				return validation(fault+"IndexKey: %s", name)
			}
		}
	}
	return nil
}

// keyOf gives the key attributes of an item.
func (s *schema) keyOf(item attr.Item) attr.Item { return item.Pick(names(s.keys)...) }

// storeKey is where an item stands in the table's store.
func (s *schema) storeKey(item attr.Item) string {
	var room [keyRoom]byte
	return string(appendStoreKey(room[:0], s.keys, item))
}

// keyRoom is enough for the store keys of most items, in bytes.
const keyRoom = 256

// appendStoreKey appends where an item with these key attributes stands in a store that is sorted by them. A hash of the hash
// attributes stands before them, so that a scan does not meet them in their order: neither does it in DynamoDB. Its range is what
// the segments of a scan divide.
func appendStoreKey(b []byte, keys []KeyElement, item attr.Item) []byte {
	start := len(b)
	b = append(b, make([]byte, hashSize)...)
	hashes := hashLength(keys)
	for _, k := range keys[:hashes] {
		b = attr.AppendKey(b, item[k.Name])
	}
	binary.BigEndian.PutUint64(b[start:], scatter(b[start+hashSize:]))
	for _, k := range keys[hashes:] {
		b = attr.AppendKey(b, item[k.Name])
	}
	return b
}

const hashSize = 8 // bytes

// scatter is the FNV-1a hash of the bytes with its bits mixed, as the hash alone differs for short keys in its low bits only.
// https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
func scatter(b []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// merge adds definitions to those of the table; one that gives an attribute another type is an error.
func (s *schema) merge(definitions []AttributeDefinition) error {
	for _, d := range definitions {
		switch known := s.typeOf(d.Name); known {
		case d.Type:
		case 0:
			s.attributes = append(s.attributes, d)
		default:
			return validation(invalidParameters+"Attribute %s is defined as %s, which differs from its type %s in the table", d.Name, d.Type, known)
		}
	}
	return nil
}

func (s *schema) clone() schema {
	return schema{attributes: slices.Clone(s.attributes), keys: slices.Clone(s.keys), indexes: slices.Clone(s.indexes)}
}
