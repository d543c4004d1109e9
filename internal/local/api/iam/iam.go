// Package iam is the front end of AWS IAM in the local stack: roles, their inline policies and the AWS-managed policies
// that are attached to them.
package iam

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// The names of IAM on the wire.
const (
	Namespace = "https://iam.amazonaws.com/doc/2010-05-08/"
	Version   = "2010-05-08"
)

// New gives the front end of a registry.
func New(roles *control.Roles) http.Handler {
	s := service{roles}
	return &wire.Query{Namespace: Namespace, Version: Version, Operations: map[string]wire.QueryOperation{
		"CreateRole": operation(s.createRole, "RoleName", "AssumeRolePolicyDocument", "Path", "Description", "MaxSessionDuration", "Tags"),
		"GetRole":    operation(s.getRole, "RoleName"),
		"ListRoles":  operation(s.listRoles, "PathPrefix", "Marker", "MaxItems"),
		"UpdateRole": operation(s.updateRole, "RoleName", "Description", "MaxSessionDuration"),
		"DeleteRole": operation(s.deleteRole, "RoleName"),

		"UpdateRoleDescription":       operation(s.updateRoleDescription, "RoleName", "Description"),
		"UpdateAssumeRolePolicy":      operation(s.updateAssumeRolePolicy, "RoleName", "PolicyDocument"),
		"ListInstanceProfilesForRole": operation(s.listInstanceProfilesForRole, "RoleName", "Marker", "MaxItems"),

		"PutRolePolicy":    operation(s.putRolePolicy, "RoleName", "PolicyName", "PolicyDocument"),
		"GetRolePolicy":    operation(s.getRolePolicy, "RoleName", "PolicyName"),
		"ListRolePolicies": operation(s.listRolePolicies, "RoleName", "Marker", "MaxItems"),
		"DeleteRolePolicy": operation(s.deleteRolePolicy, "RoleName", "PolicyName"),

		"AttachRolePolicy":         operation(s.attachRolePolicy, "RoleName", "PolicyArn"),
		"DetachRolePolicy":         operation(s.detachRolePolicy, "RoleName", "PolicyArn"),
		"ListAttachedRolePolicies": operation(s.listAttachedRolePolicies, "RoleName", "Marker", "MaxItems"),

		"TagRole":      operation(s.tagRole, "RoleName", "Tags"),
		"UntagRole":    operation(s.untagRole, "RoleName", "TagKeys"),
		"ListRoleTags": operation(s.listRoleTags, "RoleName", "Marker", "MaxItems"),
	}}
}

type service struct{ roles *control.Roles }

// operation joins an action to its parameters: their rules are checked before it runs, and the registry's errors get
// their status after it.
func operation(do func(*request) (any, error), parameters ...string) wire.QueryOperation {
	return wire.QueryOperation{Parameters: parameters, Do: func(_ context.Context, form url.Values) (any, error) {
		r := &request{form: form}
		for _, name := range parameters {
			if err := rules[name].check(name, form); err != nil {
				return nil, err
			}
		}
		out, err := do(r)
		return out, asWire(err)
	}}
}

func asWire(err error) error {
	var e *control.Error
	if !errors.As(err, &e) {
		return err
	}
	status := http.StatusBadRequest
	switch e.Code {
	case "NoSuchEntity":
		status = http.StatusNotFound
	case "EntityAlreadyExists", "DeleteConflict", "LimitExceeded":
		status = http.StatusConflict
	}
	return wire.StatusErrorf(status, e.Code, "%s", e.Message)
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
