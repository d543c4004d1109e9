package control

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/policy"
)

const (
	trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	grant = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:PutLogEvents"],"Resource":"*"}]}`
)

func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC) }

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRoles(t *testing.T) *Roles {
	t.Helper()
	r := NewRoles("000000000000", clock.NewManual(start()), false)
	_, err := r.Create(Role{Name: "r", Path: "/service-role/", TrustPolicy: trust, Tags: map[string]string{"a": "1"}})
	must(t, err)
	return r
}

func TestRoleIdentity(t *testing.T) {
	role, err := newRoles(t).Get("r")
	must(t, err)
	if want := "arn:aws:iam::000000000000:role/service-role/r"; role.ARN != want {
		t.Errorf("ARN %s, want %s", role.ARN, want)
	}
	if !regexp.MustCompile(`^AROA[A-Z2-7]{17}$`).MatchString(role.ID) {
		t.Errorf("ID %s", role.ID)
	}
	if want := start().Truncate(time.Second); !role.Created.Equal(want) {
		t.Errorf("created %v, want %v", role.Created, want)
	}
}

func TestRoleNamesDifferByMoreThanCase(t *testing.T) {
	r := newRoles(t)
	_, err := r.Create(Role{Name: "R", TrustPolicy: trust})
	wantCode(t, err, "EntityAlreadyExists")
	_, err = r.Get("R")
	wantCode(t, err, "NoSuchEntity")
}

func TestRolesAreValues(t *testing.T) {
	r := newRoles(t)
	role, err := r.Get("r")
	must(t, err)
	role.Tags["a"] = "changed"
	again, err := r.Get("r")
	must(t, err)
	if again.Tags["a"] != "1" {
		t.Error("a caller changed the registry's tags")
	}
}

func TestRoleGoesOnlyWithoutPolicies(t *testing.T) {
	const managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	r := newRoles(t)
	must(t, r.PutPolicy("r", "p", grant))
	must(t, r.Attach("r", managed))
	must(t, r.Attach("r", managed))
	wantCode(t, r.Delete("r"), "DeleteConflict")
	must(t, r.Detach("r", managed))
	wantCode(t, r.Detach("r", managed), "NoSuchEntity")
	wantCode(t, r.Delete("r"), "DeleteConflict")
	must(t, r.DeletePolicy("r", "p"))
	wantCode(t, r.DeletePolicy("r", "p"), "NoSuchEntity")
	must(t, r.Delete("r"))
	wantCode(t, r.Delete("r"), "NoSuchEntity")
	if roles := r.List(); len(roles) != 0 {
		t.Errorf("%d roles are left", len(roles))
	}
}

func TestRoleLimits(t *testing.T) {
	r := newRoles(t)
	policy := func(size int) string { // white space does not count
		return strings.Replace(grant, `"*"`, `"arn:aws:s3:::`+strings.Repeat("x", size-len(grant)-12)+`"`, 1) + strings.Repeat(" \n", 100)
	}
	must(t, r.PutPolicy("r", "a", policy(9000)))
	must(t, r.PutPolicy("r", "a", policy(10240)))
	wantCode(t, r.PutPolicy("r", "a", policy(10241)), "LimitExceeded")
	wantCode(t, r.PutPolicy("r", "b", grant), "LimitExceeded")

	long := strings.Replace(trust, "lambda", strings.Repeat("x", 2048-len(trust)+len("lambda")+1), 1)
	_, err := r.Update("r", RoleUpdate{TrustPolicy: &long})
	wantCode(t, err, "LimitExceeded")

	for i := range maxAttachedPolicies {
		must(t, r.Attach("r", "arn:aws:iam::aws:policy/P"+strconv.Itoa(i)))
	}
	wantCode(t, r.Attach("r", "arn:aws:iam::aws:policy/P10"), "LimitExceeded")
	must(t, r.Attach("r", "arn:aws:iam::aws:policy/P1"))
	wantCode(t, r.Attach("r", "arn:aws:iam::000000000000:policy/own"), "NoSuchEntity")

	tags := map[string]string{}
	for i := range MaxTags {
		tags[strconv.Itoa(i)] = ""
	}
	wantCode(t, r.Tag("r", tags), "LimitExceeded")
	must(t, r.Untag("r", []string{"a", "unknown"}))
	must(t, r.Tag("r", tags))
}

func TestPolicyDocuments(t *testing.T) {
	const ok, syntax = "", "Syntax errors in policy."
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[` + s + `]}` }
	for name, test := range map[string]struct {
		document        string
		identity, trust string // the messages; "" is accepted, "-" not asked
	}{
		"grant":                   {grant, ok, "-"},
		"trust":                   {trust, "-", ok},
		"no JSON":                 {`{"Version":`, "This policy contains invalid Json", "This policy contains invalid Json"},
		"two documents":           {`{}{}`, "This policy contains invalid Json", "-"},
		"empty":                   {`{}`, syntax, syntax},
		"null":                    {`null`, syntax, syntax},
		"a list":                  {`[]`, syntax, syntax},
		"no statement":            {statement(""), syntax, syntax},
		"null statement":          {statement("null"), syntax, syntax},
		"unknown version":         {`{"Version":"2026-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, syntax, "-"},
		"old version":             {`{"Version":"2008-10-17","Id":"x","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, ok, "-"},
		"unknown member":          {`{"Version":"2012-10-17","Extra":1,"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, syntax, "-"},
		"unknown in statement":    {statement(`{"Effect":"Allow","Action":"*","Resource":"*","Extra":1}`), syntax, "-"},
		"effect's case":           {statement(`{"Effect":"allow","Action":"*","Resource":"*"}`), syntax, "-"},
		"no action":               {statement(`{"Effect":"Allow","Resource":"*"}`), "Policy statement must contain actions.", "-"},
		"empty actions":           {statement(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Policy statement must contain actions.", "-"},
		"not action":              {statement(`{"Effect":"Deny","NotAction":"iam:*","Resource":"*"}`), ok, "-"},
		"action and not action":   {statement(`{"Effect":"Deny","Action":"*","NotAction":"iam:*","Resource":"*"}`), syntax, "-"},
		"action without vendor":   {statement(`{"Effect":"Allow","Action":"PutItem","Resource":"*"}`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "-"},
		"action is a number":      {statement(`{"Effect":"Allow","Action":1,"Resource":"*"}`), syntax, "-"},
		"no resource":             {statement(`{"Effect":"Allow","Action":"*"}`), "Policy statement must contain resources.", "-"},
		"resource is no ARN":      {statement(`{"Effect":"Allow","Action":"*","Resource":["*","table/orders"]}`), `Resource table/orders must be in ARN format or "*".`, "-"},
		"resource of a log group": {statement(`{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*"}`), ok, "-"},
		"same statement ids":      {statement(`{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}`), "Statement IDs (SID) in a single policy must be unique.", "-"},
		"no statement ids":        {statement(`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}`), ok, "-"},
		"statement id's letters":  {statement(`{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}`), syntax, "-"},
		"condition":               {statement(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`), ok, "-"},
		"condition is a string":   {statement(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":"x"}`), syntax, "-"},
		"principal":               {statement(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`), "Policy document should not specify a principal.", ok},
		"principal is a number":   {statement(`{"Effect":"Allow","Principal":1,"Action":"sts:AssumeRole"}`), syntax, syntax},
		"no principal":            {statement(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "-", "Missing required field Principal cannot be empty!"},
		"trust with resource":     {statement(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`), "-", "Has prohibited field Resource"},
		"trust with other action": {statement(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}`), "-", "AssumeRole policy may only specify STS AssumeRole actions."},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoles(t)
			for kind, check := range map[string]struct {
				want string
				err  error
			}{"identity": {test.identity, r.check(test.document, policy.Identity)}, "trust": {test.trust, r.check(test.document, policy.Trust)}} {
				var e *Error
				switch {
				case check.want == "-":
				case check.want == "" && check.err != nil:
					t.Errorf("%s policy: %v", kind, check.err)
				case check.want != "" && (!errors.As(check.err, &e) || e.Code != "MalformedPolicyDocument" || e.Message != check.want):
					t.Errorf("%s policy: got %v, want %q", kind, check.err, check.want)
				}
			}
		})
	}
}

func FuzzPolicyDocuments(f *testing.F) {
	f.Add(trust)
	f.Add(grant)
	f.Add(`{"Statement":[null,{"Action":[[]]}]}`)
	r := NewRoles("000000000000", clock.NewManual(start()), true)
	f.Fuzz(func(t *testing.T, document string) {
		for _, err := range []error{r.check(document, policy.Identity), r.check(document, policy.Trust)} {
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%q gives an error that is none of IAM's: %v", document, err)
			}
		}
	})
}
