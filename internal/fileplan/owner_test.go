package fileplan

import (
	"testing"

	"streamgen/internal/spec"
)

// TestDataNames: names and addresses of what holds data lead to each other.
func TestDataNames(t *testing.T) {
	for _, kind := range DataKinds() {
		address, ok := DataAddress(kind, "ship")
		if !ok || DataNameOf(address) != DataName(kind, "ship") {
			t.Errorf("%s.ship is %s, which is %s", kind, address, DataNameOf(address))
		}
	}
	if address, ok := DataAddress("role", "ship"); ok {
		t.Errorf("a role is %s", address)
	}
	for _, address := range []string{"module.streams.aws_iam_role.ship", "aws_dynamodb_table.mine", "module.other.aws_sqs_queue.q", "module.streams.aws_sqs_queue.q"} {
		if name := DataNameOf(address); name != "" {
			t.Errorf("%s is %s", address, name)
		}
	}
}

func TestOwners(t *testing.T) {
	ship := handler("ship-it", "my-orders", 30)
	ship.Idempotency, ship.ParkingQueue.Enabled = true, true
	files, findings := Plan(&spec.Spec{Tables: []spec.Table{table("my-orders", 5)}, Handlers: []spec.Handler{ship}}, Project{Module: "example.com/shop"})
	if findings.Failed() {
		t.Fatal(findings)
	}
	owners := Owners(files)
	for address, want := range map[string]struct {
		entry, data string
		line        int
	}{
		"aws_dynamodb_table.my_orders":                      {"my-orders", "table.my-orders", 5},
		"aws_dynamodb_table.ship_it_idempotency":            {"ship-it", "idempotency.ship-it", 30},
		"aws_sqs_queue.ship_it_parked":                      {"ship-it", "parking.ship-it", 30},
		"aws_cloudwatch_log_group.ship_it":                  {"ship-it", "log_group.ship-it", 30},
		"aws_iam_role_policy.ship_it":                       {"ship-it", "", 30},
		"aws_lambda_event_source_mapping.ship_it_my_orders": {"ship-it", "mapping.ship-it", 30},
	} {
		got := owners["module.streams."+address]
		if got.Entry != want.entry || got.Name != want.data || got.Origin.Pos.Line != want.line {
			t.Errorf("%s: %s %s at %v, want %v", address, got.Entry, got.Name, got.Origin.Pos, want)
		}
	}
}
