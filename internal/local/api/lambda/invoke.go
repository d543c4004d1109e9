package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"streamgen/internal/local/wire"
)

// maxRequest is the largest payload of an invocation that is waited for, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxRequest = 6 << 20

// maxEvent is the largest payload of an invocation that is not, in bytes.
const maxEvent = 1 << 20

// maxClientContext is how long the client context may be, in base64.
const maxClientContext = 3583

// clientContext reads what a caller says of himself: a JSON object in base64. It gives it on one line, nil for none.
func clientContext(header string) ([]byte, error) {
	if header == "" {
		return nil, nil
	}
	var object map[string]any
	var line bytes.Buffer
	text, err := base64.StdEncoding.DecodeString(header)
	if err != nil || json.Unmarshal(text, &object) != nil || object == nil || json.Compact(&line, text) != nil {
		return nil, wire.Errorf("InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
	}
	return line.Bytes(), nil
}

// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (a *api) invoke(r *http.Request) (wire.Response, error) {
	const operation = "Invoke"
	_, ref, err := a.function(r)
	if err != nil {
		return wire.Response{}, err
	}
	kind, log, about := r.Header.Get("X-Amz-Invocation-Type"), r.Header.Get("X-Amz-Log-Type"), r.Header.Get("X-Amz-Client-Context")
	if err := notEmulated(operation, map[string]bool{
		"DurableExecutionName": r.Header.Get("X-Amz-Durable-Execution-Name") != "",
		"TenantId":             r.Header.Get("X-Amz-Tenant-Id") != "",
	}); err != nil {
		return wire.Response{}, err
	}
	var c constraints
	c.need(kind == "" || kind == "Event" || kind == "RequestResponse" || kind == "DryRun", "invocationType", kind, "satisfy enum value set: [Event, RequestResponse, DryRun]")
	c.need(log == "" || log == "None" || log == "Tail", "logType", log, "satisfy enum value set: [None, Tail]")
	c.need(len(about) <= maxClientContext, "clientContext", about, fmt.Sprintf("have length less than or equal to %d", maxClientContext))
	if err := c.err(); err != nil {
		return wire.Response{}, err
	}
	client, err := clientContext(about)
	if err != nil {
		return wire.Response{}, err
	}
	payload, err := wire.ReadBody(r)
	if err != nil {
		return wire.Response{}, err
	}
	if len(bytes.TrimSpace(payload)) == 0 {
		payload = []byte("{}")
	}
	limit := maxRequest
	if kind == "Event" {
		limit = maxEvent
	}
	if len(payload) > limit {
		return wire.Response{}, wire.StatusErrorf(http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			"Request must be smaller than %d bytes for the InvokeFunction operation", limit)
	}
	if !json.Valid(payload) {
		return wire.Response{}, wire.Errorf("InvalidRequestContentException", "Could not parse request body into json")
	}
	if kind == "DryRun" {
		return wire.Response{Status: http.StatusNoContent}, nil
	}
	name := ref.Name
	if ref.Qualifier != "" {
		name += ":" + ref.Qualifier
	}
	if kind == "Event" { // which has no client context, on AWS either
		id, err := a.functions.InvokeAsync(name, payload)
		if err != nil {
			return wire.Response{}, err
		}
		return wire.Response{Status: http.StatusAccepted, Header: http.Header{"X-Amzn-Requestid": {id}}}, nil
	}
	// A function runs to its end though the caller is gone.
	result, err := a.functions.InvokeFor(context.WithoutCancel(r.Context()), name, client, payload)
	if err != nil {
		return wire.Response{}, err
	}
	header := http.Header{}
	header.Set("X-Amzn-Requestid", result.RequestID)
	header.Set("X-Amz-Executed-Version", result.ExecutedVersion)
	if result.FunctionError != "" {
		header.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if log == "Tail" {
		header.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte(result.LogTail)))
	}
	return wire.Response{Header: header, Body: result.Payload}, nil
}
