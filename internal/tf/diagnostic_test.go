package tf

import (
	"encoding/json"
	"testing"

	"streamgen/internal/diag"
)

func TestDiagnosticFindsTheArgument(t *testing.T) {
	tests := []struct{ name, wire, want string }{
		{"value of an argument", `{"snippet":{"code":"  batch_size = 0","highlight_start_offset":15}}`, "batch_size"},
		{"name of an argument", `{"snippet":{"code":"  inputt = jsonencode({","highlight_start_offset":2}}`, "inputt"},
		{"line of several", `{"snippet":{"code":"  a = 1\n  b_c=2\n  d = 3","highlight_start_offset":14}}`, "b_c"},
		{"nested block", `{"snippet":{"code":"  point_in_time_recovery {","highlight_start_offset":2}}`, "point_in_time_recovery"},
		{"header of a resource", `{"snippet":{"code":"resource \"aws_x\" \"y\" {","highlight_start_offset":0}}`, ""},
		{"comparison", `{"snippet":{"code":"  a == 1","highlight_start_offset":2}}`, ""},
		{"missing argument", `{"detail":"The argument \"hash_key\" is required, but no definition was found.","snippet":{"code":"resource \"a\" \"b\" {"}}`, "hash_key"},
		{"unknown argument", `{"summary":"Unsupported argument","detail":"An argument named \"x\" is not expected here."}`, "x"},
		{"unknown block", `{"detail":"Blocks of type \"strem\" are not expected here."}`, "strem"},
		{"offset out of range", `{"snippet":{"code":"  a = 1","highlight_start_offset":99}}`, "a"},
		{"negative offset", `{"snippet":{"code":"  a = 1","highlight_start_offset":-1}}`, "a"},
		{"nothing", `{}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var w wireDiagnostic
			if err := json.Unmarshal([]byte(test.wire), &w); err != nil {
				t.Fatal(err)
			}
			if got := w.diagnostic().Argument; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFindingPointsAtTheOrigin(t *testing.T) {
	spec := diag.Position{File: "gen.yaml", Line: 12, Column: 5}
	origin := func(file, argument string) (diag.Position, bool) {
		return spec, file == "orders.tf" && argument == "batch_size"
	}
	tests := []struct {
		name string
		d    Diagnostic
		want diag.Finding
	}{
		{"known", Diagnostic{Severity: SeverityError, Summary: "Too small.", Detail: "At least 1", Address: "aws_x.y", File: "orders.tf", Line: 3, Column: 2, Argument: "batch_size"},
			diag.Finding{Code: "terraform", Severity: diag.Error, Summary: "aws_x.y: Too small", Detail: "At least 1", Pos: spec}},
		{"unknown", Diagnostic{Severity: SeverityWarning, Summary: "Odd", File: "other.tf", Line: 3, Column: 2},
			diag.Finding{Code: "terraform", Severity: diag.Warning, Summary: "Odd", Pos: diag.Position{File: "other.tf", Line: 3, Column: 2}}},
		{"nowhere", Diagnostic{Severity: SeverityError, Summary: "creating aws_x.y: refused", Address: "aws_x.y"},
			diag.Finding{Code: "terraform", Severity: diag.Error, Summary: "creating aws_x.y: refused"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.d.Finding(origin); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
	if got := tests[0].d.Finding(nil).Pos; got != (diag.Position{File: "orders.tf", Line: 3, Column: 2}) {
		t.Errorf("without an origin the finding points at %v", got)
	}
}
