package tf

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// An apply that is killed or interrupted may have created a resource that the state does not know, since
// providers give up a request that is under way; the next apply would fail because the resource exists. Or the
// state knows it as tainted, and terraform would replace it. What was under way is known all the same:
// terraform writes the start of each creation to log/apply.jsonl before it begins, and the file is moved away
// when an apply comes to its end. So when it is there, Plan looks which of the resources that were begun are
// still to be created and imports those that do exist, and lets those live that are tainted.

// importID names the arguments whose values, with slashes between them, are the id under which a resource is imported.
// Creating one of these twice fails; other resources of a generated configuration do not mind.
var importID = map[string][]string{
	"aws_cloudwatch_log_group": {"name"},
	"aws_dynamodb_table":       {"name"},
	"aws_iam_role":             {"name"},
	"aws_lambda_alias":         {"function_name", "name"},
	"aws_lambda_function":      {"function_name"},
	"aws_s3_bucket":            {"bucket"},
}

// idempotent are the types of which a second creation with the same arguments finds the first: they need no import, and what is
// tainted of them is as sound as what is not.
var idempotent = map[string]bool{
	"aws_cloudwatch_metric_alarm": true,
	"aws_sns_topic":               true,
	"aws_sqs_queue":               true,
}

// mappingType is imported by a UUID that AWS chooses: only the refusal to create it twice tells it.
const mappingType = "aws_lambda_event_source_mapping"

var mappingUUID = regexp.MustCompile(`mapping with UUID ([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})`)

// unfinished is what interrupted applies began to create and nobody found yet.
type unfinished struct {
	Addresses []string `json:"addresses"`
}

// interruptedApply reports whether an apply ended without saying so.
func (t *Terraform) interruptedApply() bool {
	for _, path := range []string{t.path(logDir, "apply.jsonl"), t.path(unfinishedFile)} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// recover plans after an apply that was killed.
func (t *Terraform) recover(ctx context.Context, o PlanOptions) (Plan, error) {
	// This plan waits for the state's lock: a terraform that outlived its parent has ended after it.
	p, err := t.plan(ctx, PlanOptions{Out: o.Out})
	restored, restoreErr := t.restoreState()
	if restoreErr != nil {
		return Plan{}, errors.Join(err, restoreErr)
	}
	if restored {
		p, err = t.plan(ctx, PlanOptions{Out: o.Out})
	}
	if err != nil {
		return Plan{}, err
	}
	begun, err := t.begun()
	if err != nil {
		return Plan{}, fmt.Errorf("reading what the killed apply began: %w", err)
	}
	var recovered []string
	for _, address := range both(begun, p.tainted()) {
		// Of other types nobody knows whether half of one does.
		if kind := resourceType(address); kind != mappingType && importID[kind] == nil && !idempotent[kind] {
			continue
		}
		if err := t.untaint(ctx, address); err != nil {
			return Plan{}, err
		}
		recovered = append(recovered, address)
	}
	lost := both(begun, p.creates())
	reclaimed, missing, err := t.reclaim(ctx, p, lost)
	if err != nil {
		return Plan{}, err
	}
	recovered = append(recovered, reclaimed...)
	if err := t.settle(missing); err != nil {
		return Plan{}, fmt.Errorf("recording what the interrupted apply left: %w", err)
	}
	// To look for what was lost writes the state too, and a plan is good for the state that it was made of alone.
	if len(lost) > 0 || len(recovered) > 0 || o.Destroy || o.RefreshOnly || len(o.Targets) > 0 {
		if p, err = t.plan(ctx, o); err != nil {
			return Plan{}, err
		}
	}
	p.Recovered = recovered
	if o.Destroy && len(missing) > 0 {
		p.Warnings = append(p.Warnings, Diagnostic{
			Severity: SeverityWarning,
			Summary:  "an interrupted apply may have left what this plan does not know: " + strings.Join(missing, ", "),
			Detail:   "Apply once more before you destroy; that finds it.",
		})
	}
	return p, nil
}

// both gives what stands in a and in b.
func both(a, b []string) []string {
	var out []string
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// untaint lets a resource live whose creation was cut off after it existed. terraform would replace it, a table with all
// its items too; what its creation did not get to, the next plan finds as a difference.
func (t *Terraform) untaint(ctx context.Context, address string) error {
	said, err := t.run(ctx, "untaint", []string{"-no-color", t.lockTimeoutArg(), address}, func([]byte) {})
	if err == nil && said.orderly && said.code == 0 {
		return nil
	}
	return t.failed(ctx, "untaint", transcript{exit: said}, err)
}

// refresh brings the state's resources to what they are in the world.
func (t *Terraform) refresh(ctx context.Context) error {
	args := append([]string{"-input=false", "-no-color", t.lockTimeoutArg()}, t.varArgs()...)
	said, err := t.run(ctx, "refresh", args, func([]byte) {})
	if err == nil && said.orderly && said.code == 0 {
		return nil
	}
	return t.failed(ctx, "refresh", transcript{exit: said}, err)
}

// reclaim imports those of the lost resources that exist. missing are those whose id is not known.
func (t *Terraform) reclaim(ctx context.Context, p Plan, lost []string) (recovered, missing []string, err error) {
	var known []string
	for _, address := range lost {
		switch kind := resourceType(address); {
		case kind == mappingType:
			missing = append(missing, address)
		case importID[kind] != nil:
			known = append(known, address)
		}
	}
	if len(known) == 0 {
		return nil, missing, nil
	}
	ids, err := t.plannedIDs(ctx, p, known)
	if err != nil {
		return nil, nil, err
	}
	// An import evaluates the whole configuration from the state alone, where a resource whose creation was cut off lacks
	// attributes that others refer to.
	if err := t.refresh(ctx); err != nil {
		return nil, nil, err
	}
	for _, address := range known {
		id, ok := ids[address]
		if !ok {
			continue // the name is not known before it is created, so it cannot be in the way
		}
		exists, err := t.importResource(ctx, address, id)
		if err != nil {
			return nil, nil, err
		}
		if exists {
			recovered = append(recovered, address)
		}
	}
	return recovered, missing, nil
}

// begun lists the resources whose creation an apply that was killed had begun, each once.
func (t *Terraform) begun() ([]string, error) {
	var left unfinished
	if err := readJSON(t.path(unfinishedFile), &left); err != nil {
		return nil, err
	}
	begun := left.Addresses
	f, err := os.Open(t.path(logDir, "apply.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return begun, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var said transcript
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if e, ok := said.add(line); ok && e.Kind == ApplyStart && e.Action == Create {
			begun = append(begun, e.Address)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(begun)
	return slices.Compact(begun), nil
}

// settle closes the case of a killed apply, but for what may still turn up.
func (t *Terraform) settle(missing []string) error {
	var err error
	if len(missing) > 0 {
		err = writeJSON(t.path(unfinishedFile), unfinished{Addresses: missing})
	} else {
		err = remove(t.path(unfinishedFile))
	}
	if err != nil {
		return err
	}
	return remove(t.path(logDir, "apply.jsonl"))
}

// adopt imports event source mappings that a killed apply left, as the failure of this apply names
// them. It gives the addresses of those that are in the state now.
func (t *Terraform) adopt(ctx context.Context, failure error) ([]string, error) {
	var failed *Error
	var left unfinished
	if !errors.As(failure, &failed) {
		return nil, nil
	}
	if err := readJSON(t.path(unfinishedFile), &left); err != nil {
		return nil, fmt.Errorf("reading what a killed apply left: %w", err)
	}
	var adopted []string
	for _, d := range failed.Diagnostics {
		uuid := mappingUUID.FindStringSubmatch(d.Summary + " " + d.Detail)
		if uuid == nil || resourceType(d.Address) != mappingType || !slices.Contains(left.Addresses, d.Address) {
			continue
		}
		exists, err := t.importResource(ctx, d.Address, uuid[1])
		if err != nil {
			return adopted, err
		}
		if exists {
			adopted = append(adopted, d.Address)
		}
	}
	left.Addresses = slices.DeleteFunc(left.Addresses, func(a string) bool { return slices.Contains(adopted, a) })
	if len(left.Addresses) == 0 {
		return adopted, remove(t.path(unfinishedFile))
	}
	return adopted, writeJSON(t.path(unfinishedFile), left)
}

// plannedIDs reads from a plan under which ids its resources will be found.
func (t *Terraform) plannedIDs(ctx context.Context, p Plan, addresses []string) (map[string]string, error) {
	shown, err := t.Show(ctx, p)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, c := range shown.ResourceChanges {
		if c.Change == nil || !slices.Contains(addresses, c.Address) {
			continue
		}
		after, _ := c.Change.After.(map[string]any)
		if id, ok := idOf(after, importID[c.Type]); ok {
			ids[c.Address] = id
		}
	}
	return ids, nil
}

// idOf joins the values of arguments; it reports false when one of them is not known before the resource is created.
func idOf(values map[string]any, arguments []string) (string, bool) {
	var parts []string
	for _, name := range arguments {
		value, ok := values[name].(string)
		if !ok || value == "" {
			return "", false
		}
		parts = append(parts, value)
	}
	return strings.Join(parts, "/"), len(parts) > 0
}

// importResource takes a resource into the state. It reports false when there is none.
func (t *Terraform) importResource(ctx context.Context, address, id string) (bool, error) {
	args := append([]string{"-input=false", "-no-color", t.lockTimeoutArg()}, t.varArgs()...)
	var said transcript
	var err error
	said.exit, err = t.run(ctx, "import", append(args, address, id), func(line []byte) { said.add(line) })
	switch {
	case err == nil && said.exit.orderly && said.exit.code == 0:
		return true, nil
	case err == nil && strings.Contains(said.exit.stderr, "Cannot import non-existent remote object"):
		return false, nil
	default:
		return false, t.failed(ctx, "import", said, err)
	}
}

// resourceType reads the type from an address such as module.m["a.b"].aws_iam_role.r["x"].
func resourceType(address string) string {
	for rest := address; ; {
		part, tail, more := cutAddress(rest)
		if part != "module" || !more {
			return part
		}
		if _, rest, more = cutAddress(tail); !more {
			return ""
		}
	}
}

// cutAddress cuts at the first dot that is not inside an index.
func cutAddress(address string) (part, rest string, found bool) {
	inString := false
	for i := 0; i < len(address); i++ {
		switch {
		case inString && address[i] == '\\':
			i++
		case address[i] == '"':
			inString = !inString
		case address[i] == '.' && !inString:
			return address[:i], address[i+1:], true
		}
	}
	return address, "", false
}

// stateAddress writes an address as terraform does, from the parts of a state file.
func stateAddress(module, kind, name string, index json.RawMessage) string {
	address := kind + "." + name
	if module != "" {
		address = module + "." + address
	}
	if len(index) > 0 && string(index) != "null" {
		address += "[" + string(index) + "]"
	}
	return address
}
