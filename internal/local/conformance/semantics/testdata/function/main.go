// Command function is the Lambda function of the tests of Lambda's semantics. Without more it is a handler that does what its event says.
// With VISIT in its environment it asks a server before it begins. With SCRIPT in its environment it speaks the Runtime API by hand, one call after the other, and tells each answer as a line of JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	atStart := os.Environ() // the Lambda library adds to it
	if url := os.Getenv("VISIT"); url != "" {
		if _, err := http.Get(url); err != nil { //nolint:bodyclose // it is small, and read by nobody
			panic(err)
		}
	}
	if text := os.Getenv("SCRIPT"); text != "" {
		run(text)
		return
	}
	handler := func(ctx context.Context, e event) (any, error) { return e.do(ctx, atStart) }
	if os.Getenv("ENDS") != "" {
		lambda.StartWithOptions(handler, lambda.WithEnableSIGTERM(func() {
			fmt.Println("asked to end")
			os.Exit(0)
		}))
		return
	}
	lambda.Start(handler)
}

// event says what the handler is to do.
type event struct {
	Do    string
	Text  string
	Code  int
	Lines []string
	URL   string
}

// described is what the handler sees of its invocation and its process.
type described struct {
	Env, Args                 []string
	Dir                       string
	PID                       int
	RequestID, ARN, Trace     string
	DeadlineMS                int64
	ClientContext             lambdacontext.ClientContext
	CognitoIdentity, TenantID string
}

func (e event) do(ctx context.Context, env []string) (any, error) {
	for _, line := range e.Lines {
		fmt.Println(line)
	}
	switch e.Do {
	case "":
		return "did nothing", nil
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(e.Code)
	case "die":
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return nil, err
		}
		if err := self.Kill(); err != nil {
			return nil, err
		}
		time.Sleep(time.Hour)
	case "hang":
		fmt.Println("hanging")
		time.Sleep(time.Hour) // it is killed before
	case "size":
		return json.RawMessage(`"` + strings.Repeat("x", e.Code-2) + `"`), nil
	case "visit": // it is busy as long as the server there likes
		res, err := http.Get(e.URL)
		if err != nil {
			return nil, err
		}
		return os.Getpid(), res.Body.Close()
	case "describe":
		about, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		dir, err := os.Getwd()
		return described{
			Env: env, Args: os.Args, Dir: dir, PID: os.Getpid(), RequestID: about.AwsRequestID, ARN: about.InvokedFunctionArn, DeadlineMS: deadline.UnixMilli(),
			Trace: os.Getenv("_X_AMZN_TRACE_ID"), ClientContext: about.ClientContext, CognitoIdentity: about.Identity.CognitoIdentityID, TenantID: about.TenantID,
		}, err
	}
	return nil, fmt.Errorf("the function cannot %s", e.Do)
}

// step is one call of the Runtime API. {id} in its path is the present invocation's.
type step struct {
	Method, Path, Body string
	Size               int // of a body of x, in place of Body
	Header, Trailer    map[string]string
	Exit               *int   // ends the process instead
	Print              string // prints it instead
}

// told is what a call was answered.
type told struct {
	Status int
	Body   string
	Header http.Header
}

// run makes the calls, and then waits for its end.
func run(text string) {
	var steps []step
	if err := json.Unmarshal([]byte(text), &steps); err != nil {
		panic(err)
	}
	id := "none"
	for _, s := range steps {
		switch {
		case s.Exit != nil:
			os.Exit(*s.Exit)
		case s.Print != "":
			fmt.Println(s.Print)
			continue
		}
		answer, err := s.call(id)
		if err != nil {
			panic(err)
		}
		if next := answer.Header.Get("Lambda-Runtime-Aws-Request-Id"); next != "" {
			id = next
		}
		line, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
	time.Sleep(time.Hour)
}

func (s step) call(id string) (told, error) {
	path := strings.ReplaceAll(s.Path, "{id}", id)
	if !strings.HasPrefix(path, "/") {
		path = "/2018-06-01/runtime/" + path
	}
	var body io.Reader = strings.NewReader(s.Body)
	if s.Size > 0 {
		body = bytes.NewReader(bytes.Repeat([]byte("x"), s.Size))
	}
	if s.Trailer != nil {
		body = io.MultiReader(body) // of a length that nobody knows: it is sent in chunks
	}
	req, err := http.NewRequest(s.Method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, body)
	if err != nil {
		return told{}, err
	}
	for name, value := range s.Header {
		req.Header.Set(name, value)
	}
	for name, value := range s.Trailer {
		if req.Trailer == nil {
			req.Trailer = http.Header{}
		}
		req.Trailer.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return told{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return told{res.StatusCode, string(bytes.TrimSpace(text)), res.Header}, err
}
