package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/filter"
)

// shop are the attributes of the tests' table.
func shop(image filter.Image, path []string) (typ, advice string) {
	types := map[string]string{
		"id": "S", "status": "S", "total": "N", "paid": "BOOL", "raw": "B", "labels": "SS", "sizes": "NS", "lines": "L", "nothing": "NULL",
		"address": "M", "address city": "S", "address zip": "N", "odd.name": "S",
	}
	typ = types[strings.Join(path, " ")]
	if image == filter.Keys && path[0] != "id" {
		typ = ""
	}
	return typ, "The attributes are id, status and others."
}

func parse(t testing.TB, text string) filter.Where {
	t.Helper()
	w, problems := filter.ParseWhere(text, shop)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", text, problems)
	}
	return w
}

func TestWhereAsPatternsAndGo(t *testing.T) {
	for text, c := range map[string]struct {
		patterns []string
		code     string
	}{
		`new.status == 'PAID'`:                    {[]string{`{"dynamodb":{"NewImage":{"status":{"S":["PAID"]}}}}`}, ""},
		`'PAID' == new.status`:                    {[]string{`{"dynamodb":{"NewImage":{"status":{"S":["PAID"]}}}}`}, ""},
		`new.status in ['B', "A", 'B']`:           {[]string{`{"dynamodb":{"NewImage":{"status":{"S":["A","B"]}}}}`}, ""},
		`new.status == 'A' || new.status == 'B'`:  {[]string{`{"dynamodb":{"NewImage":{"status":{"S":["A","B"]}}}}`}, ""},
		`new.status != 'A' && new.status != 'B'`:  {[]string{`{"dynamodb":{"NewImage":{"status":{"S":[{"anything-but":["A","B"]}]}}}}`}, ""},
		`!(new.status == 'A')`:                    {[]string{`{"dynamodb":{"NewImage":{"status":{"S":[{"anything-but":["A"]},{"exists":false}]}}}}`}, ""},
		`new.total == 1.50e2`:                     {[]string{`{"dynamodb":{"NewImage":{"total":{"N":["150"]}}}}`}, ""},
		`keys.id == '1'`:                          {[]string{`{"dynamodb":{"Keys":{"id":{"S":["1"]}}}}`}, ""},
		`old.paid`:                                {[]string{`{"dynamodb":{"OldImage":{"paid":{"BOOL":[true]}}}}`}, ""},
		`!old.paid && new.paid`:                   {[]string{`{"dynamodb":{"NewImage":{"paid":{"BOOL":[true]}},"OldImage":{"paid":{"BOOL":[false,{"exists":false}]}}}}`}, ""},
		`new.address.city == 'Bonn'`:              {[]string{`{"dynamodb":{"NewImage":{"address":{"M":{"city":{"S":["Bonn"]}}}}}}`}, ""},
		`exists(new.raw)`:                         {[]string{`{"dynamodb":{"NewImage":{"raw":{"B":[{"exists":true}]}}}}`}, ""},
		`exists(new.status) && new.status != 'x'`: {[]string{`{"dynamodb":{"NewImage":{"status":{"S":[{"anything-but":["x"]}]}}}}`}, ""},
		`starts_with(new.status, 'eu-')`:          {[]string{`{"dynamodb":{"NewImage":{"status":{"S":[{"prefix":"eu-"}]}}}}`}, ""},
		`ends_with(new.status, '.png')`:           {[]string{`{"dynamodb":{"NewImage":{"status":{"S":[{"suffix":".png"}]}}}}`}, ""},
		`new.status == 'A' || old.total == 2`:     {[]string{`{"dynamodb":{"NewImage":{"status":{"S":["A"]}}}}`, `{"dynamodb":{"OldImage":{"total":{"N":["2"]}}}}`}, ""},
		`new.total > 100 && new.status == 'PAID'`: {[]string{`{"dynamodb":{"NewImage":{"status":{"S":["PAID"]}}}}`}, `r.New("total").Greater(stream.N("100")) && r.New("status").Equal(stream.S("PAID"))`},
		`100 < new.total`:                         {nil, `r.New("total").Greater(stream.N("100"))`},
		`new.status == 'A' || new.total > 1`:      {nil, `r.New("status").Equal(stream.S("A")) || r.New("total").Greater(stream.N("1"))`},
		`!(new.total <= 1 || new.paid)`:           {[]string{`{"dynamodb":{"NewImage":{"paid":{"BOOL":[false,{"exists":false}]}}}}`}, `!(r.New("total").LessOrEqual(stream.N("1")) || r.New("paid").Equal(stream.BOOL(true)))`},
		`new.status != old.status`:                {nil, `r.New("status").NotEqual(r.Old("status"))`},
		`contains(new.labels, "red")`:             {nil, `r.New("labels").Contains(stream.S("red"))`},
		`exists(new.lines)`:                       {nil, `r.New("lines").Is("L")`},
		`new['odd.name'] == 'x'`:                  {nil, `r.New("odd.name").Equal(stream.S("x"))`},
		`(old.total < 1 || new.paid) && exists(keys.id)`: {[]string{`{"dynamodb":{"Keys":{"id":{"S":[{"exists":true}]}}}}`},
			`(r.Old("total").Less(stream.N("1")) || r.New("paid").Equal(stream.BOOL(true))) && r.Key("id").Is("S")`},
	} {
		s := filter.Selection{Where: parse(t, text)}
		got := s.Compile()
		if d := cmp.Diff(c.patterns, got.Patterns); d != "" {
			t.Errorf("%s: patterns (-want +got):\n%s", text, d)
		}
		if code := s.GoExpr("r"); code != c.code {
			t.Errorf("%s: the condition is\n%s\nwant\n%s", text, code, c.code)
		}
		if got.Never {
			t.Errorf("%s: taken for never true", text)
		}
		for _, p := range got.Patterns {
			if traps := filter.Traps(p); len(traps) > 0 {
				t.Errorf("%s: our own pattern %s has the trap %v", text, p, traps)
			}
		}
	}
}

func TestSelectionWithAll(t *testing.T) {
	s := filter.Selection{
		On: []filter.Kind{filter.Modify, filter.TTLDelete}, Changed: []string{"status"}, Where: parse(t, "keys.id == '1' || old.total > 1"),
	}
	want := []string{
		`{"eventName":["MODIFY"]}`,
		`{"eventName":["REMOVE"],"userIdentity":{"principalId":["dynamodb.amazonaws.com"],"type":["Service"]}}`,
	}
	if d := cmp.Diff(want, s.Compile().Patterns); d != "" {
		t.Errorf("patterns (-want +got):\n%s", d)
	}
	const code = `(r.Kind() != stream.Modify || r.Changed("status")) && (r.Key("id").Equal(stream.S("1")) || r.Old("total").Greater(stream.N("1")))`
	if got := s.GoExpr("r"); got != code {
		t.Errorf("the condition is\n%s\nwant\n%s", got, code)
	}
}

func TestNever(t *testing.T) {
	for _, text := range []string{
		`new.status == 'A' && new.status == 'B'`, `new.paid && !new.paid`, `exists(new.total) && !exists(new.total)`,
		`new.status != 'A' && new.status == 'A'`, `starts_with(new.status, 'x') && new.status in ['a', 'b']`,
	} {
		if c := (filter.Selection{Where: parse(t, text)}).Compile(); !c.Never {
			t.Errorf("%s: not taken for never true: %v", text, c.Patterns)
		}
	}
}

func TestTooManyAlternatives(t *testing.T) {
	var parts, pairs []string
	for i := range 6 {
		parts = append(parts, fmt.Sprintf("(new.status == '%d' && new.total == %d)", i, i))
	}
	for i := range 12 {
		pairs = append(pairs, fmt.Sprintf("(new.status == '%d' && old.status == '%d' || new.total == %d && old.total == %d)", i, i, i, i))
	}
	for _, text := range []string{strings.Join(parts, " || "), strings.Join(pairs, " && ")} {
		s := filter.Selection{On: []filter.Kind{filter.Insert}, Where: parse(t, text)}
		c := s.Compile()
		if d := cmp.Diff([]string{`{"eventName":["INSERT"]}`}, c.Patterns); d != "" && !c.Never {
			t.Errorf("patterns (-want +got):\n%s", d)
		}
		if c.Exact() && !c.Never {
			t.Error("no reason is given")
		}
	}
}

func TestProblems(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "0: the condition ends too early",
		"new":                                `3: the condition ends too early`,
		"new.":                               "4: the condition ends too early",
		"status == 'x'":                      `0: the condition has an unexpected "status"`,
		"new.status = 'x'":                   `11: the condition has an unexpected "="`,
		"new.status == 'x' and new.paid":     `18: the condition has an unexpected "and"`,
		"new.status == null":                 `14: the condition has an unexpected "null"`,
		"new.status == 'x":                   "14: the string has no end",
		`new.status == 'a\b'`:                "16: a backslash in a string stands before a quote or a backslash",
		"new.lost == 1":                      "0: new.lost is no attribute of the table",
		"keys.status == 'x'":                 "0: keys.status is no attribute of the table",
		"new.total == '1'":                   "13: new.total == '1' compares type N with type S",
		"new.total in [1, 'x']":              "17: new.total in [1, 'x'] compares type N with type S",
		"new.total == 1x":                    "13: 1x is no number of DynamoDB",
		"new.total == 1e126":                 "13: 1e126 is no number of DynamoDB",
		"new.total == old.status":            "13: new.total == old.status compares type N with type S",
		"new.labels == old.labels":           "0: new.labels == old.labels compares an attribute of type SS",
		"new.paid < true":                    "0: new.paid < true orders values of type BOOL",
		"new.raw == 'x'":                     "0: new.raw == 'x' compares binary data with a literal",
		"new.status":                         "0: new.status is of type S and not a condition by itself",
		"starts_with(new.total, 'x')":        "12: starts_with does not work on type N",
		"contains(new.sizes, 'x')":           "20: contains needs type N here, not type S",
		"contains(new.sizes)":                `18: the condition has an unexpected ")"`,
		"exists(new.nothing)":                "7: NULL counts as absent, so that exists(new.nothing) never holds",
		"'x' == 'y'":                         `7: the condition has an unexpected "y"`,
		"'x'":                                "3: the condition ends too early",
		"(new.paid":                          "9: the condition ends too early",
		"new.lines[0] == 1":                  `10: the condition has an unexpected "0"`,
		"new.status == 'x' new.paid":         `18: the condition has an unexpected "new"`,
		"new.paid § new.paid":                `9: the condition has an unexpected "§"`,
		strings.Repeat("(", 60) + "new.paid": "50: the condition is nested more than 50 deep",
		"new.lost == 1 || old.gone == 2":     "0: new.lost is no attribute of the table; 17: old.gone is no attribute of the table",
	} {
		_, problems := filter.ParseWhere(text, shop)
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d: %s", p.Offset, p.Summary))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s:\n  got  %s\n  want %s", text, strings.Join(got, "; "), want)
		}
	}
}

func FuzzParseWhere(f *testing.F) {
	for _, seed := range []string{`new.total > 100 && new.status == 'PAID'`, `!(exists(old["odd.name"]) || contains(new.labels, 'x'))`, `new.total in [1, -2.5e3]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, problems := filter.ParseWhere(text, shop)
		if len(problems) > 0 {
			for _, p := range problems {
				if p.Offset < 0 || p.Offset > len([]rune(text)) {
					t.Errorf("%q: the problem %q is at %d", text, p.Summary, p.Offset)
				}
			}
			return
		}
		s := filter.Selection{Where: w}
		for _, p := range s.Compile().Patterns {
			if _, err := filter.ParsePattern(p); err != nil {
				t.Errorf("%q: %s: %v", text, p, err)
			}
		}
		s.GoExpr("r")
	})
}
