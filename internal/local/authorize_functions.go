package local

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/policy"
)

// What Lambda does with the role of a function. A function of [Stack.Register] has no role, and is not asked.

// lambdaService is the principal that a function's role must trust.
const lambdaService = "lambda.amazonaws.com"

// inProcessRole begins the ARN that a function of this process has in place of a role.
const inProcessRole = "arn:aws:iam::" + Account + ":role/in-process/"

// exempt says whether a role is one that policies do not bind.
func (s *Stack) exempt(role string) bool {
	return s.opts.IgnorePolicies || strings.HasPrefix(role, inProcessRole)
}

// errAssume is about a role that is gone, or that does not trust Lambda.
var errAssume = errors.New("Lambda failed to assume your function execution role. Please check if the role trust Lambda service principal, " + //nolint:staticcheck // AWS's words
	"and make sure it does not require setting source identity to be assumed.")

// assumable gives what a role may do, if Lambda may assume it; else the error is [errAssume].
func (s *Stack) assumable(role string) (*control.Access, error) {
	roles := s.roles.Load()
	access, err := roles.Access(role)
	if err != nil {
		return nil, errAssume
	}
	decision, err := roles.MayAssume(policy.Principal{Service: lambdaService}, nil, role, nil)
	if err != nil || !decision.Allowed {
		return nil, errAssume
	}
	return access, nil
}

// functionCredentials gives what a process of a function signs with. A role that is gone gives credentials that are nobody's.
func (s *Stack) functionCredentials(f host.Function) host.Credentials {
	if s.exempt(f.Role) {
		return host.Credentials{AccessKeyID: "test", SecretAccessKey: "test", SessionToken: "test"}
	}
	session, err := s.roles.Load().FunctionSession(f.Role, f.ARN)
	if err != nil {
		return host.Credentials{AccessKeyID: control.NobodysKey, SecretAccessKey: "none", SessionToken: "none"}
	}
	return host.Credentials{AccessKeyID: session.AccessKeyID, SecretAccessKey: session.SecretAccessKey, SessionToken: session.Token}
}

// roleMay gives the first need that Lambda may not meet with a function's role, as it is told; nil when it may meet all.
func (s *Stack) roleMay(in *regional, region, role, function string, needs ...need) (*Denial, error) {
	access, err := s.assumable(role)
	if err != nil {
		return nil, err
	}
	name := function[strings.LastIndex(function, ":")+1:]
	session := control.Session{RoleARN: role, RoleID: access.Role.ID, Name: name, ID: access.Role.ID + ":" + name, Function: function,
		ARN: "arn:aws:sts::" + Account + ":assumed-role/" + access.Role.Name + "/" + name}
	for _, n := range needs {
		decision := s.decide(in, access, n, policy.Request{Principal: session.Principal(Account), Action: n.action, Resource: n.resource,
			Keys: s.keys(session, access, region, n.keys, nil)})
		if !decision.Allowed {
			denial := s.denial(session.ARN, region, n, decision)
			return &denial, nil
		}
	}
	return nil, nil
}

// toldDenials are those of Lambda's own doings, each told once until it is allowed.
type toldDenials struct {
	mu   sync.Mutex
	told map[string]bool
}

// first says whether a denial is new. It is none when the same thing is allowed.
func (t *toldDenials) first(key string, denied bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !denied {
		delete(t.told, key)
		return false
	}
	if t.told[key] {
		return false
	}
	if t.told == nil {
		t.told = map[string]bool{}
	}
	t.told[key] = true
	return true
}

// streamNeeds are what a mapping needs of its stream.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
func streamNeeds(stream string) []need {
	var needs []need
	for _, action := range []string{"GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"} {
		needs = append(needs, need{action: "dynamodb:" + action, resource: stream})
	}
	return needs
}

// mayRead says whether a function's role may read a stream: it is asked when a mapping is made and before each read.
func (s *Stack) mayRead(region string, in *regional, functions *host.Host, function, stream string) error {
	role, found := roleOf(functions, function)
	if !found || s.exempt(role) {
		return nil
	}
	denial, err := s.roleMay(in, region, role, function, streamNeeds(stream)...)
	if s.tells.first("read "+function+" "+stream, denial != nil) {
		s.tellDenial(*denial)
	}
	switch {
	case err != nil:
		return &esm.Error{Code: esm.InvalidParameterValue, Message: err.Error()}
	case denial != nil:
		return &esm.Error{Code: esm.InvalidParameterValue, Message: "Cannot access stream " + stream + ". Please ensure the role can perform the " +
			"GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."}
	}
	return nil
}

func roleOf(functions *host.Host, function string) (role string, found bool) {
	ref, err := functions.Parse(function)
	if err != nil {
		return "", false
	}
	f, err := functions.Get(ref)
	return f.Role, err == nil
}

// destinationNeeds are what sending to a destination needs, each with the call that Lambda's message names.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func destinationNeeds(arn string) (needs []need, calls []awsCall) {
	switch service, _, _ := strings.Cut(strings.TrimPrefix(arn, "arn:aws:"), ":"); service {
	case "sqs":
		return []need{{action: "sqs:SendMessage", resource: arn}}, []awsCall{{"SendMessage", "SQS"}}
	case "sns":
		return []need{{action: "sns:Publish", resource: arn}}, []awsCall{{"Publish", "SNS"}}
	case "s3":
		return []need{{action: "s3:ListBucket", resource: arn}, {action: "s3:PutObject", resource: arn + "/*"}}, []awsCall{{"ListBucket", "S3"}, {"PutObject", "S3"}}
	case "lambda":
		return []need{{action: "lambda:InvokeFunction", resource: arn}}, []awsCall{{"InvokeFunction", "Lambda"}}
	}
	return nil, nil
}

// maySend says whether a function's role may send to a destination, in the words in which Lambda refuses one.
func (s *Stack) maySend(region string, in *regional, functions *host.Host, function, destination string) error {
	role, found := roleOf(functions, function)
	if !found {
		return nil
	}
	call, err := s.missing(region, in, role, function, destination)
	switch {
	case err != nil:
		return &esm.Error{Code: esm.InvalidParameterValue, Message: err.Error()}
	case call.name != "":
		return &esm.Error{Code: esm.InvalidParameterValue, Message: notAllowed(call)}
	}
	return nil
}

// missing gives the first call that a role may not make of those that sending to a destination takes; the zero call when it may make all.
func (s *Stack) missing(region string, in *regional, role, function, destination string) (awsCall, error) {
	if destination == "" || s.exempt(role) {
		return awsCall{}, nil
	}
	needs, calls := destinationNeeds(destination)
	for i, n := range needs {
		denial, err := s.roleMay(in, region, role, function, n)
		if err != nil {
			return awsCall{}, err
		}
		if denial != nil {
			s.tellDenial(*denial)
			return calls[i], nil
		}
	}
	return awsCall{}, nil
}

// awsCall is a call of a service as Lambda's messages name it.
type awsCall struct{ name, service string }

func notAllowed(c awsCall) string {
	return "The provided execution role does not have permissions to call " + c.name + " on " + c.service
}

// mayLog says whether a function's role may write a line to its log stream. Without that the function runs and its lines do not arrive.
func (s *Stack) mayLog(region string, in *regional, groups *control.Logs, f host.Function, group, stream string) bool {
	if s.exempt(f.Role) {
		return true
	}
	line := logARN(region, group, stream)
	hasGroup, hasStream := groups.Has(group, stream)
	var needs []need
	if !hasGroup {
		needs = append(needs, need{action: "logs:CreateLogGroup", resource: logARN(region, group, "")})
	}
	if !hasStream {
		needs = append(needs, need{action: "logs:CreateLogStream", resource: line})
	}
	needs = append(needs, need{action: "logs:PutLogEvents", resource: line})
	denial, err := s.roleMay(in, region, f.Role, f.ARN, needs...)
	if s.tells.first("log "+f.ARN, denial != nil) {
		s.tellDenial(*denial)
	}
	return err == nil && denial == nil
}

// guardedFunctions are functions whose roles Lambda must be able to assume, and which may send to where their events go.
type guardedFunctions struct {
	*host.Host
	stack  *Stack
	region string
	in     *regional
}

func (g guardedFunctions) check(role string) error {
	if g.stack.exempt(role) {
		return nil
	}
	if _, err := g.stack.assumable(role); err != nil {
		return &host.Error{Code: host.InvalidParameterValue, Message: "The role defined for the function cannot be assumed by Lambda."}
	}
	return nil
}

// checkDeadLetters refuses a dead-letter target to which the role may not send.
func (g guardedFunctions) checkDeadLetters(c host.Config) error {
	call, err := g.stack.missing(g.region, g.in, c.Role, g.ARN(host.Ref{Name: c.Name}), c.DeadLetterARN)
	if err == nil && call.name != "" {
		err = &host.Error{Code: host.InvalidParameterValue, Message: notAllowed(call)}
	}
	return err
}

// SetAsync refuses destinations to which the function's role may not send.
func (g guardedFunctions) SetAsync(r host.Ref, replace bool, change func(*host.AsyncConfig) error) (host.AsyncConfig, error) {
	f, err := g.Get(r)
	if err != nil {
		return host.AsyncConfig{}, err
	}
	return g.Host.SetAsync(r, replace, func(c *host.AsyncConfig) error {
		if err := change(c); err != nil {
			return err
		}
		for _, destination := range []string{c.OnSuccess, c.OnFailure} {
			call, err := g.stack.missing(g.region, g.in, f.Role, f.ARN, destination)
			switch {
			case err != nil:
				return &host.Error{Code: host.InvalidParameterValue, Message: err.Error()}
			case call.name != "":
				return &host.Error{Code: host.InvalidParameterValue,
					Message: "The function's execution role does not have permissions to call " + call.name + " on " + destination}
			}
		}
		return nil
	})
}

func (g guardedFunctions) Create(c host.Config, tags map[string]string, zip []byte) (host.Function, error) {
	if err := g.check(c.Role); err != nil {
		return host.Function{}, err
	}
	if err := g.checkDeadLetters(c); err != nil {
		return host.Function{}, err
	}
	return g.Host.Create(c, tags, zip)
}

func (g guardedFunctions) UpdateConfiguration(r host.Ref, revisionID string, change func(*host.Config) error) (host.Function, error) {
	return g.Host.UpdateConfiguration(r, revisionID, func(c *host.Config) error {
		role, deadLetters := c.Role, c.DeadLetterARN
		if err := change(c); err != nil {
			return err
		}
		if c.Role != role {
			if err := g.check(c.Role); err != nil {
				return err
			}
		}
		if c.Role == role && c.DeadLetterARN == deadLetters {
			return nil
		}
		return g.checkDeadLetters(*c)
	})
}

// guardedMappings are mappings whose functions' roles must be able to do what the mapping does.
type guardedMappings struct {
	*esm.Mappings
	send func(function, destination string) error
	read func(function, stream string) error
}

func (g guardedMappings) Create(c esm.Config, tags map[string]string) (esm.Mapping, error) {
	if err := g.send(c.FunctionARN, c.OnFailure); err != nil {
		return esm.Mapping{}, err
	}
	return g.Mappings.Create(c, tags)
}

func (g guardedMappings) Update(id string, change func(*esm.Config) error) (esm.Mapping, error) {
	return g.Mappings.Update(id, func(c *esm.Config) error {
		if err := change(c); err != nil {
			return err
		}
		if err := g.read(c.FunctionARN, c.StreamARN); err != nil {
			return err
		}
		return g.send(c.FunctionARN, c.OnFailure)
	})
}

// lambdaOf gives what Lambda's front end works on in a region.
func (s *Stack) lambdaOf(region string, in *regional, functions *host.Host, mappings *esm.Mappings) (guardedFunctions, guardedMappings) {
	return guardedFunctions{functions, s, region, in}, guardedMappings{mappings,
		func(function, destination string) error {
			return s.maySend(region, in, functions, function, destination)
		},
		func(function, stream string) error { return s.mayRead(region, in, functions, function, stream) }}
}

// deliver wraps the sending of reports: one that the function's role may not send does not arrive.
func (s *Stack) deliver(region string, in *atomic.Pointer[regional], functions *host.Host, send func(esm.Delivery) error) func(esm.Delivery) error {
	return func(d esm.Delivery) error {
		if err := s.maySend(region, in.Load(), functions, d.FunctionARN, d.Destination); err != nil {
			return err
		}
		return send(d)
	}
}
