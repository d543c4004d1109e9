package differential

import (
	"encoding/base64"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// request is one call of the API.
type request struct {
	operation string
	body      object
}

// table is a table that requests are about.
type table struct {
	name    string
	keys    []key
	indexes []index
}

// key is a key attribute; the first is the hash key.
type key struct{ name, kind string }

type index struct {
	name       string
	keys       []key
	local      bool
	projection object
}

var tables = []table{
	{name: "hash-s", keys: []key{{"pk", "S"}}},
	{name: "hash-n", keys: []key{{"pk", "N"}}},
	{name: "range-s", keys: []key{{"pk", "S"}, {"sk", "S"}}},
	{name: "range-b", keys: []key{{"pk", "B"}, {"sk", "B"}}},
	{
		name: "indexed", keys: []key{{"pk", "S"}, {"sk", "N"}},
		indexes: []index{
			{"local-n", []key{{"pk", "S"}, {"b", "N"}}, true, object{"ProjectionType": "KEYS_ONLY"}},
			{"local-s", []key{{"pk", "S"}, {"a", "S"}}, true, object{"ProjectionType": "ALL"}},
			{"global-s", []key{{"a", "S"}}, false, object{"ProjectionType": "ALL"}},
			{"global-sn", []key{{"a", "S"}, {"b", "N"}}, false, object{"ProjectionType": "INCLUDE", "NonKeyAttributes": []any{"c"}}},
			{"global-n", []key{{"b", "N"}}, false, object{"ProjectionType": "KEYS_ONLY"}},
		},
	},
}

// create is the request that makes a table.
func (t table) create() request {
	kinds := map[string]string{}
	schema := func(keys []key) (list []any) {
		for i, k := range keys {
			kinds[k.name] = k.kind
			list = append(list, object{"AttributeName": k.name, "KeyType": []string{"HASH", "RANGE"}[i]})
		}
		return list
	}
	body := object{"TableName": t.name, "KeySchema": schema(t.keys), "BillingMode": "PAY_PER_REQUEST"}
	var local, global []any
	for _, ix := range t.indexes {
		one := object{"IndexName": ix.name, "KeySchema": schema(ix.keys), "Projection": ix.projection}
		if ix.local {
			local = append(local, one)
		} else {
			global = append(global, one)
		}
	}
	if local != nil {
		body["LocalSecondaryIndexes"] = local
	}
	if global != nil {
		body["GlobalSecondaryIndexes"] = global
	}
	var definitions []any
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		definitions = append(definitions, object{"AttributeName": name, "AttributeType": kinds[name]})
	}
	body["AttributeDefinitions"] = definitions
	return request{"CreateTable", body}
}

// generator makes requests at random, most of them valid.
type generator struct {
	r *rand.Rand
	// names and values are the placeholders that the request's expressions use.
	names, values object
}

func newGenerator(seed uint64) *generator {
	return &generator{r: rand.New(rand.NewPCG(seed, 17))}
}

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.r.IntN(n) == 0 }

func pick[T any](g *generator, list ...T) T { return list[g.r.IntN(len(list))] }

// next makes a request.
func (g *generator) next() request {
	g.names, g.values = object{}, object{}
	t := tables[g.r.IntN(len(tables))]
	if g.chance(2) {
		t = tables[len(tables)-1]
	}
	makers := []struct {
		weight    int
		operation string
		body      func(table) object
	}{
		{20, "PutItem", g.put},
		{22, "UpdateItem", g.update},
		{8, "DeleteItem", g.remove},
		{8, "GetItem", g.get},
		{20, "Query", g.query},
		{10, "Scan", g.scan},
		{4, "BatchWriteItem", g.batchWrite},
		{4, "BatchGetItem", g.batchGet},
	}
	total := 0
	for _, m := range makers {
		total += m.weight
	}
	n := g.r.IntN(total)
	for _, m := range makers {
		if n -= m.weight; n < 0 {
			body := m.body(t)
			g.spoil(body)
			return request{m.operation, body}
		}
	}
	panic("unreachable")
}

// spoil breaks some requests in a way that has nothing to do with the operation.
func (g *generator) spoil(body object) {
	switch g.r.IntN(60) {
	case 0:
		body["TableName"] = pick[any](g, "nope", "ab", "a b c", "", strings.Repeat("a", 256), nil)
	case 1:
		body["ReturnConsumedCapacity"] = pick[any](g, "TOTAL", "INDEXES", "NONE", "total", "")
	case 2:
		if _, writes := body["ReturnValues"]; writes {
			body["ReturnValues"] = pick[any](g, "ALL_NEW", "UPDATED_OLD", "nope")
		}
	case 3:
		names := slices.Sorted(maps.Keys(body))
		delete(body, pick(g, names...))
	case 4, 5, 6:
		body["ReturnConsumedCapacity"] = pick[any](g, "TOTAL", "INDEXES")
	}
	if _, batch := body["RequestItems"]; batch { // it takes these per table or not at all
		delete(body, "TableName")
		delete(body, "ReturnValues")
	}
}

var (
	texts   = []string{"a", "b", "ab", "abc", "é", "z"}
	numbers = []string{"0", "1", "2", "10", "-1", "1.5", "100", "-0.5", "3e2", "1E-3", "00012", "12345678901234567890123456789012345678", "1e125", "1e-130"}
	blobs   = []string{"a", "b", "ab", "\x00", "\xff"}
	kinds   = []string{"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}
)

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// value makes a value of the kind.
func (g *generator) value(kind string) object {
	switch kind {
	case "S":
		return object{"S": pick(g, texts...)}
	case "N":
		return object{"N": pick(g, numbers[:8+g.r.IntN(len(numbers)-7)]...)}
	case "B":
		return object{"B": encoded(pick(g, blobs...))}
	case "BOOL":
		return object{"BOOL": g.chance(2)}
	case "NULL":
		return object{"NULL": true}
	case "M":
		m := object{}
		for range g.r.IntN(3) {
			m[pick(g, "a", "b", "c")] = g.any()
		}
		return object{"M": m}
	case "L":
		l := []any{}
		for range g.r.IntN(3) {
			l = append(l, g.any())
		}
		return object{"L": l}
	}
	members := map[string]bool{}
	for range 1 + g.r.IntN(3) {
		switch kind {
		case "SS":
			members[pick(g, texts...)] = true
		case "NS":
			members[pick(g, "1", "2", "10", "-1", "1.5")] = true
		default:
			members[encoded(pick(g, blobs...))] = true
		}
	}
	list := []any{}
	for _, m := range slices.Sorted(maps.Keys(members)) {
		list = append(list, m)
	}
	return object{kind: list}
}

func (g *generator) any() object { return g.value(pick(g, kinds...)) }

// wrong is a value that no request may have.
func (g *generator) wrong() any {
	return pick[any](g,
		object{}, object{"S": "a", "N": "1"}, object{"N": "x"}, object{"N": ""}, object{"N": "1e126"}, object{"N": "1e-131"}, object{"N": "123456789012345678901234567890123456789"},
		object{"SS": []any{}}, object{"SS": []any{"a", "a"}}, object{"NS": []any{"1", "1.0"}}, object{"NS": []any{}}, object{"BS": []any{}}, object{"NULL": false}, object{"X": "a"},
		object{"NS": []any{"x"}}, object{"M": object{"a": object{"N": "x"}}}, object{"L": []any{object{}}}, object{"S": nil},
	)
}

// keyed makes a key of the table: of few values, so that requests meet.
func (g *generator) keyed(t table) object {
	out := object{}
	for _, k := range t.keys {
		out[k.name] = g.keyValue(k.kind)
	}
	switch g.r.IntN(60) {
	case 0:
		delete(out, pick(g, t.keys...).name)
	case 1:
		out[pick(g, t.keys...).name] = g.any()
	case 2:
		out["extra"] = g.any()
	case 3:
		out[pick(g, t.keys...).name] = g.wrong()
	case 4:
		out[pick(g, t.keys...).name] = pick[any](g, object{"S": ""}, object{"B": ""})
	}
	return out
}

func (g *generator) keyValue(kind string) object {
	switch kind {
	case "S":
		return object{"S": pick(g, "a", "b", "ab")}
	case "N":
		return object{"N": pick(g, "1", "2", "10")}
	default:
		return object{"B": encoded(pick(g, "a", "b", "\xff"))}
	}
}

func (g *generator) item(t table) object {
	out := g.keyed(t)
	for range g.r.IntN(5) {
		name := pick(g, "a", "b", "c", "d", "m", "l", "s")
		switch {
		case g.chance(60):
			out[name] = g.wrong()
		case name == "a" && !g.chance(12):
			out[name] = g.value("S")
		case name == "b" && !g.chance(12):
			out[name] = g.value("N")
		case name == "m":
			out[name] = g.value("M")
		case name == "l":
			out[name] = g.value("L")
		default:
			out[name] = g.any()
		}
	}
	return out
}

func (g *generator) conditional(body object, values ...string) object {
	switch {
	case g.chance(3):
		body["ConditionExpression"] = g.broken(g.condition(2))
	case g.chance(4):
		body["Expected"] = g.expected()
		if g.chance(4) {
			body["ConditionalOperator"] = pick[any](g, "AND", "OR", "NOT")
		}
	}
	if g.chance(2) && len(values) > 0 {
		body["ReturnValues"] = pick(g, values...)
	}
	g.placeholders(body)
	return body
}

// placeholders adds what the expressions use, and at times something else.
func (g *generator) placeholders(body object) {
	if g.chance(60) {
		g.values[":unused"] = g.any()
	}
	if g.chance(60) {
		g.names["#unused"] = "a"
	}
	if g.chance(80) {
		g.values[pick(g, ":s", ":n", ":s-", "s", ":")] = pick[any](g, g.any(), g.wrong())
	}
	if g.chance(80) && len(g.values) > 0 {
		delete(g.values, pick(g, slices.Sorted(maps.Keys(g.values))...))
	}
	if len(g.names) > 0 || g.chance(100) {
		body["ExpressionAttributeNames"] = g.names
	}
	if len(g.values) > 0 || g.chance(100) {
		body["ExpressionAttributeValues"] = g.values
	}
}

func (g *generator) put(t table) object {
	return g.conditional(object{"TableName": t.name, "Item": g.item(t)}, "NONE", "ALL_OLD")
}

func (g *generator) remove(t table) object {
	return g.conditional(object{"TableName": t.name, "Key": g.keyed(t)}, "NONE", "ALL_OLD")
}

func (g *generator) update(t table) object {
	body := object{"TableName": t.name, "Key": g.keyed(t)}
	switch {
	case g.chance(5):
		body["AttributeUpdates"] = g.updates()
	case !g.chance(12):
		body["UpdateExpression"] = g.broken(g.updateExpression())
	}
	return g.conditional(body, "NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
}

func (g *generator) get(t table) object {
	body := object{"TableName": t.name, "Key": g.keyed(t)}
	g.projected(body)
	if g.chance(3) {
		body["ConsistentRead"] = g.chance(2)
	}
	if len(g.names) > 0 {
		body["ExpressionAttributeNames"] = g.names
	}
	return body
}

func (g *generator) projected(body object) {
	switch {
	case g.chance(3):
		body["ProjectionExpression"] = g.broken(g.projection())
	case g.chance(6):
		body["AttributesToGet"] = g.attributes()
	}
}

func (g *generator) attributes() []any {
	list := []any{}
	for range g.r.IntN(4) {
		list = append(list, pick(g, "pk", "sk", "a", "b", "c", "d", "m"))
	}
	return list
}

func (g *generator) projection() string {
	var paths []string
	for range 1 + g.r.IntN(3) {
		paths = append(paths, g.path())
	}
	return strings.Join(paths, ", ")
}

func (g *generator) readable(body object, t table) []key {
	keys := t.keys
	if len(t.indexes) > 0 && g.chance(2) {
		ix := pick(g, t.indexes...)
		body["IndexName"], keys = ix.name, ix.keys
	} else if g.chance(40) {
		body["IndexName"] = pick(g, "nope", "a", "a b c")
	}
	g.projected(body)
	if g.chance(6) {
		body["ConsistentRead"] = g.chance(2)
	}
	if g.chance(10) {
		body["Select"] = pick(g, "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "nope")
	}
	if g.chance(40) {
		body["Limit"] = pick(g, 0, -1)
	}
	return keys
}

func (g *generator) query(t table) object {
	body := object{"TableName": t.name}
	keys := g.readable(body, t)
	if g.chance(6) {
		body["KeyConditions"] = g.keyConditions(keys)
		if g.chance(3) {
			body["QueryFilter"] = g.comparisons()
		}
	} else {
		body["KeyConditionExpression"] = g.broken(g.keyCondition(keys))
		if g.chance(3) {
			body["FilterExpression"] = g.broken(g.condition(2))
		}
	}
	if g.chance(3) {
		body["ScanIndexForward"] = g.chance(2)
	}
	if g.chance(12) {
		start := g.keyed(t)
		if _, indexed := body["IndexName"]; indexed {
			for _, k := range keys {
				start[k.name] = g.keyValue(k.kind)
			}
		}
		body["ExclusiveStartKey"] = start
	}
	g.placeholders(body)
	return body
}

func (g *generator) scan(t table) object {
	body := object{"TableName": t.name}
	g.readable(body, t)
	switch {
	case g.chance(3):
		body["FilterExpression"] = g.broken(g.condition(2))
	case g.chance(5):
		body["ScanFilter"] = g.comparisons()
		if g.chance(4) {
			body["ConditionalOperator"] = pick[any](g, "AND", "OR", "NOT")
		}
	}
	if g.chance(20) {
		body["Segment"] = pick(g, -1, 0, 1, 1_000_000)
	}
	if g.chance(20) {
		body["TotalSegments"] = pick(g, 0, 1, 1_000_001)
	}
	g.placeholders(body)
	return body
}

func (g *generator) batchWrite(table) object {
	items := object{}
	for range 1 + g.r.IntN(2) {
		t := tables[g.r.IntN(len(tables))]
		list := []any{}
		for range g.r.IntN(4) {
			if g.chance(2) {
				list = append(list, object{"PutRequest": object{"Item": g.item(t)}})
			} else {
				list = append(list, object{"DeleteRequest": object{"Key": g.keyed(t)}})
			}
		}
		items[t.name] = list
	}
	if g.chance(40) {
		items["nope"] = []any{object{"DeleteRequest": object{"Key": object{"pk": object{"S": "a"}}}}}
	}
	return object{"RequestItems": items}
}

func (g *generator) batchGet(table) object {
	items := object{}
	for range 1 + g.r.IntN(2) {
		t := tables[g.r.IntN(len(tables))]
		list := []any{}
		for range g.r.IntN(4) {
			list = append(list, g.keyed(t))
		}
		one := object{"Keys": list}
		g.names = object{}
		g.projected(one)
		if len(g.names) > 0 {
			one["ExpressionAttributeNames"] = g.names
		}
		if g.chance(4) {
			one["ConsistentRead"] = true
		}
		items[t.name] = one
	}
	return object{"RequestItems": items}
}
