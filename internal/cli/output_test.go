package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestFindOutput(t *testing.T) {
	all := outputs{
		"tables": {Value: json.RawMessage(`{"orders":{"name":"o","gone":null},"a.b":{"name":"dotted"},"a":{"b":1}}`)},
		"list":   {Value: json.RawMessage(`[{"x":true},2]`)},
		"secret": {Value: json.RawMessage(`{"key":"s"}`), Sensitive: true},
	}
	for path, want := range map[string]string{
		"tables.orders.name": `"o"`, "tables.orders.gone": "null", "tables.a.b.name": `"dotted"`, "tables.a.b.": "", "list.0.x": "true", "list.1": "2", "list.2": "",
		"secret.key": `"s"`, "": "", ".": "", "tables.": "", "tables..orders": "", "table": "", "tables.orders.name.x": "",
	} {
		got, err := all.find(path)
		if string(got.Value) != want || (err == nil) != (want != "") || got.Sensitive != (path == "secret.key") {
			t.Errorf("%q is %s (sensitive %v), %v; want %s", path, got.Value, got.Sensitive, err, want)
		}
	}
}

func TestScalar(t *testing.T) {
	for value, want := range map[string]string{`"a\nb"`: "a\nb", "1.50": "1.50", "12345678901234567890": "12345678901234567890", "true": "true", "null": "", "{}": "", "[]": ""} {
		if got, is := scalar(json.RawMessage(value)); got != want || is != (want != "") {
			t.Errorf("%s is %q, %v; want %q", value, got, is, want)
		}
	}
}

func TestUnite(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{`{"b":1}`, `{"a":2}`, `{"a":2,"b":1}`},
		{`{}`, `{"a":2}`, `{"a":2}`},
		{`{"a":1}`, `{"a":1}`, ""},
		{`"a"`, `"b"`, ""},
		{`{"a":1}`, `null`, ""},
	} {
		if got, ok := unite(json.RawMessage(c.a), json.RawMessage(c.b)); string(got) != c.want || ok != (c.want != "") {
			t.Errorf("%s and %s give %s, %v", c.a, c.b, got, ok)
		}
	}
}

func TestOutputLines(t *testing.T) {
	got := outputLines("o", json.RawMessage(`{"b":{"c":"x"},"a":[1,"y"],"n":null}`))
	if want := "o.a = [1,\"y\"]\no.b.c = x\no.n = null\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStateOfLife(t *testing.T) {
	state := filepath.Join(t.TempDir(), "terraform.tfstate")
	if got := stateOfLife(state, "one"); got != state+".one" {
		t.Errorf("of a life without a state: %s", got)
	}
	for _, id := range []string{"one", "two"} {
		if err := switchLocalState(state, id); err != nil {
			t.Fatal(err)
		}
		write(t, state, "state of "+id)
	}
	for _, id := range []string{"one", "two"} {
		if data, err := os.ReadFile(stateOfLife(state, id)); string(data) != "state of "+id {
			t.Errorf("%s has %q, %v", id, data, err)
		}
	}
	if err := switchLocalState(state, "one"); err != nil {
		t.Fatal(err)
	}
	if got := stateOfLife(state, "one"); got != state {
		t.Errorf("the present life's is %s", got)
	}
}
