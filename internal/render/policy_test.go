package render

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"streamgen/internal/tree"
)

// withoutResources are the actions of generated policies for which AWS knows no narrower resource than all.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
var withoutResources = []string{
	"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}

// TestPoliciesAreExact: no generated policy allows an action that it does not name, or a named one on everything.
func TestPoliciesAreExact(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, folder := range folders {
		s, project := loadCase(t, folder)
		for _, s := range policyStatements(t, renderSpec(t, s, project)) {
			found++
			actions := texts(s.Attributes["actions"])
			if len(actions) == 0 {
				t.Errorf("%s: %s: a statement without actions", folder, s.SrcRange)
			}
			if slices.Equal(texts(s.Attributes["effect"]), []string{"Deny"}) {
				continue
			}
			everything := slices.Contains(texts(s.Attributes["resources"]), "*")
			for _, action := range actions {
				if strings.Contains(action, "*") {
					t.Errorf("%s: %s: allows %s", folder, s.SrcRange, action)
				}
				if everything && !slices.Contains(withoutResources, action) {
					t.Errorf("%s: %s: allows %s on everything", folder, s.SrcRange, action)
				}
			}
		}
	}
	if found < len(folders) {
		t.Errorf("%d statements in %d cases: does the test still see them?", found, len(folders))
	}
}

// policyStatements are the bodies of all statements of policy documents, of dynamic ones too.
func policyStatements(t *testing.T, files tree.Tree) []*hclsyntax.Body {
	t.Helper()
	var list []*hclsyntax.Body
	for _, f := range files {
		if filepath.Ext(f.Path) != ".tf" {
			continue
		}
		parsed, findings := hclsyntax.ParseConfig(f.Data, f.Path, hcl.InitialPos)
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		for _, document := range parsed.Body.(*hclsyntax.Body).Blocks {
			if document.Type != "data" || document.Labels[0] != "aws_iam_policy_document" {
				continue
			}
			for _, s := range document.Body.Blocks {
				if s.Type == "dynamic" {
					s = s.Body.Blocks[0]
				}
				list = append(list, s.Body)
			}
		}
	}
	return list
}

// texts are the literals of an attribute that is a text or a list; what refers to something is none.
func texts(a *hclsyntax.Attribute) []string {
	if a == nil {
		return nil
	}
	expressions := []hclsyntax.Expression{a.Expr}
	if list, ok := a.Expr.(*hclsyntax.TupleConsExpr); ok {
		expressions = list.Exprs
	}
	var out []string
	for _, e := range expressions {
		if v, findings := e.Value(nil); !findings.HasErrors() && v.Type() == cty.String {
			out = append(out, v.AsString())
		}
	}
	return out
}
