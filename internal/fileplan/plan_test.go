package fileplan

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/modfile"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

func at(line int) diag.Position { return diag.Position{File: "gen.yaml", Line: line, Column: 3} }

func table(name string, line int, attributes ...string) spec.Table {
	t := spec.Table{
		Name: name, TableName: name, HashKey: "Id", BillingMode: "PAY_PER_REQUEST", TableClass: "STANDARD", StreamViewType: "NEW_AND_OLD_IMAGES",
		Origin: spec.Origin{Path: "tables." + name, Pos: at(line)},
	}
	for i, a := range append([]string{"Id"}, attributes...) {
		t.Attributes = append(t.Attributes, spec.Attribute{Name: a, Type: spec.String, Pos: at(line + 2 + i)})
	}
	return t
}

func handler(name, table string, line int) spec.Handler {
	origin := spec.Origin{Path: "handlers." + name, Pos: at(line), Keys: map[string]diag.Position{"table": at(line + 1)}}
	return spec.Handler{
		Name: name, FunctionName: name, EphemeralStorage: 512, ReservedConcurrentExecutions: -1, Architecture: "arm64", EMFMetrics: true, Origin: origin,
		LogGroup: spec.LogGroup{Class: "STANDARD"},
		Sources: []spec.Source{{
			Table: table, ParallelizationFactor: 1, MaximumRetryAttempts: -1, MaximumRecordAge: -1, Enabled: true, Origin: origin,
			OnFailure: spec.OnFailure{Type: "none"},
		}},
	}
}

func TestPlan(t *testing.T) {
	s := &spec.Spec{
		Project: "shop", Settings: spec.Settings{Region: "us-east-1"}, Origin: spec.Origin{Pos: at(1)},
		Tables:   []spec.Table{table("order-items", 5), table("Customers.v2", 20)},
		Handlers: []spec.Handler{handler("ship-orders", "order-items", 30)},
	}
	files, findings := Plan(s, Project{Module: "example.com/shop"})
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	type row struct {
		Path, Template, Origin string
		Once                   bool
	}
	var got []row
	for _, f := range files {
		got = append(got, row{f.Path, f.Template, f.Origin.Path, f.Ownership == Once})
	}
	want := []row{
		{"generated/terraform/versions.tf", "terraform/versions.tf.tmpl", "", false},
		{"generated/terraform/providers.tf", "terraform/providers.tf.tmpl", "", false},
		{"generated/terraform/variables.tf", "terraform/variables.tf.tmpl", "", false},
		{"generated/terraform/main.tf", "terraform/main.tf.tmpl", "", false},
		{"generated/terraform/outputs.tf", "terraform/root_outputs.tf.tmpl", "", false},
		{"generated/terraform/module/versions.tf", "terraform/versions.tf.tmpl", "", false},
		{"generated/terraform/module/variables.tf", "terraform/variables.tf.tmpl", "", false},
		{"generated/terraform/module/outputs.tf", "terraform/outputs.tf.tmpl", "", false},
		{"generated/terraform/module/table_order_items.tf", "terraform/table.tf.tmpl", "tables.order-items", false},
		{"generated/tables/orderitems/item.go", "go/item.go.tmpl", "tables.order-items", false},
		{"generated/terraform/module/table_Customers_v2.tf", "terraform/table.tf.tmpl", "tables.Customers.v2", false},
		{"generated/tables/customersv2/item.go", "go/item.go.tmpl", "tables.Customers.v2", false},
		{"generated/terraform/module/handler_ship_orders.tf", "terraform/handler.tf.tmpl", "handlers.ship-orders", false},
		{"generated/functions/ship-orders/main.go", "go/main.go.tmpl", "handlers.ship-orders", false},
		{"handlers/ship-orders/handler.go", "go/handler.go.tmpl", "handlers.ship-orders", true},
		{"handlers/ship-orders/handler_test.go", "go/handler_test.go.tmpl", "handlers.ship-orders", true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	routes := []Route{{
		Table: "order-items", Package: "orderitems", Import: "example.com/shop/generated/tables/orderitems", Function: "Handle", Sample: `ID: "1"`,
	}}
	wantMain := Main{Name: "ship-orders", HandlerImport: "example.com/shop/handlers/ship-orders", Routes: routes}
	if diff := cmp.Diff(wantMain, files[13].View); diff != "" {
		t.Errorf("main (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Starter{Package: "shiporders", Routes: routes}, files[14].View); diff != "" {
		t.Errorf("starter (-want +got):\n%s", diff)
	}

	origins := Origins(files, spec.MainStack)
	if len(origins) != 11 {
		t.Errorf("%d origins, want one for each of the 11 terraform files", len(origins))
	}
	if got := origins["module/handler_ship_orders.tf"].Keys["table"]; got != at(31) {
		t.Errorf("key table of module/handler_ship_orders.tf stands at %v, want %v", got, at(31))
	}
}

func TestPlanVendorsTheRuntime(t *testing.T) {
	parking, once := handler("ship", "orders", 30), handler("bill", "orders", 40)
	parking.ParkingQueue.Enabled, once.Idempotency = true, true
	for name, c := range map[string]struct {
		handlers []spec.Handler
		want     []string
	}{
		"the runtime alone": {want: []string{"stream", "streamtest"}},
		"with what its handlers use": {
			handlers: []spec.Handler{parking, once},
			want:     []string{"stream", "streamdynamodb", "streamsqs", "streamtest"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files, findings := Plan(&spec.Spec{Tables: []spec.Table{table("orders", 5)}, Handlers: c.handlers}, Project{Module: "example.com/shop", VendorRuntime: true})
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			var got []string
			for _, f := range files {
				if strings.HasPrefix(f.Path, "generated/streamgen/") {
					got = append(got, f.Path)
				}
				if source, ok := f.View.(RuntimeSource); ok {
					text, err := source.Text()
					if err != nil || !strings.Contains("\n"+text, "\npackage "+path.Base(path.Dir(source.Name))+"\n") {
						t.Errorf("%s: %v", source.Name, err)
					}
				}
			}
			if diff := cmp.Diff(append([]string{"generated/streamgen/go.mod", "generated/streamgen/go.sum"}, runtimeSources(t, c.want)...), got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// runtimeSources are the files of the runtime's packages in the copy.
func runtimeSources(t *testing.T, packages []string) []string {
	t.Helper()
	var paths []string
	for _, pkg := range packages {
		entries, err := os.ReadDir("../../runtime/" + pkg)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if path.Ext(e.Name()) == ".go" && !strings.HasSuffix(e.Name(), "_test.go") {
				paths = append(paths, "generated/streamgen/runtime/"+pkg+"/"+e.Name())
			}
		}
	}
	return paths
}

// TestRuntimeModule fails when this module's go.mod has moved on and the copy's has not.
func TestRuntimeModule(t *testing.T) {
	data, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := RuntimeModule{Go: mod.Go.Version}
	for _, r := range mod.Require {
		if r.Mod.Path == "github.com/aws/aws-lambda-go" {
			want.Lambda = r.Mod.Version
		}
	}
	if diff := cmp.Diff(want, runtimeFiles(&spec.Spec{})[0].View); diff != "" {
		t.Errorf("go.mod of the copied runtime (-want +got):\n%s", diff)
	}
}

func TestPlanFindings(t *testing.T) {
	withText := func(change func(*spec.Spec)) *spec.Spec {
		s := &spec.Spec{
			Tables:   []spec.Table{table("orders", 5)},
			Handlers: []spec.Handler{handler("ship", "orders", 30)},
			Origin:   spec.Origin{Keys: map[string]diag.Position{"tags": at(4)}},
		}
		change(s)
		return s
	}
	const decomposed = "e\u0301"
	for name, c := range map[string]struct {
		spec *spec.Spec
		want []diag.Finding
	}{
		"tables in one package": {
			&spec.Spec{Tables: []spec.Table{table("a-b", 5), table("a.b", 20), table("A_b", 40)}},
			[]diag.Finding{
				{
					Code: "colliding-names", Pos: at(20),
					Summary: "tables.a-b and tables.a.b would share the generated file generated/terraform/module/table_a_b.tf",
					Detail:  "gen.yaml:5:3",
				},
				{
					Code: "colliding-names", Pos: at(40),
					Summary: "tables.a-b and tables.A_b would share the generated file generated/terraform/module/table_A_b.tf",
					Detail:  "gen.yaml:5:3",
				},
			},
		},
		"handlers in one file": {
			withText(func(s *spec.Spec) {
				s.Handlers = append(s.Handlers, handler("ship-it", "orders", 40), handler("ship_it", "orders", 50))
			}),
			[]diag.Finding{{
				Code: "colliding-names", Pos: at(50), Detail: "gen.yaml:40:3",
				Summary: "handlers.ship-it and handlers.ship_it would share the generated file generated/terraform/module/handler_ship_it.tf",
			}},
		},
		"attributes in one field": {
			&spec.Spec{Tables: []spec.Table{table("orders", 5, "order_id", "OrderID", "order-id")}},
			[]diag.Finding{
				{
					Code: "colliding-names", Pos: at(9), Detail: "gen.yaml:8:3",
					Summary: `attributes "order_id" and "OrderID" of table "orders" both become the Go field OrderID`,
				},
				{
					Code: "colliding-names", Pos: at(10), Detail: "gen.yaml:8:3",
					Summary: `attributes "order_id" and "order-id" of table "orders" both become the Go field OrderID`,
				},
			},
		},
		"tag": {
			withText(func(s *spec.Spec) { s.Tags = []spec.Tag{{Key: "caf" + decomposed, Value: "x"}} }),
			[]diag.Finding{{
				Code: "not-normalized", Pos: at(4), Detail: `Write it as "café"`,
				Summary: `tag "cafe\u0301" is not in Unicode's normal form C`,
			}},
		},
		"key attribute": {
			withText(func(s *spec.Spec) {
				s.Tables[0].Attributes[0].Name, s.Tables[0].HashKey = decomposed, decomposed
			}),
			[]diag.Finding{{
				Code: "not-normalized", Pos: at(7), Detail: `Write it as "é"`,
				Summary: `key attribute "e\u0301" is not in Unicode's normal form C`,
			}},
		},
		"other attribute": {
			withText(func(s *spec.Spec) {
				s.Tables[0].Attributes = append(s.Tables[0].Attributes, spec.Attribute{Name: decomposed, Type: spec.String})
			}), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := Plan(c.spec, Project{Module: "example.com/shop"})
			if len(got) != len(c.want) {
				t.Fatalf("findings %v, want %d", got, len(c.want))
			}
			for i, want := range c.want {
				if got[i].Code != want.Code || got[i].Pos != want.Pos || got[i].Severity != diag.Error ||
					got[i].Summary != want.Summary || !strings.Contains(got[i].Detail, want.Detail) {
					t.Errorf("finding %+v\nwant    %+v", got[i], want)
				}
			}
		})
	}
}

// TestPlanLeavesTheSpecAlone holds the promise that a spec is read-only.
func TestPlanLeavesTheSpecAlone(t *testing.T) {
	build := func() *spec.Spec {
		return &spec.Spec{
			Tables:   []spec.Table{table("z", 1, "c", "b"), table("a", 10)},
			Handlers: []spec.Handler{handler("y", "z", 20), handler("b", "a", 30)},
			Settings: spec.Settings{Tags: append(make([]spec.Tag, 0, 8), spec.Tag{Key: "z"}, spec.Tag{Key: "a"})},
		}
	}
	s := build()
	Plan(s, Project{})
	DefaultTags(s.Project, s.Tags)
	if diff := cmp.Diff(build(), s); diff != "" {
		t.Errorf("the spec changed (-was +is):\n%s", diff)
	}
	if extra := s.Tags[:3:8][2]; extra != (spec.Tag{}) {
		t.Errorf("the tags' array got %v", extra)
	}
}

func TestDefaultTags(t *testing.T) {
	got := DefaultTags("shop", []spec.Tag{{Key: "managedby", Value: "us"}, {Key: "team", Value: "a"}})
	want := []spec.Tag{{Key: "Project", Value: "shop"}, {Key: "managedby", Value: "us"}, {Key: "team", Value: "a"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestIndexedAttributes(t *testing.T) {
	orders := table("orders", 1, "Zip", "Total", "At", "Note")
	orders.RangeKey = "Total"
	orders.GlobalSecondaryIndexes = []spec.GlobalSecondaryIndex{{Name: "by-zip", HashKeys: []string{"Zip"}}, {Name: "by-id", HashKeys: []string{"Id"}, RangeKeys: []string{"At"}}}
	var got []string
	for _, a := range newTable(scope{&spec.Spec{}}, orders).IndexedAttributes() {
		got = append(got, a.Name)
	}
	if want := []string{"At", "Id", "Total", "Zip"}; !slices.Equal(got, want) {
		t.Errorf("indexed attributes %v, want %v", got, want)
	}
}
