package judge

import (
	"slices"
	"strings"

	"streamgen/internal/diag"
)

// Class says what a finding is about.
type Class string

// The classes, the worst first.
const (
	// Data is lost, or will be, or loses what protects it.
	Data Class = "data"
	// Records of a stream are not seen by a handler, or seen again.
	Records Class = "records"
	// Access of somebody to something is widened or taken away.
	Access Class = "access"
	// Cost and capacity change.
	Cost Class = "cost"
	// Rest is any other change.
	Rest Class = "change"
)

// Severity ranks the findings of a class.
type Severity string

// High is what cannot be undone or shows at once, Low what is as good as always meant.
const (
	High   Severity = "high"
	Medium Severity = "medium"
	Low    Severity = "low"
)

// Action is what the plan does with a resource.
type Action string

// The actions.
const (
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Delete  Action = "delete"
	// Forget takes a resource out of the state and lets it live.
	Forget Action = "forget"
	Move   Action = "move"
	Import Action = "import"
	// Invoke runs an action of a provider.
	Invoke Action = "invoke"
	// Defer leaves a change to a later plan.
	Defer Action = "defer"
	// Unknown is what this package does not understand.
	Unknown Action = "unknown"

	// noOp changes nothing; it is in no finding.
	noOp Action = "no-op"
)

// Finding is one thing that a plan does.
type Finding struct {
	Class Class `json:"class"`
	// Code is stable, kebab case, such as "index-removed". Scripts may match on it.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Action   Action   `json:"action"`
	// Address is terraform's, with its indexes; that of an output is "output.NAME", that of the plan as a whole is "plan".
	Address string `json:"address"`
	// Name is how --allow-destroy names the resource; empty where it has no name but its address.
	Name string `json:"name,omitempty"`
	// Deposed is the key of an object that an interrupted replacement left behind: the finding is about that one, not about the
	// resource that stands at the address now.
	Deposed string `json:"deposed,omitempty"`
	// Previous is the address that the resource moves from.
	Previous string `json:"previous_address,omitempty"`
	// Imported says that the resource comes into the state with this plan.
	Imported bool `json:"imported,omitempty"`
	// Guard is what has to be named with --allow-destroy before the plan may be applied, such as "table.orders" or
	// "table.orders/by-status"; empty where nothing has to be.
	Guard string `json:"guard,omitempty"`
	// Summary is one sentence that says what happens, without a full stop.
	Summary string `json:"summary"`
	// Reason says why, what it means and the way out, in whole sentences, in one or more lines; often empty.
	Reason string `json:"reason,omitempty"`
	// ActionReason is terraform's own keyword, such as "delete_because_no_resource_config"; often empty.
	ActionReason string `json:"action_reason,omitempty"`
	// CreateBeforeDestroy says that a replacement makes the new resource before it destroys the old one.
	CreateBeforeDestroy bool `json:"create_before_destroy,omitempty"`
	// ForcedBy are the arguments that cannot change in place and so force a replacement.
	ForcedBy []string `json:"forced_by,omitempty"`
	// Arguments are those that the finding is about and that change.
	Arguments []Argument `json:"arguments,omitempty"`
	// Grants are what a policy allows and denies, where that is what changes.
	Grants []Grant `json:"grants,omitempty"`
	// Pos is the place in the spec.
	Pos diag.Position `json:"pos,omitzero"`

	// guardSuffix is what follows the resource's name in Guard.
	guardSuffix string
	// claims are the arguments that no other finding has to speak of; whole claims everything that happens to the resource.
	claims []string
	whole  bool
}

// Argument is an argument of a resource that changes.
type Argument struct {
	// Path is terraform's, such as "point_in_time_recovery[0].enabled".
	Path string `json:"path"`
	// Before and After are JSON text, such as `"PROVISIONED"` or `null`. A sensitive value is the text (sensitive), one that is
	// known only after apply the text (known after apply); these two are no JSON.
	Before string `json:"before"`
	After  string `json:"after"`

	at path
}

// Grant is something that a policy allows or denies: each of Actions on each of Resources.
type Grant struct {
	Change GrantChange `json:"change"`
	// Effect is "Allow" or "Deny".
	Effect string `json:"effect"`
	// Principal is who, in the policy of a resource: "*" or a kind and a name such as "Service lambda.amazonaws.com". It is empty in
	// a policy of an identity.
	Principal string `json:"principal,omitempty"`
	// Actions are IAM's, such as "dynamodb:GetItem". "NotAction a, b" is every action but these, "policy ARN" all that a managed
	// policy says.
	Actions []string `json:"actions"`
	// Resources are ARNs or patterns of them; a resource that is not known yet is the reference to it, followed by
	// "(known after apply)". "NotResource a, b" is every resource but these. Empty in the trust policy of a role.
	Resources []string `json:"resources,omitempty"`
	// Condition is the JSON text of the statement's conditions; often empty.
	Condition string `json:"condition,omitempty"`
}

// GrantChange says whether a grant is new.
type GrantChange string

// The changes of a grant.
const (
	New  GrantChange = "new"
	Gone GrantChange = "gone"
	// Kept was granted before as well, as a part of something wider.
	Kept GrantChange = "kept"
	// Unresolved has the actions of a grant that there is, on resources that are known only after apply.
	Unresolved GrantChange = "unresolved"
)

// Drift is a resource that was changed or deleted outside of terraform.
type Drift struct {
	// Action is update, delete or, where it is not understood, unknown.
	Action    Action        `json:"action"`
	Address   string        `json:"address"`
	Name      string        `json:"name,omitempty"`
	Arguments []Argument    `json:"arguments,omitempty"`
	Pos       diag.Position `json:"pos,omitzero"`
}

var (
	classes    = []Class{Data, Records, Access, Cost, Rest}
	severities = []Severity{High, Medium, Low}
)

// display is what a person calls the resource.
func (f Finding) display() string {
	name := f.Name
	if name == "" {
		name = f.Address
	}
	if f.Deposed != "" {
		name += " (deposed " + f.Deposed + ")"
	}
	return name
}

func (f Finding) allowed(names map[string]bool) bool {
	return names[f.Guard] || names[f.Address+f.guardSuffix]
}

// guarded makes the finding one that has to be named, as the resource or as the part of it after a slash.
func (f Finding) guarded(part string) Finding {
	name := f.Name
	if name == "" {
		name = f.Address
	}
	if part != "" {
		f.guardSuffix = "/" + part
	}
	f.Guard = name + f.guardSuffix
	return f
}

// because adds a line of sentences to the reason; empty ones are left out.
func (f Finding) because(sentences ...string) Finding {
	line := strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
	if f.Reason != "" && line != "" {
		f.Reason += "\n"
	}
	f.Reason += line
	return f
}
