package lambda

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"streamgen/internal/local/host"
	"streamgen/internal/local/wire"
)

type destination struct {
	Destination string `json:",omitempty"`
}

type asyncDestinations struct{ OnSuccess, OnFailure destination }

// String is how Lambda words what it refuses.
func (d asyncDestinations) String() string {
	word := func(member string, d destination) string {
		if d.Destination == "" {
			return "null"
		}
		return member + "(destination=" + d.Destination + ")"
	}
	return "DestinationConfig(onSuccess=" + word("OnSuccess", d.OnSuccess) + ", onFailure=" + word("OnFailure", d.OnFailure) + ")"
}

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
	return value(in.DestinationConfig, asyncDestinations{}).check(operation)
}

// What takes reports and events that functions gave up: standard queues and topics, buckets, functions.
const (
	messageTarget  = `sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}|sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}`
	reportTarget   = messageTarget + `|s3:::[a-z0-9.-]{3,63}`
	functionTarget = `lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?`
)

var (
	onSuccessARN  = arnOf(messageTarget + "|" + functionTarget)
	onFailureARN  = arnOf(reportTarget + "|" + functionTarget)
	deadLetterARN = arnOf(messageTarget)
)

func arnOf(resource string) *regexp.Regexp {
	return regexp.MustCompile(`^arn:aws[a-z-]*:(` + resource + `)$`)
}

// check refuses what takes no outcomes: on AWS a bucket takes failures alone, FIFO queues and topics take nothing.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func (d asyncDestinations) check(operation string) error {
	success, failure := d.OnSuccess.Destination, d.OnFailure.Destination
	for member, arn := range map[string]string{"OnSuccess": success, "OnFailure": failure} {
		if strings.HasPrefix(arn, "arn:aws:events:") {
			return wire.NotEmulated("the event bus " + arn + " as DestinationConfig." + member + " of " + operation)
		}
	}
	if success != "" && !onSuccessARN.MatchString(success) || failure != "" && !onFailureARN.MatchString(failure) {
		return invalid("The provided destination config %s is invalid.", d)
	}
	return nil
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
