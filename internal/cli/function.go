package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"streamgen/internal/records"
)

// function is a function that can be invoked.
type function struct {
	client *lambda.Client
	name   string
}

func newFunction(settings aws.Config, name string) function {
	// The SDK would invoke it again when the connection breaks, and the function may have run.
	return function{lambda.NewFromConfig(settings, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }), name}
}

// invoke runs the function once. While it is throttled, it waits and tries again.
func (f function) invoke(ctx context.Context, event []byte) (records.Answer, error) {
	return f.run(ctx, ctx, event)
}

// finish is invoke that lets what runs come to its end when ctx ends, until the user interrupts a second time.
func (f function) finish(ctx context.Context, event []byte) (records.Answer, error) {
	return f.run(ctx, hardStop(ctx), event)
}

// run waits with ctx, and invokes with running.
func (f function) run(ctx, running context.Context, event []byte) (records.Answer, error) {
	const first, most = 200 * time.Millisecond, 30 * time.Second
	for pause := first; ; pause = min(2*pause, most) {
		began := time.Now()
		out, err := f.client.Invoke(running, &lambda.InvokeInput{FunctionName: &f.name, Payload: event, LogType: lambdatypes.LogTypeTail})
		if isThrottled(err) {
			if err := sleep(ctx, pause); err != nil {
				return records.Answer{}, err
			}
			continue
		}
		if err != nil {
			return records.Answer{}, fmt.Errorf("invoking %s: %w", f.name, err)
		}
		log, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult)) // a log that is no base64 is none
		a := records.Answer{Payload: out.Payload, FunctionError: aws.ToString(out.FunctionError), Log: string(log), Took: time.Since(began)}
		a.RequestID, a.Took = reported(a.Log, a.Took)
		return a, nil
	}
}

// throttles are the error codes of services that are asked too often.
var throttles = []string{
	"TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown",
}

func isThrottled(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(throttles, api.ErrorCode())
}

func isCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// messageOf is what a service says is wrong.
func messageOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorMessage()
	}
	return err.Error()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var reportLine = regexp.MustCompile(`REPORT RequestId: (\S+)\s+Duration: ([0-9.]+) ms`)

// reported reads the last line that Lambda itself writes of an invocation.
func reported(log string, took time.Duration) (requestID string, _ time.Duration) {
	found := reportLine.FindStringSubmatch(log)
	if found == nil {
		return "", took
	}
	if ms, err := strconv.ParseFloat(found[2], 64); err == nil {
		took = time.Duration(ms * float64(time.Millisecond))
	}
	return found[1], took
}
