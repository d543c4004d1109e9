package cli

import (
	"testing"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/judge"
	"streamgen/internal/spec"
)

func TestDriftText(t *testing.T) {
	at := diag.Position{File: "gen.yaml", Line: 6, Column: 3}
	got := string(driftReport{Drift: []drifted{
		{Action: judge.Update, Address: "module.streams.aws_iam_role.r", Arguments: []driftedArgument{
			{Argument: judge.Argument{Path: "a", Before: "1", After: "2"}, Pos: at},
			{Argument: judge.Argument{Path: "b", Before: "(sensitive)", After: "(sensitive)"}},
			{Argument: judge.Argument{Path: "c", Before: "null", After: "\"\u202e\x1b[31m\""}},
		}},
		{Stack: "billing", Action: judge.Delete, Address: "x", Name: "table.orders", Pos: at},
		{Action: judge.Delete, Address: "y", Name: "mapping.ship"},
		{Action: judge.Unknown, Address: "z"},
	}}.text())
	want := `update   module.streams.aws_iam_role.r: changed outside of terraform
  a: 1 -> 2  (gen.yaml:6:3)
  b: (sensitive)
  c: null -> "` + "\ufffd\ufffd" + `[31m"
delete   billing: table.orders: deleted outside of terraform  (gen.yaml:6:3)
  what was in it is gone; 'gen apply' makes an empty one
delete   mapping.ship: deleted outside of terraform
unknown  z: changed outside of terraform, in a way that is not understood
4 resources have drifted
'gen apply' puts back what gen.yaml says ('gen plan' shows it first); to keep a change, write it into gen.yaml
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(driftReport{}.text()); got != "no drift\n" {
		t.Errorf("without drift: %q", got)
	}
}

func TestPlaceOf(t *testing.T) {
	pos := func(line int) diag.Position { return diag.Position{File: "gen.yaml", Line: line, Column: 1} }
	owners := map[string]fileplan.Owner{"a.b": {Entry: "e", Origin: spec.Origin{Pos: pos(1), Keys: map[string]diag.Position{"ttl": pos(2), "ttl.enabled": pos(3)}}}}
	for argument, want := range map[string]diag.Position{
		"ttl[0].enabled": pos(3), "ttl[0].attribute_name": pos(2), "ttl": pos(2), "tags.By": {}, `tags["a.b"]`: {}, "": {},
	} {
		if got := placeOf(owners, `a.b[0]`, argument); got != want {
			t.Errorf("%s is at %v, want %v", argument, got, want)
		}
	}
}
