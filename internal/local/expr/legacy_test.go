package expr

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"streamgen/internal/local/attr"
)

func parseValues(t testing.TB, text string) []attr.Value {
	t.Helper()
	var vs []attr.Value
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &vs); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return vs
}

const legacyDocument = `{"n":{"N":"5"}, "s":{"S":"hello"}, "b":{"B":"YWJj"}, "l":{"L":[{"N":"1"},{"S":"x"}]}, "m":{"M":{"a":{"S":"x"}}},
	"ss":{"SS":["a","b"]}, "ns":{"NS":["1","2"]}, "nul":{"NULL":true}, "t":{"BOOL":true}, "a.b":{"S":"dot"}}`

func TestFilterHolds(t *testing.T) {
	item := parseItem(t, legacyDocument)
	for _, c := range []struct {
		name, operator, values string
		want                   bool
	}{
		{"n", "EQ", `[{"N":"5.0"}]`, true},
		{"n", "EQ", `[{"S":"5"}]`, false},
		{"zz", "EQ", `[{"N":"5"}]`, false},
		{"ss", "EQ", `[{"SS":["b","a"]}]`, true},
		{"m", "EQ", `[{"M":{"a":{"S":"x"}}}]`, true},
		{"l", "EQ", `[{"L":[{"N":"1"}]}]`, false},
		{"t", "EQ", `[{"BOOL":true}]`, true},
		{"nul", "EQ", `[{"NULL":true}]`, true},
		{"a.b", "EQ", `[{"S":"dot"}]`, true},
		{"n", "NE", `[{"N":"5"}]`, false},
		{"n", "NE", `[{"S":"5"}]`, true},
		{"zz", "NE", `[{"S":"5"}]`, true},
		{"n", "LE", `[{"N":"5"}]`, true},
		{"n", "LT", `[{"N":"5"}]`, false},
		{"n", "LT", `[{"N":"10"}]`, true},
		{"s", "LT", `[{"N":"10"}]`, false},
		{"zz", "LT", `[{"N":"10"}]`, false},
		{"s", "GE", `[{"S":"hello"}]`, true},
		{"b", "GT", `[{"B":"YWI="}]`, true},
		{"n", "GT", `[{"N":"5"}]`, false},
		{"n", "BETWEEN", `[{"N":"5"},{"N":"5"}]`, true},
		{"n", "BETWEEN", `[{"N":"6"},{"N":"7"}]`, false},
		{"n", "BETWEEN", `[{"S":"0"},{"S":"9"}]`, false},
		{"zz", "BETWEEN", `[{"S":"0"},{"S":"9"}]`, false},
		{"n", "IN", `[{"N":"1"},{"N":"5"}]`, true},
		{"n", "IN", `[{"N":"1"}]`, false},
		{"ns", "IN", `[{"N":"1"},{"N":"2"}]`, false},
		{"zz", "IN", `[{"N":"1"}]`, false},
		{"s", "BEGINS_WITH", `[{"S":"hell"}]`, true},
		{"b", "BEGINS_WITH", `[{"B":"YWI="}]`, true},
		{"n", "BEGINS_WITH", `[{"S":"5"}]`, false},
		{"zz", "BEGINS_WITH", `[{"S":""}]`, false},
		{"s", "CONTAINS", `[{"S":"ell"}]`, true},
		{"s", "CONTAINS", `[{"N":"1"}]`, false},
		{"ns", "CONTAINS", `[{"N":"1.0"}]`, true},
		{"l", "CONTAINS", `[{"S":"x"}]`, true},
		{"zz", "CONTAINS", `[{"S":"x"}]`, false},
		{"s", "NOT_CONTAINS", `[{"S":"ell"}]`, false},
		{"s", "NOT_CONTAINS", `[{"S":"zz"}]`, true},
		{"s", "NOT_CONTAINS", `[{"N":"1"}]`, true},
		{"zz", "NOT_CONTAINS", `[{"S":"x"}]`, false},
		{"nul", "NOT_NULL", "", true},
		{"zz", "NOT_NULL", "", false},
		{"nul", "NULL", "", false},
		{"zz", "NULL", "[]", true},
	} {
		f, err := Comparisons{Attributes: map[string]Comparison{c.name: {c.operator, parseValues(t, c.values)}}}.Filter()
		if err != nil {
			t.Errorf("%s %s %s: %v", c.name, c.operator, c.values, err)
			continue
		}
		if got := f.Holds(item); got != c.want {
			t.Errorf("%s %s %s: %v", c.name, c.operator, c.values, got)
		}
		if len(f.Nested()) > 0 {
			t.Errorf("%s: a path leads through %v", c.name, f.Nested())
		}
	}
}

// The messages and their order are those that were recorded from the service.
func TestComparisonErrors(t *testing.T) {
	const (
		number   = "One or more parameter values were invalid: Invalid number of argument(s) for the %s ComparisonOperator"
		same     = "One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type"
		notValid = "One or more parameter values were invalid: ComparisonOperator %s is not valid for %s AttributeValue type"
		bounds   = "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
	)
	for _, c := range []struct{ operator, values, want string }{
		{"EQ", "", fmt.Sprintf(number, "EQ")},
		{"EQ", `[{"S":"a"},{"N":"1"}]`, fmt.Sprintf(number, "EQ")},
		{"NULL", `[{"S":"a"}]`, fmt.Sprintf(number, "NULL")},
		{"NOT_NULL", `[{"S":"a"}]`, fmt.Sprintf(number, "NOT_NULL")},
		{"IN", "[]", fmt.Sprintf(number, "IN")},
		{"BETWEEN", `[{"S":"a"}]`, fmt.Sprintf(number, "BETWEEN")},
		{"IN", `[{"S":"a"},{"N":"1"}]`, same},
		{"BETWEEN", `[{"L":[]},{"N":"1"}]`, same},
		{"IN", `[{"SS":["a"]}]`, fmt.Sprintf(notValid, "IN", "SS")},
		{"LT", `[{"BOOL":true}]`, fmt.Sprintf(notValid, "LT", "BOOL")},
		{"CONTAINS", `[{"L":[]}]`, fmt.Sprintf(notValid, "CONTAINS", "L")},
		{"NOT_CONTAINS", `[{"NULL":true}]`, fmt.Sprintf(notValid, "NOT_CONTAINS", "NULL")},
		{"BEGINS_WITH", `[{"N":"1"}]`, fmt.Sprintf(notValid, "BEGINS_WITH", "N")},
		{"BETWEEN", `[{"M":{}},{"M":{}}]`, fmt.Sprintf(notValid, "BETWEEN", "M")},
		{"BETWEEN", `[{"N":"10"},{"N":"9"}]`, bounds},
		{"", "", fmt.Sprintf(number, "")},
	} {
		comparison := Comparison{c.operator, parseValues(t, c.values)}
		attributes := map[string]Comparison{"a": comparison}
		if _, err := (Comparisons{Attributes: attributes}).Filter(); err == nil || err.Error() != c.want {
			t.Errorf("filter %s %s:\n got %v\nwant %s", c.operator, c.values, err, c.want)
		}
		if _, err := (Comparisons{Attributes: attributes}).KeyTests(); err == nil || err.Error() != c.want {
			t.Errorf("key condition %s %s:\n got %v\nwant %s", c.operator, c.values, err, c.want)
		}
	}
}

func TestConditionalOperator(t *testing.T) {
	item := parseItem(t, `{"a":{"N":"1"},"b":{"N":"2"},"c":{"N":"3"}}`)
	is := func(n int) Comparison { return Comparison{"EQ", parseValues(t, `[{"N":"`+strconv.Itoa(n)+`"}]`)} }
	for _, c := range []struct {
		attributes map[string]Comparison
		and, or    bool
	}{
		{map[string]Comparison{"a": is(1), "b": is(2), "c": is(3)}, true, true},
		{map[string]Comparison{"a": is(0), "b": is(0), "c": is(3)}, false, true},
		{map[string]Comparison{"a": is(1), "b": is(0), "c": is(0)}, false, true},
		{map[string]Comparison{"a": is(0), "b": is(0), "c": is(0)}, false, false},
	} {
		for _, or := range []bool{false, true} {
			f, err := Comparisons{Attributes: c.attributes, Or: or}.Filter()
			if err != nil {
				t.Fatal(err)
			}
			want := c.and
			if or {
				want = c.or
			}
			if got := f.Holds(item); got != want {
				t.Errorf("%v, or %v: %v", c.attributes, or, got)
			}
		}
	}
	if f, err := (Comparisons{Attributes: map[string]Comparison{}, Or: true}).Filter(); f != nil || err != nil {
		t.Errorf("no comparisons: %v, %v", f, err)
	}
}

func TestExpected(t *testing.T) {
	item := parseItem(t, legacyDocument)
	yes, no := true, false
	value := func(text string) attr.Value { return parseValues(t, "["+text+"]")[0] }
	five := value(`{"N":"5"}`)
	const prefix = "One or more parameter values were invalid: "
	for _, c := range []struct {
		name string
		is   Expectation
		want string // true, false or the error
	}{
		{"n", Expectation{Value: five}, "true"},
		{"n", Expectation{Value: five, Exists: &yes}, "true"},
		{"n", Expectation{Value: value(`{"N":"6"}`), Exists: &yes}, "false"},
		{"zz", Expectation{Value: five}, "false"},
		{"l", Expectation{Value: value(`{"L":[{"N":"1"},{"S":"x"}]}`)}, "true"},
		{"zz", Expectation{Exists: &no}, "true"},
		{"nul", Expectation{Exists: &no}, "false"},
		{"n", Expectation{Comparison: Comparison{Operator: "GT"}, Value: value(`{"N":"4"}`)}, "true"},
		{"n", Expectation{Comparison: Comparison{Operator: "NOT_NULL"}}, "true"},
		{"n", Expectation{Comparison: Comparison{Operator: "IN", Values: []attr.Value{five}}}, "true"},
		{"n", Expectation{}, prefix + "Value must be provided when Exists is null for Attribute: n"},
		{"n", Expectation{Exists: &yes}, prefix + "Value must be provided when Exists is true for Attribute: n"},
		{"n", Expectation{Exists: &no, Value: five}, prefix + "Value cannot be used when Exists is false for Attribute: n"},
		{"n", Expectation{Value: five, Comparison: Comparison{Operator: "EQ", Values: []attr.Value{}}},
			prefix + "Value and AttributeValueList cannot be used together for Attribute: n"},
		{"n", Expectation{Value: five, Exists: &yes, Comparison: Comparison{Operator: "EQ"}},
			prefix + "Exists and ComparisonOperator cannot be used together for Attribute: n"},
		{"n", Expectation{Comparison: Comparison{Values: []attr.Value{five}}},
			prefix + "AttributeValueList can only be used with a ComparisonOperator for Attribute: n"},
		{"n", Expectation{Comparison: Comparison{Operator: "EQ"}},
			prefix + "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: n"},
		{"n", Expectation{Comparison: Comparison{Operator: "EQ", Values: []attr.Value{}}},
			prefix + "Invalid number of argument(s) for the EQ ComparisonOperator"},
		{"n", Expectation{Comparison: Comparison{Operator: "NULL"}, Value: five},
			prefix + "Invalid number of argument(s) for the NULL ComparisonOperator"},
		{"n", Expectation{Comparison: Comparison{Operator: "BEGINS_WITH"}, Value: five},
			prefix + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"},
	} {
		condition, err := Expected{Attributes: map[string]Expectation{c.name: c.is}}.Condition()
		got := fmt.Sprint(err)
		if err == nil {
			got = strconv.FormatBool(condition.Holds(item))
		}
		if got != c.want {
			t.Errorf("%s %+v:\n got %s\nwant %s", c.name, c.is, got, c.want)
		}
	}
	if c, err := (Expected{}).Condition(); c != nil || err != nil {
		t.Errorf("no expectations: %v, %v", c, err)
	}
}

func TestKeyTests(t *testing.T) {
	a, z := parseValues(t, `[{"S":"a"}]`), parseValues(t, `[{"S":"a"},{"S":"z"}]`)
	tests, err := Comparisons{Attributes: map[string]Comparison{"r": {"BETWEEN", z}, "h": {"EQ", a}}}.KeyTests()
	if got, want := fmt.Sprint(tests), fmt.Sprint([]KeyTest{{"h", "=", a}, {"r", "BETWEEN", z}}); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for _, operator := range []string{"NE", "IN", "CONTAINS", "NOT_CONTAINS"} {
		if tests, err = (Comparisons{Attributes: map[string]Comparison{"h": {operator, a}}}).KeyTests(); err != nil || tests[0].Operator != "" {
			t.Errorf("%s: %v, %v", operator, tests, err)
		}
	}
	for _, attributes := range []map[string]Comparison{nil, {"a": {"EQ", a}, "b": {"EQ", a}, "c": {"EQ", a}}} {
		if _, err = (Comparisons{Attributes: attributes}).KeyTests(); fmt.Sprint(err) != "Conditions can be of length 1 or 2 only" {
			t.Errorf("%d attributes: %v", len(attributes), err)
		}
	}
}

func TestAttributeUpdates(t *testing.T) {
	const prefix = "One or more parameter values were invalid: "
	const old = `{"n":{"N":"5"},"s":{"S":"x"},"l":{"L":[{"N":"1"}]},"ss":{"SS":["a","b"]},"a.b":{"S":"x"}}`
	for _, c := range []struct{ name, action, value, want string }{
		{"s", "PUT", `{"N":"1"}`, `{"N":"1"}`},
		{"s", "", `{"N":"1"}`, `{"N":"1"}`},
		{"a.b", "PUT", `{"N":"1"}`, `{"N":"1"}`},
		{"s", "DELETE", "", ""},
		{"zz", "DELETE", "", ""},
		{"ss", "DELETE", `{"SS":["b","c"]}`, `{"SS":["a"]}`},
		{"ss", "DELETE", `{"SS":["b","a"]}`, ""},
		{"zz", "DELETE", `{"SS":["b"]}`, ""},
		{"n", "ADD", `{"N":"-0.5"}`, `{"N":"4.5"}`},
		{"zz", "ADD", `{"N":"7"}`, `{"N":"7"}`},
		{"ss", "ADD", `{"SS":["b","c"]}`, `{"SS":["a","b","c"]}`},
		{"l", "ADD", `{"L":[{"N":"1"},{"S":"y"}]}`, `{"L":[{"N":"1"},{"N":"1"},{"S":"y"}]}`},
		{"zz", "ADD", `{"L":[{"N":"1"}]}`, `{"L":[{"N":"1"}]}`},
		{"s", "ADD", `{"N":"7"}`, "Type mismatch for attribute to update"},
		{"n", "ADD", `{"L":[]}`, "Type mismatch for attribute to update"},
		{"ss", "ADD", `{"NS":["1"]}`, "Type mismatch for attribute to update"},
		{"ss", "DELETE", `{"NS":["1"]}`, "Type mismatch for attribute to update"},
		{"s", "PUT", "", prefix + "Only DELETE action is allowed when no attribute value is specified"},
		{"s", "ADD", "", prefix + "Only DELETE action is allowed when no attribute value is specified"},
		{"s", "", "", prefix + "Only DELETE action is allowed when no attribute value is specified"},
		{"s", "DELETE", `{"S":"x"}`, prefix + "DELETE action with value is not supported for the type S"},
		{"l", "DELETE", `{"L":[]}`, prefix + "DELETE action with value is not supported for the type L"},
		{"s", "ADD", `{"S":"x"}`, prefix + "ADD action is not supported for the type S"},
		{"s", "ADD", `{"BOOL":true}`, prefix + "ADD action is not supported for the type BOOL"},
	} {
		var v attr.Value
		if c.value != "" {
			v = parseValues(t, "["+c.value+"]")[0]
		}
		item := parseItem(t, old)
		u, err := AttributeUpdates{c.name: {Action: c.action, Value: v}}.Update()
		var next attr.Item
		if err == nil {
			next, err = u.Apply(item)
		}
		got := fmt.Sprint(err)
		if err == nil {
			got = ""
			if v, found := next[c.name]; found {
				got = string(v.AppendJSON(nil))
			}
			if u.OnlyTakes() != (c.action == "DELETE") || len(u.Paths()) != 1 || len(u.Nested()) > 0 {
				t.Errorf("%+v: only takes %v, paths %v", c, u.OnlyTakes(), u.Paths())
			}
		}
		if got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c, got, c.want)
		}
		if string(item.AppendJSON(nil)) != string(parseItem(t, old).AppendJSON(nil)) {
			t.Errorf("%+v: the old item changed", c)
		}
	}
	if u, err := (AttributeUpdates{}).Update(); u != nil || err != nil {
		t.Errorf("no updates: %v, %v", u, err)
	}
}
