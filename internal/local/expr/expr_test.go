package expr

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"streamgen/internal/local/attr"
)

func parseItem(t testing.TB, text string) attr.Item {
	t.Helper()
	if text == "" {
		return nil
	}
	var it attr.Item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return it
}

func substitutions(t testing.TB, names map[string]string, values string) *Substitutions {
	t.Helper()
	s, err := NewSubstitutions(names, parseItem(t, values))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const document = `{
	"id":{"S":"u"}, "n":{"N":"5"}, "s":{"S":"h😀é"}, "l":{"L":[{"N":"1"},{"S":"x"},{"N":"3"}]},
	"m":{"M":{"a":{"S":"x"},"b":{"M":{"c":{"N":"1"}}}}}, "ss":{"SS":["a","b"]}, "ns":{"NS":["1","2"]},
	"b":{"B":"YWJj"}, "nul":{"NULL":true}, "t":{"BOOL":true}}`

const values = `{":one":{"N":"1"}, ":two":{"N":"2.0"}, ":five":{"N":"5.0"}, ":nine":{"N":"9"}, ":x":{"S":"x"}, ":a":{"S":"a"}, ":S":{"S":"S"},
	":NULL":{"S":"NULL"}, ":ba":{"SS":["b","a"]}, ":bb":{"B":"Yg=="}, ":true":{"BOOL":true}, ":nul":{"NULL":true}, ":four":{"N":"4"},
	":h":{"S":"h"}, ":three":{"N":"3"}, ":ab":{"B":"YWI="}}`

func TestConditionHolds(t *testing.T) {
	item := parseItem(t, document)
	for _, c := range []struct {
		src  string
		want bool
	}{
		{"n = :five", true},
		{"n <> :five", false},
		{"n <> :x", true},
		{"zz = :five", false},
		{"zz <> :five", true},
		{"zz = yy", false},
		{"n > :one AND n < :nine", true},
		{"n >= :five and n <= :five", true},
		{"n < :five OR n > :five", false},
		{"n > :x", false},
		{"NOT n > :x", true},
		{"not (n = :five)", false},
		{"NOT NOT n = :five", true},
		{"n = :one OR n = :five AND n = :one", false},
		{"(n = :five OR n = :one) AND NOT n = :one", true},
		{"n = :five OR n = :one AND n = :one", true},
		{"n BETWEEN :one AND :nine", true},
		{"n BETWEEN :one AND :five", true},
		{":two BETWEEN :one AND n", true},
		{"n BETWEEN :one AND zz", false},
		{"n IN (zz, :one, :five)", true},
		{"zz IN (:one)", false},
		{"NOT zz IN (:one)", true},
		{"(n) = (:five)", true},
		{"ss = :ba", true},
		{"nul = :nul", true},
		{"t = :true", true},
		{"t < n", false},
		{"l[0] = :one", true},
		{"l[1] = :x", true},
		{"l[9] = :one", false},
		{"m.a = :x", true},
		{"m . b . c = :one", true},
		{"#m.#b.c = :one", true},
		{"n.a = :one", false},
		{"m[0] = :one", false},
		{"attribute_exists(m.b.c)", true},
		{"attribute_exists(m.b.d)", false},
		{"attribute_not_exists(l[3])", true},
		{"attribute_not_exists(n)", false},
		{"attribute_type(nul, :NULL)", true},
		{"attribute_type(s, :S)", true},
		{"attribute_type(n, :S)", false},
		{"attribute_type(zz, :S)", false},
		{"begins_with(s, :h)", true},
		{"begins_with(m.a, :h)", false},
		{"begins_with(b, :ab)", true},
		{"begins_with(b, :a)", false},
		{"begins_with(ss, :a)", false},
		{"contains(s, :h)", true},
		{"contains(ss, :a)", true},
		{"contains(ss, :ba)", false},
		{"contains(ns, :two)", true},
		{"contains(l, :three)", true},
		{"contains(l, :x)", true},
		{"contains(b, :bb)", true},
		{"contains(m, :a)", false},
		{"contains(zz, :a)", false},
		{"size(s) = :four", true},
		{"size(b) = :three", true},
		{"size(l) = :three", true},
		{"size(m) = :two", true},
		{"size(ss) > :one", true},
		{"size(n) = :one", false},
		{"size(n) <> :one", true},
		{"size(zz) <> :one", true},
		{"size((ss)) = (:two)", true},
		{"size(l) > size(m)", true},
	} {
		s := substitutions(t, map[string]string{"#m": "m", "#b": "b"}, values)
		cond, err := ParseCondition(c.src, s)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if got := cond.Holds(item); got != c.want {
			t.Errorf("%s: %v", c.src, got)
		}
	}
}

func TestConditionOfNoItem(t *testing.T) {
	cond, err := ParseCondition("attribute_not_exists(id)", substitutions(t, nil, ""))
	if err != nil || !cond.Holds(nil) {
		t.Errorf("attribute_not_exists of no item: %v", err)
	}
}

// The messages are those of the service: recorded from it, or from Amazon's downloadable edition of it.
func TestConditionErrors(t *testing.T) {
	tooMany := strings.TrimSuffix(strings.Repeat("n>:n AND ", 151), " AND ")
	for src, want := range map[string]string{
		"":                                       "The expression can not be empty;",
		" ":                                      `Syntax error; token: "<EOF>", near: " "`,
		"a = = b":                                `Syntax error; token: "=", near: "= = b"`,
		"foo bar":                                `Syntax error; token: "bar", near: "foo bar"`,
		"foo bar  ":                              `Syntax error; token: "bar", near: "foo bar  "`,
		"a":                                      `Syntax error; token: "<EOF>", near: "a"`,
		"a =":                                    `Syntax error; token: "<EOF>", near: "="`,
		"a = ":                                   `Syntax error; token: "<EOF>", near: "= "`,
		"= a":                                    `Syntax error; token: "=", near: "= a"`,
		" = a":                                   `Syntax error; token: "=", near: " = a"`,
		"  a  = =  b ":                           `Syntax error; token: "=", near: "= =  b"`,
		"a = :v AND":                             `Syntax error; token: "<EOF>", near: "AND"`,
		"a = :v)":                                `Syntax error; token: ")", near: ":v)"`,
		"(a = :v":                                `Syntax error; token: "<EOF>", near: ":v"`,
		"a[1":                                    `Syntax error; token: "<EOF>", near: "1"`,
		"a[0.5] = :v":                            `Syntax error; token: ".", near: "0.5"`,
		"a[-1] = :v":                             `Syntax error; token: "-", near: "[-1"`,
		"a[01] = :v":                             `Syntax error; token: "1", near: "01]"`,
		"a[:v] = :v":                             `Syntax error; token: ":v", near: "[:v]"`,
		"a..b = :v":                              `Syntax error; token: ".", near: "..b"`,
		"a.1 = :v":                               `Syntax error; token: "1", near: ".1 ="`,
		"_a = :v":                                `Syntax error; token: "_", near: "_a"`,
		"1a = :v":                                `Syntax error; token: "1", near: "1a"`,
		"a-b = :v":                               `Syntax error; token: "-", near: "a-b"`,
		"a ! b":                                  `Syntax error; token: "!", near: "a ! b"`,
		"n ＝ :v":                                 `Syntax error; token: "＝", near: "n ＝ :v"`,
		"# = :v":                                 `Syntax error; token: "#", near: "# ="`,
		": = a":                                  `Syntax error; token: ":", near: ": ="`,
		"between = :v":                           `Syntax error; token: "between", near: "between ="`,
		"set = :v":                               `Syntax error; token: "set", near: "set ="`,
		"a not in (:v)":                          `Syntax error; token: "not", near: "a not in"`,
		"a IN ()":                                `Syntax error; token: ")", near: "()"`,
		"foo()":                                  `Syntax error; token: ")", near: "()"`,
		"(a.b).c = :v":                           `Syntax error; token: ".", near: ").c"`,
		"(n = :v) = :v":                          `Syntax error; token: "=", near: ") = :v"`,
		":v":                                     `Syntax error; token: "<EOF>", near: ":v"`,
		"NOT :v":                                 `Syntax error; token: "<EOF>", near: ":v"`,
		"n AND s":                                `Syntax error; token: "AND", near: "n AND s"`,
		"(n) AND (s)":                            `Syntax error; token: "AND", near: ") AND ("`,
		"n = :v :v":                              `Syntax error; token: ":v", near: ":v :v"`,
		"((a = :v))":                             "The expression has redundant parentheses;",
		"((a)) = :v":                             "The expression has redundant parentheses;",
		"(a = ((:v)))":                           "The expression has redundant parentheses;",
		"a = :w":                                 "An expression attribute value used in expression is not defined; attribute value: :w",
		"#z = :v":                                "An expression attribute name used in the document path is not defined; attribute name: #z",
		"attribute_exists(a, b)":                 "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
		"contains(a)":                            "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1",
		"attribute_exists(:v)":                   "Operator or function requires a document path; operator or function: attribute_exists",
		"attribute_exists(size(a))":              "Operator or function requires a document path; operator or function: attribute_exists",
		"foo(a)":                                 "Invalid function name; function: foo",
		"Contains(a, :v)":                        "Invalid function name; function: Contains",
		"foo(abort) AND #z = :q":                 "Invalid function name; function: foo",
		"size(a)":                                "The function is not allowed to be used this way in an expression; function: size",
		"size(a) AND b = :v":                     "The function is not allowed to be used this way in an expression; function: size",
		"attribute_exists(a) = :v":               "The function is not allowed to be used this way in an expression; function: attribute_exists",
		"a IN (attribute_exists(b))":             "The function is not allowed to be used this way in an expression; function: attribute_exists",
		"contains(attribute_exists(a), :v)":      "The function is not allowed to be used this way in an expression; function: attribute_exists",
		"size(:n) > :n":                          "Incorrect operand type for operator or function; operator or function: size, operand type: N",
		"size(size(a)) > :n":                     "Incorrect operand type for operator or function; operator or function: size, operand type: N",
		"begins_with(a, :n)":                     "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"begins_with(size(a), :v)":               "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"a < :set":                               "Incorrect operand type for operator or function; operator or function: <, operand type: SS",
		"a BETWEEN :set AND :set":                "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: SS",
		"attribute_type(a, :n)":                  "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
		"attribute_type(a, b)":                   "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
		"attribute_type(a, :v)":                  "Invalid attribute type name found; type: v, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"a BETWEEN :n AND :v":                    "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:v}",
		"a BETWEEN :m AND :n":                    "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}",
		"a = a":                                  "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
		"a.b[1] = a.b[1]":                        "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a, b, [1]]",
		"contains(a, a)":                         "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a]",
		"a IN (:v, a)":                           "The first operand must be distinct from the remaining operands for this operator or function; operator: IN, first operand: [a]",
		"abort = :v":                             "Attribute name is a reserved keyword; reserved keyword: abort",
		"a.Status = :v":                          "Attribute name is a reserved keyword; reserved keyword: Status",
		"abort = :w AND a[99999999999] = :w":     "Attribute name is a reserved keyword; reserved keyword: abort",
		"a[99999999999999999999] = :v":           "List index is not within the allowable range; index: [99999999999999999999]",
		"a" + strings.Repeat(".b", 32) + " = :v": "The document path has too many nesting levels; nesting levels: 33",
		tooMany:                                  "The expression contains too many operators; operator count: 301",
		"n IN (" + strings.Repeat(":n,", 100) + ":n)": "The IN operator is provided with too many operands; number of operands: 101",
		strings.Repeat("a", 4097):                     "Expression size has exceeded the maximum allowed size; expression size: 4097",
	} {
		_, err := ParseCondition(src, substitutions(t, nil, `{":v":{"S":"v"},":n":{"N":"1"},":m":{"N":"2"},":set":{"SS":["a"]}}`))
		if want = "Invalid ConditionExpression: " + want; err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", src, err, want)
		}
	}
}

func TestSubstitutionErrors(t *testing.T) {
	long := "#" + strings.Repeat("a", 255)
	for _, c := range []struct {
		names  map[string]string
		values string
		want   string
	}{
		{map[string]string{}, "", "ExpressionAttributeNames must not be empty"},
		{nil, `{}`, "ExpressionAttributeValues must not be empty"},
		{map[string]string{"a": "x"}, "", `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{map[string]string{"#": "x"}, "", `ExpressionAttributeNames contains invalid key: Syntax error; key: "#"`},
		{map[string]string{"#a-b": "x"}, "", `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{map[string]string{long: "x"}, "", "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long"},
		{map[string]string{"#a": ""}, "", "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"},
		{nil, `{"v":{"S":"a"}}`, `ExpressionAttributeValues contains invalid key: Syntax error; key: "v"`},
	} {
		if _, err := NewSubstitutions(c.names, parseItem(t, c.values)); err == nil || err.Error() != c.want {
			t.Errorf("%v %s: %v, want %s", c.names, c.values, err, c.want)
		}
	}
}

func TestUnusedSubstitutions(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"#a = :v", "<nil>"},
		{"x = :v", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
		{"#a = x", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"},
	} {
		s := substitutions(t, map[string]string{"#a": "a"}, `{":v":{"S":"v"}}`)
		if _, err := ParseCondition(c.src, s); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(s.CheckUsed()); got != c.want {
			t.Errorf("%s: %s, want %s", c.src, got, c.want)
		}
	}
}

func TestUpdate(t *testing.T) {
	const vals = `{":v":{"N":"1"},":s":{"S":"q"},":l":{"L":[{"S":"q"}]},":ss":{"SS":["a","z"]},":ab":{"SS":["a","b"]},":tiny":{"N":"1e-37"}}`
	for _, c := range []struct{ src, want string }{ // want lists the attributes that differ; null is one that is gone
		{"SET a = n", `{"a":{"N":"5"}}`},
		{"SET a = n + :v", `{"a":{"N":"6"}}`},
		{"SET a = n - :v", `{"a":{"N":"4"}}`},
		{"SET a = (n) + (:v)", `{"a":{"N":"6"}}`},
		{"SET a = (n + :v)", `{"a":{"N":"6"}}`},
		{"SET n = n + :tiny", `{"n":{"N":"5.0000000000000000000000000000000000001"}}`},
		{"SET a = n + if_not_exists(zz, :v)", `{"a":{"N":"6"}}`},
		{"SET a = if_not_exists(zz, :v) + n", `{"a":{"N":"6"}}`},
		{"SET a = if_not_exists(n, :s)", `{"a":{"N":"5"}}`},
		{"SET a = if_not_exists(zz, if_not_exists(zy, :s))", `{"a":{"S":"q"}}`},
		{"SET a = list_append(l, :l)", `{"a":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"S":"q"}]}}`},
		{"SET a = list_append(:l, l)", `{"a":{"L":[{"S":"q"},{"N":"1"},{"N":"2"},{"N":"3"}]}}`},
		{"SET a = list_append(if_not_exists(zz, :l), :l)", `{"a":{"L":[{"S":"q"},{"S":"q"}]}}`},
		{"SET n = s, s = n", `{"n":{"S":"str"},"s":{"N":"5"}}`},
		{"SET m = m.b", `{"m":{"M":{"c":{"N":"1"}}}}`},
		{"SET m.b.d = :v", `{"m":{"M":{"a":{"S":"x"},"b":{"M":{"c":{"N":"1"},"d":{"N":"1"}}}}}}`},
		{"SET #m.#a = :v", `{"m":{"M":{"a":{"N":"1"},"b":{"M":{"c":{"N":"1"}}}}}}`},
		{"SET l[1] = :s", `{"l":{"L":[{"N":"1"},{"S":"q"},{"N":"3"}]}}`},
		{"SET l[7] = :s, l[5] = :v", `{"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"1"},{"S":"q"}]}}`},
		{"REMOVE l[0]", `{"l":{"L":[{"N":"2"},{"N":"3"}]}}`},
		{"REMOVE l[0], l[1]", `{"l":{"L":[{"N":"3"}]}}`},
		{"REMOVE l[9]", `{}`},
		{"REMOVE l[0] SET l[1] = :s", `{"l":{"L":[{"S":"q"},{"N":"3"}]}}`},
		{"SET l[1] = :s REMOVE l[0]", `{"l":{"L":[{"S":"q"},{"N":"3"}]}}`},
		{"REMOVE zz", `{}`},
		{"REMOVE n, m.b.c", `{"n":null,"m":{"M":{"a":{"S":"x"},"b":{"M":{}}}}}`},
		{"ADD n :v", `{"n":{"N":"6"}}`},
		{"ADD zz :v", `{"zz":{"N":"1"}}`},
		{"ADD m.zz :v", `{"m":{"M":{"a":{"S":"x"},"b":{"M":{"c":{"N":"1"}}},"zz":{"N":"1"}}}}`},
		{"ADD l[0] :v", `{"l":{"L":[{"N":"2"},{"N":"2"},{"N":"3"}]}}`},
		{"ADD l[9] :v", `{"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"1"}]}}`},
		{"ADD ss :ss", `{"ss":{"SS":["a","b","z"]}}`},
		{"ADD zz :ss", `{"zz":{"SS":["a","z"]}}`},
		{"DELETE ss :ss", `{"ss":{"SS":["b"]}}`},
		{"DELETE ss :ab", `{"ss":null}`},
		{"DELETE zz :ss", `{}`},
		{"set a = :v remove n add zz :v delete ss :ss", `{"a":{"N":"1"},"n":null,"zz":{"N":"1"},"ss":{"SS":["b"]}}`},
	} {
		item := parseItem(t, updated)
		u, err := ParseUpdate(c.src, substitutions(t, map[string]string{"#m": "m", "#a": "a"}, vals))
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		got, err := u.Apply(item)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if !item.Equal(parseItem(t, updated)) {
			t.Errorf("%s changed the item it was given", c.src)
		}
		var changes map[string]*attr.Value
		if err := json.Unmarshal([]byte(c.want), &changes); err != nil {
			t.Fatal(err)
		}
		want := maps.Clone(item)
		for name, v := range changes {
			if v == nil {
				delete(want, name)
			} else {
				want[name] = *v
			}
		}
		if !got.Equal(want) {
			t.Errorf("%s:\n got %s\nwant %s", c.src, got.AppendJSON(nil), want.AppendJSON(nil))
		}
	}
}

const updated = `{"n":{"N":"5"},"s":{"S":"str"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},
	"m":{"M":{"a":{"S":"x"},"b":{"M":{"c":{"N":"1"}}}}},"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]}}`

func TestUpdateErrors(t *testing.T) {
	const (
		syntax  = "Invalid UpdateExpression: Syntax error; "
		missing = "The provided expression refers to an attribute that does not exist in the item"
		operand = "An operand in the update expression has an incorrect data type"
		path    = "The document path provided in the update expression is invalid for update"
		overlap = "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; "
		types   = "Invalid UpdateExpression: Incorrect operand type for operator or function; "
	)
	for src, want := range map[string]string{
		"":                                "Invalid UpdateExpression: The expression can not be empty;",
		"SET":                             syntax + `token: "<EOF>", near: "SET"`,
		"foo":                             syntax + `token: "foo", near: "foo"`,
		"SET a":                           syntax + `token: "<EOF>", near: "a"`,
		"SET a = :v,":                     syntax + `token: "<EOF>", near: ","`,
		"SET a = :v,, b = :v":             syntax + `token: ",", near: ",, b"`,
		"SET a = :v b = :v":               syntax + `token: "b", near: ":v b ="`,
		"SET a :v":                        syntax + `token: ":v", near: "a :v"`,
		"ADD a = :v":                      syntax + `token: "=", near: "a = :v"`,
		"ADD n m":                         syntax + `token: "m", near: "n m"`,
		"ADD a (:v)":                      syntax + `token: "(", near: "a (:v"`,
		"SET :v = a":                      syntax + `token: ":v", near: "SET :v ="`,
		"SET (a) = :v":                    syntax + `token: "(", near: "SET (a"`,
		"SET SET = :v":                    syntax + `token: "SET", near: "SET SET ="`,
		"SET a = -:v":                     syntax + `token: "-", near: "= -:v"`,
		"SET a = n * :v":                  syntax + `token: "*", near: "n * :v"`,
		"SET a = 5":                       syntax + `token: "5", near: "= 5"`,
		"SET a = n + :v + :v":             syntax + `token: "+", near: ":v + :v"`,
		"SET a = n + (b - c)":             syntax + `token: "-", near: "b - c"`,
		"SET a = (n + b) - c":             syntax + `token: "-", near: ") - c"`,
		"SET a = list_append(a+b, c)":     syntax + `token: "+", near: "a+b"`,
		"REMOVE a b":                      syntax + `token: "b", near: "a b"`,
		"REMOVE :v":                       syntax + `token: ":v", near: "REMOVE :v"`,
		"SET a = ((n + :v))":              "Invalid UpdateExpression: The expression has redundant parentheses;",
		"SET a = :v SET b = :v":           `Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`,
		"SET a = :v REMOVE a":             overlap + "path one: [a], path two: [a]",
		"SET a.b = :v, a = :v":            overlap + "path one: [a, b], path two: [a]",
		"REMOVE m.b, m.b.c":               overlap + "path one: [m, b], path two: [m, b, c]",
		"SET a[0] = :v, a.b = :v":         "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [0]], path two: [a, b]",
		"SET abort = foo(b)":              "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: abort",
		"SET a = foo(b), a = :x":          "Invalid UpdateExpression: Invalid function name; function: foo",
		"SET b = size(abort)":             "Invalid UpdateExpression: The function is not allowed in an update expression; function: size",
		"SET a = list_append(l, :l) + :v": "Invalid UpdateExpression: The function is not allowed to be used this way in an expression; function: list_append",
		"SET a = if_not_exists(b, list_append(c, :l))": "Invalid UpdateExpression: The function is not allowed to be used this way in an expression; function: list_append",
		"SET a = :w":                                    "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :w",
		"SET #z = :v":                                   "Invalid UpdateExpression: An expression attribute name used in the document path is not defined; attribute name: #z",
		"SET a[99999999999] = :v":                       "Invalid UpdateExpression: List index is not within the allowable range; index: [99999999999]",
		"SET a = if_not_exists(n)":                      "Invalid UpdateExpression: Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1",
		"SET a = if_not_exists(:v, n)":                  "Invalid UpdateExpression: Operator or function requires a document path; operator or function: if_not_exists",
		"SET a = if_not_exists(if_not_exists(a,b), :v)": "Invalid UpdateExpression: Operator or function requires a document path; operator or function: if_not_exists",
		"SET a = n + :s":                                types + "operator or function: +, operand type: S",
		"SET a = list_append(l, :v)":                    types + "operator or function: list_append, operand type: N",
		"ADD n :s":                                      types + "operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"ADD n :l":                                      types + "operator: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"DELETE n :v":                                   types + "operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
		"SET a = b":                                     missing,
		"SET a = :v, b = a":                             missing,
		"SET a = if_not_exists(n, zz)":                  missing,
		"SET a = if_not_exists(zz, zy)":                 missing,
		"SET a = list_append(zz, :l)":                   missing,
		"SET a = s + :v":                                operand,
		"SET a = list_append(n, :l)":                    operand,
		"SET a = if_not_exists(s, :v) + :v":             operand,
		"ADD s :v":                                      operand,
		"ADD ns :ss":                                    operand,
		"DELETE ns :ss":                                 operand,
		"SET zz.a = :v":                                 path,
		"SET n.a = :v":                                  path,
		"SET m[0] = :v":                                 path,
		"SET l.a = :v":                                  path,
		"SET l[9].a = :v":                               path,
		"REMOVE zz.a":                                   path,
		"REMOVE m.zz.a":                                 path,
		"DELETE zz.a :ss":                               path,
		"SET n = n + :tiny":                             "Attempting to store more than 38 significant digits in a Number",
		"ADD n :tiny":                                   "Attempting to store more than 38 significant digits in a Number",
	} {
		u, err := ParseUpdate(src, substitutions(t, nil, `{":v":{"N":"1"},":s":{"S":"q"},":l":{"L":[]},":ss":{"SS":["a"]},":tiny":{"N":"1e-38"}}`))
		if err == nil {
			_, err = u.Apply(parseItem(t, updated))
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", src, err, want)
		}
	}
}

func TestProject(t *testing.T) {
	for src, want := range map[string]string{
		"SET a = :v":                         `{}`,
		"SET m.b.c = :v, l[1] = :v REMOVE s": `{"l":{"L":[{"N":"2"}]},"m":{"M":{"b":{"M":{"c":{"N":"1"}}}}},"s":{"S":"str"}}`,
		"REMOVE l[2], l[0]":                  `{"l":{"L":[{"N":"1"},{"N":"3"}]}}`,
		"REMOVE l[9], m.zz":                  `{}`,
		"SET n = :v":                         `{"n":{"N":"5"}}`,
	} {
		u, err := ParseUpdate(src, substitutions(t, nil, `{":v":{"N":"1"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := Project(parseItem(t, updated), u.Paths()); !got.Equal(parseItem(t, want)) {
			t.Errorf("%s: %s, want %s", src, got.AppendJSON(nil), want)
		}
	}
}

func TestProjection(t *testing.T) {
	const redundant = "; must remove or rewrite one of these paths; "
	for src, want := range map[string]string{
		"s":                            `{"s":{"S":"str"}}`,
		"s , n":                        `{"n":{"N":"5"},"s":{"S":"str"}}`,
		"zz":                           `{}`,
		"zz.a, s.a, n[0]":              `{}`,
		"#m.b.c":                       `{"m":{"M":{"b":{"M":{"c":{"N":"1"}}}}}}`,
		"m.zz, l[9], s":                `{"s":{"S":"str"}}`,
		"l[2], l[0]":                   `{"l":{"L":[{"N":"1"},{"N":"3"}]}}`,
		"l[1], m.b":                    `{"l":{"L":[{"N":"2"}]},"m":{"M":{"b":{"M":{"c":{"N":"1"}}}}}}`,
		"":                             "The expression can not be empty;",
		"s,":                           `Syntax error; token: "<EOF>", near: ","`,
		"s n":                          `Syntax error; token: "n", near: "s n"`,
		"size(s)":                      `Syntax error; token: "(", near: "size(s"`,
		"(s)":                          `Syntax error; token: "(", near: "(s"`,
		":v":                           `Syntax error; token: ":v", near: ":v"`,
		"l[x]":                         `Syntax error; token: "x", near: "[x]"`,
		"name, #zz":                    "Attribute name is a reserved keyword; reserved keyword: name",
		"s.Name":                       "Attribute name is a reserved keyword; reserved keyword: Name",
		"#zz":                          "An expression attribute name used in the document path is not defined; attribute name: #zz",
		"l[2147483648]":                "List index is not within the allowable range; index: [2147483648]",
		"s, s":                         "Two document paths overlap with each other" + redundant + "path one: [s], path two: [s]",
		"m.b, n, m.b.c":                "Two document paths overlap with each other" + redundant + "path one: [m, b], path two: [m, b, c]",
		"l[0], l[0].a":                 "Two document paths overlap with each other" + redundant + "path one: [l, [0]], path two: [l, [0], a]",
		"m[0], m.b":                    "Two document paths conflict with each other" + redundant + "path one: [m, [0]], path two: [m, b]",
		"m[0], m.b, s, s":              "Two document paths overlap with each other" + redundant + "path one: [s], path two: [s]",
		strings.Repeat("a.", 32) + "a": "The document path has too many nesting levels; nesting levels: 33",
	} {
		p, err := ParseProjection(src, substitutions(t, map[string]string{"#m": "m"}, ""))
		if err != nil {
			if err.Error() != "Invalid ProjectionExpression: "+want {
				t.Errorf("%q:\n got %v\nwant %s", src, err, want)
			}
			continue
		}
		if got := string(p.Of(parseItem(t, updated)).AppendJSON(nil)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", src, got, want)
		}
	}
}

func TestProjectAttributes(t *testing.T) {
	p := ProjectAttributes([]string{"s", "a.b", "zz"})
	got := p.Of(attr.Item{"s": attr.Null(), "a.b": attr.Bool(true), "c": attr.Null()})
	if want := `{"a.b":{"BOOL":true},"s":{"NULL":true}}`; string(got.AppendJSON(nil)) != want {
		t.Errorf("got %s, want %s", got.AppendJSON(nil), want)
	}
	if len(p.Nested()) > 0 || !slices.Equal(p.Attributes(), []string{"s", "a.b", "zz"}) {
		t.Errorf("attributes %v, nested %v", p.Attributes(), p.Nested())
	}
}

func TestFilter(t *testing.T) {
	f, err := ParseFilter("a.b = :v AND NOT size(#c) > d[1]", substitutions(t, map[string]string{"#c": "c"}, `{":v":{"S":"v"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Attributes(); !slices.Equal(got, []string{"a", "c", "d"}) {
		t.Errorf("attributes %v", got)
	}
	if got := f.Nested(); !slices.Equal(got, []string{"a", "d"}) {
		t.Errorf("nested %v", got)
	}
	if !f.Holds(parseItem(t, `{"a":{"M":{"b":{"S":"v"}}},"c":{"S":""},"d":{"L":[{"N":"5"},{"N":"0"}]}}`)) {
		t.Error("does not hold")
	}
	for src, want := range map[string]string{
		"":           "Invalid FilterExpression: The expression can not be empty;",
		"a =":        `Invalid FilterExpression: Syntax error; token: "<EOF>", near: "="`,
		"status = a": "Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: status",
	} {
		if _, err := ParseFilter(src, substitutions(t, nil, "")); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", src, err, want)
		}
	}
}

func TestKeyCondition(t *testing.T) {
	const vals = `{":h":{"S":"a"},":n":{"N":"1"},":m":{"N":"10"}}`
	for src, want := range map[string]string{
		"id = :h":                             "id = a",
		":h = id":                             "id = a",
		"#i = :h AND n < :n":                  "id = a, n < 1",
		"n <= :n AND id = :h":                 "n <= 1, id = a",
		":n < n and :h = id":                  "n > 1, id = a",
		"(id = :h AND n >= :n)":               "id = a, n >= 1",
		"(id = :h) AND (n BETWEEN :n AND :m)": "id = a, n BETWEEN 1 10",
		"id = :h AND begins_with(n, :h)":      "id = a, n begins_with a",
		"x = :n":                              "x = 1",
		"":                                    "Invalid KeyConditionExpression: The expression can not be empty;",
		"id":                                  `Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "id"`,
		"((id = :h))":                         "Invalid KeyConditionExpression: The expression has redundant parentheses;",
		"id = :h AND begins_with(n, :n)":      "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"id = id":                             "Invalid KeyConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [id]",
		"id = :h AND contains(n, :n)":         "Invalid operator used in KeyConditionExpression: contains",
		"id = :h AND n <> :n":                 "Invalid operator used in KeyConditionExpression: <>",
		"id = :h AND n IN (:n)":               "Invalid operator used in KeyConditionExpression: IN",
		"id = :h OR n = :n":                   "Invalid operator used in KeyConditionExpression: OR",
		"id = :h AND NOT n = :n":              "Invalid operator used in KeyConditionExpression: NOT",
		"attribute_exists(id)":                "Invalid operator used in KeyConditionExpression: attribute_exists",
		"id = :h AND size(n) > :n":            "KeyConditionExpressions cannot contain nested operations",
		"id = :h AND id = :n":                 "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
		"id = :h AND n = :n AND x = :n":       "id = a, n = 1, x = 1",
		"id = n":                              "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
		":h = :n":                             "Invalid condition in KeyConditionExpression: No key attribute specified",
		":n BETWEEN :n AND n":                 "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
		"id.a = :h":                           "KeyConditionExpressions cannot have conditions on nested attributes",
		"id[0] = :h":                          "KeyConditionExpressions cannot have conditions on nested attributes",
	} {
		tests, err := ParseKeyCondition(src, substitutions(t, map[string]string{"#i": "id"}, vals))
		var parts []string
		for _, test := range tests {
			part := test.Name + " " + test.Operator
			for _, v := range test.Values {
				part += " " + v.Text()
			}
			parts = append(parts, part)
		}
		got := strings.Join(parts, ", ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", src, got, want)
		}
	}
}

func TestReservedWords(t *testing.T) {
	if got := len(reservedSet); got != 573 {
		t.Errorf("%d reserved words, AWS lists 573", got)
	}
	for _, name := range []string{"ABORT", "status", "Ttl", "zone", "name", "value"} {
		if !reserved(name) {
			t.Errorf("%s is not reserved", name)
		}
	}
	if reserved("id") || reserved("Total_") {
		t.Error("names that are not reserved are")
	}
}

// An update made of many clauses gives what its clauses give one after the other, as long as they touch different attributes.
func TestUpdateClausesAreIndependent(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	clauses := map[string][]string{
		"SET":    {"a = n + :v", "b = if_not_exists(zz, s)", "c = list_append(l, l)", "m.x = :v", "d.e = :v"},
		"REMOVE": {"s", "l[1]", "nope", "ns"},
		"ADD":    {"n :v", "fresh :v", "ss :ss"},
	}
	for range 500 {
		whole, item := "", parseItem(t, updated)
		item["d"] = attr.Map(attr.Item{})
		start := maps.Clone(item)
		changed := maps.Clone(item)
		for _, section := range []string{"SET", "REMOVE", "ADD"} {
			chosen := slices.Clone(clauses[section])
			r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
			chosen = chosen[:1+r.IntN(len(chosen))]
			whole += " " + section + " " + strings.Join(chosen, ", ")
			for _, clause := range chosen {
				// every clause reads the item as it was, and changes one attribute
				after := apply(t, section+" "+clause, start)
				for name := range after {
					if !after[name].Equal(start[name]) {
						changed[name] = after[name]
					}
				}
				for name := range start {
					if _, left := after[name]; !left {
						delete(changed, name)
					}
				}
			}
		}
		if got := apply(t, whole, start); !got.Equal(changed) {
			t.Fatalf("%s:\n got %s\nwant %s", whole, got.AppendJSON(nil), changed.AppendJSON(nil))
		}
	}
}

func apply(t *testing.T, src string, item attr.Item) attr.Item {
	t.Helper()
	u, err := ParseUpdate(src, substitutions(t, nil, `{":v":{"N":"1"},":ss":{"SS":["k"]}}`))
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	after, err := u.Apply(item)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return after
}

// No source makes a parser or what it parsed panic or hang.
func FuzzExpressions(f *testing.F) {
	for _, src := range []string{
		"a = :n AND (NOT b.c[1] <> :s OR size(#a) BETWEEN :n AND :n) AND contains(d, :s)",
		"attribute_type(a, :s) or begins_with(b, :s) and c IN (:n, :s)",
		"SET a.b[0] = if_not_exists(c, :n) + :n, d = list_append(l, :l) REMOVE e[1], f ADD n :n DELETE ss :ss",
		"((((((a", "NOT NOT NOT", "SET SET SET", "a[0][1][2].b.#a = :l", "\xff", "#", "SET l[3] = l[0], m.b.c = n - :n",
	} {
		f.Add(src)
	}
	var item attr.Item
	if err := json.Unmarshal([]byte(updated), &item); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s := substitutions(t, map[string]string{"#a": "a"}, `{":n":{"N":"1"},":s":{"S":"S"},":l":{"L":[{"N":"1"}]},":ss":{"SS":["a"]}}`)
		if c, err := ParseCondition(src, s); err == nil {
			c.Holds(item)
			c.Holds(nil)
		}
		if u, err := ParseUpdate(src, s); err == nil {
			if after, err := u.Apply(item); err == nil {
				Project(after, u.Paths())
			}
			if after, err := u.Apply(attr.Item{}); err == nil {
				Project(after, u.Paths())
			}
		}
		if p, err := ParseProjection(src, s); err == nil {
			p.Of(item)
			p.Of(nil)
		}
		_, _ = ParseFilter(src, s)
		_, _ = ParseKeyCondition(src, s)
		_ = s.CheckUsed()
	})
}
