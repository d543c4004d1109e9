package semantics

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
)

// timeout is that of the function whose process is real.
const timeout = 3 * time.Second

// allow says what the role of the function may do beside reading streams.
func (s *stand) allow(actions ...string) {
	s.Helper()
	allowed := `"` + strings.Join(append(actions, "dynamodb:*", "logs:*"), `","`) + `"`
	_, err := iam.NewFromConfig(s.config()).PutRolePolicy(s.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("fn"), PolicyName: aws.String("fn"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` + allowed + `],"Resource":"*"}}`)})
	s.must(err)
}

// deploy makes the function fn of a real process, with a role.
func (s *stand) deploy() {
	s.Helper()
	code, err := bootstrap.Zip("./testdata/mapped")
	s.must(err)
	role, err := iam.NewFromConfig(s.config()).CreateRole(s.Context(), &iam.CreateRoleInput{RoleName: aws.String("fn"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)})
	s.must(err)
	s.allow()
	architecture := types.ArchitectureX8664
	if runtime.GOARCH == "arm64" {
		architecture = types.ArchitectureArm64
	}
	_, err = s.lambda.CreateFunction(s.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("fn"), Role: role.Role.Arn, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Architectures: []types.Architecture{architecture}, Timeout: new(int32(timeout.Seconds())), Code: &types.FunctionCode{ZipFile: code},
	})
	s.must(err)
}

// logged waits until the function logs a line.
func (s *stand) logged(line string) {
	s.Helper()
	s.untilOf(1, func(e local.Event) bool { return e.Kind == local.EventLog && strings.Contains(e.Message, line) })
}

// TestMappingProcesses is what becomes of a batch with a function whose process is real. The rows are the life of one stack: a function's package is
// large.
func TestMappingProcesses(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.queue()
	s.deploy()
	o := options{MaximumRetryAttempts: new(int32(1)), BatchSize: new(int32(1)), DestinationConfig: onFailure(queueARN)}
	gaveUp := func(word string) string {
		return fmt.Sprintf("RetryAttemptsExhausted %s..%s (1), count 2, Unhandled", word, word)
	}
	for _, row := range []struct {
		name string
		run  func()
		want []string // reports
	}{
		{"a role that may not send gets no mapping", func() {
			_, err := s.try(o)
			s.refused(err, "InvalidParameterValueException", 400, "The provided execution role does not have permissions to call SendMessage on SQS")
			s.allow("sqs:SendMessage")
			s.create(o)
		}, nil},
		{"a process that is well", func() { s.write("a b") }, nil},
		{"a handler's error", func() { s.write("a:fail") }, []string{gaveUp("a:fail")}},
		{"a panic", func() { s.write("a:panic") }, []string{gaveUp("a:panic")}},
		{"an exit with a status", func() { s.write("a:exit-3") }, []string{gaveUp("a:exit-3")}},
		{"an exit without a status", func() { s.write("a:exit-0") }, []string{gaveUp("a:exit-0")}},
		{"what follows a crash has a new process", func() { s.write("c:exit-3 d e:panic f") }, []string{gaveUp("c:exit-3"), gaveUp("e:panic")}},
		{"a timeout", func() {
			s.write("a:hang")
			for range 2 {
				s.logged("told to hang")
				s.pass(timeout)
			}
		}, []string{gaveUp("a:hang")}},
		{"reserved concurrency throttles, and that is no attempt", func() {
			s.reserve(0)
			s.write("g:fail")
			s.until(local.EventRefused, 4)
			_, err := s.lambda.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String("fn")})
			s.must(err)
		}, []string{gaveUp("g:fail")}},
		{"a role that may not send any more loses the report", func() {
			s.allow()
			s.write("h:fail")
		}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.T = t
			row.run()
			s.settle()
			s.equal("reports", s.reported(), row.want)
		})
	}
}
