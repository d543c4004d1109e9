package iam

import "strings"

func (s service) putRolePolicy(r *request) (any, error) {
	return nil, s.roles.PutPolicy(r.get("RoleName"), r.get("PolicyName"), r.get("PolicyDocument"))
}

func (s service) getRolePolicy(r *request) (any, error) {
	document, err := s.roles.Policy(r.get("RoleName"), r.get("PolicyName"))
	if err != nil {
		return nil, err
	}
	return struct{ RoleName, PolicyName, PolicyDocument string }{r.get("RoleName"), r.get("PolicyName"), encodeDocument(document)}, nil
}

func (s service) listRolePolicies(r *request) (any, error) {
	names, err := s.roles.Policies(r.get("RoleName"))
	if err != nil {
		return nil, err
	}
	items, next := page(r, names, func(name string) string { return name })
	return struct {
		PolicyNames []string `xml:"PolicyNames>member"`
		marker
	}{items, next}, nil
}

func (s service) deleteRolePolicy(r *request) (any, error) {
	return nil, s.roles.DeletePolicy(r.get("RoleName"), r.get("PolicyName"))
}

func (s service) attachRolePolicy(r *request) (any, error) {
	return nil, s.roles.Attach(r.get("RoleName"), r.get("PolicyArn"))
}

func (s service) detachRolePolicy(r *request) (any, error) {
	return nil, s.roles.Detach(r.get("RoleName"), r.get("PolicyArn"))
}

func (s service) listAttachedRolePolicies(r *request) (any, error) {
	arns, err := s.roles.Attached(r.get("RoleName"))
	if err != nil {
		return nil, err
	}
	items, next := page(r, arns, func(arn string) string { return arn })
	type attached struct{ PolicyName, PolicyArn string }
	answer := struct {
		AttachedPolicies []attached `xml:"AttachedPolicies>member"`
		marker
	}{marker: next}
	for _, arn := range items {
		answer.AttachedPolicies = append(answer.AttachedPolicies, attached{arn[strings.LastIndex(arn, "/")+1:], arn})
	}
	return answer, nil
}
