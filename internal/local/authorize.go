package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"streamgen/internal/local/api/iam"
	"streamgen/internal/local/api/sts"
	"streamgen/internal/local/control"
	"streamgen/internal/local/objects"
	"streamgen/internal/local/policy"
	"streamgen/internal/local/wire"
)

// How the policies that the stack has decide on requests. A request is a role's when it is signed with an access key that the stack gave
// out: to the processes of a function, or by AssumeRole. All others are the account's root user, who may do everything, and cost nothing here.

// Denial is something that a role was not allowed.
type Denial struct {
	Time             time.Time
	Region           string
	Principal        string // the ARN of the role's session
	Action, Resource string
	// Reason is the end of AWS's message, such as "because no identity-based policy allows the dynamodb:PutItem action".
	Reason string
	// Missing is the statement, as JSON, that the role's policies lack; "" where another statement denies, or where a policy of the
	// resource must allow.
	Missing string
}

func (d Denial) String() string {
	text := fmt.Sprintf("%s is not authorized to perform %s on %s %s", d.Principal, d.Action, d.Resource, d.Reason)
	if d.Missing != "" {
		text += "; missing: " + d.Missing
	}
	return text
}

// need is something that an operation does: an action on a resource.
type need struct {
	action, resource string // an ARN, or "*" where the action is about no resource
	keys             map[string][]string
	// shown is what AWS's message names instead of the resource; "" is the resource.
	shown string
	// via is the service that uses a key for who asks, "" where nobody is between; see [regional.keyNeeds].
	via string
}

// row tells what an operation needs.
type row func(*roleCall) ([]need, error)

// roleCall is a request of a role.
type roleCall struct {
	region, operation string
	request           *http.Request
	body              []byte
	in                *regional // what the stack has in the region
	roles             *control.Roles
	objects           *objects.Store
}

// arn gives the ARN of a resource of the call's account and region.
func (c *roleCall) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + c.region + ":" + Account + ":" + resource
}

// decode reads a JSON body as far as the target has members. Its front end refuses the others.
func (c *roleCall) decode(into any) error { return wire.DecodePart(c.body, c.operation, into) }

// form is the body of the Query protocol.
func (c *roleCall) form() (url.Values, error) {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, wire.Errorf("MalformedQueryString", "%v", err)
	}
	return form, nil
}

// members is the body of the CBOR protocol.
func (c *roleCall) members() (cbor.Map, error) {
	if c.request.Header.Get("X-Amz-Target") != "" { // the same over JSON
		return wire.JSONMembers(c.body)
	}
	return wire.CBORMembers(c.request.Header, c.body)
}

// guarded is a service as far as policies guard it.
type guarded struct {
	// rows are the needs by operation.
	rows map[string]row
	// operation finds the name in rows; nil takes the request's operation.
	operation func(*roleCall) string
	// code and status are those of the error that denies.
	code   string
	status int
	// spell writes an action as the service's messages do; nil leaves it.
	spell func(action string) string
}

// guardedServices are the services by the name that a request's caller gives.
func guardedServices() map[string]guarded {
	return map[string]guarded{
		"application-autoscaling": {rows: autoscalingRows, code: "AccessDeniedException"},
		"dynamodb":                {rows: dynamodbRows, code: "AccessDeniedException"},
		"iam":                     {rows: iamRows, code: "AccessDenied", status: http.StatusForbidden},
		"kms":                     {rows: kmsRows, code: "AccessDeniedException"},
		"lambda":                  {rows: lambdaRows, operation: lambdaOperation, code: "AccessDeniedException", status: http.StatusForbidden},
		"logs":                    {rows: logsRows, code: "AccessDeniedException"},
		"monitoring":              {rows: cloudwatchRows, code: "AccessDenied", status: http.StatusForbidden},
		"s3":                      {rows: s3Rows, code: "AccessDenied", status: http.StatusForbidden},
		"secretsmanager":          {rows: secretsmanagerRows, code: "AccessDeniedException"},
		"sns": {rows: snsRows, code: "AuthorizationError", status: http.StatusForbidden,
			spell: func(action string) string { return strings.Replace(action, "sns:", "SNS:", 1) }},
		"sqs":     {rows: sqsRows, code: "AccessDenied", status: http.StatusForbidden, spell: strings.ToLower},
		"ssm":     {rows: ssmRows, code: "AccessDeniedException"},
		"streams": {rows: streamsRows, code: "AccessDeniedException"},
		"sts":     {rows: stsRows, code: "AccessDenied", status: http.StatusForbidden},
	}
}

// setRoles makes a registry the stack's, with its front ends. The caller holds s.mu, or has the stack alone.
func (s *Stack) setRoles(roles *control.Roles) {
	s.roles.Store(roles)
	s.iam, s.sts = iam.New(roles), sts.New(Account, roles)
}

func (s *Stack) newRoles() *control.Roles {
	return control.NewRoles(Account, s.opts.Clock, !s.opts.IgnorePolicies)
}

func (o Options) policies() control.ResourcePolicies {
	return control.ResourcePolicies{Enforced: !o.IgnorePolicies}
}

// authorize says whether who sent a request may do what it asks for. The error is for the client.
func (s *Stack) authorize(r *http.Request, d *destination) (*Denial, error) {
	if s.opts.IgnorePolicies || !control.IsSessionKey(d.caller.AccessKeyID) {
		return nil, nil
	}
	roles := s.roles.Load()
	session, access, err := roles.Session(d.caller.AccessKeyID, r.Header.Get("X-Amz-Security-Token"))
	if err != nil {
		return nil, badCredentials(d.caller.Service, err)
	}
	service, found := s.guards[d.caller.Service]
	c := &roleCall{region: d.caller.Region, operation: d.operation, request: r, roles: roles, objects: s.objects}
	if d.caller.Service != "s3" { // whose bodies are objects, of which nothing depends
		if c.body, err = wire.ReadBody(r); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(c.body))
	}
	if c.in, err = s.region(d.caller.Region); err != nil {
		return nil, err
	}
	name := d.operation
	if service.operation != nil {
		name = service.operation(c)
	}
	what, known := service.rows[name]
	if !found || !known {
		return nil, wire.StatusErrorf(max(service.status, http.StatusBadRequest), "AccessDeniedException",
			"streamgen local cannot tell what %s of %s needs: --iam off lets a role do it", d.operation, d.caller.Service)
	}
	needs, err := what(c)
	if err != nil {
		return nil, err
	}
	for _, n := range needs {
		decision := s.decide(c.in, access, n, policy.Request{Principal: session.Principal(Account), Action: n.action, Resource: n.resource,
			Keys: s.keys(session, access, c.region, n.keys, r)})
		if decision.Allowed {
			continue
		}
		denial := s.denial(session.ARN, c.region, n, decision)
		return &denial, service.refusal(d.caller.Service, session.ARN, n, decision)
	}
	return nil, nil
}

// badCredentials words what is wrong with a session as the service does.
func badCredentials(service string, err error) error {
	xml := service == "iam" || service == "sts" || service == "sns" || service == "s3"
	switch {
	case errors.Is(err, control.ErrExpired) && xml:
		return wire.StatusErrorf(http.StatusForbidden, "ExpiredToken", "%v", err)
	case errors.Is(err, control.ErrExpired):
		return wire.Errorf("ExpiredTokenException", "%v", err)
	case errors.Is(err, control.ErrToken) && xml:
		return wire.StatusErrorf(http.StatusForbidden, "InvalidClientTokenId", "%v", err)
	case errors.Is(err, control.ErrToken):
		return wire.Errorf("UnrecognizedClientException", "%v", err)
	}
	return wire.Errorf("AccessDeniedException", "%v", err)
}

// decide makes the decision on one need with all policies that have a say.
func (s *Stack) decide(in *regional, access *control.Access, n need, r policy.Request) policy.Decision {
	p := policy.Policies{Identity: access.Policies}
	text := s.resourcePolicy(in, n.resource)
	if text != "" {
		parsed, err := s.resourcePolicies.parse(n.resource, text)
		if err != nil { // of a folder of the time before: it cannot be put now
			s.opts.Logger.Error("a resource's policy is not understood", "resource", n.resource, "error", err)
			return policy.Decision{ByResource: true}
		}
		p.Resource = parsed
	}
	p.Owned = text != "" && strings.HasPrefix(n.resource, "arn:aws:kms:")
	return policy.Decide(p, r)
}

// parsedPolicies are policies of resources as they were decided with last.
type parsedPolicies struct {
	mu    sync.Mutex
	texts map[string]string // by the resource's ARN
	known map[string]*policy.Policy
}

func (p *parsedPolicies) parse(arn, text string) (*policy.Policy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[arn] != nil && p.texts[arn] == text {
		return p.known[arn], nil
	}
	parsed, err := policy.Parse("the resource's policy", text, policy.Resource)
	if err != nil {
		return nil, err
	}
	const most = 1000
	if p.known == nil || len(p.known) >= most {
		p.texts, p.known = map[string]string{}, map[string]*policy.Policy{}
	}
	p.texts[arn], p.known[arn] = text, parsed
	return parsed, nil
}

// resourcePolicy is the policy of a resource as JSON, "" when it has none. in is nil while the region is being restored.
func (s *Stack) resourcePolicy(in *regional, arn string) string {
	service, rest, _ := strings.Cut(strings.TrimPrefix(arn, "arn:aws:"), ":")
	if service == "s3" {
		bucket, _, _ := strings.Cut(strings.TrimLeft(rest, ":"), "/") // an object's is its bucket's
		text, _ := s.objects.Policy("arn:aws:s3:::" + bucket)
		return text
	}
	if in == nil {
		return ""
	}
	switch service {
	case "dynamodb":
		arn, _, _ = strings.Cut(arn, "/index/") // a table's policy is its indexes' too
		p, err := in.engine.ResourcePolicy(arn)
		if err != nil {
			return ""
		}
		return p.Text
	case "sqs":
		text, _ := in.queues.Policy(arn)
		return text
	case "sns":
		topic, _, err := in.topics.Get(arn) // the policy that every topic has lets its account's roles do what their own policies say
		if err != nil {
			return ""
		}
		return topic.Attributes["Policy"]
	case "kms":
		if key, err := in.keys.Get(arn); err == nil {
			return key.Policy
		}
	case "secretsmanager":
		if secret, err := in.secrets.Describe(arn); err == nil {
			return secret.Policy
		}
	}
	return ""
}

// keys gives the condition keys of a role's request; own are those of the need. r is nil for what a service does with the role.
func (s *Stack) keys(session control.Session, access *control.Access, region string, own map[string][]string, r *http.Request) policy.Keys {
	return func(name string) []string {
		switch name {
		case "aws:principalarn":
			return []string{session.RoleARN}
		case "aws:principalaccount", "aws:resourceaccount", "kms:calleraccount":
			return []string{Account}
		case "aws:principaltype":
			return []string{"AssumedRole"}
		case "aws:userid":
			return []string{session.ID}
		case "aws:principalisawsservice", "aws:viaawsservice", "aws:multifactorauthpresent":
			return []string{"false"}
		case "aws:securetransport":
			return []string{"true"} // nobody else's network is between
		case "aws:tokenissuetime":
			return []string{session.Issued.UTC().Format(time.RFC3339)}
		case "aws:currenttime":
			return []string{s.opts.Clock.Now().UTC().Format(time.RFC3339)}
		case "aws:epochtime":
			return []string{strconv.FormatInt(s.opts.Clock.Now().Unix(), 10)}
		case "aws:requestedregion":
			return []string{region}
		}
		if key, is := strings.CutPrefix(name, "aws:principaltag/"); is {
			for tag, value := range access.Role.Tags {
				if strings.EqualFold(tag, key) {
					return []string{value}
				}
			}
			return nil
		}
		if r != nil {
			switch name {
			case "lambda:sourcefunctionarn":
				if session.Function != "" {
					return []string{session.Function}
				}
				return nil
			case "aws:sourceip":
				host, _, _ := net.SplitHostPort(r.RemoteAddr)
				return []string{host}
			case "aws:useragent":
				return r.Header.Values("User-Agent")
			case "aws:referer":
				return r.Header.Values("Referer")
			}
		}
		return own[name]
	}
}

// denial is what the stack tells of a decision.
func (s *Stack) denial(principal, region string, n need, decision policy.Decision) Denial {
	d := Denial{Time: s.opts.Clock.Now(), Region: region, Principal: principal, Action: n.action, Resource: n.resource, Reason: decision.Because(n.action)}
	switch {
	case decision.Statement != nil && decision.Statement.Sid != "":
		d.Reason += fmt.Sprintf(" (statement %s of %s)", decision.Statement.Sid, decision.Statement.Policy)
	case decision.Statement != nil:
		d.Reason += fmt.Sprintf(" (%s)", decision.Statement.Policy)
	case !decision.ByResource:
		missing, _ := wire.Encode(struct{ Effect, Action, Resource string }{"Allow", n.action, n.resource}) // strings cannot fail
		d.Missing = string(missing)
	}
	return d
}

// refusal is the error of a service that denies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (g guarded) refusal(service, principal string, n need, decision policy.Decision) error {
	action, resource := n.action, n.resource
	if n.via != "" {
		return refuseKey(n.via, fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", principal, action, resource, decision.Because(action)))
	}
	if g.spell != nil {
		action = g.spell(action)
	}
	if n.shown != "" {
		resource = n.shown
	}
	if service == "s3" {
		resource = strconv.Quote(resource)
	}
	return wire.StatusErrorf(max(g.status, http.StatusBadRequest), g.code, "User: %s is not authorized to perform: %s on resource: %s %s",
		principal, action, resource, decision.Because(action))
}

// tellDenial tells who asked for it, or else the logger.
func (s *Stack) tellDenial(d Denial) {
	if s.opts.Denied != nil {
		s.opts.Denied(d)
		return
	}
	s.opts.Logger.Warn("denied", "principal", d.Principal, "action", d.Action, "resource", d.Resource, "reason", d.Reason, "missing", d.Missing)
}
