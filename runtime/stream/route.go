package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

// Route joins a table and the function that handles its changes.
type Route struct {
	table string
	// invoke handles the records of one invocation, which are all of the same stream.
	invoke func(context.Context, event) ([]byte, error)
}

// Option changes what a route does.
type Option func(*routeOptions)

type routeOptions struct {
	where func(Record) bool
}

// Where leaves out records for which wanted is false: they count as done, and their images are not decoded.
func Where(wanted func(Record) bool) Option { return func(o *routeOptions) { o.where = wanted } }

// On handles every change of a table, by the table's name in AWS, as [Start] does.
func On[T any, P Image[T]](table string, handle func(context.Context, Change[T]) error, options ...Option) Route {
	h := handler[T, P]{handle: handle, where: optionsOf(options).where}
	return Route{table, h.invokeEvent}
}

func optionsOf(options []Option) routeOptions {
	var o routeOptions
	for _, set := range options {
		set(&o)
	}
	return o
}

// Serve runs the routes of a function. It does not return; outside Lambda it ends the process with a message. See [Start].
func Serve(routes ...Route) { lambda.Start(Router(routes...)) }

// Router is what [Serve] runs: for tests, and for a main function that calls lambda.StartWithOptions itself.
//
// A batch is of one stream, and so of one table, whose name the records' eventSourceARN has. Invoke returns an error for a table
// that has no route; see [Handler] for the others.
func Router(routes ...Route) lambda.Handler { return router{routes} }

type router struct{ routes []Route }

func (r router) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	table, err := e.table()
	if err != nil {
		return nil, err
	}
	for _, route := range r.routes {
		if route.table == table || len(r.routes) == 1 {
			return route.invoke(ctx, e)
		}
	}
	return nil, fmt.Errorf("the records come from table %q, and this function has no route for it: its tables are %s", table, r.tables())
}

func (r router) tables() string {
	names := make([]string, len(r.routes))
	for i, route := range r.routes {
		names[i] = route.table
	}
	return strings.Join(names, ", ")
}

// table is the name of the table that the event's records come from.
func (e event) table() (string, error) {
	arn := e.EventSourceARN // of a tumbling window
	if arn == "" && len(e.Records) > 0 {
		var r struct {
			EventSourceARN string `json:"eventSourceARN"`
		}
		if err := json.Unmarshal(e.Records[0], &r); err != nil {
			return "", fmt.Errorf("decode record: %w", err)
		}
		arn = r.EventSourceARN
	}
	// arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL
	_, rest, found := strings.Cut(arn, ":table/")
	name, _, _ := strings.Cut(rest, "/")
	if !found || name == "" {
		return "", errors.New("the records do not say which table's stream they come from")
	}
	return name, nil
}
