package lambda

import (
	"net/http"
	"strings"
	"time"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type destination struct {
	Destination string `json:",omitempty"`
}

type asyncDestinations struct{ OnSuccess, OnFailure destination }

type asyncInput struct {
	MaximumRetryAttempts, MaximumEventAgeInSeconds *int
	DestinationConfig                              *asyncDestinations
}

// asyncOutput is the configuration of asynchronous invocations as the API shows it.
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionEventInvokeConfig.html
type asyncOutput struct {
	FunctionArn              string
	LastModified             float64 // epoch seconds
	MaximumRetryAttempts     *int    `json:",omitempty"`
	MaximumEventAgeInSeconds *int    `json:",omitempty"`
	DestinationConfig        asyncDestinations
}

func (a *api) routeAsync(route router) {
	const path = "/2019-09-25/functions/{name}/event-invoke-config"
	qualifier := []string{"Qualifier"}
	route("PUT "+path, qualifier, a.setAsync("PutFunctionEventInvokeConfig", true))
	route("POST "+path, qualifier, a.setAsync("UpdateFunctionEventInvokeConfig", false))
	route("GET "+path, qualifier, a.getAsync)
	route("GET "+path+"/list", []string{"Marker", "MaxItems"}, a.listAsync)
	route("DELETE "+path, qualifier, a.deleteAsync)
}

// asyncOf shows what is configured; an unqualified function is $LATEST.
func (a *api) asyncOf(ref host.Ref, c host.AsyncConfig) (asyncOutput, error) {
	f, err := a.functions.Get(host.Ref{Name: ref.Name})
	if ref.Qualifier == "" {
		ref.Qualifier = host.Latest
	}
	out := asyncOutput{
		FunctionArn: f.ARN + ":" + ref.Qualifier, LastModified: float64(c.LastModified.UnixMilli()) / 1000, MaximumRetryAttempts: c.Retries,
		DestinationConfig: asyncDestinations{destination{c.OnSuccess}, destination{c.OnFailure}},
	}
	if c.EventAge != nil {
		out.MaximumEventAgeInSeconds = new(int(*c.EventAge / time.Second))
	}
	return out, err
}

// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html
func (a *api) setAsync(operation string, replace bool) func(*http.Request) (wire.Response, error) {
	return func(r *http.Request) (wire.Response, error) {
		ref, err := a.ref(r)
		if err != nil {
			return wire.Response{}, err
		}
		in, err := decode[asyncInput](r, operation)
		if err != nil {
			return wire.Response{}, err
		}
		if err := in.check(operation); err != nil {
			return wire.Response{}, err
		}
		c, err := a.functions.SetAsync(ref, replace, func(c *host.AsyncConfig) error {
			in.apply(c)
			return nil
		})
		if err != nil {
			return wire.Response{}, err
		}
		out, err := a.asyncOf(ref, c)
		return wire.Response{Body: out}, err
	}
}

func (in *asyncInput) check(operation string) error {
	var c constraints
	c.within(in.MaximumRetryAttempts, "maximumRetryAttempts", 0, 2)
	c.within(in.MaximumEventAgeInSeconds, "maximumEventAgeInSeconds", 60, 21600)
	if err := c.err(); err != nil {
		return err
	}
	if in.MaximumRetryAttempts == nil && in.MaximumEventAgeInSeconds == nil && in.DestinationConfig == nil {
		return invalid("You must specify at least one of error handling or destination setting.")
	}
	d := value(in.DestinationConfig, asyncDestinations{})
	for member, arn := range map[string]string{"OnSuccess": d.OnSuccess.Destination, "OnFailure": d.OnFailure.Destination} {
		if err := checkDestination(operation, "DestinationConfig."+member, arn, "sqs", "lambda"); err != nil {
			return err
		}
	}
	return nil
}

// checkDestination refuses an ARN of a service that takes nothing from functions here. "" is no destination.
func checkDestination(operation, member, arn string, services ...string) error {
	if arn == "" {
		return nil
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return invalid("The provided destination config %s is invalid: %s", member, arn)
	}
	for _, s := range services {
		if parts[2] == s {
			return nil
		}
	}
	return wire.NotEmulated("the destination " + arn + " in " + member + " of " + operation + ": it knows those of " + strings.Join(services, " and "))
}

func (in *asyncInput) apply(c *host.AsyncConfig) {
	if in.MaximumRetryAttempts != nil {
		c.Retries = in.MaximumRetryAttempts
	}
	if in.MaximumEventAgeInSeconds != nil {
		c.EventAge = new(time.Duration(*in.MaximumEventAgeInSeconds) * time.Second)
	}
	if d := in.DestinationConfig; d != nil {
		c.OnSuccess, c.OnFailure = d.OnSuccess.Destination, d.OnFailure.Destination
	}
}

// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html
func (a *api) getAsync(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	c, err := a.functions.Async(ref)
	if err != nil {
		return wire.Response{}, err
	}
	out, err := a.asyncOf(ref, c)
	return wire.Response{Body: out}, err
}

type listAsyncOutput struct {
	FunctionEventInvokeConfigs []asyncOutput
	NextMarker                 string `json:",omitempty"`
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html
func (a *api) listAsync(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	qualifiers, all, err := a.functions.AsyncAll(ref)
	if err != nil {
		return wire.Response{}, err
	}
	page, next, err := paginate(r, qualifiers, 50)
	if err != nil {
		return wire.Response{}, err
	}
	out := listAsyncOutput{FunctionEventInvokeConfigs: []asyncOutput{}, NextMarker: next}
	for _, q := range page {
		c, err := a.asyncOf(host.Ref{Name: ref.Name, Qualifier: q}, all[q])
		if err != nil {
			return wire.Response{}, err
		}
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, c)
	}
	return wire.Response{Body: out}, nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html
func (a *api) deleteAsync(r *http.Request) (wire.Response, error) {
	ref, err := a.ref(r)
	if err != nil {
		return wire.Response{}, err
	}
	return wire.Response{Status: http.StatusNoContent}, a.functions.DeleteAsync(ref)
}
