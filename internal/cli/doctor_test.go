package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
	"streamgen/internal/spec"
)

// standing are the verdicts of a check, a line each: "status check: found | do".
func standing(e examination, checks ...string) string {
	var b strings.Builder
	for _, v := range e.Checks {
		if slices.Contains(checks, v.Check) {
			fmt.Fprintf(&b, "%s %s: %s", v.Status, v.Check, v.Found)
			if v.Do != "" {
				b.WriteString(" | " + v.Do)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// look makes the named checks alone: those of tools start programs.
func (d *doctor) look(t *testing.T, checks ...string) string {
	t.Helper()
	var e examination
	for _, c := range d.checks() {
		if slices.Contains(checks, c.name) {
			e.Checks = append(e.Checks, d.within(t.Context(), c)...)
		}
	}
	return standing(e, append(checks, "clock", "account, clock and quotas")...)
}

// examined is a doctor of a project with a spec.
func examined(t *testing.T, src string) *doctor {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"gen.yaml": src, "go.mod": "module example.com/p\n\ngo 1.26.0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := loadProject(dir, findingsText, loadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d := &doctor{
		env: environment{name: cloudEnvironment}, environ: []string{"PATH=" + os.Getenv("PATH")}, limit: 10 * time.Second, now: time.Now,
		reach: func(context.Context, string) error { return nil }, start: dir, project: p,
	}
	if err := d.env.resolve(p.spec); err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	secret       = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	keyID        = "AKIAIOSFODNN7EXAMPLE"
	sessionToken = "IQoJb3JpZ2luX2VjEXAMPLE"
)

// ambient makes a doctor ask a server with credentials of the given kind.
func (d *doctor) ambient(server string, c aws.Credentials) {
	c.AccessKeyID, c.SecretAccessKey, c.SessionToken = keyID, secret, sessionToken
	d.signed = func() (access, error) {
		return d.retrieve(context.Background(), aws.Config{
			Region: d.env.settings.Region, BaseEndpoint: &server,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil }),
		})
	}
}

// answers of a fake AWS by what is asked; one that begins with "!" is an error's code.
type answers map[string]string

const (
	identity = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`
	limits   = `{"AccountMaxReadCapacityUnits": 80000, "AccountMaxWriteCapacityUnits": 80000, "TableMaxReadCapacityUnits": 40000, "TableMaxWriteCapacityUnits": 40000}`
)

func concurrencyOf(limit, unreserved int) string {
	return fmt.Sprintf(`{"AccountLimit": {"ConcurrentExecutions": %d, "UnreservedConcurrentExecutions": %d}}`, limit, unreserved)
}

func fakeAccount(t *testing.T, a answers, clock time.Time) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		question := r.Method + " " + r.URL.Path
		if _, operation, found := strings.Cut(r.Header.Get("X-Amz-Target"), "."); found {
			question = operation
		} else if strings.Contains(string(body), "GetCallerIdentity") {
			question = "GetCallerIdentity"
		}
		answer, known := a[question]
		if !known {
			answer = "!Unexpected"
			t.Errorf("unexpected question %s", question)
		}
		w.Header().Set("Date", clock.UTC().Format(http.TimeFormat))
		if code, failed := strings.CutPrefix(answer, "!"); failed {
			status := http.StatusForbidden
			if strings.HasSuffix(code, "NotFoundException") {
				status = http.StatusNotFound
			}
			w.Header().Set("X-Amzn-Errortype", code)
			w.WriteHeader(status)
			if question == "GetCallerIdentity" {
				fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>", code)
			} else {
				fmt.Fprintf(w, `{"__type": "%s", "message": "no"}`, code)
			}
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const awsSpec = `version: 1
project: p
region: eu-west-1
profile: minimal
allowed_account_ids: ["123456789012"]
name_prefix: p-
tables:
  orders: {hash_key: Id, attributes: {Id: S}, stream_view_type: NEW_IMAGE, billing_mode: PROVISIONED, read_capacity: 10, write_capacity: 5}
  bills: {hash_key: Id, attributes: {Id: S}}
handlers:
  ship: {table: orders, reserved_concurrent_executions: 50, parallelization_factor: 10}
  bill: {table: orders, parallelization_factor: 2, alias: live, provisioned_concurrent_executions: 5}
`

func TestDoctorAsksAWS(t *testing.T) {
	good := answers{
		"GetCallerIdentity": identity, "GET /2016-08-19/account-settings": concurrencyOf(1000, 900), "DescribeLimits": limits,
		"ListTables": `{"TableNames": ["p-orders", "other"]}`,
	}
	with := func(over answers) answers {
		all := answers{}
		for _, m := range []answers{good, over} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	const (
		accountOK     = "ok account: 123456789012, as arn:aws:iam::123456789012:user/ada, which allowed_account_ids has\n"
		clockOK       = "ok clock: this machine is 0s ahead\n"
		concurrencyOK = "ok Lambda concurrency: the account has 1000, of which 800 are free to reserve; the spec reserves 55\n"
		capacityOK    = "ok DynamoDB capacity: the spec has 10 reads and 5 writes; the account has 80000 reads and 80000 writes for all tables and 40000 reads and 40000 writes for one\n"
		tablesOK      = "ok DynamoDB tables: the account has 2 in the region; of the spec's 2, 1 missing (p-bills)\n"
		getMore       = " | ask for more in Service Quotas (Concurrent executions), or reserve less: AWS keeps 100 for functions without a reservation\n"
	)
	for name, c := range map[string]struct {
		answers answers
		off     time.Duration
		spec    func(string) string
		want    string
	}{
		"all is well": {good, 0, nil, accountOK + clockOK + concurrencyOK + capacityOK + tablesOK},
		"another account": {
			good, 0, func(s string) string {
				return strings.Replace(s, `["123456789012"]`, `["210987654321", "111111111111"]`, 1)
			},
			"problem account: 123456789012, as arn:aws:iam::123456789012:user/ada, and allowed_account_ids has 210987654321, 111111111111 | use credentials of one of these accounts (AWS_PROFILE)\n" +
				clockOK + concurrencyOK + capacityOK + tablesOK,
		},
		"any account": {
			good, 0, func(s string) string { return strings.Replace(s, `allowed_account_ids: ["123456789012"]`, "", 1) },
			"ok account: 123456789012, as arn:aws:iam::123456789012:user/ada; allowed_account_ids names none, so that any will do\n" +
				clockOK + concurrencyOK + capacityOK + tablesOK,
		},
		"a late clock": {
			good, 2 * time.Minute, nil,
			accountOK + "warning clock: this machine is 2m0s late | set the clock, with NTP if possible: AWS refuses requests that are five minutes off\n" + concurrencyOK + capacityOK + tablesOK,
		},
		"a clock that AWS refuses": {
			with(answers{"GetCallerIdentity": "!SignatureDoesNotMatch"}), -6 * time.Minute, nil,
			"problem account: AWS refuses the credentials (SignatureDoesNotMatch) | see whether the secret belongs to the key, and how late this machine's clock is\n" +
				"problem clock: this machine is 6m0s ahead | set the clock, with NTP if possible: AWS refuses requests that are five minutes off\n" + concurrencyOK + capacityOK + tablesOK,
		},
		"expired": {
			with(answers{"GetCallerIdentity": "!ExpiredToken"}), 0, nil,
			"problem account: AWS refuses the credentials (ExpiredToken) | the credentials are expired: renew them\n" + clockOK + concurrencyOK + capacityOK + tablesOK,
		},
		"unknown": {
			with(answers{"GetCallerIdentity": "!InvalidClientTokenId"}), 0, nil,
			"problem account: AWS refuses the credentials (InvalidClientTokenId) | AWS does not know the key: it was deleted, or the region must be enabled for the account first\n" +
				clockOK + concurrencyOK + capacityOK + tablesOK,
		},
		"nothing is allowed": {
			answers{"GetCallerIdentity": "!AccessDenied", "GET /2016-08-19/account-settings": "!AccessDeniedException", "DescribeLimits": "!AccessDeniedException", "ListTables": "!AccessDeniedException"}, 0, nil,
			"warning account: not looked at: AWS refuses it (AccessDenied) | allow sts:GetCallerIdentity to have it looked at; gen itself does without\n" + clockOK +
				"warning Lambda concurrency: not looked at: AWS refuses it (AccessDeniedException) | allow lambda:GetAccountSettings to have it looked at; gen itself does without\n" +
				"warning DynamoDB capacity: not looked at: AWS refuses it (AccessDeniedException) | allow dynamodb:DescribeLimits to have it looked at; gen itself does without\n" +
				"warning DynamoDB tables: not looked at: AWS refuses it (AccessDeniedException) | allow dynamodb:ListTables to have it looked at; gen itself does without\n",
		},
		"a new account": {
			with(answers{"GET /2016-08-19/account-settings": concurrencyOf(10, 10)}), 0, nil,
			accountOK + clockOK + "problem Lambda concurrency: the account has 10, of which 0 are free to reserve; the spec reserves 55" + getMore + capacityOK + tablesOK,
		},
		"others have reserved": {
			with(answers{
				"GET /2016-08-19/account-settings":                         concurrencyOf(1000, 120),
				"GET /2019-09-30/functions/p-ship/concurrency":             "!ResourceNotFoundException",
				"GET /2019-09-30/functions/p-bill/provisioned-concurrency": "!ResourceNotFoundException",
			}), 0, nil,
			accountOK + clockOK + "problem Lambda concurrency: the account has 1000, of which 20 are free to reserve; the spec reserves 55" + getMore + capacityOK + tablesOK,
		},
		"the spec has reserved": {
			with(answers{
				"GET /2016-08-19/account-settings":                         concurrencyOf(1000, 105),
				"GET /2019-09-30/functions/p-ship/concurrency":             `{"ReservedConcurrentExecutions": 50}`,
				"GET /2019-09-30/functions/p-bill/provisioned-concurrency": `{"RequestedProvisionedConcurrentExecutions": 5}`,
			}), 0, nil,
			accountOK + clockOK + "ok Lambda concurrency: the account has 1000, of which 60 are free to reserve; the spec reserves 55\n" + capacityOK + tablesOK,
		},
		"what is reserved is not told": {
			with(answers{"GET /2016-08-19/account-settings": concurrencyOf(1000, 105), "GET /2019-09-30/functions/p-ship/concurrency": "!AccessDeniedException"}), 0, nil,
			accountOK + clockOK +
				"warning Lambda concurrency: not looked at: AWS refuses it (AccessDeniedException) | allow lambda:GetFunctionConcurrency and lambda:GetProvisionedConcurrencyConfig to have it looked at; gen itself does without\n" +
				capacityOK + tablesOK,
		},
	} {
		t.Run(name, func(t *testing.T) {
			src := awsSpec
			if c.spec != nil {
				src = c.spec(src)
			}
			d := examined(t, src)
			now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
			d.now = func() time.Time { return now }
			d.ambient(fakeAccount(t, c.answers, now.Add(c.off)), aws.Credentials{})
			got := d.look(t, "account", "Lambda concurrency", "DynamoDB capacity", "DynamoDB tables")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDoctorOnCredentials(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.Local)
	for name, c := range map[string]struct {
		credentials aws.Credentials
		want        string
	}{
		"environment": {aws.Credentials{Source: "EnvConfigCredentials"}, "ok credentials: the environment (AWS_ACCESS_KEY_ID)\n"},
		"profile":     {aws.Credentials{Source: "SharedConfigCredentials: /home/ada/.aws/credentials"}, "ok credentials: the profile dev of /home/ada/.aws/credentials\n"},
		"sso": {
			aws.Credentials{Source: "SSOProvider", CanExpire: true, Expires: now.Add(90 * time.Minute)},
			"ok credentials: SSO, by the profile dev; they last until 2026-11-25 13:30:00, another 1h30m0s\n",
		},
		"role":         {aws.Credentials{Source: "AssumeRoleProvider"}, "ok credentials: an assumed role, by the profile dev\n"},
		"web identity": {aws.Credentials{Source: "WebIdentityCredentials"}, "ok credentials: a role, by a web identity\n"},
		"another":      {aws.Credentials{Source: "ProcessProvider"}, "ok credentials: ProcessProvider\n"},
		"expired": {
			aws.Credentials{Source: "SSOProvider", CanExpire: true, Expires: now.Add(-time.Minute)},
			"problem credentials: SSO, by the profile dev; they expired at 2026-11-25 11:59:00 | renew them\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := examined(t, awsSpec)
			d.environ = append(d.environ, "AWS_PROFILE=dev")
			d.now = func() time.Time { return now }
			d.ambient("http://127.0.0.1:1", c.credentials)
			if diff := cmp.Diff(c.want, d.look(t, "credentials")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Where there are no credentials their check says why, and no other question is put.
func TestDoctorWithoutCredentials(t *testing.T) {
	d := examined(t, awsSpec)
	d.signed = func() (access, error) {
		return access{}, fmt.Errorf("get identity: %w", errors.New("no EC2 IMDS role found"))
	}
	want := `problem credentials: none: no EC2 IMDS role found | set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in as your organisation does, such as with 'aws sso login'
warning account: not looked at: there are no credentials
warning clock: not looked at: there are no credentials
warning Lambda concurrency: not looked at: there are no credentials
warning DynamoDB capacity: not looked at: there are no credentials
warning DynamoDB tables: not looked at: there are no credentials
`
	got := d.look(t, "credentials", "account", "Lambda concurrency", "DynamoDB capacity", "DynamoDB tables")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The settings of the SDK are read like those of every other command, and an endpoint on this machine is not asked.
func TestDoctorIsNotLedToThisMachine(t *testing.T) {
	d := examined(t, awsSpec)
	d.environ = append(d.environ, "AWS_ENDPOINT_URL_STS=http://ada:hunter2@localhost:9/x")
	d.signed = d.ask(t.Context())
	want := `problem endpoints: AWS_ENDPOINT_URL_STS leads to this machine, http://localhost:9, not to AWS | unset it, or use --env local
warning credentials: not looked at: AWS_ENDPOINT_URL leads to this machine
warning account: not looked at: AWS_ENDPOINT_URL leads to this machine
warning clock: not looked at: AWS_ENDPOINT_URL leads to this machine
`
	if diff := cmp.Diff(want, d.look(t, "endpoints", "credentials", "account")); diff != "" {
		t.Error(diff)
	}
	d.environ = append(d.environ, "AWS_ENDPOINT_URL_STS=https://ada:hunter2@aws.example.com/x")
	want = "warning endpoints: AWS_ENDPOINT_URL_STS leads to https://aws.example.com | unset it if that is not what you want: terraform and gen follow it\n"
	if diff := cmp.Diff(want, d.look(t, "endpoints")); diff != "" {
		t.Error(diff)
	}
}

// Whatever is found, nothing of the credentials is printed, in either form.
func TestDoctorKeepsSecrets(t *testing.T) {
	for name, a := range map[string]answers{
		"well":    {"GetCallerIdentity": identity, "GET /2016-08-19/account-settings": concurrencyOf(1000, 1000), "DescribeLimits": limits, "ListTables": `{"TableNames": []}`},
		"refused": {"GetCallerIdentity": "!SignatureDoesNotMatch", "GET /2016-08-19/account-settings": "!X", "DescribeLimits": "!Y", "ListTables": "!Z"},
	} {
		d := examined(t, awsSpec)
		d.environ = append(d.environ, "AWS_ACCESS_KEY_ID="+keyID, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_SESSION_TOKEN="+sessionToken, "AWS_ENDPOINT_URL=https://"+secret+"@example.com")
		d.ambient(fakeAccount(t, a, time.Now()), aws.Credentials{Source: "EnvConfigCredentials"})
		e := d.examine(t.Context())
		for _, asJSON := range []bool{false, true} {
			var out bytes.Buffer
			if err := e.print(streams{out: &out, err: io.Discard}, asJSON); err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{secret, keyID, sessionToken} {
				if strings.Contains(out.String(), s) {
					t.Errorf("%s: %s is in\n%s", name, s, out.String())
				}
			}
			if asJSON && !json.Valid(out.Bytes()) {
				t.Errorf("no JSON: %s", out.String())
			}
		}
	}
}

// A check that does not end says so, and holds up nobody.
func TestDoctorDoesNotWaitForEver(t *testing.T) {
	d := &doctor{limit: 20 * time.Millisecond}
	never := make(chan struct{})
	defer close(never)
	got := d.within(t.Context(), check{"stubborn", one(func(context.Context) verdict { <-never; return verdict{} })})
	if want := []verdict{unmade("stubborn", "it did not end within 20ms", "")}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	got = d.within(t.Context(), check{"obedient", one(func(ctx context.Context) verdict { <-ctx.Done(); return unmade("obedient", "no time", "") })})
	if want := []verdict{unmade("obedient", "no time", "")}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.limit = time.Hour
	if got := d.within(ctx, check{"cut off", one(func(context.Context) verdict { <-never; return verdict{} })}); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestJudgeConcurrency(t *testing.T) {
	for _, c := range []struct {
		limit, free int
		needs       concurrencyNeeds
		want        health
	}{
		{1000, 1000, concurrencyNeeds{0, 10}, healthy},
		{1000, 1000, concurrencyNeeds{900, 100}, healthy},
		{1000, 1000, concurrencyNeeds{901, 1}, problem},
		{1000, 1000, concurrencyNeeds{900, 101}, warning},
		{10, 10, concurrencyNeeds{0, 10}, healthy},
		{10, 10, concurrencyNeeds{0, 11}, warning},
		{10, 10, concurrencyNeeds{1, 0}, problem},
		{1000, 100, concurrencyNeeds{0, 5}, healthy},
	} {
		if got := judgeConcurrency("x", c.limit, c.free, c.needs); got.Status != c.want || got.Status != healthy && got.Do == "" {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func TestJudgeCapacity(t *testing.T) {
	account, table := capacityUnits{100, 100}, capacityUnits{60, 60}
	for name, c := range map[string]struct {
		tables string
		want   string
	}{
		"within":       {"a: {read_capacity: 60, write_capacity: 60}", "ok"},
		"a table":      {"a: {read_capacity: 61, write_capacity: 1}", "problem"},
		"its index":    {"a: {read_capacity: 40, write_capacity: 1, global_secondary_index: [{name: abc, hash_key: Id, read_capacity: 21, write_capacity: 1}]}", "problem"},
		"all tables":   {"a: {read_capacity: 1, write_capacity: 51}, b: {read_capacity: 1, write_capacity: 50}", "problem"},
		"a growing":    {"a: {read_capacity: 1, write_capacity: 1, autoscaling: {write: {min_capacity: 1, max_capacity: 61}}}", "warning"},
		"all growing":  {"a: {read_capacity: 60, write_capacity: 1}, b: {read_capacity: 1, write_capacity: 1, autoscaling: {read: {min_capacity: 1, max_capacity: 41}}}", "warning"},
		"of others":    {"a: {existing: true}", "none"},
		"one of three": {"a: {read_capacity: 61, write_capacity: 1}, b: {read_capacity: 61, write_capacity: 1}, c: {read_capacity: 1, write_capacity: 1}", "problem problem problem"},
	} {
		tables := strings.NewReplacer("{read_capacity", "{billing_mode: PROVISIONED, hash_key: Id, attributes: {Id: S}, read_capacity", "{existing", "{hash_key: Id, attributes: {Id: S}, existing",
			"a: ", "aaa: ", "b: ", "bbb: ", "c: ", "ccc: ").Replace(c.tables)
		s, findings := spec.Load("gen.yaml", []byte("version: 1\nproject: p\nregion: eu-west-1\ntables: {"+tables+"}\n"))
		if findings.Failed() {
			t.Fatalf("%s: %v", name, findings)
		}
		needs := provisioned(s.Tables)
		if len(needs) == 0 {
			if c.want != "none" {
				t.Errorf("%s: nothing is provisioned", name)
			}
			continue
		}
		var got []string
		for _, v := range judgeCapacity("x", account, table, needs) {
			got = append(got, string(v.Status))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestJudgeTables(t *testing.T) {
	there := map[string]bool{}
	for i := range usualTables - 1 {
		there[fmt.Sprint(i)] = true
	}
	for want, wanted := range map[health][]string{healthy: {"0", "1", "new"}, warning: {"0", "new", "newer"}} {
		if got := judgeTables("x", there, wanted); got.Status != want {
			t.Errorf("%v: %+v", wanted, got)
		}
	}
}

// fakeTools is a PATH of shell scripts.
func fakeTools(t *testing.T, scripts map[string]string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake tools are shell scripts")
	}
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil { //nolint:gosec // it is run
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestDoctorOnTools(t *testing.T) {
	unreachable := fmt.Errorf("Head: %w", errors.New("no such host"))
	goSays := func(version, toolchain string) string {
		return fmt.Sprintf(`echo '{"GOVERSION": "%s", "GOTOOLCHAIN": "%s"}'`, version, toolchain)
	}
	for name, c := range map[string]struct {
		tools map[string]string
		reach error
		want  map[string]string
		own   string // the script that is gen's own terraform, if there is one
	}{
		"nothing, and no way out": {nil, unreachable, map[string]string{
			"go": "problem go: it is not on the PATH | install Go 1.26.0 or later", "git": "warning git: it is not on the PATH",
			"terraform": "problem terraform: there is none on the PATH, and https://releases.hashicorp.com/terraform/1.11.4/ does not answer: no such host | install terraform >= 1.11.0, < 2.0.0 by hand",
		}, ""},
		"nothing": {nil, nil, map[string]string{
			"terraform": "ok terraform: there is none on the PATH; gen downloads 1.11.4 when it needs it, from https://releases.hashicorp.com/terraform/1.11.4/, which answers",
		}, ""},
		"all": {map[string]string{"go": goSays("go1.26.3", "auto"), "git": "echo git version 2.50.1", "terraform": "echo Terraform v1.13.0"}, unreachable, map[string]string{
			"go": "ok go: 1.26.3, ", "git": "ok git: 2.50.1, ", "terraform": "ok terraform: 1.13.0, ",
		}, ""},
		"old": {map[string]string{"go": goSays("go1.24.1", "local"), "terraform": "echo Terraform v1.5.7"}, unreachable, map[string]string{
			"go":        "asks for 1.26.0 | install that version, or let Go get it with GOTOOLCHAIN=auto, which is local",
			"terraform": "terraform is 1.5.7, not >= 1.11.0, < 2.0.0, and https://releases.hashicorp.com",
		}, ""},
		"old, but it knows what to do": {map[string]string{"go": goSays("go1.24.1", "auto")}, nil, map[string]string{"go": "ok go: 1.24.1, "}, ""},
		"broken": {map[string]string{"go": "echo no >&2; exit 1", "git": "exit 3", "terraform": "echo something"}, nil, map[string]string{
			"go": "warning go: not looked at: ", "git": "warning git: not looked at: ", "terraform": "problem terraform: ",
		}, ""},
		"gen's own": {nil, unreachable, map[string]string{"terraform": "ok terraform: there is none on the PATH; gen's own 1.11.4, "}, "echo Terraform v1.11.4"},
		"gen's own is used instead": {map[string]string{"terraform": "echo Terraform v1.5.7"}, unreachable, map[string]string{
			"terraform": "using 1.11.4 of streamgen's own; ",
		}, "echo Terraform v1.11.4"},
		"gen's own is broken": {nil, unreachable, map[string]string{
			"terraform": "1.11.4: gen downloads it anew",
		}, "echo something"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeTools(t, c.tools)
			cache := t.TempDir()
			t.Setenv("XDG_CACHE_HOME", cache)
			t.Setenv("HOME", t.TempDir())
			if own := filepath.Join(cache, "streamgen", "terraform", "1.11.4", "terraform"); c.own != "" {
				if err := errors.Join(os.MkdirAll(filepath.Dir(own), 0o755), os.WriteFile(own, []byte("#!/bin/sh\n"+c.own+"\n"), 0o755)); err != nil { //nolint:gosec // it is run
					t.Fatal(err)
				}
			}
			d := examined(t, awsSpec)
			d.environ = os.Environ()
			d.reach = func(context.Context, string) error { return c.reach }
			d.ambient("http://127.0.0.1:1", aws.Credentials{})
			for check, want := range c.want {
				if got := d.look(t, check); !strings.Contains(got, want) {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
}

func TestDoctorOnTheProvider(t *testing.T) {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	provider := filepath.Join("registry.terraform.io", "hashicorp", "aws", "6.34.0", platform, "terraform-provider-aws_v6.34.0")
	if runtime.GOOS == "windows" {
		provider += ".exe"
	}
	unreachable := errors.New("no such host")
	for name, c := range map[string]struct {
		environment string
		// files are made below the cache folder, the home and the project.
		cache, home, project string
		reach                error
		want                 string
	}{
		"mirror":            {"local", "streamgen/terraform-mirror/" + provider, "", "", unreachable, "ok AWS provider: 6.34.0 in the mirror "},
		"not for AWS":       {"default", "streamgen/terraform-mirror/" + provider, "", "", unreachable, "problem AWS provider: there is none here, and the registry does not answer: no such host | let this machine reach"},
		"cache":             {"local", "streamgen/terraform-plugins/" + provider, "", "", nil, "ok AWS provider: 6.34.0 in the plug-in cache "},
		"download":          {"default", "", "", "", nil, "ok AWS provider: terraform downloads it from the registry, which answers"},
		"installed":         {"default", "", "", ".gen/default/.terraform/providers/" + provider, unreachable, "warning AWS provider: it is installed in "},
		"of a stack":        {"local", "", "", ".gen/stacks/local.billing/.terraform/providers/" + provider, unreachable, "warning AWS provider: it is installed in "},
		"of another":        {"local", "", "", ".gen/default/.terraform/providers/" + provider, unreachable, "problem AWS provider: "},
		"the user's choice": {"default", "", ".terraformrc", "", unreachable, "ok AWS provider: terraform takes it from where "},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS != "linux" {
				t.Skip("the folders of other systems differ")
			}
			cache, home := t.TempDir(), t.TempDir()
			t.Setenv("XDG_CACHE_HOME", cache)
			d := examined(t, awsSpec)
			d.env.name, d.environ = c.environment, []string{"HOME=" + home}
			d.reach = func(context.Context, string) error { return c.reach }
			for root, file := range map[string]string{cache: c.cache, home: c.home, d.project.dir: c.project} {
				if file == "" {
					continue
				}
				if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(root, file), []byte("provider_installation {}"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := d.look(t, "AWS provider"); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestDoctorOnTheProgramThatTheSpecNames(t *testing.T) {
	unreachable := func(context.Context, string) error { return errors.New("no such host") }
	tofu := map[string]string{"tofu": "echo OpenTofu v1.12.1", "terraform": "echo Terraform v1.13.0"}
	for name, c := range map[string]struct {
		tools   map[string]string
		program spec.Terraform
		flag    string // a tool that --terraform names
		want    string
	}{
		"OpenTofu":                  {tofu, spec.Terraform{Binary: "tofu"}, "", "ok OpenTofu: 1.12.1, "},
		"no OpenTofu":               {nil, spec.Terraform{Binary: "tofu"}, "", "problem OpenTofu: there is no OpenTofu >= 1.11.0, < 2.0.0 on the PATH; install it (https://opentofu.org/docs/intro/install/)"},
		"old OpenTofu":              {map[string]string{"tofu": "echo OpenTofu v1.9.0"}, spec.Terraform{Binary: "tofu"}, "", "tofu is OpenTofu 1.9.0, and streamgen needs >= 1.11.0, < 2.0.0"},
		"another OpenTofu":          {tofu, spec.Terraform{Binary: "tofu", Version: "1.12.6"}, "", "tofu is OpenTofu 1.12.1, and streamgen needs 1.12.6"},
		"the version":               {tofu, spec.Terraform{Version: "1.13.0"}, "", "ok terraform: 1.13.0, "},
		"another version":           {tofu, spec.Terraform{Version: "1.14.2"}, "", "terraform is 1.13.0, not 1.14.2, and https://releases.hashicorp.com/terraform/1.14.2/ does not answer: no such host | install terraform 1.14.2 by hand"},
		"the flag":                  {tofu, spec.Terraform{Binary: "tofu"}, "tofu", "ok OpenTofu: OpenTofu 1.12.1, "},
		"the flag for the other":    {tofu, spec.Terraform{Binary: "tofu"}, "terraform", "terraform is terraform, and the project is made for OpenTofu"},
		"the flag without the spec": {tofu, spec.Terraform{}, "tofu", "tofu is OpenTofu, and the project is made for terraform"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeTools(t, c.tools)
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			t.Setenv("HOME", t.TempDir())
			d := examined(t, awsSpec)
			d.environ, d.reach, d.env.program = os.Environ(), unreachable, c.program
			if c.flag != "" {
				d.env.terraform = filepath.Join(os.Getenv("PATH"), c.flag)
			}
			if got := d.look(t, d.product().String()); !strings.Contains(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// On the local stack nothing of AWS is asked.
func TestDoctorOnTheLocalStack(t *testing.T) {
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	d := examined(t, awsSpec)
	d.env.name, d.env.endpoint = localEnvironment, stack.Endpoint()
	d.signed = func() (access, error) { t.Error("credentials were asked for"); return access{}, nil }
	if got := d.look(t, "local stack"); !strings.HasPrefix(got, "ok local stack: "+stack.Endpoint()+" answers") || strings.Count(got, "\n") != 2 {
		t.Error(got)
	}
	if err := stack.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := d.look(t, "local stack")
	if !strings.HasPrefix(got, "problem local stack: there is none on "+stack.Endpoint()+": ") || !strings.Contains(got, "| start it with 'gen local'") {
		t.Error(got)
	}
}
