// Package lambda is the front end of Lambda's API, REST-JSON, over the functions of package host and the event source mappings of
// package esm. It holds no state.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
package lambda

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

// Functions is what the front end needs of [host.Host].
type Functions interface {
	Parse(string) (host.Ref, error)
	Create(c host.Config, tags map[string]string, zip []byte) (host.Function, error)
	Get(host.Ref) (host.Function, error)
	List() []host.Function
	UpdateCode(r host.Ref, revisionID, architecture string, zip []byte) (host.Function, error)
	UpdateConfiguration(r host.Ref, revisionID string, change func(*host.Config) error) (host.Function, error)
	UpdateTags(r host.Ref, change func(map[string]string)) error
	Delete(host.Ref) error
	InvokeFor(ctx context.Context, function string, client, payload []byte) (host.Result, error)
	InvokeAsync(function string, payload []byte) (requestID string, err error)

	PublishVersion(r host.Ref, revisionID, codeSHA256 string, description *string) (host.Function, error)
	Versions(host.Ref) ([]host.Function, error)
	CreateAlias(host.Ref, host.Alias) (host.Alias, error)
	Alias(r host.Ref, name string) (host.Alias, error)
	Aliases(r host.Ref, version string) ([]host.Alias, error)
	UpdateAlias(r host.Ref, name, revisionID string, change func(*host.Alias)) (host.Alias, error)
	DeleteAlias(r host.Ref, name string) error

	Reserve(r host.Ref, n int) error
	Reserved(host.Ref) (*int, error)
	Unreserve(host.Ref) error
	Provision(r host.Ref, n int) (host.Provisioned, error)
	Provisioned(host.Ref) (host.Provisioned, error)
	ProvisionedAll(host.Ref) ([]string, map[string]host.Provisioned, error)
	Unprovision(host.Ref) error
	Account() host.Account

	SetAsync(r host.Ref, replace bool, change func(*host.AsyncConfig) error) (host.AsyncConfig, error)
	Async(host.Ref) (host.AsyncConfig, error)
	AsyncAll(host.Ref) ([]string, map[string]host.AsyncConfig, error)
	DeleteAsync(host.Ref) error

	PublishLayerVersion(v host.LayerVersion, zip []byte) (host.LayerVersion, error)
	LayerVersion(layer string, version int64) (host.LayerVersion, error)
	LayerByARN(arn string) (host.LayerVersion, error)
	LayerVersions(layer string) ([]host.LayerVersion, error)
	LatestLayers() []host.LayerVersion
	DeleteLayerVersion(layer string, version int64) error
	Layers(arns []string) ([]host.FunctionLayer, error)
}

// Mappings is what the front end needs of [esm.Mappings].
type Mappings interface {
	Create(c esm.Config, tags map[string]string) (esm.Mapping, error)
	Get(id string) (esm.Mapping, error)
	List() []esm.Mapping
	Update(id string, change func(*esm.Config) error) (esm.Mapping, error)
	UpdateTags(id string, change func(map[string]string)) error
	Delete(id string) (esm.Mapping, error)
}

type api struct {
	functions Functions
	mappings  Mappings
}

// New gives the handler of one region's Lambda.
func New(functions Functions, mappings Mappings) http.Handler {
	a := &api{functions: functions, mappings: mappings}
	mux := http.NewServeMux()
	var route router = func(pattern string, query []string, f func(*http.Request) (wire.Response, error)) {
		mux.Handle(pattern, wire.REST(func(r *http.Request) (wire.Response, error) {
			if err := known(r.URL.Query(), query); err != nil {
				return wire.Response{}, err
			}
			res, err := f(r)
			return res, asWire(err)
		}))
	}
	const (
		functionsPath = "/2015-03-31/functions"
		functionPath  = functionsPath + "/{name}"
		mappingsPath  = "/2015-03-31/event-source-mappings"
		mappingPath   = mappingsPath + "/{uuid}"
		tagsPath      = "/2017-03-31/tags/{arn}"
	)
	qualifier, paging := []string{"Qualifier"}, []string{"Marker", "MaxItems"}
	for _, end := range []string{"", "/{$}"} { // some SDKs send the slash
		route("POST "+functionsPath+end, nil, a.createFunction)
		route("GET "+functionsPath+end, append(paging, "FunctionVersion"), a.listFunctions)
		route("POST "+mappingsPath+end, nil, a.createMapping)
		route("GET "+mappingsPath+end, append(paging, "EventSourceArn", "FunctionName"), a.listMappings)
	}
	route("GET "+functionPath, qualifier, a.getFunction)
	route("DELETE "+functionPath, qualifier, a.deleteFunction)
	route("GET "+functionPath+"/configuration", qualifier, a.getConfiguration)
	route("PUT "+functionPath+"/configuration", nil, a.updateConfiguration)
	route("PUT "+functionPath+"/code", nil, a.updateCode)
	route("GET "+functionPath+"/versions", paging, a.listVersions)
	route("POST "+functionPath+"/versions", nil, a.publishVersion)
	route("POST "+functionPath+"/aliases", nil, a.createAlias)
	route("GET "+functionPath+"/aliases", append(paging, "FunctionVersion"), a.listAliases)
	route("GET "+functionPath+"/aliases/{alias}", nil, a.getAlias)
	route("PUT "+functionPath+"/aliases/{alias}", nil, a.updateAlias)
	route("DELETE "+functionPath+"/aliases/{alias}", nil, a.deleteAlias)
	a.routeConcurrency(route)
	a.routeAsync(route)
	a.routeLayers(route)
	route("POST "+functionPath+"/invocations", qualifier, a.invoke)
	route("GET /2020-06-30/functions/{name}/code-signing-config", nil, a.getCodeSigning)
	route("GET "+mappingPath, nil, a.getMapping)
	route("PUT "+mappingPath, nil, a.updateMapping)
	route("DELETE "+mappingPath, nil, a.deleteMapping)
	route("GET "+tagsPath, nil, a.listTags)
	route("POST "+tagsPath, nil, a.tag)
	route("DELETE "+tagsPath, []string{"tagKeys"}, a.untag)
	refuseRest(mux)
	return mux
}

// router serves a pattern by f, which takes these query parameters alone.
type router func(pattern string, query []string, f func(*http.Request) (wire.Response, error))

// known refuses a query parameter that would be ignored.
func known(query url.Values, names []string) error {
	for name := range query {
		if !slices.Contains(names, name) {
			return wire.NotEmulated("the query parameter " + name)
		}
	}
	return nil
}

// asWire gives the cores' errors their HTTP status.
func asWire(err error) error {
	var h *host.Error
	if errors.As(err, &h) {
		e := wire.StatusErrorf(statusOf(h.Code), h.Code, "%s", h.Message)
		if h.Reason != "" {
			e.Fields = map[string]any{"Reason": h.Reason}
		}
		return e
	}
	var m *esm.Error
	if errors.As(err, &m) {
		return wire.StatusErrorf(statusOf(m.Code), m.Code, "%s", m.Message)
	}
	return err
}

func statusOf(code string) int {
	switch code {
	case host.ResourceNotFound, host.NoProvisioned:
		return http.StatusNotFound
	case host.ResourceConflict:
		return http.StatusConflict
	case host.PreconditionFailed:
		return http.StatusPreconditionFailed
	case host.RequestTooLarge:
		return http.StatusRequestEntityTooLarge
	case host.TooManyRequests:
		return http.StatusTooManyRequests
	case host.KMSAccessDenied, host.KMSDisabled, host.KMSInvalidState, host.KMSNotFound:
		return http.StatusBadGateway
	default:
		return http.StatusBadRequest
	}
}

func invalid(format string, args ...any) error {
	return wire.Errorf(host.InvalidParameterValue, format, args...)
}

// decode reads a request's body strictly.
func decode[T any](r *http.Request, operation string) (*T, error) {
	body, err := wire.ReadBody(r)
	if err != nil {
		return nil, err
	}
	in := new(T)
	if err := wire.DecodeStrict(body, operation, in); err != nil {
		return nil, err
	}
	return in, nil
}

// ref gives the function that a request's path names, with the qualifier from the name or from the query.
func (a *api) ref(r *http.Request) (host.Ref, error) {
	ref, err := a.functions.Parse(r.PathValue("name"))
	if err != nil {
		return ref, err
	}
	if q := r.URL.Query().Get("Qualifier"); q != "" {
		if ref.Qualifier != "" && ref.Qualifier != q {
			return ref, invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		ref.Qualifier = q
	}
	return ref, nil
}
