package semantics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
)

// functionEvents is a stand with a function of this process that is invoked by events, and a queue for what becomes of them.
type functionEvents struct {
	*functionStand
	queues *sqs.Client
	queue  *string // its URL
	calls  chan local.Invocation
	answer func(local.Invocation) ([]byte, error)
}

func functionNoLuck(local.Invocation) ([]byte, error) { return nil, errors.New("no luck") }

const functionQueueARN = "arn:aws:sqs:us-east-1:000000000000:outcomes"

func newFunctionEvents(t *testing.T) *functionEvents {
	t.Helper()
	e := &functionEvents{functionStand: newFunctionStand(t), calls: make(chan local.Invocation, 10), answer: functionNoLuck}
	_, err := e.stack.Register("us-east-1", functionName, 15*time.Minute, func(_ context.Context, i local.Invocation) ([]byte, error) {
		e.calls <- i
		return e.answer(i)
	})
	e.must(err)
	e.newQueue()
	return e
}

func (e *functionEvents) newQueue() {
	e.Helper()
	e.queues = sqs.NewFromConfig(e.config)
	made, err := e.queues.CreateQueue(e.Context(), &sqs.CreateQueueInput{QueueName: aws.String("outcomes")})
	e.must(err)
	e.queue = made.QueueUrl
}

// to configures what becomes of the function's events: retries and age are as they were where they are negative.
func (e *functionEvents) to(retries, age int32, success, failure string) error {
	in := &lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String(functionName), DestinationConfig: &lambdatypes.DestinationConfig{}}
	if retries >= 0 {
		in.MaximumRetryAttempts = &retries
	}
	if age >= 0 {
		in.MaximumEventAgeInSeconds = &age
	}
	if success != "" {
		in.DestinationConfig.OnSuccess = &lambdatypes.OnSuccess{Destination: &success}
	}
	if failure != "" {
		in.DestinationConfig.OnFailure = &lambdatypes.OnFailure{Destination: &failure}
	}
	_, err := e.lambda.PutFunctionEventInvokeConfig(e.Context(), in)
	return err
}

// send gives the function an event, and the id that its invocations have.
func (e *functionEvents) send(payload string, change ...func(*lambda.InvokeInput)) string {
	e.Helper()
	out := e.invoke(payload, append(change, func(in *lambda.InvokeInput) { in.InvocationType = lambdatypes.InvocationTypeEvent })...)
	id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
	return id
}

// call is the function's next invocation.
func (e *functionEvents) call() local.Invocation {
	e.Helper()
	select {
	case i := <-e.calls:
		return i
	case <-time.After(functionPatience):
		e.Fatal("the function is not invoked")
	}
	return local.Invocation{}
}

// after moves the clock to when the event comes again.
func (e *functionEvents) after(pause time.Duration) {
	e.clock.AwaitSleeper(pause)
	e.clock.Advance(pause)
}

// message is the next message of the queue, which waits for it.
func (e *functionEvents) message() sqstypes.Message {
	e.Helper()
	got, err := e.queues.ReceiveMessage(e.Context(), &sqs.ReceiveMessageInput{QueueUrl: e.queue, WaitTimeSeconds: 20, MessageAttributeNames: []string{"All"}})
	e.must(err)
	if len(got.Messages) != 1 {
		e.Fatalf("the queue has %d messages", len(got.Messages))
	}
	_, err = e.queues.DeleteMessage(e.Context(), &sqs.DeleteMessageInput{QueueUrl: e.queue, ReceiptHandle: got.Messages[0].ReceiptHandle})
	e.must(err)
	return got.Messages[0]
}

// functionOutcome is the document that a destination gets, with ID in place of the request's id.
func functionOutcome(condition string, invokes int, at, qualifier, response string) string {
	return fmt.Sprintf(`{"version":"1.0","timestamp":"%s","requestContext":{"requestId":"ID","functionArn":"%s:%s","condition":"%s","approximateInvokeCount":%d},"requestPayload":{"a":1}%s}`,
		at, functionOfARN, qualifier, condition, invokes, response)
}

const (
	functionFailed    = `,"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"errorString"}`
	functionSucceeded = `,"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":"well"`
)

// TestFunctionAsynchronous is what becomes of an event: how often it comes, when, and what the destination is told in the end.
func TestFunctionAsynchronous(t *testing.T) {
	reserve := func(e *functionEvents, n int32) {
		e.Helper()
		_, err := e.lambda.PutFunctionConcurrency(e.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String(functionName), ReservedConcurrentExecutions: &n})
		e.must(err)
	}
	for _, row := range []struct {
		name           string
		retries, age   int32
		answer         string // "" fails
		qualifier      string
		pauses         []time.Duration // between the invocations
		last           time.Duration   // what passes after the last one
		busy, reserved bool            // all of the function's concurrency is used, or there is none
		want           string
	}{
		{name: "success", retries: -1, age: -1, answer: `"well"`, want: functionOutcome("Success", 1, "2026-11-23T04:05:06.000Z", "$LATEST", functionSucceeded)},
		{name: "two retries, after one and two minutes", retries: -1, age: -1, pauses: []time.Duration{time.Minute, 2 * time.Minute},
			want: functionOutcome("RetriesExhausted", 3, "2026-11-23T04:08:06.000Z", "$LATEST", functionFailed)},
		{name: "one retry", retries: 1, age: -1, pauses: []time.Duration{time.Minute}, want: functionOutcome("RetriesExhausted", 2, "2026-11-23T04:06:06.000Z", "$LATEST", functionFailed)},
		{name: "no retry", retries: 0, age: -1, want: functionOutcome("RetriesExhausted", 1, "2026-11-23T04:05:06.000Z", "$LATEST", functionFailed)},
		{name: "an event that gets too old between retries", retries: -1, age: 90, pauses: []time.Duration{time.Minute}, last: 30 * time.Second,
			want: functionOutcome("EventAgeExceeded", 2, "2026-11-23T04:06:36.000Z", "$LATEST", functionFailed)},
		{name: "an event that gets too old while it is throttled", retries: -1, age: 60, busy: true,
			pauses: []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}, last: 29 * time.Second,
			want: functionOutcome("EventAgeExceeded", 0, "2026-11-23T04:06:06.000Z", "$LATEST", "")},
		{name: "a reserved concurrency of 0", retries: -1, age: -1, reserved: true, want: functionOutcome("ZeroReservedConcurrency", 0, "2026-11-23T04:05:06.000Z", "$LATEST", "")},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newFunctionEvents(t)
			e.must(e.to(row.retries, row.age, functionQueueARN, functionQueueARN))
			if row.answer != "" {
				e.answer = func(local.Invocation) ([]byte, error) { return []byte(row.answer), nil }
			}
			if row.reserved {
				reserve(e, 0)
			}
			if row.busy {
				reserve(e, 1)
				release, done := make(chan struct{}), make(chan struct{})
				e.answer = func(local.Invocation) ([]byte, error) { <-release; return []byte("1"), nil }
				go func() {
					defer close(done)
					if _, err := e.try(`{}`); err != nil {
						t.Error(err)
					}
				}()
				e.call()
				defer func() {
					close(release)
					<-done
				}()
			}
			id := e.send(`{"a":1}`)
			runs := !row.busy && !row.reserved
			for i := 0; ; i++ {
				if runs {
					if call := e.call(); call.RequestID != id || string(call.Payload) != `{"a":1}` || call.FunctionARN != functionOfARN {
						t.Errorf("invoked with %+v, as %s", call, id)
					}
				}
				if i == len(row.pauses) {
					break
				}
				e.after(row.pauses[i])
			}
			if row.last > 0 {
				e.after(row.last)
			}
			if got := strings.ReplaceAll(*e.message().Body, id, "ID"); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
			if len(e.calls) > 0 {
				t.Error("the event comes again")
			}
		})
	}
	t.Run("a throttle is no retry", func(t *testing.T) {
		e := newFunctionEvents(t)
		e.must(e.to(0, -1, "", functionQueueARN))
		reserve(e, 1)
		release, done := make(chan struct{}), make(chan struct{})
		e.answer = func(i local.Invocation) ([]byte, error) {
			if string(i.Payload) == `{}` { // it is in the way
				<-release
			}
			return functionNoLuck(i)
		}
		go func() {
			defer close(done)
			_, _ = e.try(`{}`)
		}()
		e.call()
		id := e.send(`{"a":1}`)
		e.clock.AwaitSleeper(time.Second)
		close(release)
		<-done
		e.clock.Advance(time.Second)
		e.call()
		want := functionOutcome("RetriesExhausted", 1, "2026-11-23T04:05:07.000Z", "$LATEST", functionFailed)
		if got := strings.ReplaceAll(*e.message().Body, id, "ID"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("a dead letter", func(t *testing.T) {
		e := newFunctionEvents(t)
		e.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
			in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: aws.String(functionQueueARN)}
		})
		e.must(e.to(0, -1, "", ""))
		id := e.send(`{"a":1}`)
		e.wantDeadLetter(t, id, `{"a":1}`, "200", "no luck")
	})
	t.Run("a dead letter of a reserved concurrency of 0", func(t *testing.T) {
		e := newFunctionEvents(t)
		e.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
			in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: aws.String(functionQueueARN)}
		})
		reserve(e, 0)
		id := e.send(`{"a":1}`)
		e.wantDeadLetter(t, id, `{"a":1}`, "429", "Rate Exceeded.")
	})
	t.Run("what is configured for a qualifier", func(t *testing.T) {
		e := newFunctionEvents(t)
		e.publishLive()
		_, err := e.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String(functionName), Qualifier: aws.String("live"),
			MaximumRetryAttempts: aws.Int32(0), DestinationConfig: &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: aws.String(functionQueueARN)}}})
		e.must(err)
		id := e.send(`{"a":1}`, func(in *lambda.InvokeInput) { in.Qualifier = aws.String("live") })
		want := functionOutcome("RetriesExhausted", 1, "2026-11-23T04:05:06.000Z", "live", strings.Replace(functionFailed, "$LATEST", "1", 1))
		if got := strings.ReplaceAll(*e.message().Body, id, "ID"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("no client context", func(t *testing.T) {
		e := newFunctionEvents(t)
		e.answer = func(local.Invocation) ([]byte, error) { return []byte("1"), nil }
		e.send(`{}`, func(in *lambda.InvokeInput) { in.ClientContext = aws.String("e30=") })
		if call := e.call(); call.ClientContext != nil {
			t.Errorf("it is %s", call.ClientContext)
		}
	})
	for _, row := range []struct {
		name         string
		retries, age int32
		member       string
	}{
		{"at most two retries", 3, -1, "maximumRetryAttempts"},
		{"an age of at least a minute", -1, 59, "maximumEventAgeInSeconds"},
		{"an age of at most six hours", -1, 21601, "maximumEventAgeInSeconds"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newFunctionEvents(t)
			e.refused(t, e.to(row.retries, row.age, "", ""), 400, "ValidationException", row.member)
		})
	}
}

func (e *functionEvents) wantDeadLetter(t *testing.T, id, body, code, message string) {
	t.Helper()
	m := e.message()
	got := map[string]string{"body": *m.Body}
	for name, a := range m.MessageAttributes {
		got[name] = *a.DataType + " " + *a.StringValue
	}
	want := map[string]string{"body": body, "RequestID": "String " + id, "ErrorCode": "Number " + code, "ErrorMessage": "String " + message}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the dead letter (-want +got):\n%s", diff)
	}
}

// newFunctionDestinations is a stand with a function that runs as its role, and everything that takes outcomes.
func newFunctionDestinations(t *testing.T) *functionEvents {
	t.Helper()
	e := &functionEvents{functionStand: newFunctionStand(t), calls: make(chan local.Invocation, 10)}
	e.newQueue()
	topics := sns.NewFromConfig(e.config)
	for topic, attributes := range map[string]map[string]string{"envelopes": nil, "raw": {"RawMessageDelivery": "true"}} {
		made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &topic})
		e.must(err)
		_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(functionQueueARN), Attributes: attributes})
		e.must(err)
	}
	_, err := e.buckets().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("outcomes")})
	e.must(err)
	_, err = e.stack.Register("us-east-1", "hears", time.Minute, func(_ context.Context, i local.Invocation) ([]byte, error) {
		e.calls <- i
		return []byte("1"), nil
	})
	e.must(err)
	return e
}

func (e *functionEvents) buckets() *s3.Client {
	return s3.NewFromConfig(e.config, func(o *s3.Options) { o.UsePathStyle = true })
}

const (
	functionTopicARN  = "arn:aws:sns:us-east-1:000000000000:"
	functionBucketARN = "arn:aws:s3:::outcomes"
	functionHearsARN  = "arn:aws:lambda:us-east-1:000000000000:function:hears"
)

func functionAllow(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

// TestFunctionDestinations sends outcomes and dead letters of a real process to everything that takes them, each with what its role must
// be allowed for it, and not without.
func TestFunctionDestinations(t *testing.T) {
	e := newFunctionDestinations(t)
	e.create(nil)
	// came gives the document, or the event of a dead letter, that came to where it was sent.
	fromQueue := func(*testing.T) string { return *e.message().Body }
	fromTopic := func(t *testing.T) string {
		var envelope struct{ Type, TopicARN, Message string }
		if err := json.Unmarshal([]byte(*e.message().Body), &envelope); err != nil || envelope.Type != "Notification" || envelope.TopicARN != functionTopicARN+"envelopes" {
			t.Errorf("the envelope is %+v, %v", envelope, err)
		}
		return envelope.Message
	}
	fromFunction := func(*testing.T) string { return string(e.call().Payload) }
	fromBucket := func(t *testing.T) string {
		e.message() // the dead letter, which is sent after it
		list, err := e.buckets().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("outcomes")})
		e.must(err)
		if len(list.Contents) != 1 {
			t.Fatalf("the bucket has %d objects", len(list.Contents))
		}
		key := list.Contents[0].Key
		if !regexp.MustCompile(`^aws/lambda/async/worker/2026/11/23/2026-11-23T04\.05\.06-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString(*key) {
			t.Errorf("its key is %s", *key)
		}
		object, err := e.buckets().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("outcomes"), Key: key})
		e.must(err)
		defer object.Body.Close()
		text, err := io.ReadAll(object.Body)
		e.must(err)
		if got := aws.ToString(object.ContentType); got != "application/json" {
			t.Errorf("it is %s", got)
		}
		return string(text)
	}
	const failure, success = `{"Do":"fail","Text":"no luck"}`, `{"Text":"well"}`
	send := functionAllow("sqs:SendMessage", functionQueueARN)
	for _, row := range []struct {
		name             string
		success, failure string // destinations
		dead             string // the dead-letter target
		payload          string
		allow            []string
		without          string // what Lambda says of the role without the first of them
		came             func(*testing.T) string
		want             string // of the document; "" for the event itself
	}{
		{"success to a queue", functionQueueARN, "", "", success, []string{send}, "The function's execution role does not have permissions to call SendMessage on " + functionQueueARN, fromQueue, `"condition":"Success"`},
		{"success to a topic", functionTopicARN + "envelopes", "", "", success, []string{functionAllow("sns:Publish", functionTopicARN+"envelopes")},
			"The function's execution role does not have permissions to call Publish on " + functionTopicARN + "envelopes", fromTopic, `"responsePayload":"did nothing"`},
		{"success to a function", functionHearsARN, "", "", success, []string{functionAllow("lambda:InvokeFunction", functionHearsARN)},
			"The function's execution role does not have permissions to call InvokeFunction on " + functionHearsARN, fromFunction, `"condition":"Success"`},
		{"failure to a queue", "", functionQueueARN, "", failure, []string{send}, "The function's execution role does not have permissions to call SendMessage on " + functionQueueARN, fromQueue, `"condition":"RetriesExhausted"`},
		{"failure to a topic", "", functionTopicARN + "raw", "", failure, []string{functionAllow("sns:Publish", functionTopicARN+"raw")},
			"The function's execution role does not have permissions to call Publish on " + functionTopicARN + "raw", fromQueue, `"responsePayload":{"errorMessage":"no luck","errorType":"errorString"}`},
		{"failure to a function", "", functionHearsARN, "", failure, []string{functionAllow("lambda:InvokeFunction", functionHearsARN)},
			"The function's execution role does not have permissions to call InvokeFunction on " + functionHearsARN, fromFunction, `"condition":"RetriesExhausted"`},
		{"failure to a bucket that may not be listed", "", functionBucketARN, functionQueueARN, failure, []string{functionAllow("s3:ListBucket", functionBucketARN), functionAllow("s3:PutObject", functionBucketARN+"/*"), send},
			"The function's execution role does not have permissions to call ListBucket on " + functionBucketARN, fromBucket, `"requestPayload":{"Do":"fail","Text":"no luck"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}`},
		{"dead letter to a queue", "", "", functionQueueARN, failure, []string{send}, "The provided execution role does not have permissions to call SendMessage on SQS", fromQueue, ""},
		{"dead letter to a topic", "", "", functionTopicARN + "envelopes", failure, []string{functionAllow("sns:Publish", functionTopicARN+"envelopes")},
			"The provided execution role does not have permissions to call Publish on SNS", fromTopic, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			configure := func() error {
				if err := e.to(0, -1, row.success, row.failure); err != nil || row.dead == "" {
					return err
				}
				_, err := e.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(functionName),
					DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: &row.dead}})
				return err
			}
			if row.dead != "" {
				e.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
					in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: aws.String("")}
				})
			}
			e.grant(append([]string{functionMayRun}, row.allow[1:]...)...)
			e.refused(t, configure(), 400, "InvalidParameterValueException", row.without)
			e.grant(append([]string{functionMayRun}, row.allow...)...)
			e.must(configure())
			id := e.send(row.payload)
			got := row.came(t)
			if row.want == "" && got != row.payload || row.want != "" && (!strings.Contains(got, row.want) || !strings.Contains(got, `"requestId":"`+id+`"`)) {
				t.Errorf("of %s came %s", id, got)
			}
		})
	}
	t.Run("a bucket that may not be written", func(t *testing.T) {
		e.grant(functionMayRun, functionAllow("s3:ListBucket", functionBucketARN))
		e.refused(t, e.to(0, -1, "", functionBucketARN), 400, "InvalidParameterValueException", "The function's execution role does not have permissions to call PutObject on "+functionBucketARN)
	})
	t.Run("a new function with a dead-letter target", func(t *testing.T) {
		e.grant(functionMayRun)
		_, err := e.lambda.CreateFunction(t.Context(), e.functionInput(func(in *lambda.CreateFunctionInput) {
			in.Code = &lambdatypes.FunctionCode{ZipFile: []byte("not looked at")}
			in.FunctionName, in.DeadLetterConfig = aws.String("other"), &lambdatypes.DeadLetterConfig{TargetArn: aws.String(functionTopicARN + "raw")}
		}))
		e.refused(t, err, 400, "InvalidParameterValueException", "The provided execution role does not have permissions to call Publish on SNS")
	})
	t.Run("the attributes of a dead letter to a topic", func(t *testing.T) {
		e.grant(functionMayRun, functionAllow("sns:Publish", functionTopicARN+"raw"))
		e.must(e.to(0, -1, "", ""))
		e.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
			in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: aws.String(functionTopicARN + "raw")}
		})
		e.wantDeadLetter(t, e.send(failure), failure, "200", "no luck")
	})
	t.Run("a role that may no longer send", func(t *testing.T) {
		e.grant(functionMayRun, functionAllow("sns:Publish", functionTopicARN+"raw"), functionAllow("s3:*", "*"))
		e.must(e.to(0, -1, "", functionBucketARN))
		e.grant(functionMayRun, functionAllow("sns:Publish", functionTopicARN+"raw"))
		e.note(func() { e.denied = nil })
		e.send(failure)
		e.await(t, "denial", func() bool {
			return len(e.denied) == 1 && e.denied[0].Action == "s3:ListBucket" && e.denied[0].Resource == functionBucketARN
		})
		e.message() // the dead letter, which is sent after it
		list, err := e.buckets().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("outcomes")})
		e.must(err)
		if len(list.Contents) != 1 { // that of the row before
			t.Errorf("the bucket has %d objects", len(list.Contents))
		}
	})
	for _, row := range []struct{ name, success, failure, code, message string }{
		{"success to a bucket", functionBucketARN, "", "InvalidParameterValueException",
			"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=" + functionBucketARN + "), onFailure=null) is invalid."},
		{"a FIFO queue", "", functionQueueARN + ".fifo", "InvalidParameterValueException",
			"The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=" + functionQueueARN + ".fifo)) is invalid."},
		{"an event bus", "", "arn:aws:events:us-east-1:000000000000:event-bus/default", "ValidationException",
			"streamgen local does not emulate the event bus arn:aws:events:us-east-1:000000000000:event-bus/default as DestinationConfig.OnFailure"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e.refused(t, e.to(0, -1, row.success, row.failure), 400, row.code, row.message)
		})
	}
	for _, row := range []struct{ name, target string }{
		{"a dead letter to a bucket", functionBucketARN}, {"a dead letter to a function", functionHearsARN}, {"a dead letter to a FIFO topic", functionTopicARN + "raw.fifo"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := e.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String(functionName),
				DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: &row.target}})
			e.refused(t, err, 400, "InvalidParameterValueException", "The dead-letter target ARN "+row.target+" is invalid: it is that of a standard queue or topic.")
		})
	}
	t.Run("a document that a topic does not take", func(t *testing.T) {
		e.grant(functionMayRun, functionAllow("sns:Publish", functionTopicARN+"raw"), send)
		e.must(e.to(0, -1, functionTopicARN+"raw", ""))
		came := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(came) }))
		defer server.Close()
		e.send(`{"Text":` + functionText(256<<10) + `,"Do":"visit","URL":"` + server.URL + `"}`)
		<-came
		id := e.send(`{"Text":"small"}`)
		if got := *e.message().Body; !strings.Contains(got, id) {
			t.Errorf("what came is %.200s", got)
		}
	})
}
