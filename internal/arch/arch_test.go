package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const (
	module = "streamgen"
	root   = "../.."
)

// rule allows the packages under a path to import the listed ones of our own. "..." at the end of either stands for
// the whole subtree; the longest matching rule counts.
type rule struct {
	pkg     string
	imports []string
}

var rules = []rule{
	{"cmd/gen", []string{"internal/cli"}},
	{"internal/cli", []string{"internal/batchfailure", "internal/diag", "internal/spec", "internal/fileplan", "internal/graph", "internal/render", "internal/tree", "internal/pack", "internal/tf", "internal/judge", "internal/report", "internal/progress", "internal/adopt", "internal/local", "internal/records", "internal/wholefile", "templates"}},
	{"internal/adopt", nil},
	{"internal/arch", nil},
	{"internal/diag", nil},
	{"internal/filter", nil},
	{"internal/batchfailure", nil},
	{"internal/spec", []string{"internal/diag", "internal/filter"}},
	{"internal/graph", []string{"internal/spec", "internal/filter"}},
	{"internal/fileplan", []string{"internal/spec", "internal/filter", "internal/diag", "runtime"}},
	{"internal/render", []string{"internal/fileplan", "internal/tree"}},
	{"internal/tree", nil},
	{"internal/wholefile", nil},
	{"internal/pack", []string{"internal/wholefile"}},
	{"internal/tf", []string{"internal/diag", "internal/wholefile"}},
	{"internal/judge", []string{"internal/diag"}},
	{"internal/report", []string{"internal/tree", "internal/judge"}},
	{"internal/progress", nil},
	{"internal/records", []string{"internal/batchfailure", "internal/spec", "internal/filter", "internal/wholefile"}},
	{"templates", nil},

	{"internal/local", []string{"internal/local/..."}},
	{"internal/local/clock", nil},
	{"internal/local/durable", nil},
	{"internal/local/attr", nil},
	{"internal/local/peer", nil},
	{"internal/local/objects", []string{"internal/local/clock"}},
	{"internal/local/wire", nil},
	{"internal/local/expr", []string{"internal/local/attr"}},
	{"internal/local/engine", []string{"internal/local/attr", "internal/local/expr", "internal/local/clock"}},
	{"internal/local/streams", []string{"internal/local/attr", "internal/local/clock", "internal/local/engine"}},
	{"internal/local/esm", []string{"internal/batchfailure", "internal/filter", "internal/local/clock"}},
	{"internal/local/host", []string{"internal/local/clock", "internal/local/peer"}},
	{"internal/local/policy", nil},
	{"internal/local/control", []string{"internal/local/clock", "internal/local/policy"}},
	{"internal/local/metrics", []string{"internal/local/clock", "internal/local/control"}},
	{"internal/local/keys", []string{"internal/local/clock", "internal/local/control"}},
	{"internal/local/parameters", []string{"internal/local/clock", "internal/local/control", "internal/local/keys"}},
	{"internal/local/secrets", []string{"internal/local/clock", "internal/local/control", "internal/local/keys"}},
	{"internal/local/api/ssm", []string{"internal/local/wire", "internal/local/clock", "internal/local/control", "internal/local/keys", "internal/local/parameters"}},
	{"internal/local/api/secretsmanager", []string{"internal/local/wire", "internal/local/clock", "internal/local/control", "internal/local/keys", "internal/local/secrets"}},
	{"internal/local/api/kms", []string{"internal/local/wire", "internal/local/clock", "internal/local/control", "internal/local/keys"}},
	{"internal/local/api/dynamodb", []string{"internal/local/wire", "internal/local/attr", "internal/local/expr", "internal/local/clock", "internal/local/engine", "internal/local/streams", "internal/local/control"}},
	{"internal/local/api/streams", []string{"internal/local/wire", "internal/local/attr", "internal/local/clock", "internal/local/streams"}},
	{"internal/local/api/lambda", []string{"internal/local/wire", "internal/local/clock", "internal/local/host", "internal/local/esm"}},
	{"internal/local/api/iam", []string{"internal/local/wire", "internal/local/clock", "internal/local/control"}},
	{"internal/local/api/sts", []string{"internal/local/wire", "internal/local/clock", "internal/local/control", "internal/local/policy"}},
	{"internal/local/api/logs", []string{"internal/local/wire", "internal/local/clock", "internal/local/control"}},
	{"internal/local/api/s3", []string{"internal/local/wire", "internal/local/control", "internal/local/objects"}},
	{"internal/local/api/sns", []string{"internal/local/wire", "internal/local/control"}},
	{"internal/local/api/sqs", []string{"internal/local/wire", "internal/local/clock", "internal/local/control"}},
	{"internal/local/api/autoscaling", []string{"internal/local/wire", "internal/local/clock", "internal/local/control"}},
	{"internal/local/api/cloudwatch", []string{"internal/local/wire", "internal/local/clock", "internal/local/control", "internal/local/metrics"}},
	{"internal/local/conformance/...", []string{"internal/local", "internal/local/clock", "runtime/..."}},

	{"stacktest", []string{"internal/local", "internal/local/clock", "internal/spec"}},

	{"runtime", nil},
	{"runtime/...", []string{"runtime/..."}},
	{"handlers/...", []string{"generated/tables/...", "runtime/..."}},
	{"generated/tables/...", []string{"runtime/..."}},
	{"generated/functions/...", []string{"handlers/...", "runtime/..."}},
	{"tools/...", []string{"internal/tf"}},
}

// thirdParty restricts what may be imported from outside: cobra belongs to the command line alone, terraform-exec to its
// driver, and what runs inside a user's function depends on the standard library and aws-lambda-go.
var thirdParty = []struct {
	prefix string
	only   []string
}{
	{"github.com/spf13/cobra", []string{"internal/cli"}},
	{"github.com/hashicorp/terraform-exec", []string{"internal/tf"}},
	{"github.com/hashicorp/hc-install", []string{"internal/tf"}},
	{"github.com/hashicorp/terraform-json", []string{"internal/tf", "internal/judge", "internal/cli"}},
	{"github.com/aws/aws-sdk-go-v2", []string{"internal/cli", "internal/adopt", "tools/...", "runtime/streamattr", "runtime/streamsqs", "runtime/streamdynamodb", "stacktest"}},
	{"github.com/mattn/go-runewidth", []string{"internal/progress"}},
	{"go.opentelemetry.io/otel", []string{"runtime/streamotel"}},
}

// What users' functions get by package stream is aws-lambda-go alone. A package that needs more is one of its own.
var (
	runtimeMayImport = []string{"github.com/aws/aws-lambda-go/"}
	adapters         = []string{"runtime/streamattr", "runtime/streamotel", "runtime/streamsqs", "runtime/streamdynamodb"}
)

func TestImports(t *testing.T) {
	for pkg, imports := range packages(t) {
		r, found := ruleFor(pkg)
		if !found {
			t.Errorf("package %s has no rule: add it to the table", pkg)
			continue
		}
		for _, imported := range imports {
			switch own, isOwn := strings.CutPrefix(imported, module+"/"); {
			case isOwn:
				if !slices.ContainsFunc(r.imports, func(p string) bool { return matches(p, own) }) {
					t.Errorf("%s may not import %s", pkg, own)
				}
			case strings.Contains(strings.Split(imported, "/")[0], "."):
				checkThirdParty(t, pkg, imported)
			}
		}
	}
}

func checkThirdParty(t *testing.T, pkg, imported string) {
	t.Helper()
	for _, r := range thirdParty {
		if strings.HasPrefix(imported, r.prefix) && !slices.ContainsFunc(r.only, func(p string) bool { return matches(p, pkg) }) {
			t.Errorf("%s may not import %s: only %v may", pkg, imported, r.only)
		}
	}
	for _, public := range []string{"runtime/...", "generated/..."} {
		if matches(public, pkg) && !slices.Contains(adapters, pkg) && !slices.ContainsFunc(runtimeMayImport, func(p string) bool { return strings.HasPrefix(imported, p) }) {
			t.Errorf("%s runs inside users' functions and may not import %s", pkg, imported)
		}
	}
}

// A rule that matches no package is a leftover that would silently allow a later package more than was meant.
func TestEveryRuleIsUsed(t *testing.T) {
	all := packages(t)
	for _, r := range rules {
		used := false
		for pkg := range all {
			used = used || matches(r.pkg, pkg)
		}
		if !used {
			t.Errorf("rule %s matches no package", r.pkg)
		}
	}
}

// `go install` of a module refuses replace directives.
func TestGoModHasNoReplace(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Replace {
		t.Errorf("go.mod replaces %s", r.Old.Path)
	}
}

func ruleFor(pkg string) (rule, bool) {
	var best rule
	found := false
	for _, r := range rules {
		if matches(r.pkg, pkg) && (!found || len(r.pkg) > len(best.pkg) || r.pkg == pkg) {
			best, found = r, true
		}
	}
	return best, found
}

func matches(pattern, pkg string) bool {
	prefix, subtree := strings.CutSuffix(pattern, "/...")
	return pkg == prefix || subtree && strings.HasPrefix(pkg, prefix+"/")
}

// packages gives the imports of every package of the module, test files apart.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			nested := rel != "." && exists(filepath.Join(p, "go.mod"))
			if nested || d.Name() == "testdata" || rel != "." && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(rel)
		if _, seen := out[pkg]; !seen {
			out[pkg] = nil // a package without imports is one too
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(out[pkg], name) {
				out[pkg] = append(out[pkg], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}
