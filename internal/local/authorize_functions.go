package local

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/keys"
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

// roleCalls is something that Lambda calls with a function's role, with the names that its messages have for the call and the service.
type roleCalls struct {
	need
	name, service string
}

// destinationNeeds are what sending to a destination needs.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
func destinationNeeds(arn string) []roleCalls {
	switch service, _, _ := strings.Cut(strings.TrimPrefix(arn, "arn:aws:"), ":"); service {
	case "sqs":
		return []roleCalls{{need{action: "sqs:SendMessage", resource: arn}, "SendMessage", "SQS"}}
	case "sns":
		return []roleCalls{{need{action: "sns:Publish", resource: arn}, "Publish", "SNS"}}
	case "s3":
		return []roleCalls{{need{action: "s3:ListBucket", resource: arn}, "ListBucket", "S3"}, {need{action: "s3:PutObject", resource: arn + "/*"}, "PutObject", "S3"}}
	case "lambda":
		return []roleCalls{{need{action: "lambda:InvokeFunction", resource: arn}, "InvokeFunction", "Lambda"}}
	}
	return nil
}

// maySend says whether a function's role may send to a destination, in the words in which Lambda refuses one.
func (s *Stack) maySend(region string, in *regional, functions *host.Host, function, destination string) error {
	role, found := roleOf(functions, function)
	if destination == "" || !found {
		return nil
	}
	return s.mayCall(region, in, role, function, destinationNeeds(destination))
}

// mayDeliver is [Stack.maySend] when there is something to send, which may have to be encrypted.
func (s *Stack) mayDeliver(region string, in *regional, functions *host.Host, function, destination string) error {
	if err := s.maySend(region, in, functions, function, destination); err != nil {
		return err
	}
	role, found := roleOf(functions, function)
	if !found {
		return nil
	}
	return s.mayCall(region, in, role, function, s.deliveryKeys(region, in, destination))
}

// deliveryKeys are the rights to keys that sending to a destination needs.
func (s *Stack) deliveryKeys(region string, in *regional, arn string) (calls []roleCalls) {
	var of sealed
	switch service, rest, _ := strings.Cut(strings.TrimPrefix(arn, "arn:aws:"), ":"); service {
	case "sqs":
		of = in.queueSeal(arn)
	case "sns":
		of = in.topicSeal(arn)
	case "s3":
		if bucket, err := s.objects.Bucket(strings.TrimLeft(rest, ":")); err == nil {
			of = objectSeal(bucket.Encryption, arn)
		}
	}
	for _, n := range in.keyNeeds(region, of, sending...) {
		calls = append(calls, roleCalls{n, strings.TrimPrefix(n.action, "kms:"), "KMS"})
	}
	return calls
}

// mayCall says whether Lambda may do all of something with a function's role.
func (s *Stack) mayCall(region string, in *regional, role, function string, calls []roleCalls) error {
	call, err := s.missing(region, in, role, function, calls)
	switch {
	case err != nil:
		return &esm.Error{Code: esm.InvalidParameterValue, Message: err.Error()}
	case call != nil:
		return &esm.Error{Code: esm.InvalidParameterValue, Message: "The provided execution role does not have permissions to call " + call.name + " on " + call.service}
	}
	return nil
}

// missing gives the first call that Lambda may not make with a function's role, nil when it may make all, and tells of it.
func (s *Stack) missing(region string, in *regional, role, function string, calls []roleCalls) (*roleCalls, error) {
	if s.exempt(role) {
		return nil, nil
	}
	for i := range calls {
		denial, err := s.roleMay(in, region, role, function, calls[i].need)
		if err != nil {
			return nil, err
		}
		if denial != nil {
			s.tellDenial(*denial)
			return &calls[i], nil
		}
	}
	return nil, nil
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

// guardedMappings are mappings whose functions' roles must be able to do what the mapping does.
type guardedMappings struct {
	*esm.Mappings
	send   func(function, destination string) error
	read   func(function, stream string) error
	filter func(esm.Config) error
}

func (g guardedMappings) Create(c esm.Config, tags map[string]string) (esm.Mapping, error) {
	if err := errors.Join(g.send(c.FunctionARN, c.OnFailure), g.filter(c)); err != nil {
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
		if err := g.send(c.FunctionARN, c.OnFailure); err != nil {
			return err
		}
		return g.filter(*c)
	})
}

// mayFilter says whether Lambda itself may decrypt the filters of a mapping, which the key's policy must let it.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filter-criteria-encryption
func (s *Stack) mayFilter(in *regional, c esm.Config) error {
	if len(c.Filters) == 0 || !in.keys.Own(c.KMSKeyARN) {
		return nil
	}
	unable := func(because, exception, message string) error {
		return &esm.Error{Code: esm.InvalidParameterValue, Message: "Lambda was unable to decrypt your filter criteria because the KMS " + because +
			". KMS Exception: " + exception + " KMS Message: " + message}
	}
	key, err := in.keys.Get(c.KMSKeyARN)
	if code, exception, message := keyFault(key, err); code != "" {
		return unable("key cannot be used. Please check your KMS key settings", exception, message)
	}
	if s.opts.IgnorePolicies || key.Managed {
		return nil
	}
	decision := s.decide(in, &control.Access{}, need{resource: key.ARN}, policy.Request{Principal: policy.Principal{Service: lambdaService}, Action: "kms:Decrypt",
		Resource: key.ARN, Keys: func(name string) []string { return map[string][]string{"aws:sourceaccount": {Account}}[name] }})
	if !decision.Allowed {
		return unable("access was denied. Please check your KMS permissions", keys.AccessDenied,
			"The key's policy must let "+lambdaService+" perform kms:Decrypt on "+key.ARN)
	}
	return nil
}

// lambdaOf gives what Lambda's front end works on in a region.
func (s *Stack) lambdaOf(region string, in *regional, functions *host.Host, mappings *esm.Mappings) (guardedFunctions, guardedMappings) {
	return guardedFunctions{functions, s, region, in}, guardedMappings{mappings,
		func(function, destination string) error {
			return s.maySend(region, in, functions, function, destination)
		},
		func(function, stream string) error { return s.mayRead(region, in, functions, function, stream) },
		func(c esm.Config) error { return s.mayFilter(in, c) }}
}

// deliver wraps the sending of reports: one that the function's role may not send does not arrive.
func (s *Stack) deliver(region string, in *atomic.Pointer[regional], functions *host.Host, send func(esm.Delivery) error) func(esm.Delivery) error {
	return func(d esm.Delivery) error {
		if err := s.mayDeliver(region, in.Load(), functions, d.FunctionARN, d.Destination); err != nil {
			return err
		}
		return send(d)
	}
}
