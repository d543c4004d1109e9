package filter_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/filter"
)

func TestCompile(t *testing.T) {
	const ttl = `{"eventName":["REMOVE"],"userIdentity":{"principalId":["dynamodb.amazonaws.com"],"type":["Service"]}}`
	for name, c := range map[string]struct {
		selection filter.Selection
		patterns  []string
		condition string
		text      string
	}{
		"everything":   {filter.Selection{}, nil, "", ""},
		"all kinds":    {filter.Selection{On: []filter.Kind{"remove", "insert", "modify"}}, nil, "", "on remove, insert, modify"},
		"two kinds":    {filter.Selection{On: []filter.Kind{"modify", "insert"}}, []string{`{"eventName":["INSERT","MODIFY"]}`}, "", "on modify, insert"},
		"expiry":       {filter.Selection{On: []filter.Kind{"ttl_delete"}}, []string{ttl}, "", "on ttl_delete"},
		"also expiry":  {filter.Selection{On: []filter.Kind{"insert", "ttl_delete"}}, []string{`{"eventName":["INSERT"]}`, ttl}, "", "on insert, ttl_delete"},
		"every expiry": {filter.Selection{On: []filter.Kind{"remove", "ttl_delete"}}, []string{`{"eventName":["REMOVE"]}`}, "", "on remove, ttl_delete"},
		"changed": {
			filter.Selection{On: []filter.Kind{"modify"}, Changed: []string{"Status", `a"b`}}, []string{`{"eventName":["MODIFY"]}`},
			`r.Kind() != stream.Modify || r.Changed("Status", "a\"b")`, `on modify; changed Status, a"b`,
		},
		"changed alone":         {filter.Selection{Changed: []string{"Status"}}, nil, `r.Kind() != stream.Modify || r.Changed("Status")`, "changed Status"},
		"changed of insertions": {filter.Selection{On: []filter.Kind{"insert"}, Changed: []string{"Status"}}, []string{`{"eventName":["INSERT"]}`}, "", "on insert; changed Status"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.selection.Compile()
			if d := cmp.Diff(c.patterns, got.Patterns); d != "" {
				t.Errorf("patterns (-want +got):\n%s", d)
			}
			if condition := c.selection.GoExpr("r"); condition != c.condition {
				t.Errorf("the condition is %q, want %q", condition, c.condition)
			}
			if exact := c.condition == ""; got.Exact() != exact {
				t.Errorf("exact is %v, want %v", got.Exact(), exact)
			}
			if text := c.selection.String(); text != c.text {
				t.Errorf("text is %q, want %q", text, c.text)
			}
		})
	}
}
