package local

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"streamgen/internal/local/wire"
)

// Request is a request of an AWS API that was answered.
type Request struct {
	Time                       time.Time // of its arrival, on the machine's clock
	Service, Operation, Region string
	// Tables are those that it names, sorted.
	Tables []string
	// Status is the HTTP status; 0 when the connection was ended without an answer.
	Status int
	// Code is the error's name, such as "ResourceNotFoundException"; "" for a success.
	Code string
	// Missing is the statement, as JSON, for want of which a role's request was denied.
	Missing string
	Took    time.Duration
}

// told says whether anybody is told of requests.
func (s *Stack) told() bool {
	return s.opts.Requests != nil || s.opts.Logger.Enabled(context.Background(), slog.LevelInfo)
}

func (s *Stack) tell(a *answer, d destination, tables []string, began time.Time) {
	request := Request{
		Time: began, Service: d.caller.Service, Operation: d.operation, Region: d.caller.Region, Tables: tables,
		Status: a.status, Code: a.code, Missing: a.missing, Took: time.Since(began),
	}
	if s.opts.Requests != nil {
		s.opts.Requests(request)
	}
	attrs := []any{"service", request.Service, "operation", request.Operation, "region", request.Region}
	if len(tables) > 0 {
		attrs = append(attrs, "table", strings.Join(tables, ","))
	}
	attrs = append(attrs, "status", request.Status)
	if request.Code != "" {
		attrs = append(attrs, "error", request.Code)
	}
	s.opts.Logger.Info("request", append(attrs, "took", request.Took.Round(time.Microsecond))...)
}

// tableNames are the members of DynamoDB's and Streams' requests that say which tables they are about.
type tableNames struct {
	TableName, StreamArn, ResourceArn string
	RequestItems                      map[string]json.RawMessage
	TransactItems                     []map[string]struct{ TableName string }
}

// tablesOf gives the tables that a request to DynamoDB or to Streams names, sorted. It reads the body and leaves a copy in its place;
// a body that is no JSON names none, and its front end says what is wrong.
func (s *Stack) tablesOf(r *http.Request, d *destination) []string {
	if d.err != nil || d.caller.Service != "dynamodb" && d.caller.Service != "streams" {
		return nil
	}
	body, err := wire.ReadBody(r)
	if err != nil {
		d.err = err
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in tableNames
	if json.Unmarshal(body, &in) != nil {
		return nil
	}
	names := map[string]bool{}
	for _, name := range []string{in.TableName, in.StreamArn, in.ResourceArn} {
		names[tableOfARN(name)] = true
	}
	for name := range in.RequestItems {
		names[tableOfARN(name)] = true
	}
	for _, item := range in.TransactItems {
		for _, action := range item {
			names[tableOfARN(action.TableName)] = true
		}
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}

// tableOfARN gives the table's name in the ARN of a table, stream or index; what is no ARN is a name.
func tableOfARN(arn string) string {
	if !strings.HasPrefix(arn, "arn:") {
		return arn
	}
	_, rest, _ := strings.Cut(arn, ":table/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}
