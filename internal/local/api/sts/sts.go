// Package sts is the front end of AWS STS in the local stack: who a caller is, and temporary credentials of a role.
package sts

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/policy"
	"streamgen/internal/local/wire"
)

// The names of STS on the wire.
const (
	Namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	Version   = "2011-06-15"
)

// New gives the front end of a registry. Whoever signs with an access key that the registry did not give out is the root user of the
// account.
func New(account string, roles *control.Roles) http.Handler {
	s := service{account, roles}
	return &wire.Query{Namespace: Namespace, Version: Version, Operations: map[string]wire.QueryOperation{
		"GetCallerIdentity": {Do: s.getCallerIdentity},
		"AssumeRole":        {Parameters: []string{"RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId"}, Do: s.assumeRole},
	}}
}

type service struct {
	account string
	roles   *control.Roles
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (s service) getCallerIdentity(ctx context.Context, _ url.Values) (any, error) {
	type identity struct{ Arn, UserId, Account string }
	if session, found := s.roles.Caller(wire.CallerFrom(ctx).AccessKeyID); found {
		return identity{session.ARN, session.ID, s.account}, nil
	}
	return identity{"arn:aws:iam::" + s.account + ":root", s.account, s.account}, nil
}

type credentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }

type assumedUser struct{ AssumedRoleId, Arn string }

type assumeRoleResult struct {
	Credentials     credentials
	AssumedRoleUser assumedUser
}

var (
	roleARN     = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/[!-~]+$`)
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// The length of a session, in seconds, and that of one which a role begins.
const (
	defaultDuration = 3600
	leastDuration   = 900
	mostDuration    = 43200
	chainedDuration = 3600
)

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s service) assumeRole(ctx context.Context, form url.Values) (any, error) {
	role, name := form.Get("RoleArn"), form.Get("RoleSessionName")
	if !roleARN.MatchString(role) {
		return nil, wire.Errorf("ValidationError", "%s is invalid", role)
	}
	if !sessionName.MatchString(name) {
		return nil, wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", name)
	}
	seconds, err := duration(form)
	if err != nil {
		return nil, err
	}
	who := policy.Principal{ARN: "arn:aws:iam::" + s.account + ":root", Account: s.account, Root: true}
	var identity []*policy.Policy
	if caller, found := s.roles.Caller(wire.CallerFrom(ctx).AccessKeyID); found {
		access, err := s.roles.Access(caller.RoleARN)
		if err != nil {
			return nil, err
		}
		if seconds > chainedDuration {
			return nil, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
		}
		who, identity = caller.Principal(s.account), access.Policies
	}
	keys := func(key string) []string {
		switch {
		case key == "sts:externalid" && form.Has("ExternalId"):
			return []string{form.Get("ExternalId")}
		case key == "sts:rolesessionname":
			return []string{name}
		}
		return nil
	}
	decision, err := s.roles.MayAssume(who, identity, role, keys)
	if err != nil {
		return nil, err
	}
	if !decision.Allowed {
		message := "User: " + who.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + role
		if !decision.ByResource { // AWS does not tell whether there is such a role
			message += " " + decision.Because("sts:AssumeRole")
		}
		return nil, wire.StatusErrorf(http.StatusForbidden, "AccessDenied", "%s", message)
	}
	session, err := s.roles.Assume(role, name, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return assumeRoleResult{
		Credentials:     credentials{session.AccessKeyID, session.SecretAccessKey, session.Token, session.Expires.UTC().Format("2006-01-02T15:04:05Z")},
		AssumedRoleUser: assumedUser{session.ID, session.ARN},
	}, nil
}

func duration(form url.Values) (int, error) {
	if !form.Has("DurationSeconds") {
		return defaultDuration, nil
	}
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	switch {
	case err != nil:
		return 0, wire.Errorf("MalformedInput", "DurationSeconds must be a number")
	case seconds < leastDuration || seconds > mostDuration:
		bound := "greater than or equal to " + strconv.Itoa(leastDuration)
		if seconds > mostDuration {
			bound = "less than or equal to " + strconv.Itoa(mostDuration)
		}
		return 0, wire.Errorf("ValidationError", "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value %s", seconds, bound)
	}
	return seconds, nil
}
