package expr

import (
	"encoding/json"
	"testing"

	"streamgen/internal/local/attr"
)

// No request makes a parser or what it parsed panic or hang, nor changes the item that it was applied to.
func FuzzParameters(f *testing.F) {
	const names, values = `{"#a":"a","#m":"m.n"}`, `{":n":{"N":"1"},":s":{"S":"S"},":l":{"L":[{"N":"1"}]},":ss":{"SS":["a"]}}`
	for _, src := range []string{
		"a = :n AND (NOT b.c[1] <> :s OR size(#a) BETWEEN :n AND :n) AND contains(d, :s)",
		"attribute_type(a, :s) or begins_with(b, :s) and c IN (:n, :s)",
		"SET a.b[0] = if_not_exists(c, :n) + :n, d = list_append(l, :l) REMOVE e[1], f ADD n :n DELETE ss :ss",
		"SET l[3] = l[0], m.b.c = n - :n", "ADD l[2147483647].x :n", "REMOVE l[0], l[2], l[1]",
		"a, b.c[1], #m, l[0][1], l[2]", "id = :s AND sk BETWEEN :n AND :n", "begins_with(sk, :s) and :s = id", "((a)) = (:n)",
	} {
		f.Add(src, names, values, updated)
	}
	f.Fuzz(func(t *testing.T, src, namesJSON, valuesJSON, itemJSON string) {
		var names map[string]string
		var values, item attr.Item
		if json.Unmarshal([]byte(namesJSON), &names) != nil || json.Unmarshal([]byte(valuesJSON), &values) != nil ||
			json.Unmarshal([]byte(itemJSON), &item) != nil {
			return
		}
		s, err := NewSubstitutions(names, values)
		if err != nil {
			return
		}
		before := string(item.AppendJSON(nil))
		if c, err := ParseCondition(src, s); err == nil {
			c.Holds(item)
			c.Holds(nil)
			c.Nested()
			c.Attributes()
		}
		if u, err := ParseUpdate(src, s); err == nil {
			checkUpdate(t, u, item)
			checkUpdate(t, u, nil)
		}
		if p, err := ParseProjection(src, s); err == nil {
			wantValues(t, attr.Map(p.Of(item)))
			p.Of(nil)
		}
		if tests, err := ParseKeyCondition(src, s); err == nil {
			for _, test := range tests {
				if test.Name == "" || len(test.Values) == 0 {
					t.Fatalf("%q has the test %+v", src, test)
				}
			}
		}
		_, _ = ParseFilter(src, s)
		_ = s.CheckUsed()
		if after := string(item.AppendJSON(nil)); after != before {
			t.Fatalf("%q changed the item from %s to %s", src, before, after)
		}
	})
}

func checkUpdate(t *testing.T, u *Update, item attr.Item) {
	t.Helper()
	after, err := u.Apply(item)
	if err != nil {
		return
	}
	wantValues(t, attr.Map(after))
	wantValues(t, attr.Map(Project(after, u.Paths())))
	u.Nested()
	if u.OnlyTakes() && len(after) > len(item) {
		t.Fatalf("an update that only takes made %s of %s", after.AppendJSON(nil), item.AppendJSON(nil))
	}
}

// wantValues wants every value in v to be one.
func wantValues(t *testing.T, v attr.Value) {
	t.Helper()
	if v.IsZero() || v.Type().IsSet() && v.Len() == 0 {
		t.Fatalf("a value is %+v", v)
	}
	for _, e := range v.Fields() {
		wantValues(t, e)
	}
	for _, e := range v.Elements() {
		wantValues(t, e)
	}
}

// The legacy parameters neither panic nor give what an expression could not.
func FuzzLegacyParameters(f *testing.F) {
	for _, legacy := range []string{
		`{"n":{"Operator":"BETWEEN","Values":[{"N":"1"},{"N":"9"}]},"s":{"Operator":"NOT_CONTAINS","Values":[{"S":"s"}]}}`,
		`{"zz":{"Operator":"NULL"},"l":{"Operator":"IN","Values":[{"N":"1"}]},"ss":{"Operator":"CONTAINS","Values":[{"S":"a"}]}}`,
		`{"n":{"Exists":true,"Value":{"N":"5"}},"zz":{"Exists":false},"s":{"Operator":"BEGINS_WITH","Value":{"S":"s"}}}`,
		`{"n":{"Action":"ADD","Value":{"N":"1"}},"l":{"Action":"ADD","Value":{"L":[]}},"ss":{"Action":"DELETE","Value":{"SS":["a"]}},"s":{"Action":"DELETE"}}`,
	} {
		f.Add(legacy, updated, true)
	}
	f.Fuzz(func(t *testing.T, legacy, itemJSON string, or bool) {
		var item attr.Item
		if json.Unmarshal([]byte(itemJSON), &item) != nil {
			return
		}
		comparisons := Comparisons{Or: or}
		if json.Unmarshal([]byte(legacy), &comparisons.Attributes) == nil {
			if c, err := comparisons.Filter(); err == nil && c != nil {
				c.Holds(item)
				c.Holds(nil)
			}
			_, _ = comparisons.KeyTests()
		}
		expected := Expected{Or: or}
		if json.Unmarshal([]byte(legacy), &expected.Attributes) == nil {
			if c, err := expected.Condition(); err == nil && c != nil {
				c.Holds(item)
				c.Holds(nil)
			}
		}
		var updates AttributeUpdates
		if json.Unmarshal([]byte(legacy), &updates) == nil {
			if u, err := updates.Update(); err == nil && u != nil {
				checkUpdate(t, u, item)
				checkUpdate(t, u, nil)
			}
		}
	})
}
