package tf

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	ordersState = `{"module": "module.m", "mode": "managed", "type": "aws_dynamodb_table", "name": "orders", "provider": "p",
		"instances": [{"schema_version": 1, "attributes": {"id": "orders", "arn": "arn:orders", "big": 123456789012345678901}, "private": "x"}]}`
	usersState = `{"module": "module.m", "mode": "managed", "type": "aws_dynamodb_table", "name": "users", "provider": "p",
		"instances": [{"attributes": {"id": "users"}}]}`
	alarmsState = `{"module": "module.m", "mode": "managed", "type": "aws_cloudwatch_metric_alarm", "name": "orders", "provider": "p",
		"instances": [{"index_key": 0, "attributes": {"id": "a"}}, {"index_key": 1, "attributes": {"id": "b"}}]}`
	lookedUp = `{"module": "module.m", "mode": "data", "type": "aws_dynamodb_table", "name": "orders", "provider": "p", "instances": [{"attributes": {"id": "orders"}}]}`
)

func stateOf(lineage string, resources ...string) []byte {
	return []byte(`{"version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "` + lineage + `", "outputs": {"o": {"value": "1"}}, "resources": [` +
		strings.Join(resources, ",") + `], "check_results": null}`)
}

func addressesOf(t *testing.T, state []byte) []string {
	t.Helper()
	list, err := StateResources(state)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestMoveResources(t *testing.T) {
	const orders, users, alarm = "module.m.aws_dynamodb_table.orders", "module.m.aws_dynamodb_table.users", "module.m.aws_cloudwatch_metric_alarm.orders"
	other := strings.Replace(ordersState, `"id": "orders"`, `"id": "other"`, 1)
	for name, c := range map[string]struct {
		from, to           []byte
		moved, left, there []string
	}{
		"nothing was ever applied": {},
		"to a new state": {
			from: stateOf("a", ordersState, usersState, alarmsState, lookedUp), moved: []string{orders, alarm},
			left: []string{users}, there: []string{alarm + "[0]", alarm + "[1]", orders},
		},
		"to another": {
			from: stateOf("a", ordersState), to: stateOf("b", usersState), moved: []string{orders}, there: []string{orders, users},
		},
		"cut off between the two": {
			from: stateOf("a", ordersState, usersState), to: stateOf("b", ordersState), moved: []string{orders}, left: []string{users}, there: []string{orders},
		},
		"done already":               {from: stateOf("a", usersState), to: stateOf("b", ordersState), left: []string{users}, there: []string{orders}},
		"another one at its address": {from: stateOf("a", ordersState), to: stateOf("b", other), left: []string{orders}, there: []string{orders}},
		"looked up there":            {from: stateOf("a", ordersState), to: stateOf("b", lookedUp), moved: []string{orders}, there: []string{orders}},
	} {
		from, to, moved, err := MoveResources(c.from, c.to, []string{orders, alarm})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := [][]string{moved, addressesOf(t, from), addressesOf(t, to)}
		if diff := cmp.Diff([][]string{c.moved, c.left, c.there}, got); diff != "" {
			t.Errorf("%s: moved, left and there (-want +got):\n%s", name, diff)
		}
		if len(c.moved) == 0 {
			if string(from) != string(c.from) || string(to) != string(c.to) {
				t.Errorf("%s: nothing moved, and the states differ", name)
			}
			continue
		}
		// Once more, nothing is left to do.
		if _, _, again, err := MoveResources(from, to, []string{orders, alarm}); err != nil || again != nil {
			t.Errorf("%s, again: moved %v, %v", name, again, err)
		}
	}
}

// TestMoveKeeps: what is not moved, and what is, stays as it was to the last digit.
func TestMoveKeeps(t *testing.T) {
	from, to, _, err := MoveResources(stateOf("a", ordersState, usersState), nil, []string{"module.m.aws_dynamodb_table.orders"})
	if err != nil {
		t.Fatal(err)
	}
	type document struct {
		Version          int
		Serial           int
		Lineage          string
		TerraformVersion string `json:"terraform_version"`
		Outputs          map[string]any
		Resources        []json.RawMessage
	}
	read := func(state []byte) (d document) {
		if err := json.Unmarshal(state, &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	compact := func(text string) string {
		return strings.Join(strings.Fields(text), "")
	}
	source, target := read(from), read(to)
	if source.Serial != 8 || source.Lineage != "a" || len(source.Outputs) != 1 || compact(string(source.Resources[0])) != compact(usersState) {
		t.Errorf("the first state is %s", from)
	}
	if target.Version != 4 || target.Serial != 1 || len(target.Lineage) != 36 || target.Lineage == "a" || target.TerraformVersion != "1.11.4" ||
		len(target.Outputs) != 0 || compact(string(target.Resources[0])) != compact(ordersState) {
		t.Errorf("the second state is %s", to)
	}
}

func TestMoveRefusesUnknownFormats(t *testing.T) {
	good := stateOf("a", ordersState)
	for _, bad := range []string{"{", `{"version": 5}`, `{"version": 4, "resources": 1}`} {
		if _, _, _, err := MoveResources([]byte(bad), good, []string{"module.m.aws_dynamodb_table.orders"}); err == nil {
			t.Errorf("from %s: no error", bad)
		}
		if _, _, _, err := MoveResources(good, []byte(bad), []string{"module.m.aws_dynamodb_table.orders"}); err == nil {
			t.Errorf("to %s: no error", bad)
		}
	}
}

func TestStateAttributes(t *testing.T) {
	state := stateOf("a", lookedUp, ordersState)
	got, err := StateAttributes(state, "aws_dynamodb_table")
	var table struct{ ARN string }
	if err == nil {
		err = json.Unmarshal(got["module.m.aws_dynamodb_table.orders"], &table)
	}
	if err != nil || table.ARN != "arn:orders" || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, none := range [][]byte{nil, stateOf("a")} {
		if got, err := StateAttributes(none, "aws_dynamodb_table"); len(got) > 0 || err != nil {
			t.Errorf("of no state: %v, %v", got, err)
		}
	}
}
