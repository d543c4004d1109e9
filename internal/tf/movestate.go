package tf

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
)

// stateDocument is a state of which only what is needed here is read: the rest stays as it is.
type stateDocument struct {
	fields    map[string]json.RawMessage
	resources []json.RawMessage
}

// stateResource is the head of a resource in a state.
type stateResource struct {
	Module, Mode, Type, Name string
	Instances                []struct {
		Index      json.RawMessage `json:"index_key"`
		Deposed    string          `json:"deposed"`
		Attributes map[string]any  `json:"attributes"`
	}
}

func parseStateDocument(state []byte) (stateDocument, error) {
	d := stateDocument{fields: map[string]json.RawMessage{}}
	if _, err := stateResources(state); err != nil || len(state) == 0 { // it knows the formats
		return d, err
	}
	err := json.Unmarshal(state, &d.fields)
	if err == nil && len(d.fields["resources"]) > 0 {
		err = json.Unmarshal(d.fields["resources"], &d.resources)
	}
	if err != nil {
		return d, fmt.Errorf("reading terraform's state: %w", err)
	}
	return d, nil
}

// newStateDocument is the state of what was never applied, written by the same terraform as another.
func newStateDocument(like stateDocument) stateDocument {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	lineage := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	return stateDocument{fields: map[string]json.RawMessage{
		"version": like.fields["version"], "terraform_version": like.fields["terraform_version"],
		"serial": json.RawMessage("0"), "lineage": json.RawMessage(`"` + lineage + `"`), "outputs": json.RawMessage("{}"),
	}}
}

// head reads a resource; its address is without an index, and empty for a data source.
func (d stateDocument) head(i int) (head stateResource, address string, err error) {
	if err := json.Unmarshal(d.resources[i], &head); err != nil {
		return head, "", fmt.Errorf("reading terraform's state: %w", err)
	}
	if head.Mode == "managed" {
		address = stateAddress(head.Module, head.Type, head.Name, nil)
	}
	return head, address, nil
}

// ids tells the objects of a resource apart from those of another.
func (r stateResource) ids() string {
	var list []string
	for _, i := range r.Instances {
		list = append(list, fmt.Sprint(string(i.Index), i.Deposed, i.Attributes["id"]))
	}
	slices.Sort(list)
	return fmt.Sprintf("%q", list)
}

// text is the state with a serial of its own.
func (d stateDocument) text() ([]byte, error) {
	var serial int64
	if err := json.Unmarshal(d.fields["serial"], &serial); err != nil {
		return nil, fmt.Errorf("reading the serial of terraform's state: %w", err)
	}
	if d.resources == nil {
		d.resources = []json.RawMessage{}
	}
	for key, value := range map[string]any{"serial": serial + 1, "resources": d.resources} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		d.fields[key] = text
	}
	text, err := json.Marshal(d.fields)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, text, "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

// MoveResources moves resources from one state to another, and gives both as they are to be pushed where they differ: the second one first, so
// that a resource is always in one of them. What is in both is of an earlier move that was cut off, and leaves the first. addresses are without an
// index; moved are those that were in the first state, in its order. A resource of the second state that is another one
// at the same address keeps its place, and the first is left as it is. to may be empty.
func MoveResources(from, to []byte, addresses []string) (newFrom, newTo []byte, moved []string, err error) {
	source, err := parseStateDocument(from)
	if err != nil || len(from) == 0 {
		return from, to, nil, err
	}
	target := newStateDocument(source)
	if len(to) > 0 {
		if target, err = parseStateDocument(to); err != nil {
			return nil, nil, nil, err
		}
	}
	there := map[string]string{}
	for i := range target.resources {
		head, address, err := target.head(i)
		if err != nil {
			return nil, nil, nil, err
		}
		there[address] = head.ids()
	}
	var stay []json.RawMessage
	before := len(target.resources)
	for i, raw := range source.resources {
		head, address, err := source.head(i)
		if err != nil {
			return nil, nil, nil, err
		}
		ids, taken := there[address]
		switch {
		case !slices.Contains(addresses, address) || taken && ids != head.ids():
			stay = append(stay, raw)
			continue
		case !taken:
			target.resources = append(target.resources, raw)
		}
		moved = append(moved, address)
	}
	if len(moved) == 0 {
		return from, to, nil, nil
	}
	source.resources = stay
	if newTo = to; len(target.resources) > before {
		if newTo, err = target.text(); err != nil {
			return nil, nil, nil, err
		}
	}
	newFrom, err = source.text()
	return newFrom, newTo, moved, err
}

// StateAttributes are the attributes, as JSON, of the first object of each managed resource of a type in a state, by its address without an index.
func StateAttributes(raw []byte, resourceType string) (map[string]json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil // nothing was ever applied
	}
	// One reading: a state of hundreds of functions has megabytes.
	var state struct {
		Version   int
		Resources []struct {
			Module, Mode, Type, Name string
			Instances                []struct{ Attributes json.RawMessage }
		}
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return nil, fmt.Errorf("reading terraform's state: %w", err)
	}
	if err := checkStateVersion(state.Version); err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	for _, r := range state.Resources {
		if r.Mode == "managed" && r.Type == resourceType && len(r.Instances) > 0 {
			all[stateAddress(r.Module, r.Type, r.Name, nil)] = r.Instances[0].Attributes
		}
	}
	return all, nil
}
