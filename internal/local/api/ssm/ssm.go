// Package ssm is the front end of Systems Manager's Parameter Store in the local stack.
//
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html
package ssm

import (
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"streamgen/internal/local/control"
	"streamgen/internal/local/parameters"
	"streamgen/internal/local/wire"
)

// Target is what stands before the operation in X-Amz-Target.
const Target = "AmazonSSM"

// New gives the front end of one region's parameters.
func New(store *parameters.Store) http.Handler {
	s := service{store}
	return &wire.JSON{Version: "1.1", Target: Target, Operations: map[string]wire.Operation{
		"PutParameter":           wire.Func("PutParameter", s.put),
		"GetParameter":           wire.Func("GetParameter", s.get),
		"GetParameters":          wire.Func("GetParameters", s.getSeveral),
		"GetParametersByPath":    wire.Func("GetParametersByPath", s.byPath),
		"GetParameterHistory":    wire.Func("GetParameterHistory", s.history),
		"DescribeParameters":     wire.Func("DescribeParameters", s.describe),
		"DeleteParameter":        wire.Func("DeleteParameter", s.remove),
		"DeleteParameters":       wire.Func("DeleteParameters", s.removeSeveral),
		"AddTagsToResource":      wire.Func("AddTagsToResource", s.tag),
		"RemoveTagsFromResource": wire.Func("RemoveTagsFromResource", s.untag),
		"ListTagsForResource":    wire.Func("ListTagsForResource", s.listTags),
	}}
}

type service struct{ store *parameters.Store }

// none is the output of an operation that has none.
type none struct{}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

type tag struct{ Key, Value string }

// The tiers of a parameter.
const (
	standard    = "Standard"
	advanced    = "Advanced"
	intelligent = "Intelligent-Tiering"

	maxStandard, maxAdvanced = 4 << 10, 8 << 10 // bytes of a value
)

type putInput struct {
	Name, Value, AllowedPattern    string
	Description                    *string
	DataType, Tier, Type, Policies string
	KeyID                          string `json:"KeyId"`
	Overwrite                      bool
	Tags                           []tag
}

type putOutput struct {
	Tier    string
	Version int64
}

var parameterName = regexp.MustCompile(`^[a-zA-Z0-9_.\-/]+$`)

// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func checkName(name string) error {
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case name == "":
		return invalid("1 validation error detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(name) > 1011:
		return invalid("Parameter name must not be longer than 1011 characters.")
	case !parameterName.MatchString(name) || strings.HasSuffix(name, "/") || strings.Contains(name, "//"):
		return invalid("Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_")
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return invalid("Parameter name must be a fully qualified name.")
	case strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm"):
		return wire.Errorf("AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case strings.Count(name, "/") > 15:
		return wire.Errorf("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of 15 levels.")
	}
	return nil
}

func (in *putInput) check() error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	switch {
	case in.Value == "":
		return invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case in.Type == "" && !in.Overwrite:
		return invalid("A parameter type is required when you create a parameter.")
	case !slices.Contains([]string{"", parameters.String, parameters.StringList, parameters.SecureString}, in.Type):
		return invalid("1 validation error detected: Value '%s' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]", in.Type)
	case in.DataType != "" && in.DataType != "text":
		return wire.NotEmulated("the DataType " + in.DataType + " of PutParameter")
	case in.Policies != "":
		return wire.NotEmulated("Policies of PutParameter")
	case in.KeyID != "" && in.Type != parameters.SecureString:
		return invalid("KeyId is required for SecureString type parameter only.")
	case in.Overwrite && len(in.Tags) > 0:
		return invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case in.Description != nil && utf8.RuneCountInString(*in.Description) > 1024:
		return invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1024")
	}
	if in.AllowedPattern != "" {
		matches, err := regexp.Compile(in.AllowedPattern)
		if err != nil {
			return wire.Errorf("InvalidAllowedPatternException", "The pattern %s is no regular expression that streamgen local knows: %v", in.AllowedPattern, err)
		}
		if !matches.MatchString(in.Value) {
			return wire.Errorf("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", in.AllowedPattern)
		}
	}
	return in.tier()
}

// tier decides by the value's length where that is left open.
func (in *putInput) tier() error {
	switch in.Tier {
	case "":
		in.Tier = standard
	case intelligent:
		if in.Tier = standard; len(in.Value) > maxStandard {
			in.Tier = advanced
		}
	case standard, advanced:
	default:
		return invalid("1 validation error detected: Value '%s' at 'tier' failed to satisfy constraint: Member must satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]", in.Tier)
	}
	if in.Tier == standard && len(in.Value) > maxStandard {
		return invalid("Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html")
	}
	if len(in.Value) > maxAdvanced {
		return invalid("Advanced tier parameters support a maximum parameter value of 8192 characters.")
	}
	return nil
}

func (s service) put(in *putInput) (*putOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	if err := addTags(tags, in.Tags); err != nil {
		return nil, err
	}
	version, err := s.store.Put(in.Name, parameters.Version{Type: in.Type, Value: in.Value, KeyID: in.KeyID, AllowedPattern: in.AllowedPattern, Tier: in.Tier}, in.Description, in.Overwrite, tags)
	if err != nil {
		return nil, err
	}
	return &putOutput{in.Tier, version}, nil
}

type parameter struct {
	ARN, DataType, Name, Type, Value string
	LastModifiedDate                 wire.EpochSeconds
	Version                          int64
	Selector                         string `json:",omitempty"`
}

func shown(p parameters.Parameter, selector string) parameter {
	return parameter{p.ARN, "text", p.Name, p.Type, p.Value, wire.EpochSeconds(p.Modified), p.Number, selector}
}

// read gives a parameter by its name or ARN, which may end in a version.
func (s service) read(name string, decrypt bool) (parameter, error) {
	prefix, rest := "", name
	if i := strings.Index(name, ":parameter/"); strings.HasPrefix(name, "arn:") && i > 0 {
		prefix, rest = name[:i+1], name[i+1:]
	}
	bare, selector, selected := strings.Cut(rest, ":")
	var version int64
	if selected {
		var err error
		if version, err = strconv.ParseInt(selector, 10, 64); err != nil || version < 1 {
			return parameter{}, wire.NotEmulated("the label " + selector + " of a parameter: it knows versions")
		}
		selector = ":" + selector
	}
	p, err := s.store.Get(prefix+bare, version, decrypt)
	if err != nil {
		return parameter{}, err
	}
	return shown(p, selector), nil
}

type getInput struct {
	Name           string
	WithDecryption bool
}

type getOutput struct{ Parameter parameter }

func (s service) get(in *getInput) (*getOutput, error) {
	p, err := s.read(in.Name, in.WithDecryption)
	if err != nil {
		return nil, err
	}
	return &getOutput{p}, nil
}

type getSeveralInput struct {
	Names          []string
	WithDecryption bool
}

type getSeveralOutput struct {
	Parameters        []parameter
	InvalidParameters []string
}

func checkNames(names []string) error {
	if len(names) < 1 || len(names) > 10 {
		return invalid("1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length between 1 and 10")
	}
	return nil
}

// gone says whether an error is that there is no such parameter.
func gone(err error) bool {
	var e *control.Error
	return errors.As(err, &e) && (e.Code == parameters.NotFound || e.Code == parameters.VersionNotFound)
}

func (s service) getSeveral(in *getSeveralInput) (*getSeveralOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &getSeveralOutput{[]parameter{}, []string{}}
	for _, name := range in.Names {
		switch p, err := s.read(name, in.WithDecryption); {
		case err == nil:
			out.Parameters = append(out.Parameters, p)
		case gone(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}

type filter struct {
	Key, Option string
	Values      []string
}

// matches says whether a parameter is what a filter asks for.
func (f filter) matches(p parameters.Parameter) (bool, error) {
	value := map[string]string{"Name": p.Name, "Path": p.Name, "Type": p.Type, "KeyId": p.KeyID, "Tier": p.Tier}[f.Key]
	var one func(wanted string) bool
	switch {
	case f.Key == "Path":
		one = func(wanted string) bool { return under(p.Name, wanted, f.Option == "Recursive") }
	case !slices.Contains([]string{"Name", "Type", "KeyId", "Tier"}, f.Key):
		return false, wire.NotEmulated("the filter " + f.Key + " of parameters")
	case f.Option == "" || f.Option == "Equals":
		one = func(wanted string) bool {
			return value == wanted || f.Key == "Name" && strings.TrimPrefix(value, "/") == strings.TrimPrefix(wanted, "/")
		}
	case f.Option == "BeginsWith":
		one = func(wanted string) bool { return strings.HasPrefix(value, wanted) }
	case f.Option == "Contains":
		one = func(wanted string) bool { return strings.Contains(value, wanted) }
	default:
		return false, wire.Errorf("InvalidFilterOption", "The filter option %s is not valid. Valid options include: [BeginsWith, Equals, Contains]", f.Option)
	}
	return slices.ContainsFunc(f.Values, one), nil
}

// under says whether a name is below a path.
func under(name, path string, recursive bool) bool {
	rest, below := strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/")
	return below && (recursive || !strings.Contains(rest, "/"))
}

// page gives the filtered parameters that follow the one which token names.
func (s service) page(filters []filter, keep func(parameters.Parameter) bool, token string, limit *int, most int) (items []parameters.Parameter, next string, err error) {
	if limit != nil {
		if *limit < 1 || *limit > most {
			return nil, "", invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", *limit, most)
		}
		most = *limit
	}
	for _, p := range s.store.List() {
		if p.Name <= token || !keep(p) {
			continue
		}
		matched := true
		for _, f := range filters {
			ok, err := f.matches(p)
			if err != nil {
				return nil, "", err
			}
			matched = matched && ok
		}
		if !matched {
			continue
		}
		if len(items) == most {
			return items, items[most-1].Name, nil
		}
		items = append(items, p)
	}
	return items, "", nil
}

type byPathInput struct {
	Path                      string
	Recursive, WithDecryption bool
	ParameterFilters          []filter
	MaxResults                *int
	NextToken                 string
}

type byPathOutput struct {
	Parameters []parameter
	NextToken  string `json:",omitempty"`
}

func (s service) byPath(in *byPathInput) (*byPathOutput, error) {
	if !strings.HasPrefix(in.Path, "/") {
		return nil, invalid("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).")
	}
	items, next, err := s.page(in.ParameterFilters, func(p parameters.Parameter) bool { return under(p.Name, in.Path, in.Recursive) }, in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := &byPathOutput{[]parameter{}, next}
	for _, p := range items {
		read, err := s.store.Get(p.Name, 0, in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, shown(read, ""))
	}
	return out, nil
}

type metadata struct {
	ARN              string `json:",omitempty"`
	Name, Type       string
	KeyID            string `json:"KeyId,omitempty"`
	LastModifiedDate wire.EpochSeconds
	LastModifiedUser string
	Description      string `json:",omitempty"`
	AllowedPattern   string `json:",omitempty"`
	Version          int64
	Tier, DataType   string
	Policies         []struct{}
	Value            string   `json:",omitempty"`
	Labels           []string `json:",omitempty"`
}

func described(p parameters.Parameter) metadata {
	return metadata{ARN: p.ARN, Name: p.Name, Type: p.Type, KeyID: p.KeyID, LastModifiedDate: wire.EpochSeconds(p.Modified), LastModifiedUser: "arn:aws:iam::" + strings.Split(p.ARN, ":")[4] + ":root",
		Description: p.Description, AllowedPattern: p.AllowedPattern, Version: p.Number, Tier: p.Tier, DataType: "text", Policies: []struct{}{}}
}

type describeInput struct {
	ParameterFilters []filter
	MaxResults       *int
	NextToken        string
}

type describeOutput struct {
	Parameters []metadata
	NextToken  string `json:",omitempty"`
}

func (s service) describe(in *describeInput) (*describeOutput, error) {
	items, next, err := s.page(in.ParameterFilters, func(parameters.Parameter) bool { return true }, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := &describeOutput{[]metadata{}, next}
	for _, p := range items {
		out.Parameters = append(out.Parameters, described(p))
	}
	return out, nil
}

type historyInput struct {
	Name           string
	WithDecryption bool
}

func (s service) history(in *historyInput) (*describeOutput, error) {
	all, err := s.store.History(in.Name, in.WithDecryption)
	if err != nil {
		return nil, err
	}
	out := &describeOutput{Parameters: []metadata{}}
	for _, p := range all {
		m := described(p)
		m.ARN, m.Value, m.Labels = "", p.Value, []string{}
		out.Parameters = append(out.Parameters, m)
	}
	return out, nil
}

type removeInput struct{ Name string }

func (s service) remove(in *removeInput) (*none, error) { return nil, s.store.Delete(in.Name) }

type removeSeveralInput struct{ Names []string }

type removeSeveralOutput struct{ DeletedParameters, InvalidParameters []string }

func (s service) removeSeveral(in *removeSeveralInput) (*removeSeveralOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &removeSeveralOutput{[]string{}, []string{}}
	for _, name := range in.Names {
		switch err := s.store.Delete(name); {
		case err == nil:
			out.DeletedParameters = append(out.DeletedParameters, name)
		case gone(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}

func addTags(tags map[string]string, added []tag) error {
	for _, t := range added {
		if n := utf8.RuneCountInString(t.Key); n < 1 || n > 128 || utf8.RuneCountInString(t.Value) > 256 {
			return invalid("The tag %q must have a key of 1 to 128 characters and a value of at most 256.", t.Key)
		}
		tags[t.Key] = t.Value
	}
	if len(tags) > control.MaxTags {
		return wire.Errorf("TooManyTagsError", "A resource can have %d tags.", control.MaxTags)
	}
	return nil
}

type tagInput struct {
	ResourceType string
	ResourceID   string `json:"ResourceId"`
	Tags         []tag
	TagKeys      []string
}

// update changes the tags of a parameter; a resource of another type is refused.
func (s service) update(in *tagInput, change func(map[string]string) error) error {
	if in.ResourceType != "Parameter" {
		return wire.NotEmulated("tags of the ResourceType " + in.ResourceType)
	}
	err := s.store.UpdateTags(in.ResourceID, change)
	if gone(err) {
		return wire.Errorf("InvalidResourceId", "The resource ID %s is not valid. Verify that you entered the correct ID and try again.", in.ResourceID)
	}
	return err
}

func (s service) tag(in *tagInput) (*none, error) {
	return nil, s.update(in, func(tags map[string]string) error { return addTags(tags, in.Tags) })
}

func (s service) untag(in *tagInput) (*none, error) {
	return nil, s.update(in, func(tags map[string]string) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
}

type listTagsOutput struct{ TagList []tag }

func (s service) listTags(in *tagInput) (*listTagsOutput, error) {
	out := &listTagsOutput{[]tag{}}
	err := s.update(in, func(tags map[string]string) error {
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			out.TagList = append(out.TagList, tag{key, tags[key]})
		}
		return nil
	})
	return out, err
}
