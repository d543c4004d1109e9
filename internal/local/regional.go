package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	autoscalingapi "streamgen/internal/local/api/autoscaling"
	cloudwatchapi "streamgen/internal/local/api/cloudwatch"
	dynamodbapi "streamgen/internal/local/api/dynamodb"
	lambdaapi "streamgen/internal/local/api/lambda"
	logsapi "streamgen/internal/local/api/logs"
	sqsapi "streamgen/internal/local/api/sqs"
	streamsapi "streamgen/internal/local/api/streams"
	"streamgen/internal/local/control"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/streams"
)

// regional is what the stack has in one region.
type regional struct {
	dynamodb, streams, lambda, logs, sqs, cloudwatch, autoscaling http.Handler

	engine    *engine.Engine
	registry  *streams.Registry
	functions *host.Host
	mappings  *esm.Mappings
	groups    *control.Logs
	queues    *control.Queues
	alarms    *control.Alarms[cloudwatchapi.Description]
	scaling   *control.Scaling[autoscalingapi.Configuration]
}

func (s *Stack) newRegional(name string) (*regional, error) {
	groups := control.NewLogs(Account, name, s.opts.Clock)
	if s.opts.Logs != nil {
		groups.Subscribe(func(e control.LogEvent) {
			s.opts.Logs(LogEvent{Time: e.At, Region: name, Group: e.Group, Stream: e.Stream, Message: e.Message})
		})
	}
	r := new(regional) // whole before a function runs
	functions, err := host.New(host.Options{Account: Account, Region: name, Clock: s.opts.Clock, Logs: groups, Dir: s.opts.Dir, Endpoint: s.Endpoint,
		Deliver: func(ctx context.Context, d host.Delivery) error { return r.deliver(ctx, d) }})
	if err != nil {
		return nil, err
	}
	registry, tables, err := s.restoreTables(name)
	if err != nil {
		return nil, errors.Join(err, functions.Close())
	}
	queues := control.NewQueues(Account, name, s.opts.Clock)
	mappings := esm.New(esm.Options{Account: Account, Region: name, Clock: s.opts.Clock,
		Source: sources(registry, s.settle), Invoker: invoker{functions}, Destination: func(d esm.Delivery) error { return queues.SendToARN(d.Destination, d.Document) }, Logger: s.opts.Logger,
		Backoff: esm.Backoff{Base: s.opts.RetryPause, Max: time.Minute}})
	alarms := control.NewAlarms[cloudwatchapi.Description](Account, name, s.opts.Clock)
	scaling := control.NewScaling[autoscalingapi.Configuration](Account, name, s.opts.Clock)
	*r = regional{
		dynamodb:    dynamodbapi.New(tables),
		streams:     streamsapi.New(registry),
		lambda:      lambdaapi.New(functions, mappings),
		logs:        logsapi.New(groups),
		sqs:         sqsapi.New(queues, s.opts.Clock, s.Endpoint, Account),
		cloudwatch:  cloudwatchapi.New(alarms),
		autoscaling: autoscalingapi.New(scaling, tables.Exists),
		engine:      tables,
		registry:    registry,
		functions:   functions,
		mappings:    mappings,
		groups:      groups,
		queues:      queues,
		alarms:      alarms,
		scaling:     scaling,
	}
	if s.folder == nil {
		return r, nil
	}
	if err := s.restoreRegion(name, r); err != nil {
		return nil, errors.Join(err, r.close(context.Background()))
	}
	return r, nil
}

// close ends the region's mappings first: what they have in flight may still end well while the functions run.
func (r *regional) close(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, closeGrace)
	defer cancel()
	var errs []error
	if err := r.mappings.Close(grace); err != nil && ctx.Err() != nil { // past the grace alone, a batch was cut off as meant
		errs = append(errs, fmt.Errorf("ending the mappings: %w", err))
	}
	r.engine.Close()
	return errors.Join(append(errs, r.functions.Close())...)
}
