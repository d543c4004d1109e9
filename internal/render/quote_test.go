package render

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/text/unicode/norm"

	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/internal/tree"
	"streamgen/templates"
)

// hostile are texts that would break out of the place they stand in, if they could.
var hostile = []string{
	`"`, `\`, `\"`, `"}`, "`", "'", "*/", "//", "# x", "/* x", "$", "%", "${", "%{", "$${", "%%{", "$$${x}", "${var.packages}", "%{ if true }x%{ endif }",
	"{{.}}", "{{end}}", "}}", "a\nb", "\n", "\r\n", "\t", "a\n}\nresource \"aws_iam_user\" \"x\" {", "\x00", "\x1b[31m", "\u2028", "\u200d", "\ufeff",
	"größe", "名前", "😀", "for", "null", "true", "", " ", "\"\n//go:embed x\nvar y string //", "\"; import \"os\"; //",
}

// hostileSpec puts a text wherever the format has free text, and where it has names too.
func hostileSpec(text string) *spec.Spec {
	return &spec.Spec{
		Project: text, Settings: spec.Settings{Region: text, Tags: []spec.Tag{{Key: text, Value: text}}},
		Tables: []spec.Table{{
			Name: text, TableName: "t", HashKey: text, RangeKey: "range", TableClass: text, BillingMode: text, StreamViewType: text + "x",
			Attributes: []spec.Attribute{{Name: text, Type: spec.String}, {Name: "range", Type: spec.Number}},
			GlobalSecondaryIndexes: []spec.GlobalSecondaryIndex{
				{Name: text, HashKeys: []string{text}, ProjectionType: text, NonKeyAttributes: []string{text, "x"}},
			},
		}},
		Handlers: []spec.Handler{{
			// The name is a path, which only spec.Load makes safe.
			Name: "h", FunctionName: "h", Description: text + "x", EMFMetrics: true, Environment: []spec.Variable{{Name: text, Value: text}}, Architecture: text,
			Sources: []spec.Source{{Table: text, StartingPosition: text, Patterns: []string{text}, OnFailure: spec.OnFailure{Type: "arn", ARN: text}}},
		}},
	}
}

func TestHostileTexts(t *testing.T) {
	for _, text := range hostile {
		t.Run(strconv.Quote(text), func(t *testing.T) { checkHostile(t, text) })
	}
}

func FuzzHostileTexts(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// A spec is UTF-8, and the plan refuses what terraform would normalize.
		checkHostile(t, norm.NFC.String(strings.ToValidUTF8(text, "?")))
	})
}

// checkHostile renders a hostile spec, reads it back as terraform and Go do, and expects the very same text.
func checkHostile(t *testing.T, text string) {
	t.Helper()
	s := hostileSpec(text)
	files, findings := fileplan.Plan(s, fileplan.Project{Module: "example.com/shop"})
	if len(findings) > 0 {
		t.Skip(findings) // such as two attributes in one field
	}
	got, err := Render(files, Templates{FS: templates.FS})
	if err != nil {
		t.Fatal(err)
	}
	checkReferences(t, got)
	checkGo(t, got)

	root, all := blocks(t, got, "generated/terraform/"), blocks(t, got, "generated/terraform/module/")
	local := fileplan.LocalName(text)
	if want := 13; len(all) != want {
		t.Errorf("%d blocks in the module, want %d: one broke out", len(all), want)
	}
	if want := 7; len(root) != want {
		t.Errorf("%d blocks in the root module, want %d: one broke out", len(root), want)
	}
	provider := root["provider.aws"]
	equal(t, text, provider, "region")
	tags := map[string]string{text: text}
	for key, value := range map[string]string{"Project": text, "ManagedBy": "streamgen"} {
		if !strings.EqualFold(key, text) {
			tags[key] = value
		}
	}
	equal(t, tags, provider, "default_tags", "tags")

	table := all["aws_dynamodb_table."+local]
	for _, argument := range []string{"hash_key", "billing_mode"} {
		equal(t, text, table, argument)
	}
	equal(t, text+"x", table, "stream_view_type")
	for _, argument := range []string{"name", "projection_type"} {
		equal(t, text, table, "global_secondary_index", argument)
	}
	equal(t, text, table, "global_secondary_index", "key_schema", "attribute_name")
	equal(t, []string{text, "x"}, table, "global_secondary_index", "non_key_attributes")
	if len(table.Blocks) != 4 {
		t.Errorf("%d blocks in the table, want 4: one broke out", len(table.Blocks))
	}

	fn := all["aws_lambda_function.h"]
	equal(t, text+"x", fn, "description")
	equal(t, map[string]string{text: text, fileplan.TableVariable(text): "t"}, fn, "environment", "variables")
	equal(t, "P/h.zip", fn, "filename")
	mapping := all["aws_lambda_event_source_mapping.h_"+local]
	equal(t, text, mapping, "starting_position")
	equal(t, text, mapping, "filter_criteria", "filter", "pattern")
	equal(t, text, mapping, "destination_config", "on_failure", "destination_arn")

	for _, f := range got {
		if path.Base(f.Path) == "item.go" {
			checkItemTexts(t, string(f.Data), text)
		}
	}
}

// equal evaluates an argument, found through its blocks, as terraform does.
func equal(t *testing.T, want any, body *hclsyntax.Body, at ...string) {
	t.Helper()
	for _, name := range at[:len(at)-1] {
		var next *hclsyntax.Body
		for _, b := range body.Blocks {
			if b.Type == name {
				next = b.Body
			}
		}
		if next == nil {
			t.Fatalf("no block %s", name)
		}
		body = next
	}
	argument := body.Attributes[at[len(at)-1]]
	if argument == nil {
		t.Fatalf("no argument %v", at)
	}
	scope := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"packages": cty.StringVal("P")})},
		Functions: map[string]function.Function{},
	}
	value, findings := argument.Expr.Value(scope)
	if findings.HasErrors() {
		t.Fatalf("%v: %v", at, findings)
	}
	if diff := cmp.Diff(want, plain(value)); diff != "" {
		t.Errorf("%v (-want +got):\n%s", at, diff)
	}
}

func plain(v cty.Value) any {
	switch {
	case v.Type() == cty.String:
		return v.AsString()
	case v.Type().IsObjectType():
		m := map[string]string{}
		for key, value := range v.AsValueMap() {
			m[key] = value.AsString()
		}
		return m
	case v.Type().IsTupleType():
		var list []string
		for _, value := range v.AsValueSlice() {
			list = append(list, value.AsString())
		}
		return list
	}
	return v
}

// checkItemTexts checks the literals of a generated item: the table's name and the cases of its attributes.
func checkItemTexts(t *testing.T, src, text string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "item.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Error(err)
			}
			found[value]++
		}
		return true
	})
	want := map[string]int{"cmp": 1, "os": 1, "streamgen/runtime/stream": 1, "range": 4, "t": 1}
	want[text] += 4
	want[fileplan.TableVariable(text)]++
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("literals (-want +got):\n%s", diff)
	}
}

func TestHCLText(t *testing.T) {
	for _, text := range append(hostile, "a$", "${a}$") {
		src := `"${var.packages}/` + hclText(text) + `.zip"`
		expression, findings := hclsyntax.ParseExpression([]byte(src), "", hcl.InitialPos)
		if findings.HasErrors() {
			t.Errorf("%s: %v", src, findings)
			continue
		}
		value, findings := expression.Value(&hcl.EvalContext{
			Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"packages": cty.StringVal("P")})},
		})
		if findings.HasErrors() || value.AsString() != "P/"+text+".zip" {
			t.Errorf("%s gives %#v, %v", src, value, findings)
		}
	}
}

// TestRandomSpecs renders specs of random size and names: whatever the plan accepts must render, lead nowhere
// undeclared and compile.
func TestRandomSpecs(t *testing.T) {
	accepted := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := randomSpec(r)
		files, findings := fileplan.Plan(s, fileplan.Project{Module: "example.com/shop", VendorRuntime: seed%50 == 0})
		if len(findings) > 0 {
			continue
		}
		accepted++
		got, err := Render(files, Templates{FS: templates.FS})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again, err := Render(files, Templates{FS: templates.FS, Proven: true})
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(contents(got), contents(again)) {
			t.Errorf("seed %d: two renderings differ", seed)
		}
		checkReferences(t, got)
		checkGo(t, withoutRuntime(got))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if accepted < 50 {
		t.Errorf("only %d random specs were accepted", accepted)
	}
}

func withoutRuntime(files tree.Tree) (rest tree.Tree) {
	for _, f := range files {
		if !strings.HasPrefix(f.Path, "generated/streamgen/") {
			rest = append(rest, f)
		}
	}
	return rest
}

func randomSpec(r *rand.Rand) *spec.Spec {
	s := &spec.Spec{Project: "p", Settings: spec.Settings{Region: "us-east-1"}}
	attributeTypes := []spec.AttributeType{spec.String, spec.Number, spec.Binary, spec.Bool, spec.StringSet, spec.NumberSet, spec.BinarySet}
	for range 1 + r.IntN(4) {
		t := spec.Table{
			Name: randomText(r, "abcXYZ019_.-", 3), TableClass: "STANDARD", BillingMode: "PAY_PER_REQUEST", StreamViewType: "KEYS_ONLY",
			PointInTimeRecovery: r.IntN(2) == 0, DeletionProtection: r.IntN(2) == 0,
		}
		for i := range 1 + r.IntN(8) {
			kind := attributeTypes[r.IntN(len(attributeTypes))]
			if i == 0 {
				kind = spec.String
			}
			t.Attributes = append(t.Attributes, spec.Attribute{Name: randomText(r, "aZ0_-$ \"\\\n{}`äß名٣", 1), Type: kind})
		}
		t.HashKey = t.Attributes[0].Name
		for i := range r.IntN(3) {
			t.GlobalSecondaryIndexes = append(t.GlobalSecondaryIndexes, spec.GlobalSecondaryIndex{
				Name: fmt.Sprint("index", i), HashKeys: []string{t.HashKey}, RangeKeys: []string{t.Attributes[r.IntN(len(t.Attributes))].Name}, ProjectionType: "ALL",
			})
		}
		t.Origin.Path, t.TableName = "tables."+t.Name, t.Name
		s.Tables = append(s.Tables, t)
	}
	for range r.IntN(4) {
		h := spec.Handler{
			Name: "h" + randomText(r, "abcXYZ019_-", 0), Architecture: "arm64", MemorySize: 128, Timeout: 1,
			Sources: []spec.Source{{Table: s.Tables[r.IntN(len(s.Tables))].Name, StartingPosition: "LATEST", BatchSize: 1}},
		}
		h.Origin.Path, h.FunctionName = "handlers."+h.Name, h.Name
		s.Handlers = append(s.Handlers, h)
	}
	return s
}

func randomText(r *rand.Rand, alphabet string, least int) string {
	runes := []rune(alphabet)
	text := make([]rune, least+r.IntN(8))
	for i := range text {
		text[i] = runes[r.IntN(len(runes))]
		if unicode.IsControl(text[i]) && r.IntN(2) == 0 {
			text[i] = 'n'
		}
	}
	return string(text)
}
