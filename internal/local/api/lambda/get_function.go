package lambda

import (
	"net/http"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type getFunctionOutput struct {
	Configuration *functionConfiguration
	// Code says where the package lies on AWS; here it cannot be downloaded again.
	Code        struct{ RepositoryType string }
	Tags        map[string]string `json:",omitempty"`
	Concurrency *concurrency      `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
func (a *api) getFunction(r *http.Request) (wire.Response, error) {
	f, ref, err := a.function(r)
	if err != nil {
		return wire.Response{}, err
	}
	out := getFunctionOutput{Configuration: configurationOf(f, ref.Qualifier), Tags: f.Tags}
	out.Code.RepositoryType = "S3"
	reserved, err := a.functions.Reserved(ref)
	if err != nil {
		return wire.Response{}, err
	}
	if reserved != nil {
		out.Concurrency = &concurrency{*reserved}
	}
	return wire.Response{Body: out}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
func (a *api) getConfiguration(r *http.Request) (wire.Response, error) {
	f, ref, err := a.function(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: configurationOf(f, ref.Qualifier)}, nil
}

func (a *api) function(r *http.Request) (host.Function, host.Ref, error) {
	ref, err := a.ref(r)
	if err != nil {
		return host.Function{}, ref, err
	}
	f, err := a.functions.Get(ref)
	return f, ref, err
}

type listFunctionsOutput struct {
	Functions  []*functionConfiguration
	NextMarker string `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func (a *api) listFunctions(r *http.Request) (wire.Response, error) {
	functions := a.functions.List()
	switch v := r.URL.Query().Get("FunctionVersion"); v {
	case "":
	case "ALL":
		all := []host.Function{}
		for _, f := range functions {
			versions, err := a.functions.Versions(host.Ref{Name: f.Name})
			if err != nil { // it is gone meanwhile
				continue
			}
			all = append(all, versions...)
		}
		functions = all
	default:
		return wire.Response{}, wire.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]", v)
	}
	page, next, err := paginate(r, functions, 50)
	if err != nil {
		return wire.Response{}, err
	}
	out := listFunctionsOutput{Functions: []*functionConfiguration{}, NextMarker: next}
	for _, f := range page {
		qualifier := ""
		if r.URL.Query().Has("FunctionVersion") {
			qualifier = f.Version
		}
		out.Functions = append(out.Functions, withoutStates(configurationOf(f, qualifier)))
	}
	return wire.Response{Body: out}, nil
}

// withoutStates is a configuration as a list shows it.
func withoutStates(c *functionConfiguration) *functionConfiguration {
	c.State, c.LastUpdateStatus = "", ""
	return c
}

type listVersionsOutput struct {
	Versions   []*functionConfiguration
	NextMarker string `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
func (a *api) listVersions(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	versions, err := a.functions.Versions(ref)
	if err != nil {
		return wire.Response{}, err
	}
	page, next, err := paginate(r, versions, 50)
	if err != nil {
		return wire.Response{}, err
	}
	out := listVersionsOutput{Versions: []*functionConfiguration{}, NextMarker: next}
	for _, f := range page {
		out.Versions = append(out.Versions, withoutStates(configurationOf(f, f.Version)))
	}
	return wire.Response{Body: out}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html
func (a *api) getCodeSigning(r *http.Request) (wire.Response, error) {
	f, _, err := a.function(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Body: struct{ FunctionName string }{f.Name}}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
func (a *api) deleteFunction(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusNoContent}, a.functions.Delete(ref)
}
