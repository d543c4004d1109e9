package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

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
	lambda.Start(Router(routes...))
}

// ServeNew is [Serve] for a handler that has to be made first: with clients, connections, settings. new makes it, once a process, in
// Lambda's init phase; when it fails, Lambda is told why and the process ends. routes then gives the handler's routes.
//
// A handler with a method Close() error is closed when Lambda shuts the execution environment down. It has 300 ms for that.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
func ServeNew[H any](new func(context.Context) (H, error), routes func(H) []Route) {
	logToStdout()
	h, err := new(context.Background())
	if err != nil {
		slog.Error("init failed", "error", err)
		if err := reportInitError(err); err != nil {
			slog.Error("init error not reported", "error", err)
		}
		os.Exit(1)
	}
	var list []lambda.Option
	if closer, ok := any(h).(io.Closer); ok {
		list = append(list, lambda.WithEnableSIGTERM(func() {
			if err := closer.Close(); err != nil {
				slog.Error("close failed", "error", err)
			}
			os.Exit(0)
		}))
	}
	lambda.StartWithOptions(Router(routes(h)...), list...)
}

// reportInitError tells Lambda why there is no handler.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror
func reportInitError(cause error) error {
	api := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if api == "" {
		return errors.New("the process does not run in Lambda: AWS_LAMBDA_RUNTIME_API is not set")
	}
	body, err := json.Marshal(map[string]string{"errorType": "Runtime.InitError", "errorMessage": cause.Error()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Lambda-Runtime-Function-Error-Type", "Runtime.InitError")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // there is nothing left to read
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("init error: the Runtime API answers %s", response.Status)
	}
	return nil
}
