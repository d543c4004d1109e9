package policy

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const account = "000000000000"

func session() Principal {
	return Principal{ARN: "arn:aws:sts::" + account + ":assumed-role/bill/fn", Role: "arn:aws:iam::" + account + ":role/bill", Account: account}
}

func keysOf(m map[string][]string) Keys { return func(name string) []string { return m[name] } }

func mustParse(t testing.TB, text string, kind Kind) *Policy {
	t.Helper()
	p, err := Parse("p", text, kind)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func statementsOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// TestIdentityPolicies decides with one statement each, and the request of a role's session.
func TestIdentityPolicies(t *testing.T) {
	const put, orders = "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
	for statement, wants := range map[string]map[[2]string]bool{
		`{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"` + orders + `"}`: {
			{put, orders}: true, {"DYNAMODB:putitem", orders}: true, {"dynamodb:GetItem", orders}: false,
			{put, orders + "2"}: false, {put, orders + "/index/i"}: false, {put, "*"}: false, {put, strings.ToUpper(orders)}: false,
		},
		`{"Effect":"Allow","Action":["dynamodb:*Item","s3:*"],"Resource":"*"}`: {
			{put, orders}: true, {"dynamodb:Query", orders}: false, {"s3:GetObject", "arn:aws:s3:::b/k"}: true, {put, "*"}: true,
		},
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/ord?rs/index/*"}`: {
			{put, orders}: false, {put, orders + "/index/i/j"}: true, {put, "arn:aws:dynamodb:x:y:table/ordärs/index/"}: true,
		},
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:us*:000000000000:table/*"}`: {
			{put, orders}: true, {put, "arn:aws:dynamodb:us-east-1:1:000000000000:table/x"}: false,
		},
		`{"Effect":"Allow","NotAction":["dynamodb:Delete*","iam:*"],"Resource":"*"}`: {
			{put, orders}: true, {"dynamodb:DeleteTable", orders}: false, {"iam:GetRole", "*"}: false,
		},
		`{"Effect":"Allow","Action":"*","NotResource":["` + orders + `","arn:aws:s3:::*"]}`: {
			{put, orders}: false, {put, orders + "2"}: true, {"s3:GetObject", "arn:aws:s3:::b/k"}: false,
		},
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team}/${aws:userid, 'nobody'}/*${*}${$}"}`: {
			{put, "arn:aws:s3:::a*b/nobody/x*$"}: true, {put, "arn:aws:s3:::axb/nobody/x*$"}: false, {put, "arn:aws:s3:::a*b/nobody/xy$"}: false,
		},
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}*"}`: {{put, "arn:aws:s3:::x"}: false, {put, "arn:aws:s3:::"}: false},
	} {
		p := mustParse(t, statementsOf(statement), Identity)
		for request, want := range wants {
			d := Decide(Policies{Identity: []*Policy{p}}, Request{Principal: session(), Action: request[0], Resource: request[1],
				Keys: keysOf(map[string][]string{"aws:principaltag/team": {"a*b"}})})
			if d.Allowed != want {
				t.Errorf("%s\n%v: allowed is %t", statement, request, d.Allowed)
			}
		}
	}
}

// TestVariablesAreTextInTheOldVersion: only the version of 2012 has them.
func TestVariablesAreTextInTheOldVersion(t *testing.T) {
	p := mustParse(t, `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws}"}}`, Identity)
	if !Decide(Policies{Identity: []*Policy{p}}, Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::${aws}"}).Allowed {
		t.Error("the text is a variable")
	}
}

func TestConditions(t *testing.T) {
	keys := keysOf(map[string][]string{
		"aws:sourceip": {"127.0.0.1"}, "aws:currenttime": {"2026-03-01T10:00:00Z"}, "aws:epochtime": {"1772359200"},
		"dynamodb:leadingkeys": {"a", "b"}, "dynamodb:attributes": {}, "aws:principalarn": {"arn:aws:iam::000000000000:role/bill"},
		"aws:securetransport": {"true"}, "s3:max-keys": {"10"}, "aws:principaltag/team": {"red"}, "s3:prefix": {"red/x"},
	})
	for condition, want := range map[string]bool{
		`"StringEquals":{"S3:PREFIX":"red/x"}`:                                         true,
		`"StringEquals":{"s3:prefix":["blue","red/x"]}`:                                true,
		`"StringEquals":{"s3:prefix":"red*"}`:                                          false,
		`"StringEquals":{"s3:prefix":"${aws:PrincipalTag/team}/x"}`:                    true,
		`"StringLike":{"s3:prefix":"${aws:PrincipalTag/team}/*"}`:                      true,
		`"StringLike":{"s3:prefix":"${aws:username}*"}`:                                false,
		`"StringNotLike":{"s3:prefix":["blue*","re?/x"]}`:                              false,
		`"StringNotEquals":{"s3:prefix":["red","blue"]}`:                               true,
		`"StringNotEquals":{"aws:username":"x"}`:                                       true,
		`"StringEquals":{"aws:username":"x"}`:                                          false,
		`"StringEqualsIfExists":{"aws:username":"x"}`:                                  true,
		`"StringEqualsIfExists":{"s3:prefix":"x"}`:                                     false,
		`"StringEqualsIgnoreCase":{"s3:prefix":"RED/X"}`:                               true,
		`"StringNotEqualsIgnoreCase":{"s3:prefix":"RED/X"}`:                            false,
		`"NumericLessThanEquals":{"s3:max-keys":"10"}`:                                 true,
		`"NumericLessThan":{"s3:max-keys":10}`:                                         false,
		`"NumericGreaterThan":{"s3:max-keys":9.5}`:                                     true,
		`"NumericNotEquals":{"s3:max-keys":["10","11"]}`:                               false,
		`"NumericEquals":{"s3:prefix":1}`:                                              false,
		`"DateGreaterThan":{"aws:CurrentTime":"2026-03-01T09:59:59Z"}`:                 true,
		`"DateLessThan":{"aws:CurrentTime":"2026-03-01"}`:                              false,
		`"DateEquals":{"aws:EpochTime":"2026-03-01T10:00:00Z"}`:                        true,
		`"Bool":{"aws:SecureTransport":true}`:                                          true,
		`"Bool":{"aws:SecureTransport":"false"}`:                                       false,
		`"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`:                                   true,
		`"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","127.0.0.1"]}`:                   false,
		`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/b*"}`:                      true,
		`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/b*"}`:                    true,
		`"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/bill"}`:    false,
		`"ArnLike":{"s3:prefix":"arn:aws:iam::*:role/b*"}`:                             false,
		`"Null":{"aws:username":"true"}`:                                               true,
		`"Null":{"s3:prefix":"true"}`:                                                  false,
		`"Null":{"dynamodb:Attributes":"false"}`:                                       true,
		`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a","b","c"]}`:           true,
		`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a"]}`:                   false,
		`"ForAllValues:StringEquals":{"aws:username":["a"]}`:                           true,
		`"ForAllValues:StringNotEquals":{"dynamodb:LeadingKeys":["c"]}`:                true,
		`"ForAllValues:StringNotEquals":{"dynamodb:LeadingKeys":["a"]}`:                false,
		`"ForAnyValue:StringLike":{"dynamodb:LeadingKeys":["a*"]}`:                     true,
		`"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":["c"]}`:                    false,
		`"ForAnyValue:StringNotEquals":{"dynamodb:LeadingKeys":["a"]}`:                 true,
		`"ForAnyValue:StringEquals":{"aws:username":["a"]}`:                            false,
		`"ForAnyValue:StringEquals":{"dynamodb:Attributes":["a"]}`:                     false,
		`"ForAnyValue:StringEqualsIfExists":{"aws:username":["a"]}`:                    true,
		`"StringEquals":{"s3:prefix":"red/x","aws:SourceIp":"1"}`:                      false,
		`"StringEquals":{"s3:prefix":"red/x"},"Bool":{"aws:SecureTransport":["true"]}`: true,
	} {
		p := mustParse(t, statementsOf(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+condition+`}}`), Identity)
		if got := Decide(Policies{Identity: []*Policy{p}}, Request{Action: "s3:ListBucket", Resource: "*", Keys: keys}).Allowed; got != want {
			t.Errorf("%s: %t", condition, got)
		}
	}
}

// TestUnknownIsRefused: what a decision would have to ignore is refused where the policy is put.
func TestUnknownIsRefused(t *testing.T) {
	for statement, want := range map[string]string{
		`"Condition":{"StringMatches":{"aws:userid":"x"}}`:                "the condition operator StringMatches",
		`"Condition":{"NullIfExists":{"aws:userid":"true"}}`:              "the condition operator NullIfExists",
		`"Condition":{"StringEquals":{"aws:ResourceTag/team":"x"}}`:       "the condition key aws:ResourceTag/team",
		`"Condition":{"StringEquals":{"aws:PrincipalTag/":"x"}}`:          "the condition key aws:PrincipalTag/",
		`"Condition":{"StringEquals":{"aws:userid":"${aws:FederatedX}"}}`: "the policy variable ${aws:FederatedX}",
		`"Condition":{"StringEquals":{"aws:userid":"${aws:userid"}}`:      "Syntax errors in policy.",
		`"Condition":{"StringEquals":{"aws:userid":["${aws:userid,x}"]}}`: "Syntax errors in policy.",
		`"Condition":{"StringEquals":{"aws:userid":{}}}`:                  "Syntax errors in policy.",
		`"Condition":{"StringEquals":["aws:userid"]}`:                     "Syntax errors in policy.",
		`"Condition":{"Bool":{"aws:SecureTransport":"yes"}}`:              `"yes" is neither true nor false`,
		`"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0"}}`:             `"10.0.0" is no address`,
		`"Condition":{"NumericEquals":{"s3:max-keys":"ten"}}`:             `"ten" is no number`,
		`"Condition":{"DateEquals":{"aws:CurrentTime":"now"}}`:            `"now" is no time`,
		`"Condition":{"ArnLike":{"aws:PrincipalArn":"bill"}}`:             "bill is no ARN",
	} {
		_, err := Parse("p", statementsOf(`{"Effect":"Allow","Action":"*","Resource":"*",`+statement+`}`), Identity)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", statement, err, want)
		}
	}
	_, err := Parse("p", statementsOf(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"Robot":"x"}}`), Resource)
	if err == nil || !strings.Contains(err.Error(), "principals of the kind Robot") {
		t.Errorf("a principal of an unknown kind: %v", err)
	}
}

func TestPoliciesTogether(t *testing.T) {
	const (
		allow = `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`
		deny  = `{"Sid":"No","Effect":"Deny","Action":"sqs:*","Resource":"*"}`
	)
	on := func(effect, principal string) string {
		return fmt.Sprintf(`{"Sid":"R","Effect":%q,"Action":"sqs:SendMessage","Resource":"*",%s}`, effect, principal)
	}
	const me, anyone, mine, other = `"Principal":{"AWS":"arn:aws:iam::000000000000:role/bill"}`, `"Principal":"*"`,
		`"Principal":{"AWS":["000000000000"]}`, `"Principal":{"AWS":"arn:aws:iam::000000000000:role/ship"}`
	const (
		none     = "because no identity-based policy allows the sqs:sendmessage action"
		denied   = "with an explicit deny in an identity-based policy"
		byQueue  = "with an explicit deny in a resource-based policy"
		notOwner = "because no resource-based policy allows the sqs:sendmessage action"
	)
	for name, test := range map[string]struct {
		identity, resource string
		owned              bool
		want               string // "" is allowed
	}{
		"nothing":                         {"", "", false, none},
		"identity":                        {allow, "", false, ""},
		"deny after allow":                {allow + "," + deny, "", false, denied},
		"deny before allow":               {deny + "," + allow, "", false, denied},
		"resource names the role":         {"", on("Allow", me), false, ""},
		"resource names the session":      {"", on("Allow", `"Principal":{"AWS":"arn:aws:sts::000000000000:assumed-role/bill/fn"}`), false, ""},
		"resource is open":                {"", on("Allow", anyone), false, ""},
		"resource names another":          {"", on("Allow", other), false, none},
		"resource names a service":        {"", on("Allow", `"Principal":{"Service":"lambda.amazonaws.com"}`), false, none},
		"the account decides, and no":     {"", on("Allow", mine), false, none},
		"the account decides, and yes":    {allow, on("Allow", mine), false, ""},
		"resource denies":                 {allow, on("Deny", anyone), false, byQueue},
		"resource denies the account":     {allow, on("Deny", mine), false, byQueue},
		"resource denies another":         {allow, on("Deny", other), false, ""},
		"resource denies all but me":      {allow, on("Deny", `"NotPrincipal":{"AWS":"arn:aws:iam::000000000000:role/bill"}`), false, ""},
		"resource denies all but another": {allow, on("Deny", `"NotPrincipal":{"AWS":"arn:aws:iam::000000000000:role/ship"}`), false, byQueue},
		"owned: identity is not enough":   {allow, "", true, notOwner},
		"owned: the account decides":      {allow, on("Allow", mine), true, ""},
		"owned: the account says no":      {"", on("Allow", mine), true, none},
		"owned: the role is named":        {"", on("Allow", me), true, ""},
	} {
		p := Policies{Owned: test.owned}
		if test.identity != "" {
			p.Identity = []*Policy{mustParse(t, statementsOf(test.identity), Identity)}
		}
		if test.resource != "" {
			p.Resource = mustParse(t, statementsOf(test.resource), Resource)
		}
		d := Decide(p, Request{Principal: session(), Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:000000000000:q"})
		got := ""
		if !d.Allowed {
			got = d.Because("sqs:sendmessage")
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestServicesAssumeRoles as a trust policy says.
func TestServicesAssumeRoles(t *testing.T) {
	p := mustParse(t, `{"Statement":{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}}`, Trust)
	for service, want := range map[string]bool{"lambda.amazonaws.com": true, "ec2.amazonaws.com": false, "": false} {
		d := Decide(Policies{Resource: p, Owned: true}, Request{Principal: Principal{Service: service}, Action: "sts:AssumeRole", Resource: "*"})
		if d.Allowed != want {
			t.Errorf("%s: %t", service, d.Allowed)
		}
	}
	root := Principal{ARN: "arn:aws:iam::" + account + ":root", Account: account, Root: true}
	if Decide(Policies{Resource: p, Owned: true}, Request{Principal: root, Action: "sts:AssumeRole", Resource: "*"}).Allowed {
		t.Error("the account's root assumes a role that does not trust it")
	}
}

func FuzzGlob(f *testing.F) {
	for _, s := range []string{"", "*", "a*b", "**a?", "?", "*a*a*", "ä*", "[a]*(", "${*}"} {
		f.Add(s, "aab")
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			t.Skip("the reference takes no broken characters")
		}
		g, err := newGlob(pattern, true, false)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`(?s)^` + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern)) + `$`).MatchString(text)
		if got := g.match(text, nil); got != want {
			t.Errorf("%q and %q: %t", pattern, text, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(statementsOf(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:userid,'x'}*"}`), "arn:aws:s3:::x")
	f.Add(statementsOf(`{"Effect":"Deny","NotAction":["a:b"],"NotResource":["*"],"Condition":{"ForAnyValue:StringLikeIfExists":{"aws:userid":["*"]}}}`), "*")
	f.Add(statementsOf(`{"Effect":"Allow","Action":"sts:*","Principal":{"AWS":["*"],"Service":"x"}}`), "")
	f.Fuzz(func(t *testing.T, text, resource string) {
		for _, kind := range []Kind{Identity, Trust, Resource} {
			p, err := Parse("p", text, kind)
			if err != nil {
				continue
			}
			if err := Check(text, kind); err != nil {
				t.Fatalf("parsed, and yet: %v", err)
			}
			r := Request{Principal: session(), Action: "s3:GetObject", Resource: resource}
			if kind == Identity {
				Decide(Policies{Identity: []*Policy{p}}, r)
			} else {
				Decide(Policies{Resource: p}, r)
			}
		}
	})
}

// BenchmarkDecide is a decision on the policy of a generated function.
func BenchmarkDecide(b *testing.B) {
	p := mustParse(b, statementsOf(
		`{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/bill:*"}`,
		`{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams"],"Resource":"arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000"}`,
		`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"],"Resource":["arn:aws:dynamodb:us-east-1:000000000000:table/bills","arn:aws:dynamodb:us-east-1:000000000000:table/bills/index/*"]}`,
	), Identity)
	policies, r := Policies{Identity: []*Policy{p}}, Request{Principal: session(), Action: "dynamodb:PutItem", Resource: "arn:aws:dynamodb:us-east-1:000000000000:table/bills"}
	b.ReportAllocs()
	for b.Loop() {
		if !Decide(policies, r).Allowed {
			b.Fatal("denied")
		}
	}
}
