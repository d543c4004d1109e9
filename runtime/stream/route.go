package stream

import (
	"context"
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

// On handles every change of a table, by the table's name in AWS, as [Start] does.
func On[T any, P Image[T]](table string, handle func(context.Context, Change[T]) error, list ...Option) Route {
	p := newProcessor(list)
	p.handle = func(ctx context.Context, d *Decoder, r *record) error {
		c, err := decodeChange[T, P](d, r)
		if err != nil {
			return err
		}
		return handle(ctx, c)
	}
	return Route{table, p.invoke}
}

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
	if len(r.routes) == 1 {
		return r.routes[0].invoke(ctx, e)
	}
	table, err := e.table()
	if err != nil {
		return nil, err
	}
	for _, route := range r.routes {
		if route.table == table {
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
	arn := e.streamARN // of a tumbling window
	if arn == "" && len(e.records) > 0 {
		arn = e.records[0].part(e.records[0].streamARN)
	}
	table := tableOf(arn)
	if table == "" {
		return "", errors.New("the records do not say which table's stream they come from")
	}
	return table, nil
}

// tableOf gives the table's name in a stream's ARN, arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL; empty if it has none.
func tableOf(arn string) string {
	_, rest, _ := strings.Cut(arn, ":table/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}
