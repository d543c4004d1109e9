package stream

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// Start runs handle for every change that Lambda delivers, of whatever table. It does not return; outside Lambda it ends the process
// with a message.
//
// An error of handle fails the record: see the package comment for what follows. The context carries the
// invocation's deadline, a little before Lambda's own so that unfinished records can still be reported; a handler that
// outlasts it by more than that is stopped by Lambda, which then delivers the whole batch again. lambdacontext.FromContext
// gives the request id.
//
// Lambda may run more than one invocation of a process at a time if the function is configured so; handle must then
// be safe for concurrent use.
func Start[T any, P Image[T]](handle func(context.Context, Change[T]) error, list ...Option) {
	Serve(On[T, P]("", handle, list...))
}

// Handler is what [Start] runs: for tests, and for a main function that calls lambda.StartWithOptions itself.
//
// Invoke takes the event of an event source mapping and returns the partial batch response. It returns an error, upon
// which Lambda delivers the whole batch again, when the payload is not such an event, when it belongs to a tumbling
// window, and when a record without a SequenceNumber is the lowest that is unfinished, because then there is nothing to report it by.
func Handler[T any, P Image[T]](handle func(context.Context, Change[T]) error, list ...Option) lambda.Handler {
	return Router(On[T, P]("", handle, list...))
}

// Serve runs the routes of a function. It does not return; outside Lambda it ends the process with a message. See [Start].
func Serve(routes ...Route) {
	logToStdout()
	api := mustRuntimeAPI()
	fatal("the function ends", api.serve(Router(routes...)))
}

// ServeNew is [Serve] for a handler that has to be made first: with clients, connections, settings. new makes it, once a process, in
// Lambda's init phase; when it fails, Lambda is told why and the process ends. routes then gives the handler's routes.
//
// A handler with a method Close() error is closed when Lambda shuts the execution environment down. It has 300 ms for that.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
func ServeNew[H any](new func(context.Context) (H, error), routes func(H) []Route) {
	logToStdout()
	api := mustRuntimeAPI()
	h, err := new(context.Background())
	if err != nil {
		if err := api.failInit(err); err != nil {
			slog.Error("init error not reported", "error", err)
		}
		fatal("init failed", err)
	}
	if closer, ok := any(h).(io.Closer); ok {
		err := api.onShutdown(func() {
			if err := closer.Close(); err != nil {
				slog.Error("close failed", "error", err)
			}
			os.Exit(0)
		})
		if err != nil {
			slog.Warn("the handler will not be closed", "error", err)
		}
	}
	fatal("the function ends", api.serve(Router(routes(h)...)))
}

func mustRuntimeAPI() *runtimeAPI {
	api, err := newRuntimeAPI()
	if err != nil {
		fatal("the function does not start", err)
	}
	return api
}

func fatal(message string, err error) {
	slog.Error(message, "error", err)
	os.Exit(1)
}
