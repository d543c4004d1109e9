package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// runtimeAPI is Lambda's side of the process. lambda.Start speaks to it, too, but reads payloads into buffers of a sync.Pool, which it
// loses whenever its goroutine wakes up on another processor: with events of some MB there are soon several of them, and each has grown from
// nothing. Here every payload is read into the memory of the one before.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	address   string
	transport *http.Transport
}

func newRuntimeAPI() (*runtimeAPI, error) {
	address := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if address == "" {
		return nil, errors.New("the process does not run in Lambda: AWS_LAMBDA_RUNTIME_API is not set")
	}
	// No proxy, since the API is on the same machine, and no timeout, since it answers when there is an invocation. A client that is ready for
	// HTTP/2 starts later.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &runtimeAPI{address, &http.Transport{Protocols: protocols, DisableCompression: true, MaxIdleConnsPerHost: lambdacontext.MaxConcurrency()}}, nil
}

const invocations = "2018-06-01/runtime/invocation/"

// serve has h handle what is invoked, until the API fails.
func (a *runtimeAPI) serve(h lambda.Handler) error {
	failed := make(chan error)
	for range lambdacontext.MaxConcurrency() {
		go func() { failed <- a.serveOneByOne(h) }()
	}
	return <-failed
}

func (a *runtimeAPI) serveOneByOne(h lambda.Handler) error {
	ctx := context.Background()
	var memory []byte
	for {
		header, payload, err := a.do(ctx, http.MethodGet, invocations+"next", nil, nil, memory)
		if err != nil {
			return fmt.Errorf("ask for an invocation: %w", err)
		}
		memory = payload
		path := invocations + header.Get("Lambda-Runtime-Aws-Request-Id")
		response, err := invoke(h, header, payload)
		if err != nil {
			err = a.fail(ctx, path+"/error", strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), err)
		} else {
			_, _, err = a.do(ctx, http.MethodPost, path+"/response", nil, response, nil)
		}
		if err != nil {
			return fmt.Errorf("answer an invocation: %w", err)
		}
	}
}

// invoke gives h a context like that of lambda.Start. The client context and the identity of a mobile app are not in it: nobody but
// Lambda itself invokes a function with a stream's records.
func invoke(h lambda.Handler, header http.Header, payload []byte) (response []byte, err error) {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{
		AwsRequestID:       header.Get("Lambda-Runtime-Aws-Request-Id"),
		InvokedFunctionArn: header.Get("Lambda-Runtime-Invoked-Function-Arn"),
		TenantID:           header.Get("Lambda-Runtime-Aws-Tenant-Id"),
	})
	trace := header.Get("Lambda-Runtime-Trace-Id")
	if lambdacontext.MaxConcurrency() == 1 {
		_ = os.Setenv("_X_AMZN_TRACE_ID", trace) // for what has no context; a header can always be set
	}
	ctx = context.WithValue(ctx, traceKey, trace) //nolint:staticcheck // the key is aws-lambda-go's
	defer func() {
		if err != nil {
			slog.LogAttrs(ctx, slog.LevelError, "invocation failed", errorAttrs(err)...)
		}
	}()
	deadline, err := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read the invocation's deadline: %w", err)
	}
	inTime, cancel := context.WithDeadline(ctx, time.UnixMilli(deadline))
	defer cancel()
	err = recovered(func() (err error) { response, err = h.Invoke(inTime, payload); return err })
	return response, err
}

// largestCause is the most that Lambda takes for X-Ray, in bytes.
const largestCause = 1 << 20

// fail reports an error, to X-Ray as well.
func (a *runtimeAPI) fail(ctx context.Context, path, kind string, cause error) error {
	header := http.Header{"Lambda-Runtime-Function-Error-Type": {kind}}
	errorType, message := quoted(kind), quoted(cause.Error())
	xray := fmt.Sprintf(`{"working_directory":"","exceptions":[{"type":%s,"message":%s,"stack":[]}],"paths":[]}`, errorType, message)
	if len(xray) < largestCause {
		header.Set("Lambda-Runtime-Function-Xray-Error-Cause", xray)
	}
	_, _, err := a.do(ctx, http.MethodPost, path, header, fmt.Appendf(nil, `{"errorMessage":%s,"errorType":%s}`, message, errorType), nil)
	return err
}

// failInit tells Lambda why there is no handler.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror
func (a *runtimeAPI) failInit(cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return a.fail(ctx, "2018-06-01/runtime/init/error", "Runtime.InitError", cause)
}

// onShutdown has f called before Lambda ends the process. Lambda sends a SIGTERM where there is an extension, so the process registers itself
// as one that wants no events.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func (a *runtimeAPI) onShutdown(f func()) error {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		<-terminated
		f()
	}()
	ctx := context.Background()
	header, _, err := a.do(ctx, http.MethodPost, "2020-01-01/extension/register", http.Header{"Lambda-Extension-Name": {"streamgen"}}, []byte(`{"events":[]}`), nil)
	if err != nil {
		return fmt.Errorf("register for the end of the process: %w", err)
	}
	registered := http.Header{"Lambda-Extension-Identifier": header["Lambda-Extension-Identifier"]}
	go func() {
		// Lambda waits for the request, and does not answer it where there are no events.
		_, _, _ = a.do(ctx, http.MethodGet, "2020-01-01/extension/event/next", registered, nil, nil)
	}()
	return nil
}

// do gives the header and the body of the answer to a request, the body in the given memory if that has room for it.
func (a *runtimeAPI) do(ctx context.Context, method, path string, header http.Header, body, memory []byte) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+a.address+"/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		request.Header = header
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := a.transport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }() // it has been read
	if room := response.ContentLength + bytes.MinRead; room > int64(cap(memory)) {
		memory = make([]byte, 0, room)
	}
	answer := bytes.NewBuffer(memory[:0])
	if _, err := answer.ReadFrom(response.Body); err != nil {
		return nil, nil, err
	}
	if response.StatusCode/100 != 2 {
		return nil, nil, fmt.Errorf("the Runtime API answers %s: %s", response.Status, answer.Bytes())
	}
	return response.Header, answer.Bytes(), nil
}
