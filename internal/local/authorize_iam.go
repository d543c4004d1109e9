package local

import (
	"strings"

	"streamgen/internal/local/wire"
)

// iamRows are what IAM's operations need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var iamRows = map[string]row{
	"CreateRole":                  createRoleNeeds,
	"GetRole":                     onRole("GetRole"),
	"ListRoles":                   listRolesNeeds,
	"UpdateRole":                  onRole("UpdateRole"),
	"UpdateRoleDescription":       onRole("UpdateRoleDescription"),
	"UpdateAssumeRolePolicy":      onRole("UpdateAssumeRolePolicy"),
	"DeleteRole":                  onRole("DeleteRole"),
	"ListInstanceProfilesForRole": onRole("ListInstanceProfilesForRole"),
	"PutRolePolicy":               onRole("PutRolePolicy"),
	"GetRolePolicy":               onRole("GetRolePolicy"),
	"ListRolePolicies":            onRole("ListRolePolicies"),
	"DeleteRolePolicy":            onRole("DeleteRolePolicy"),
	"AttachRolePolicy":            onRole("AttachRolePolicy"),
	"DetachRolePolicy":            onRole("DetachRolePolicy"),
	"ListAttachedRolePolicies":    onRole("ListAttachedRolePolicies"),
	"TagRole":                     onRole("TagRole"),
	"UntagRole":                   onRole("UntagRole"),
	"ListRoleTags":                onRole("ListRoleTags"),
}

// stsRows: everybody may ask who he is, and a role's trust policy has the word about who assumes it, which STS itself asks.
var stsRows = map[string]row{
	"GetCallerIdentity": needNothing,
	"AssumeRole":        needNothing,
}

func needNothing(*roleCall) ([]need, error) { return nil, nil }

func onRole(action string) row {
	return func(c *roleCall) ([]need, error) {
		form, err := c.form()
		if err != nil {
			return nil, err
		}
		name := form.Get("RoleName")
		n := need{action: "iam:" + action, resource: "arn:aws:iam::" + Account + ":role/" + name, shown: "role " + name}
		if role, err := c.roles.Get(name); err == nil {
			n.resource = role.ARN
		}
		if arn := form.Get("PolicyArn"); arn != "" {
			n.keys = map[string][]string{"iam:policyarn": {arn}}
		}
		return []need{n}, nil
	}
}

func createRoleNeeds(c *roleCall) ([]need, error) {
	form, err := c.form()
	if err != nil {
		return nil, err
	}
	path := form.Get("Path")
	if path == "" {
		path = "/"
	}
	arn := "arn:aws:iam::" + Account + ":role" + path + form.Get("RoleName")
	needs := []need{{action: "iam:CreateRole", resource: arn}}
	if tags, err := wire.QueryList(form, "Tags", "Key", "Value"); err == nil && len(tags) > 0 {
		needs = append(needs, need{action: "iam:TagRole", resource: arn})
	}
	return needs, nil
}

func listRolesNeeds(c *roleCall) ([]need, error) {
	form, err := c.form()
	return []need{{action: "iam:ListRoles", resource: "arn:aws:iam::" + Account + ":role/" + strings.TrimPrefix(form.Get("PathPrefix"), "/")}}, err
}
