package expr

import (
	"maps"
	"slices"

	"streamgen/internal/local/attr"
)

// AttributeUpdate is what AttributeUpdates does with one attribute.
type AttributeUpdate struct {
	// Action is "PUT", "ADD" or "DELETE"; "" is PUT.
	Action string
	// Value is the zero Value when the request has none.
	Value attr.Value
}

// AttributeUpdates is the parameter of that name: updates by the attributes' names.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.AttributeUpdates.html
type AttributeUpdates map[string]AttributeUpdate

// Update gives the update that they make, nil when there are none. The error is an [*Error].
func (a AttributeUpdates) Update() (*Update, error) {
	if len(a) == 0 {
		return nil, nil
	}
	u := &Update{}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if err := a[name].check(); err != nil {
			return nil, err
		}
		u.actions = append(u.actions, a[name].action(name))
	}
	return u, nil
}

func (a AttributeUpdate) check() error {
	t := a.Value.Type()
	switch {
	case a.Value.IsZero() && a.Action != "DELETE":
		return errorf(invalidParameters + "Only DELETE action is allowed when no attribute value is specified")
	case a.Action == "DELETE" && !a.Value.IsZero() && !t.IsSet():
		return errorf(invalidParameters+"DELETE action with value is not supported for the type %s", t)
	case a.Action == "ADD" && !t.IsSet() && t != attr.N && t != attr.L:
		return errorf(invalidParameters+"ADD action is not supported for the type %s", t)
	default:
		return nil
	}
}

func (a AttributeUpdate) action(name string) action {
	act := action{section: a.Action, path: &pathNode{path: Path{field(name)}}, legacy: true}
	switch {
	case a.Value.IsZero():
		act.section = "REMOVE"
		return act
	case a.Action == "" || a.Action == "PUT":
		act.section = "SET"
	}
	act.operand = &valueNode{value: a.Value}
	return act
}
