package iam

import (
	"net/url"
	"strings"

	"streamgen/internal/local/control"
)

type tag struct{ Key, Value string }

// roleXML is the Role structure of IAM's answers.
type roleXML struct {
	Path, RoleName, RoleId, Arn, CreateDate string
	AssumeRolePolicyDocument                string
	Description                             string `xml:",omitempty"`
	MaxSessionDuration                      int
	Tags                                    []tag `xml:"Tags>member"`
}

type roleResult struct{ Role roleXML }

func encodeRole(r control.Role) roleXML {
	return roleXML{Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: r.ARN, CreateDate: isoTime(r.Created),
		AssumeRolePolicyDocument: encodeDocument(r.TrustPolicy), Description: r.Description,
		MaxSessionDuration: r.MaxSessionSeconds, Tags: sortedTags(r.Tags)}
}

// encodeDocument writes a policy as IAM's answers do, percent-encoded after RFC 3986: clients decode "+" as a space.
func encodeDocument(policy string) string {
	return strings.ReplaceAll(url.QueryEscape(policy), "+", "%20")
}

func (s service) createRole(r *request) (any, error) {
	tags, err := r.tags()
	if err != nil {
		return nil, err
	}
	role := control.Role{Name: r.get("RoleName"), Path: "/", Description: r.get("Description"),
		TrustPolicy: r.get("AssumeRolePolicyDocument"), MaxSessionSeconds: 3600, Tags: tags}
	if path := r.optional("Path"); path != nil {
		role.Path = *path
	}
	if seconds, given := r.number("MaxSessionDuration"); given {
		role.MaxSessionSeconds = seconds
	}
	created, err := s.roles.Create(role)
	if err != nil {
		return nil, err
	}
	return roleResult{encodeRole(created)}, nil
}

func (s service) getRole(r *request) (any, error) {
	role, err := s.roles.Get(r.get("RoleName"))
	if err != nil {
		return nil, err
	}
	return roleResult{encodeRole(role)}, nil
}

// listRoles leaves the tags out, as AWS does.
func (s service) listRoles(r *request) (any, error) {
	var roles []control.Role
	for _, role := range s.roles.List() {
		if strings.HasPrefix(role.Path, r.get("PathPrefix")) {
			roles = append(roles, role)
		}
	}
	// The registry's order, which the marker follows, does not tell upper case from lower.
	items, next := page(r, roles, func(role control.Role) string { return strings.ToLower(role.Name) })
	answer := struct {
		Roles []roleXML `xml:"Roles>member"`
		marker
	}{marker: next}
	for _, role := range items {
		encoded := encodeRole(role)
		encoded.Tags = nil
		answer.Roles = append(answer.Roles, encoded)
	}
	return answer, nil
}

func (s service) updateRole(r *request) (any, error) {
	update := control.RoleUpdate{Description: r.optional("Description")}
	if seconds, given := r.number("MaxSessionDuration"); given {
		update.MaxSessionSeconds = &seconds
	}
	if _, err := s.roles.Update(r.get("RoleName"), update); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

func (s service) updateRoleDescription(r *request) (any, error) {
	description := r.get("Description")
	role, err := s.roles.Update(r.get("RoleName"), control.RoleUpdate{Description: &description})
	if err != nil {
		return nil, err
	}
	return roleResult{encodeRole(role)}, nil
}

func (s service) updateAssumeRolePolicy(r *request) (any, error) {
	_, err := s.roles.Update(r.get("RoleName"), control.RoleUpdate{TrustPolicy: r.optional("PolicyDocument")})
	return nil, err
}

func (s service) deleteRole(r *request) (any, error) {
	return nil, s.roles.Delete(r.get("RoleName"))
}

// listInstanceProfilesForRole gives none: the stack has no EC2.
func (s service) listInstanceProfilesForRole(r *request) (any, error) {
	if _, err := s.roles.Get(r.get("RoleName")); err != nil {
		return nil, err
	}
	return struct {
		InstanceProfiles struct{}
		marker
	}{}, nil
}
