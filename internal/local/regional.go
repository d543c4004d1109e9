package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	autoscalingapi "streamgen/internal/local/api/autoscaling"
	dynamodbapi "streamgen/internal/local/api/dynamodb"
	lambdaapi "streamgen/internal/local/api/lambda"
	logsapi "streamgen/internal/local/api/logs"
	snsapi "streamgen/internal/local/api/sns"
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
	dynamodb, streams, lambda, logs, sqs, sns, autoscaling http.Handler

	engine    *engine.Engine
	registry  *streams.Registry
	functions *host.Host
	mappings  *esm.Mappings
	groups    *control.Logs
	queues    *control.Queues
	topics    *control.Topics
	scaling   *control.Scaling[autoscalingapi.Configuration]

	platform
}

func (s *Stack) newRegional(name string) (*regional, error) {
	var made atomic.Pointer[regional] // what is made here, once it is
	groups := control.NewLogs(Account, name, s.opts.Clock)
	if s.opts.Logs != nil {
		groups.Subscribe(func(e control.LogEvent) {
			s.opts.Logs(LogEvent{Time: e.At, Region: name, Group: e.Group, Stream: e.Stream, Message: e.Message})
		})
	}
	groups.Subscribe(s.events.ofLogs(name))
	queues := control.NewQueues(Account, name, s.opts.Clock)
	topics := control.NewTopics(control.TopicOptions{Account: Account, Region: name, Clock: s.opts.Clock, Endpoint: s.Endpoint, Send: s.sendToSubscriber})
	base := s.newPlatform(name, queues, groups)
	functions, err := host.New(host.Options{Account: Account, Region: name, Clock: s.opts.Clock, Logs: groups, Dir: s.opts.Dir, Endpoint: s.Endpoint, Logger: s.opts.Logger,
		Ended:       tellAll(base.meter.invocation, s.events.ofHost(name)),
		MayStart:    func(f host.Function) error { return s.mayStart(name, made.Load(), f) },
		Credentials: s.functionCredentials, MayLog: func(f host.Function, group, stream string) bool {
			return s.mayLog(name, made.Load(), groups, f, group, stream)
		}, Deliver: func(_ context.Context, d host.Delivery) error {
			r := made.Load()
			err := s.mayDeliver(name, r, r.functions, d.FunctionARN, d.Destination)
			if err == nil {
				err = s.outcome(r.functions, d)
			}
			if err != nil {
				r.meter.undelivered(d)
			}
			return err
		}})
	if err != nil {
		return nil, err
	}
	data, err := s.data(name)
	if err != nil {
		return nil, errors.Join(err, functions.Close())
	}
	registry, tables := data.streams, data.tables
	mappings := esm.New(esm.Options{Account: Account, Region: name, Clock: s.opts.Clock,
		Source: sources(registry, s.settle), Invoker: invoker{functions}, Destination: s.deliver(name, &made, functions, s.report),
		Access: func(function, stream string) error { return s.mayRead(name, made.Load(), functions, function, stream) }, Logger: s.opts.Logger,
		Observe: tellAll(s.events.ofMapping(name)), Metrics: base.meter.mapping,
		Backoff: esm.Backoff{Base: s.opts.RetryPause, Max: time.Minute}})
	scaling := control.NewScaling[autoscalingapi.Configuration](Account, name, s.opts.Clock)
	r := &regional{
		platform:    base,
		dynamodb:    dynamodbapi.New(tables, s.opts.policies()),
		streams:     streamsapi.New(registry),
		logs:        logsapi.New(groups, base.keys.Usable),
		sqs:         sqsapi.New(queues, s.opts.Clock, s.Endpoint, Account, s.opts.policies()),
		sns:         snsapi.New(topics, Account, s.opts.policies()),
		autoscaling: autoscalingapi.New(scaling, tables.Exists),
		engine:      tables,
		registry:    registry,
		functions:   functions,
		mappings:    mappings,
		groups:      groups,
		queues:      queues,
		topics:      topics,
		scaling:     scaling,
	}
	r.lambda = lambdaapi.New(s.lambdaOf(name, r, functions, mappings))
	made.Store(r)
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
	r.alarms.Close()
	r.engine.Close()
	return errors.Join(append(errs, r.functions.Close())...)
}
