package local

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"streamgen/internal/local/api/s3"
	"streamgen/internal/local/wire"
)

// TestEveryOperationHasItsNeeds: one without a row would be refused to every role.
func TestEveryOperationHasItsNeeds(t *testing.T) {
	stack, err := Start(t.Context(), Options{Listen: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close(t.Context()) })
	r, err := stack.region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	for service, handler := range map[string]http.Handler{"dynamodb": r.dynamodb, "streams": r.streams, "logs": r.logs, "sqs": r.sqs,
		"monitoring": r.cloudwatch.CBOR, "kms": r.kms, "ssm": r.ssm, "secretsmanager": r.secretsmanager, "sns": r.sns, "application-autoscaling": r.autoscaling, "iam": stack.iam, "sts": stack.sts} {
		var names []string
		switch h := handler.(type) {
		case *wire.JSON:
			for name := range h.Operations {
				names = append(names, name)
			}
		case *wire.Query:
			for name := range h.Operations {
				names = append(names, name)
			}
		case *wire.CBOR:
			for name := range h.Operations {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			t.Errorf("%s: no operations", service)
		}
		for _, name := range names {
			if stack.guards[service].rows[name] == nil {
				t.Errorf("%s.%s has no row", service, name)
			}
		}
	}
	for _, name := range s3.Operations() {
		if s3Rows[name] == nil {
			t.Errorf("s3.%s has no row", name)
		}
	}
}

// TestARolesCalls are allowed by its policy alone, and a denial tells what is missing.
func TestARolesCalls(t *testing.T) {
	var denials []Denial
	s, err := Start(t.Context(), Options{Listen: "127.0.0.1:0", Dir: t.TempDir(), Denied: func(d Denial) { denials = append(denials, d) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	send := func(key, token, service, target, contentType, body string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, s.Endpoint(), strings.NewReader(body))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=x")
		r.Header.Set("X-Amz-Security-Token", token)
		r.Header.Set("Content-Type", contentType)
		if target != "" {
			r.Header.Set("X-Amz-Target", target)
		}
		w := httptest.NewRecorder()
		s.serve(w, r)
		return w.Code, w.Body.String()
	}
	query := func(service, version, action string, pairs ...string) string {
		form := url.Values{"Action": {action}, "Version": {version}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		code, text := send("test", "", service, "", "application/x-www-form-urlencoded", form.Encode())
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", action, code, text)
		}
		return text
	}
	query("iam", "2010-05-08", "CreateRole", "RoleName", "bill", "AssumeRolePolicyDocument",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}}`)
	text := query("sts", "2011-06-15", "AssumeRole", "RoleArn", "arn:aws:iam::000000000000:role/bill", "RoleSessionName", "me")
	part := func(name string) string {
		_, rest, _ := strings.Cut(text, "<"+name+">")
		value, _, _ := strings.Cut(rest, "<")
		return strings.NewReplacer("&#43;", "+", "&#34;", `"`).Replace(value)
	}
	const table = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
	asRole := func() (int, string) {
		return send(part("AccessKeyId"), part("SessionToken"), "dynamodb", "DynamoDB_20120810.DescribeTable", "application/x-amz-json-1.0", `{"TableName":"orders"}`)
	}
	const want = "User: arn:aws:sts::000000000000:assumed-role/bill/me is not authorized to perform: dynamodb:DescribeTable on resource: " + table +
		" because no identity-based policy allows the dynamodb:DescribeTable action"
	if code, text := asRole(); code != http.StatusBadRequest || !strings.Contains(text, want) || !strings.Contains(text, "AccessDeniedException") {
		t.Fatalf("%d %s", code, text)
	}
	if len(denials) != 1 || !json.Valid([]byte(denials[0].Missing)) {
		t.Fatalf("denials %+v", denials)
	}
	query("iam", "2010-05-08", "PutRolePolicy", "RoleName", "bill", "PolicyName", "p", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[`+denials[0].Missing+`]}`)
	if _, text := asRole(); !strings.Contains(text, "ResourceNotFoundException") {
		t.Errorf("with the missing statement: %s", text)
	}
	if _, text := send(part("AccessKeyId"), "other", "dynamodb", "DynamoDB_20120810.DescribeTable", "", `{"TableName":"orders"}`); !strings.Contains(text, "UnrecognizedClientException") {
		t.Errorf("with another token: %s", text)
	}
}
