package semantics

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"streamgen/internal/local"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/conformance/bootstrap"
)

const (
	functionName  = "worker"
	functionOfARN = "arn:aws:lambda:us-east-1:000000000000:function:worker"
	// functionPatience bounds how long a broken test waits.
	functionPatience = 30 * time.Second
	functionTrust    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	functionMayRun   = `{"Effect":"Allow","Action":["logs:*","xray:PutTraceSegments","xray:PutTelemetryRecords"],"Resource":"*"}`
)

// functionBegan is when a stand's clock begins.
var functionBegan = time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)

// functionStand is a stack on a clock that stands, with a role for functions.
type functionStand struct {
	*testing.T
	clock  *clock.Manual
	stack  *local.Stack
	config aws.Config
	lambda *lambda.Client
	iam    *iam.Client
	role   *string

	mu     sync.Mutex
	lines  []string
	denied []local.Denial
	told   chan struct{} // holds a word when there is news
}

func newFunctionStand(t *testing.T) *functionStand {
	t.Helper()
	s := &functionStand{T: t, clock: clock.NewManual(functionBegan), told: make(chan struct{}, 1)}
	var err error
	s.stack, err = local.Start(t.Context(), local.Options{
		Listen: "127.0.0.1:0", Dir: t.TempDir(), Clock: s.clock,
		Logs:   func(e local.LogEvent) { s.note(func() { s.lines = append(s.lines, e.Message) }) },
		Denied: func(d local.Denial) { s.note(func() { s.denied = append(s.denied, d) }) },
	})
	s.must(err)
	t.Cleanup(func() {
		if err := s.stack.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing the stack: %v", err)
		}
	})
	url := s.stack.Endpoint()
	s.config = aws.Config{Region: "us-east-1", BaseEndpoint: &url, RetryMaxAttempts: 1, HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	s.lambda, s.iam = lambda.NewFromConfig(s.config), iam.NewFromConfig(s.config)
	made, err := s.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("worker"), AssumeRolePolicyDocument: aws.String(functionTrust)})
	s.must(err)
	s.role = made.Role.Arn
	s.grant(functionMayRun)
	return s
}

func (s *functionStand) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// refused says that a call failed as Lambda refuses it.
func (s *functionStand) refused(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var api smithy.APIError
	var res *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &res) || res.HTTPStatusCode() != status || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %d %s: %s", err, status, code, message)
	}
}

func (s *functionStand) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	select {
	case s.told <- struct{}{}:
	default:
	}
}

// grant makes statements the policy of the functions' role.
func (s *functionStand) grant(statements ...string) {
	s.Helper()
	_, err := s.iam.PutRolePolicy(s.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("worker"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)})
	s.must(err)
}

// await waits for something that the stack tells.
func (s *functionStand) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	patience := time.After(functionPatience)
	for {
		s.mu.Lock()
		done := holds()
		lines := strings.Join(s.lines, "\n")
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-s.told:
		case <-patience:
			t.Fatalf("there is no %s; the log is\n%s", what, lines)
		}
	}
}

// awaitLine waits for a line of a log that has a text.
func (s *functionStand) awaitLine(t *testing.T, text string) {
	t.Helper()
	s.await(t, "line with "+text, func() bool {
		for _, line := range s.lines {
			if strings.Contains(line, text) {
				return true
			}
		}
		return false
	})
}

// takeLines gives the lines that were logged since they were taken last.
func (s *functionStand) takeLines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	s.lines = nil
	return lines
}

// functionPackage is the package of the compiled testdata/function.
var functionPackage = sync.OnceValues(func() ([]byte, error) { return bootstrap.Zip("./testdata/function") })

// functionInput asks for the function of the tests; change may be nil.
func (s *functionStand) functionInput(change func(*lambda.CreateFunctionInput)) *lambda.CreateFunctionInput {
	s.Helper()
	code, err := functionPackage()
	s.must(err)
	in := &lambda.CreateFunctionInput{
		FunctionName: aws.String(functionName), Role: s.role, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("some.handler"),
		Architectures: []lambdatypes.Architecture{functionArchitecture()}, Code: &lambdatypes.FunctionCode{ZipFile: code},
	}
	if change != nil {
		change(in)
	}
	return in
}

func functionArchitecture() lambdatypes.Architecture {
	if runtime.GOARCH == "arm64" {
		return lambdatypes.ArchitectureArm64
	}
	return lambdatypes.ArchitectureX8664
}

// create makes the function of the tests.
func (s *functionStand) create(change func(*lambda.CreateFunctionInput)) {
	s.Helper()
	_, err := s.lambda.CreateFunction(s.Context(), s.functionInput(change))
	s.must(err)
}

// configure changes the function, whose next invocation is in a new process.
func (s *functionStand) configure(change func(*lambda.UpdateFunctionConfigurationInput)) {
	s.Helper()
	in := &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(functionName)}
	change(in)
	_, err := s.lambda.UpdateFunctionConfiguration(s.Context(), in)
	s.must(err)
}

func (s *functionStand) environment(variables map[string]string) {
	s.Helper()
	s.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
		in.Environment = &lambdatypes.Environment{Variables: variables}
	})
}

// invoke waits for an invocation of the function, with the end of its log.
func (s *functionStand) invoke(payload string, change ...func(*lambda.InvokeInput)) *lambda.InvokeOutput {
	s.Helper()
	out, err := s.try(payload, change...)
	s.must(err)
	return out
}

func (s *functionStand) try(payload string, change ...func(*lambda.InvokeInput)) (*lambda.InvokeOutput, error) {
	in := &lambda.InvokeInput{FunctionName: aws.String(functionName), Payload: []byte(payload), LogType: lambdatypes.LogTypeTail}
	for _, c := range change {
		c(in)
	}
	return s.lambda.Invoke(s.Context(), in)
}

// invoking is an invocation that the test goes on beside.
func (s *functionStand) invoking(payload string) <-chan *lambda.InvokeOutput {
	done := make(chan *lambda.InvokeOutput, 1)
	go func() {
		out, err := s.try(payload)
		if err != nil {
			s.Error(err)
		}
		done <- out
	}()
	return done
}
