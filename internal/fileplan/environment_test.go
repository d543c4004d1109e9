package fileplan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/spec"
)

func TestTableVariable(t *testing.T) {
	for table, want := range map[string]string{"orders": "TABLE_ORDERS", "order-items.v2": "TABLE_ORDER_ITEMS_V2", "2024": "TABLE__2024"} {
		if got := TableVariable(table); got != want {
			t.Errorf("TableVariable(%q) = %q, want %q", table, got, want)
		}
	}
}

// parameter is the ARN of a parameter.
func parameter(name string) Text {
	return Text{"arn:", partition, ":ssm:", region, ":", account, ":parameter/", name}
}

func TestVariables(t *testing.T) {
	h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
		s.NamePrefix = "shop-"
		s.Tables[1].Existing, s.Tables[1].TableName = true, "customers-v2"
		s.Tables = append(s.Tables, shopTable("parts"), shopTable("unused"))
		s.Tables[2].Existing, s.Tables[2].StreamARN = true, "arn:aws:dynamodb:us-east-1:1:table/parts-v3/stream/2026-01-02T03:04:05.678"
		h.Sources = append(h.Sources, shopSource("parts"))
		h.Reads, h.Writes = []string{"customers"}, []string{"orders", "customers"}
		h.Environment = []spec.Variable{
			{Name: "ADDRESS", Value: ""}, {Name: "KEY", SSMParameter: "/shop/key"}, {Name: "PASSWORD", Secret: "secret"}, {Name: "ZONE", Value: "${a}"},
		}
	})
	want := Object{
		{"ADDRESS", ""},
		{"KEY", parameter("shop/key")},
		{"PASSWORD", "secret"},
		{"TABLE_CUSTOMERS", "customers-v2"},
		{"TABLE_ORDERS", "shop-orders"},
		{"TABLE_PARTS", "parts-v3"},
		{"ZONE", "${a}"},
	}
	if diff := cmp.Diff(any(want), h.variables()); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

func TestVariablesOfEnvironments(t *testing.T) {
	base := []spec.Variable{{Name: "KEY", SSMParameter: "key"}, {Name: "LEVEL", Value: "debug"}}
	tables := Object{{"TABLE_ORDERS", "orders"}}
	arn := `"arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:` +
		`${data.aws_caller_identity.current.account_id}:parameter/${trimprefix(name, "/")}"`
	plain := Expression("var.handler_ship_environment_variables")
	for name, c := range map[string]struct {
		production []spec.Variable
		want       Merge
		statements []string
	}{
		"other value": {
			[]spec.Variable{base[0], {Name: "LEVEL", Value: "info"}},
			Merge{plain, append(Object{{"KEY", parameter("key")}}, tables...)},
			[]string{"ssm:GetParameter ssm:GetParameters on " + writtenValue(parameter("key"))},
		},
		"other parameter": {
			[]spec.Variable{{Name: "KEY", SSMParameter: "/prod/key"}, base[1]},
			Merge{plain, Expression("{ for variable, name in var.handler_ship_environment_parameters : variable => " + arn + " }"), tables},
			[]string{
				"ssm:GetParameter ssm:GetParameters on [for name in values(var.handler_ship_environment_parameters) : " + arn + "]" +
					" when length(var.handler_ship_environment_parameters) > 0",
			},
		},
		"encrypted parameter": {
			[]spec.Variable{{Name: "KEY", SSMParameter: "key", KMSKeyARN: customerKey}, base[1]},
			Merge{plain, append(Object{{"KEY", parameter("key")}}, tables...)},
			[]string{
				"ssm:GetParameter ssm:GetParameters on " + writtenValue(parameter("key")),
				"kms:Decrypt on var.handler_ship_environment_parameter_keys if kms:ViaService StringEquals " +
					"ssm.${data.aws_region.current.region}.amazonaws.com when length(var.handler_ship_environment_parameter_keys) > 0",
			},
		},
		"a secret more": {
			append(base[:2:2], spec.Variable{Name: "PASSWORD", Secret: "secret"}),
			Merge{
				plain, Expression("{ for variable, name in var.handler_ship_environment_secrets : variable => name }"),
				append(Object{{"KEY", parameter("key")}}, tables...),
			},
			[]string{
				"ssm:GetParameter ssm:GetParameters on " + writtenValue(parameter("key")),
				"secretsmanager:GetSecretValue on [for name in values(var.handler_ship_environment_secrets) : name]" +
					" when length(var.handler_ship_environment_secrets) > 0",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
				h.Environment = base
				override(s, func(h *spec.Handler) { h.Environment = c.production }, environmentKey)
			})
			if diff := cmp.Diff(any(c.want), h.variables()); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{logStatement, streamStatement}, c.statements...), written(h.PermissionsPolicy().Statements)); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReferenceVariables: what a handler refers to is a variable with the value of each environment.
func TestReferenceVariables(t *testing.T) {
	m := newModule(shop(func(s *spec.Spec, h *spec.Handler) {
		h.Environment = []spec.Variable{{Name: "KEY", SSMParameter: "key"}, {Name: "LEVEL", Value: "debug"}}
		override(s, func(h *spec.Handler) {
			h.Environment = []spec.Variable{{Name: "KEY", Secret: "secret", KMSKeyARN: customerKey}, {Name: "LEVEL", Value: "info"}}
		}, environmentKey)
	}))
	defaults := map[string]any{}
	for _, v := range m.Variables() {
		defaults[v.Name] = v.Default
	}
	production := map[string]any{}
	for _, a := range m.values(m.Environments[0]) {
		production[a.Name] = a.Value
	}
	for name, want := range map[string][2]any{
		"handler_ship_environment_variables":   {Object{{"LEVEL", "debug"}}, Object{{"LEVEL", "info"}}},
		"handler_ship_environment_parameters":  {Object{{"KEY", "key"}}, Object{}},
		"handler_ship_environment_secrets":     {Object{}, Object{{"KEY", "secret"}}},
		"handler_ship_environment_secret_keys": {[]string{}, []string{customerKey}},
	} {
		if diff := cmp.Diff(want, [2]any{defaults[name], production[name]}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, there := defaults["handler_ship_environment_parameter_keys"]; there {
		t.Error("there is a variable for the keys of parameters, which are the same everywhere")
	}
}
