package control

import (
	"encoding/json"
	"errors"
)

// CheckResourcePolicy checks the form of a policy that says who may use a resource. What is wrong with it is the error's message.
func CheckResourcePolicy(text string) error {
	p, err := parsePolicy(text)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			return errors.New(e.Message)
		}
		return err
	}
	for _, s := range p.Statement {
		if s.Principal == nil && s.NotPrincipal == nil {
			return errors.New("Missing required field Principal")
		}
	}
	return nil
}

// permission is a statement as AddPermission of SQS writes it.
type permission struct {
	Sid       string
	Effect    string
	Principal struct{ AWS []string }
	Action    []string
	Resource  string
}

// policyText is a resource's policy of which the statements are kept as they are.
type policyText struct {
	Version   string            `json:",omitempty"`
	ID        string            `json:"Id,omitempty"`
	Statement []json.RawMessage `json:"Statement"`
}

// parsePolicyText reads a policy that [CheckResourcePolicy] let through; "" is one without statements.
func parsePolicyText(text string) policyText {
	p := policyText{Version: "2008-10-17"}
	if text == "" {
		return p
	}
	var read struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if json.Unmarshal([]byte(text), &read) != nil {
		return p
	}
	p.Version, p.ID = read.Version, read.ID
	if json.Unmarshal(read.Statement, &p.Statement) != nil {
		p.Statement = []json.RawMessage{read.Statement} // a list's only member
	}
	return p
}

func (p policyText) String() string {
	text, _ := json.Marshal(p) // strings alone cannot fail
	return string(text)
}

// index gives the place of the statement with an id, or -1.
func (p policyText) index(sid string) int {
	for i, text := range p.Statement {
		var s struct{ Sid string }
		if json.Unmarshal(text, &s) == nil && s.Sid == sid {
			return i
		}
	}
	return -1
}
