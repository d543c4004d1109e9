package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"streamgen/internal/spec"
)

func TestEntryOf(t *testing.T) {
	s, findings := spec.Load("gen.yaml", []byte(`version: 1
project: shop
region: eu-west-1
profile: minimal
tags: {stage: none}
tables:
  orders: {hash_key: Id, attributes: {Id: S}}
  bills: {name: bills-v1, hash_key: Id, attributes: {Id: S}}
  theirs: {existing: true, name: prod-theirs, hash_key: Id, attributes: {Id: S}}
environments:
  prod: {name_prefix: prod-, tags: {stage: prod}}
`))
	if findings.Failed() {
		t.Fatal(findings)
	}
	prod := s.Environments[0].Settings
	for _, c := range []struct{ table, entry, want string }{
		{"prod-orders", "", "the table prod-orders is in gen.yaml already, as tables.orders at gen.yaml:7:3"},
		{"prod-orders", "purchases", "the table prod-orders is in gen.yaml already"},
		{"prod-bills-v1", "", "the table prod-bills-v1 is in gen.yaml already, as tables.bills"},
		{"prod-bills", "", "tables.bills at gen.yaml:8:3 is another table; name the entry of prod-bills with --as"},
		{"prod-theirs", "", "tables.theirs at gen.yaml:9:3 reads the table prod-theirs as one of others"},
		{"stage-carts", "", "its tables begin with prod-, the name_prefix"},
		{"prod-", "", "its tables begin with prod-"},
	} {
		if o, err := entryOf(s, prod, c.table, c.entry); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", c.table, o, err)
		}
	}
	o, err := entryOf(s, prod, "prod-carts", "baskets")
	if err != nil || o.Name != "baskets" || o.TableName != "carts" || !o.Minimal || o.DefaultTags["stage"] != "prod" || o.DefaultTags["Project"] != "shop" {
		t.Errorf("%+v, %v", o, err)
	}
}

// A table of an account that the environment must not be in is not described any further.
func TestAllowedAccount(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
	for name, c := range map[string]struct {
		environment string
		allowed     []string
		want        string
	}{
		"one of them":     {"prod", []string{"1", "123456789012"}, ""},
		"any":             {"prod", nil, ""},
		"the local stack": {localEnvironment, []string{"1"}, ""},
		"another":         {"prod", []string{"210987654321"}, "the table is in the account 123456789012, and allowed_account_ids has 210987654321"},
	} {
		err := allowedAccount(environment{name: c.environment, settings: spec.Settings{AllowedAccountIDs: c.allowed}}, table)
		if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReplaceSpec(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, specFile)
	if runtime.GOOS != "windows" { // where few may make links
		elsewhere := filepath.Join(dir, "elsewhere.yaml")
		if err := os.Symlink(elsewhere, file); err != nil {
			t.Fatal(err)
		}
		file = elsewhere
	}
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceSpec(dir, []byte("something else"), []byte("after")); err == nil || !strings.Contains(err.Error(), "changed while the table was read") {
		t.Error(err)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "before" {
		t.Errorf("%q, %v", data, err)
	}
	if err := replaceSpec(dir, []byte("before"), []byte("after")); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "after" {
		t.Errorf("%q, %v", data, err)
	}
}
