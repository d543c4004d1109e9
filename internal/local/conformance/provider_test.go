package conformance_test

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"streamgen/internal/local"
)

// answer holds the fields of every answer that the AWS provider reads, Query's and JSON's alike.
type answer struct {
	Identity struct{ Account, Arn, UserId string } `xml:"GetCallerIdentityResult"`
	Role     struct {
		Arn, RoleName, RoleId, Path, CreateDate, AssumeRolePolicyDocument string
		MaxSessionDuration                                                int
		Tags                                                              []struct{ Key, Value string } `xml:"Tags>member"`
	} `xml:"GetRoleResult>Role"`
	Created     struct{ Arn, CreateDate string }                      `xml:"CreateRoleResult>Role"`
	PolicyNames []string                                              `xml:"ListRolePoliciesResult>PolicyNames>member"`
	Policy      struct{ RoleName, PolicyName, PolicyDocument string } `xml:"GetRolePolicyResult"`
	Attached    []struct{ PolicyName, PolicyArn string }              `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member"`

	LogGroups []struct {
		ARN                       string `json:"arn"`
		LogGroupName              string `json:"logGroupName"`
		LogGroupARN               string `json:"logGroupArn"`
		LogGroupClass             string `json:"logGroupClass"`
		CreationTime              int64  `json:"creationTime"`
		RetentionInDays           int    `json:"retentionInDays"`
		DeletionProtectionEnabled *bool  `json:"deletionProtectionEnabled"`
	} `xml:"-" json:"logGroups"`
	LogTags map[string]string `xml:"-" json:"tags"`
}

// state is what the calls so far should have led to.
type state struct {
	trust, policy, attached string
	roleTag, logTag         string
	retention               int
}

// call is one of the provider's: its parameters are all strings but those of the logs.
type call struct {
	service, operation string
	body               []byte
	parameters         map[string]any
}

func (c call) text(name string) string { s, _ := c.parameters[name].(string); return s }

// TestProviderCalls replays what the AWS provider asked of the control plane in the life of a small project, and checks
// what it reads from the answers; a field that is missing there fails or hangs a `terraform apply`.
func TestProviderCalls(t *testing.T) {
	url := newStack(t, local.Options{}).Endpoint()
	var now state
	for _, c := range providerCalls(t) {
		t.Run(c.service+" "+c.operation, func(t *testing.T) {
			now.apply(c)
			now.check(t, c, send(t, url, c))
		})
	}
	if left := send(t, url, call{service: "logs", operation: "DescribeLogGroups", body: []byte("{}")}); len(left.LogGroups) != 0 {
		t.Errorf("log groups are left: %+v", left.LogGroups)
	}
}

func providerCalls(t *testing.T) []call {
	t.Helper()
	f, err := os.Open("testdata/provider-calls.txt")
	must(t, err)
	defer f.Close()
	var calls []call
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "==") {
			parts := strings.SplitN(line, " ", 3)
			c := call{service: parts[0], operation: parts[1], body: []byte(parts[2])}
			must(t, json.Unmarshal(c.body, &c.parameters))
			calls = append(calls, c)
		}
	}
	if len(calls) < 50 {
		t.Fatalf("only %d calls", len(calls))
	}
	return calls
}

func send(t *testing.T, endpoint string, c call) answer {
	t.Helper()
	body, contentType := string(c.body), "application/x-amz-json-1.1"
	if c.service != "logs" {
		form := url.Values{"Action": {c.operation}, "Version": {map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[c.service]}}
		for name, value := range c.parameters {
			form.Set(name, fmt.Sprint(value))
		}
		body, contentType = form.Encode(), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+c.service+"/aws4_request, SignedHeaders=host, Signature=0")
	if c.service == "logs" {
		req.Header.Set("X-Amz-Target", "Logs_20140328."+c.operation)
	}
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, text)
	}
	var a answer
	if c.service == "logs" {
		err = json.Unmarshal(text, &a)
	} else {
		err = xml.Unmarshal(text, &a)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return a
}

func (now *state) apply(c call) {
	switch c.operation {
	case "CreateRole":
		now.trust, now.roleTag = c.text("AssumeRolePolicyDocument"), c.text("Tags.member.1.Value")
	case "UpdateAssumeRolePolicy":
		now.trust = c.text("PolicyDocument")
	case "TagRole":
		now.roleTag = c.text("Tags.member.1.Value")
	case "PutRolePolicy":
		now.policy = c.text("PolicyDocument")
	case "DeleteRolePolicy":
		now.policy = ""
	case "AttachRolePolicy":
		now.attached = c.text("PolicyArn")
	case "DetachRolePolicy":
		now.attached = ""
	case "CreateLogGroup", "TagResource":
		now.logTag, _ = c.parameters["tags"].(map[string]any)["team"].(string)
	case "PutRetentionPolicy":
		now.retention = int(c.parameters["retentionInDays"].(float64))
	}
}

func (now *state) check(t *testing.T, c call, a answer) {
	want := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	document := func(what, encoded, text string) {
		t.Helper()
		decoded, err := url.QueryUnescape(encoded) // as the provider decodes
		must(t, err)
		want(what, decoded, text)
	}
	const role, group = "arn:aws:iam::000000000000:role/billing-reader", "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/billing-reader"
	switch c.operation {
	case "GetCallerIdentity":
		want("the account", a.Identity.Account, "000000000000")
		want("the caller", a.Identity.Arn, "arn:aws:iam::000000000000:root")
		want("the user", a.Identity.UserId, "000000000000")
	case "CreateRole":
		want("the role", a.Created.Arn, role)
		want("a missing creation date", a.Created.CreateDate == "", false)
	case "GetRole":
		want("the role", a.Role.Arn, role)
		want("the name", a.Role.RoleName, "billing-reader")
		want("the path", a.Role.Path, "/")
		want("the id's beginning", strings.HasPrefix(a.Role.RoleId, "AROA"), true)
		want("a missing creation date", a.Role.CreateDate == "", false)
		want("the session", a.Role.MaxSessionDuration, 3600)
		document("the trust policy", a.Role.AssumeRolePolicyDocument, now.trust)
		if len(a.Role.Tags) != 1 || a.Role.Tags[0].Key != "team" || a.Role.Tags[0].Value != now.roleTag {
			t.Errorf("the tags are %+v, want team=%s", a.Role.Tags, now.roleTag)
		}
	case "ListRolePolicies":
		want("the policies", len(a.PolicyNames) > 0, now.policy != "")
	case "GetRolePolicy":
		want("the role", a.Policy.RoleName, "billing-reader")
		want("the policy", a.Policy.PolicyName, "billing-logs")
		document("the policy", a.Policy.PolicyDocument, now.policy)
	case "ListAttachedRolePolicies":
		attached := ""
		for _, p := range a.Attached {
			attached += p.PolicyArn
		}
		want("what is attached", attached, now.attached)
	case "DescribeLogGroups":
		if len(a.LogGroups) != 1 {
			t.Fatalf("got %+v", a.LogGroups)
		}
		g := a.LogGroups[0]
		want("the name", g.LogGroupName, "/aws/lambda/billing-reader")
		want("the ARN", g.ARN, group+":*")
		want("the group's ARN", g.LogGroupARN, group)
		want("the class", g.LogGroupClass, "STANDARD")
		want("the retention", g.RetentionInDays, now.retention)
		want("a missing creation time", g.CreationTime == 0, false)
		want("missing deletion protection", g.DeletionProtectionEnabled == nil, false)
	case "ListTagsForResource":
		want("the tag", a.LogTags["team"], now.logTag)
	}
}
