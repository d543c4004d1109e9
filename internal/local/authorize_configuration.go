package local

import (
	"errors"
	"fmt"
	"slices"

	"streamgen/internal/local/control"
	"streamgen/internal/local/host"
	"streamgen/internal/local/keys"
)

// What Lambda wants of a function's role, and of its key, when the function is made, configured or started.

// networkNeeds are what making a function's network interfaces needs. Lambda asks as itself, not as the function: the condition key
// lambda:SourceFunctionArn is missing.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
func networkNeeds(region string, vpc *host.VPC) (calls []roleCalls) {
	if vpc == nil || len(vpc.Subnets) == 0 {
		return nil
	}
	prefix := "arn:aws:ec2:" + region + ":" + Account + ":"
	add := func(action, resource string) {
		calls = append(calls, roleCalls{need{action: "ec2:" + action, resource: resource}, action, "EC2"})
	}
	for _, subnet := range vpc.Subnets {
		add("CreateNetworkInterface", prefix+"subnet/"+subnet)
	}
	for _, group := range vpc.SecurityGroups {
		add("CreateNetworkInterface", prefix+"security-group/"+group)
	}
	const each = "network-interface/*" // there is none yet
	add("CreateNetworkInterface", prefix+each)
	add("DescribeNetworkInterfaces", "*")
	add("DescribeSubnets", "*")
	add("DeleteNetworkInterface", prefix+each)
	add("AssignPrivateIpAddresses", prefix+each)
	add("UnassignPrivateIpAddresses", prefix+each)
	return calls
}

// functionNeeds are what Lambda checks when a function is made or configured anew.
func functionNeeds(region string, c host.Config) []roleCalls {
	calls := append(networkNeeds(region, c.VPC), destinationNeeds(c.DeadLetterARN)...)
	if c.Tracing == "Active" {
		calls = append(calls, roleCalls{need{action: "xray:PutTraceSegments", resource: "*"}, "PutTraceSegments", "XRAY"},
			roleCalls{need{action: "xray:PutTelemetryRecords", resource: "*"}, "PutTelemetryRecords", "XRAY"})
	}
	return calls
}

// guardedFunctions are functions whose roles Lambda must be able to assume, and to use for what the functions are configured to do.
type guardedFunctions struct {
	*host.Host
	stack  *Stack
	region string
	in     *regional
}

// check says whether a function may be as it is to be; before is what it was, nil when it is new. What was allowed before is not asked again.
func (g guardedFunctions) check(c host.Config, before *host.Config) error {
	if err := g.checkKey(c, before); err != nil {
		return err
	}
	if g.stack.exempt(c.Role) {
		return nil
	}
	calls := functionNeeds(g.region, c)
	if before != nil && before.Role == c.Role {
		old := functionNeeds(g.region, *before)
		calls = slices.DeleteFunc(calls, func(n roleCalls) bool {
			return slices.ContainsFunc(old, func(o roleCalls) bool { return o.action == n.action && o.resource == n.resource })
		})
	} else if _, err := g.stack.assumable(c.Role); err != nil {
		return &host.Error{Code: host.InvalidParameterValue, Message: "The role defined for the function cannot be assumed by Lambda."}
	}
	return g.stack.mayCall(g.region, g.in, c.Role, "arn:aws:lambda:"+g.region+":"+Account+":function:"+c.Name, calls)
}

// checkKey refuses a key of this stack that no environment can be encrypted with. One of another account or region is not the stack's to know.
func (g guardedFunctions) checkKey(c host.Config, before *host.Config) error {
	if len(c.Environment) == 0 || before != nil && before.KMSKeyARN == c.KMSKeyARN && len(before.Environment) > 0 || !g.in.keys.Own(c.KMSKeyARN) {
		return nil
	}
	key, err := g.in.keys.Get(c.KMSKeyARN)
	_, exception, message := keyFault(key, err)
	if err == nil && key.ARN != c.KMSKeyARN {
		exception, message = "InvalidArnException", "Key Aliases are not supported for this operation."
	}
	if exception == "" {
		return nil
	}
	return &host.Error{Code: host.InvalidParameterValue, Message: "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. " +
		"Please check your KMS key settings. KMS Exception: " + exception + " KMS Message: " + message}
}

// keyFault says why nothing can be encrypted with a key, in Lambda's words and in KMS's; "" when it can.
func keyFault(key keys.Key, err error) (code, exception, message string) {
	var e *control.Error
	switch {
	case errors.As(err, &e):
		return host.KMSNotFound, e.Code, e.Message
	case key.State == keys.StateDisabled:
		return host.KMSDisabled, keys.Disabled, key.ARN + " is disabled."
	case key.State == keys.StatePendingDeletion:
		return host.KMSInvalidState, keys.InvalidState, key.ARN + " is pending deletion."
	}
	return "", "", ""
}

// mayStart says whether Lambda can decrypt the environment of a function, with the function's role. On AWS the role also has a grant, if
// who made the function may give one; here there are no grants, and its own policies or the key's must let it.
func (s *Stack) mayStart(region string, in *regional, f host.Function) error {
	of := functionSeal(f.KMSKeyARN, f.ARN, f.Environment)
	if in == nil || of.key == "" {
		return nil
	}
	unable := func(code, because, exception, message string) error {
		return &host.Error{Code: code, Message: "Lambda was unable to decrypt the environment variables because " + because +
			". Please check the function's KMS key settings. KMS Exception: " + exception + " KMS Message: " + message}
	}
	if in.keys.Own(of.key) {
		key, err := in.keys.Get(of.key)
		if code, exception, message := keyFault(key, err); code != "" {
			because := map[string]string{host.KMSNotFound: "the KMS key was not found", host.KMSDisabled: "the KMS key used is disabled",
				host.KMSInvalidState: "the KMS key used is in an invalid state for Decrypt"}[code]
			return unable(code, because, exception, message)
		}
	}
	if s.exempt(f.Role) {
		return nil
	}
	denial, err := s.roleMay(in, region, f.Role, f.ARN, in.keyNeeds(region, of, "Decrypt")...)
	if s.tells.first("start "+f.ARN, denial != nil) {
		s.tellDenial(*denial)
	}
	switch {
	case err != nil:
		return unable(host.KMSAccessDenied, "KMS access was denied", "UnrecognizedClientException", "The security token included in the request is invalid.")
	case denial != nil:
		return unable(host.KMSAccessDenied, "KMS access was denied", keys.AccessDenied, fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s",
			denial.Principal, denial.Action, denial.Resource, denial.Reason))
	}
	return nil
}

func (g guardedFunctions) Create(c host.Config, tags map[string]string, zip []byte) (host.Function, error) {
	if err := g.check(c, nil); err != nil {
		return host.Function{}, err
	}
	return g.Host.Create(c, tags, zip)
}

func (g guardedFunctions) UpdateConfiguration(r host.Ref, revisionID string, change func(*host.Config) error) (host.Function, error) {
	return g.Host.UpdateConfiguration(r, revisionID, func(c *host.Config) error {
		before := *c
		if err := change(c); err != nil {
			return err
		}
		return g.check(*c, &before)
	})
}

// SetAsync wants of the role what sending to the destinations needs.
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
			call, err := g.stack.missing(g.region, g.in, f.Role, f.ARN, destinationNeeds(destination))
			switch {
			case err != nil:
				return &host.Error{Code: host.InvalidParameterValue, Message: err.Error()}
			case call != nil:
				return &host.Error{Code: host.InvalidParameterValue,
					Message: "The function's execution role does not have permissions to call " + call.name + " on " + destination}
			}
		}
		return nil
	})
}
