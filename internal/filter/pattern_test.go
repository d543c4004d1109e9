package filter_test

import (
	"strings"
	"testing"

	"streamgen/internal/filter"
)

const record = `{
	"eventName": "MODIFY", "eventSource": "aws:dynamodb", "userIdentity": null,
	"dynamodb": {
		"ApproximateCreationDateTime": 1795420310.0, "SizeBytes": 59,
		"Keys": {"Id": {"S": "101"}},
		"NewImage": {
			"Id": {"S": "101"}, "Total": {"N": "300"}, "Region": {"S": "eu-West-1"}, "Paid": {"BOOL": true}, "Gone": {"NULL": true},
			"Tags": {"SS": ["a", "b"]}, "Empty": {"L": []}, "Address": {"M": {"City": {"S": "Bonn"}}}
		}
	}
}`

func TestMatch(t *testing.T) {
	for pattern, want := range map[string]bool{
		`{}`:                                  true,
		`{"eventName": ["INSERT", "MODIFY"]}`: true,
		`{"eventName": ["modify"]}`:           false,
		`{"eventName": ["INSERT"], "eventName": ["MODIFY"]}`:                                          true, // the last of a name counts
		`{"eventName": ["MODIFY"], "eventSource": ["other"]}`:                                         false,
		`{"dynamodb": {"NewImage": {"Total": {"N": ["300"]}}}}`:                                       true,
		`{"dynamodb": {"NewImage": {"Total": {"N": [300]}}}}`:                                         false,
		`{"dynamodb": {"NewImage": {"Total": {"N": [{"numeric": [">", 100]}]}}}}`:                     false,
		`{"dynamodb": {"SizeBytes": [{"numeric": [">", 50, "<=", 59]}]}}`:                             true,
		`{"dynamodb": {"SizeBytes": [{"numeric": [">", 59]}]}}`:                                       false,
		`{"dynamodb": {"SizeBytes": [59.0]}}`:                                                         true,
		`{"dynamodb.NewImage.Paid.BOOL": [true]}`:                                                     true,
		`{"dynamodb": {"NewImage": {"Paid": [{"exists": true}]}}}`:                                    false, // no leaf
		`{"dynamodb": {"NewImage": {"Paid": [{"exists": false}]}}}`:                                   true,
		`{"dynamodb": {"NewImage": {"Paid": {"BOOL": [{"exists": true}]}}}}`:                          true,
		`{"dynamodb": {"NewImage": {"Lost": {"S": [{"exists": false}]}}}}`:                            true,
		`{"dynamodb": {"OldImage": {"Lost": {"S": [{"exists": false}]}}}}`:                            true,
		`{"dynamodb": {"OldImage": {"Lost": {"S": [{"anything-but": "x"}]}}}}`:                        false,
		`{"dynamodb": {"NewImage": {"Region": {"S": [{"prefix": "eu-"}]}}}}`:                          true,
		`{"dynamodb": {"NewImage": {"Region": {"S": [{"prefix": "EU-"}]}}}}`:                          false,
		`{"dynamodb": {"NewImage": {"Region": {"S": [{"suffix": "-1"}]}}}}`:                           true,
		`{"dynamodb": {"NewImage": {"Region": {"S": [{"prefix": {"equals-ignore-case": "EU-w"}}]}}}}`: true,
		`{"dynamodb": {"NewImage": {"Region": {"S": [{"equals-ignore-case": "EU-WEST-1"}]}}}}`:        true,
		`{"dynamodb": {"NewImage": {"Region": {"S": [{"anything-but": ["a", "b"]}]}}}}`:               true,
		`{"dynamodb": {"NewImage": {"Region": {"S": [{"anything-but": ["a", "eu-West-1"]}]}}}}`:       false,
		`{"dynamodb": {"SizeBytes": [{"anything-but": [59]}]}}`:                                       false,
		`{"dynamodb": {"SizeBytes": [{"anything-but": "59"}]}}`:                                       true,
		`{"userIdentity": [null]}`:                                                                    true,
		`{"userIdentity": [{"exists": true}]}`:                                                        true,
		`{"dynamodb": {"NewImage": {"Tags": {"SS": ["b"]}}}}`:                                         true,
		`{"dynamodb": {"NewImage": {"Tags": {"SS": ["c"]}}}}`:                                         false,
		`{"dynamodb": {"NewImage": {"Empty": {"L": [{"exists": true}]}}}}`:                            false,
		`{"dynamodb": {"NewImage": {"Empty": {"L": [null]}}}}`:                                        false,
		`{"dynamodb": {"NewImage": {"Address": {"M": {"City": {"S": ["Bonn"]}}}}}}`:                   true,
		`{"$or": [{"eventName": ["INSERT"]}, {"dynamodb": {"SizeBytes": [59]}}]}`:                     true,
		`{"$or": [{"eventName": ["INSERT"]}, {"eventName": ["REMOVE"]}]}`:                             false,
	} {
		p, err := filter.ParsePattern(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if got := p.Match([]byte(record)); got != want {
			t.Errorf("%s: matches is %v", pattern, got)
		}
	}
	if p, _ := filter.ParsePattern(`{}`); p.Match([]byte("no JSON")) {
		t.Error("what is no JSON matches")
	}
}

func TestInvalidPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		``:                           "the pattern is no JSON: EOF",
		`{} {}`:                      "there is more after the pattern",
		`[]`:                         "the pattern is no JSON object",
		`{"eventName": "INSERT"}`:    `eventName is neither an object nor a list: a value stands in a list, such as ["INSERT"]`,
		`{"eventName": []}`:          "eventName is an empty list",
		`{"dynamodb": {}}`:           "dynamodb is an empty object",
		`{"a": [["b"]]}`:             "a[0]: a list in a list",
		`{"a": [{"wildcard": "*"}]}`: `a[0]: "wildcard" is no operator of Lambda's filters: these are anything-but, equals-ignore-case, exists, numeric, prefix and suffix`,
		`{"a": [{"prefix": "a", "suffix": "b"}]}`:      "a[0]: an operator stands alone in its object",
		`{"a": [{"prefix": 1}]}`:                       "a[0]: prefix needs text",
		`{"a": [{"prefix": {"x": 1}}]}`:                "a[0]: prefix needs text, or equals-ignore-case with text",
		`{"a": [{"equals-ignore-case": 1}]}`:           "a[0]: equals-ignore-case needs text",
		`{"a": [{"exists": "true"}]}`:                  "a[0]: exists needs true or false",
		`{"a": [{"anything-but": ["a", 1]}]}`:          "a[0]: anything-but needs a text, a number, or a list of texts or of numbers",
		`{"a": [{"anything-but": null}]}`:              "a[0]: anything-but needs a text, a number, or a list of texts or of numbers",
		`{"a": [{"numeric": [">", 1, ">", 2]}]}`:       `a[0]: numeric needs a comparison and a number, or a lower and an upper bound, such as [">", 0, "<=", 5]`,
		`{"a": [{"numeric": ["=", "1"]}]}`:             `a[0]: numeric needs a comparison and a number, or a lower and an upper bound, such as [">", 0, "<=", 5]`,
		`{"$or": [{"b": ["c"]}]}`:                      `$or[0]: "b" is no operator of Lambda's filters: these are anything-but, equals-ignore-case, exists, numeric, prefix and suffix`, // a field's name
		`{"a": {"$or": [{"b": [1]}, 2]}}`:              "a.$or[1] is no object",
		`{"a": ["` + strings.Repeat("x", 4096) + `"]}`: "the pattern has 4107 characters, more than the 4096 that AWS allows",
	} {
		if _, err := filter.ParsePattern(pattern); err == nil || err.Error() != want {
			t.Errorf("%.60s:\n  got  %v\n  want %s", pattern, err, want)
		}
	}
}

func TestTraps(t *testing.T) {
	for pattern, want := range map[string]string{
		`{"eventName": ["INSERT"]}`:                                                    "",
		`{"dynamodb": {"SizeBytes": [{"numeric": [">", 1]}]}}`:                         "",
		`{"dynamodb": {"NewImage": {"N": {"S": ["x"]}}}}`:                              "",
		`{"dynamodb": {"NewImage": {"A": {"M": {"B": {"N": ["1"]}}}}}}`:                "",
		`{"dynamodb": {"NewImage": {"Total": {"N": [{"numeric": [">", 1]}]}}}}`:        "the filter compares NewImage.Total.N as a number, and it is text in a stream record: it never matches",
		`{"dynamodb": {"OldImage": {"Total": {"N": [1]}}}}`:                            "the filter compares OldImage.Total.N as a number, and it is text in a stream record: it never matches",
		`{"dynamodb.Keys.Id": ["x"]}`:                                                  "the filter looks at Keys.Id, which is an object in a stream record, and sees nothing there",
		`{"$or": [{"dynamodb": {"NewImage": {"A": [{"exists": true}]}}}, {"a": [1]}]}`: "the filter looks at NewImage.A, which is an object in a stream record, and sees nothing there",
		`{"dynamodb": {"NewImage": {"A": {"M": ["x"]}}}}`:                              "the filter looks at NewImage.A.M, which is an object in a stream record, and sees nothing there",
	} {
		got := ""
		for _, trap := range filter.Traps(pattern) {
			got += trap.Summary
		}
		if got != want {
			t.Errorf("%s:\n  got  %s\n  want %s", pattern, got, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`{"dynamodb": {"NewImage": {"A": {"S": [{"anything-but": ["x"]}]}}}}`, record)
	f.Fuzz(func(_ *testing.T, pattern, record string) {
		filter.Traps(pattern)
		if p, err := filter.ParsePattern(pattern); err == nil {
			p.Match([]byte(record))
		}
	})
}
