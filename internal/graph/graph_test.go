package graph_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/filter"
	"streamgen/internal/graph"
	"streamgen/internal/spec"
)

var update = flag.Bool("update", false, "rewrite the expected drawings under testdata")

func shop() *spec.Spec {
	queue := spec.OnFailure{Type: "sqs"}
	return &spec.Spec{
		Project: "shop",
		Tables: []spec.Table{
			{Name: "orders", StreamViewType: "NEW_AND_OLD_IMAGES", Replicas: []spec.Replica{{RegionName: "eu-west-1"}}},
			{Name: "totals"},
			{Name: "customers", StreamViewType: "KEYS_ONLY", Existing: true},
		},
		Handlers: []spec.Handler{
			{Name: "sum", FunctionName: "shop-sum", Writes: []string{"totals"}, Reads: []string{"orders"}, Sources: []spec.Source{
				{Table: "orders", Enabled: true, OnFailure: queue, On: []filter.Kind{filter.Insert, filter.Modify}, Changed: []string{`a "<b>"`}},
				{Table: "customers", Enabled: true, OnFailure: queue},
			}},
			{Name: "audit", FunctionName: "audit", Sources: []spec.Source{
				{Table: "orders", OnFailure: spec.OnFailure{Type: "arn", ARN: "arn:aws:sqs:us-east-1:123456789012:lost"}, Patterns: []string{"{}"}},
				{Table: "customers", Enabled: true, OnFailure: spec.OnFailure{Type: "none"}, Changed: []string{"Name"}, Where: spec.Where{Text: "new.Name\n != 'x'"}},
			}},
		},
	}
}

func TestDrawings(t *testing.T) {
	g := graph.Of(shop())
	for name, got := range map[string]string{"shop.mmd": g.Mermaid(), "shop.dot": g.DOT(), "shop.svg": g.SVG()} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a file that is committed
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got; -update accepts):\n%s", name, d)
		}
	}
}

// TestNames draws names that have a meaning in one of the languages.
func TestNames(t *testing.T) {
	for _, name := range []string{`a"b`, "<script>", "a]]>b", `back\slash`, "a#b;c", "graph", "end", "ä", "`x`", "a&b", "two\nlines"} {
		s := shop()
		s.Project, s.Tables[0].Name, s.Handlers[0].Sources[0].Table = name, name, name
		g := graph.Of(s)
		var texts []string
		d := xml.NewDecoder(strings.NewReader(g.SVG()))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q: the SVG is no XML: %v", name, err)
			}
			if text, ok := token.(xml.CharData); ok {
				texts = append(texts, string(text))
			}
		}
		if !strings.Contains(strings.Join(texts, "|"), "|"+name+"|") {
			t.Errorf("%q is not drawn", name)
		}
		for _, line := range strings.Split(g.Mermaid(), "\n") {
			if quotes := strings.Count(line, `"`); quotes != 0 && quotes != 2 && quotes != 4 {
				t.Errorf("%q: unbalanced quotes in %s", name, line)
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	g := graph.Of(&spec.Spec{Project: "none"})
	if err := xml.Unmarshal([]byte(g.SVG()), new(struct{})); err != nil {
		t.Error(err)
	}
	if got, want := g.Mermaid(), "flowchart LR\n"; got != want {
		t.Errorf("mermaid = %q, want %q", got, want)
	}
}

func TestEveryTableOfAHandlerIsJoined(t *testing.T) {
	g := graph.Of(shop())
	count := map[graph.Relation]int{}
	for _, e := range g.Edges {
		count[e.Relation]++
	}
	// The two mappings of sum share a queue.
	want := map[graph.Relation]int{graph.Feeds: 4, graph.Reads: 1, graph.Writes: 1, graph.Fails: 2}
	if d := cmp.Diff(want, count); d != "" {
		t.Errorf("edges (-want +got):\n%s", d)
	}
}
