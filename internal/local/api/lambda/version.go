package lambda

import (
	"net/http"
	"regexp"
	"unicode/utf8"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type publishVersionInput struct {
	CodeSha256, RevisionId string
	Description            *string
}

// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (a *api) publishVersion(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	in, err := decode[publishVersionInput](r, "PublishVersion")
	if err != nil {
		return wire.Response{}, err
	}
	if err := checkDescription(in.Description); err != nil {
		return wire.Response{}, err
	}
	f, err := a.functions.PublishVersion(ref, in.RevisionId, in.CodeSha256, in.Description)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusCreated, Body: configurationOf(f, f.Version)}, nil
}

func checkDescription(d *string) error {
	var c constraints
	if d != nil {
		c.need(utf8.RuneCountInString(*d) <= 256, "description", *d, "have length less than or equal to 256")
	}
	return c.err()
}

type routingConfig struct {
	AdditionalVersionWeights map[string]float64 `json:",omitempty"`
}

type aliasInput struct {
	Name, FunctionVersion, Description *string
	RoutingConfig                      *routingConfig
	RevisionId                         string
}

// aliasConfiguration is an alias as the API shows it.
// https://docs.aws.amazon.com/lambda/latest/api/API_AliasConfiguration.html
type aliasConfiguration struct {
	AliasArn, Name, FunctionVersion, Description, RevisionId string
	// RoutingConfig is missing where an alias without weights is read: the AWS provider takes an empty one for a change.
	RoutingConfig *routingConfig `json:",omitempty"`
}

func aliasOf(a host.Alias) aliasConfiguration {
	c := changedAlias(a)
	if len(a.Weights) == 0 {
		c.RoutingConfig = nil
	}
	return c
}

// changedAlias is an alias in the answer to what made or changed it.
func changedAlias(a host.Alias) aliasConfiguration {
	return aliasConfiguration{a.ARN, a.Name, a.FunctionVersion, a.Description, a.RevisionID, &routingConfig{a.Weights}}
}

var (
	aliasPattern   = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,128}$`)
	numberPattern  = regexp.MustCompile(`^[0-9]+$`)
	versionPattern = regexp.MustCompile(`^(\$LATEST|[0-9]+)$`)
)

func (in *aliasInput) check() error {
	var c constraints
	if in.Name != nil {
		c.need(aliasPattern.MatchString(*in.Name) && !numberPattern.MatchString(*in.Name), "name", *in.Name,
			"satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
	if in.FunctionVersion != nil {
		c.need(versionPattern.MatchString(*in.FunctionVersion), "functionVersion", *in.FunctionVersion, `satisfy regular expression pattern: (\$LATEST|[0-9]+)`)
	}
	if in.RoutingConfig != nil {
		for version, weight := range in.RoutingConfig.AdditionalVersionWeights {
			c.need(weight >= 0 && weight <= 1, "routingConfig.additionalVersionWeights."+version, weight, "have value between 0.0 and 1.0")
		}
	}
	if err := c.err(); err != nil {
		return err
	}
	return checkDescription(in.Description)
}

func (in *aliasInput) apply(a *host.Alias) {
	a.FunctionVersion = value(in.FunctionVersion, a.FunctionVersion)
	a.Description = value(in.Description, a.Description)
	if in.RoutingConfig != nil {
		a.Weights = in.RoutingConfig.AdditionalVersionWeights
	}
}

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
func (a *api) createAlias(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	in, err := decode[aliasInput](r, "CreateAlias")
	if err != nil {
		return wire.Response{}, err
	}
	var c constraints
	c.present(in.Name != nil, "name")
	c.present(in.FunctionVersion != nil, "functionVersion")
	if err := c.err(); err != nil {
		return wire.Response{}, err
	}
	if err := notEmulated("CreateAlias", map[string]bool{"RevisionId": in.RevisionId != ""}); err != nil {
		return wire.Response{}, err
	}
	if err := in.check(); err != nil {
		return wire.Response{}, err
	}
	alias := host.Alias{Name: *in.Name}
	in.apply(&alias)
	if alias, err = a.functions.CreateAlias(ref, alias); err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusCreated, Body: changedAlias(alias)}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html
func (a *api) getAlias(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	alias, err := a.functions.Alias(ref, r.PathValue("alias"))
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: aliasOf(alias)}, nil
}

type listAliasesOutput struct {
	Aliases    []aliasConfiguration
	NextMarker string `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html
func (a *api) listAliases(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	all, err := a.functions.Aliases(ref, r.URL.Query().Get("FunctionVersion"))
	if err != nil {
		return wire.Response{}, err
	}
	page, next, err := paginate(r, all, 50)
	if err != nil {
		return wire.Response{}, err
	}
	out := listAliasesOutput{Aliases: []aliasConfiguration{}, NextMarker: next}
	for _, alias := range page {
		out.Aliases = append(out.Aliases, aliasOf(alias))
	}
	return wire.Response{Body: out}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
func (a *api) updateAlias(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	in, err := decode[aliasInput](r, "UpdateAlias")
	if err != nil {
		return wire.Response{}, err
	}
	if err := notEmulated("UpdateAlias", map[string]bool{"Name": in.Name != nil}); err != nil {
		return wire.Response{}, err
	}
	if err := in.check(); err != nil {
		return wire.Response{}, err
	}
	alias, err := a.functions.UpdateAlias(ref, r.PathValue("alias"), in.RevisionId, in.apply)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: changedAlias(alias)}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html
func (a *api) deleteAlias(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusNoContent}, a.functions.DeleteAlias(ref, r.PathValue("alias"))
}
