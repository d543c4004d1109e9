package conformance_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
)

// TestRestart ends a stack with a data folder and starts it again: what was made is there, and the mapping goes on with the next record.
func TestRestart(t *testing.T) {
	t.Parallel()
	options := local.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
	first, err := local.Start(t.Context(), options)
	must(t, err)
	s := build(t, first.Endpoint())
	queues := sqs.NewFromConfig(config(first.Endpoint()))
	name := unique("queue")
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: name})
	must(t, err)
	_, err = queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("kept")})
	must(t, err)
	s.put(t, "new")
	s.records(t, 1)
	function, err := s.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &s.function})
	must(t, err)
	id := stackID(t, first)
	must(t, first.Close(t.Context()))

	second := newStack(t, options)
	if got := stackID(t, second); got != id {
		t.Errorf("the stack's id is %s, it was %s", got, id)
	}
	s.clients(second.Endpoint())
	again, err := s.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &s.function})
	must(t, err)
	if *again.RevisionId != *function.RevisionId || *again.CodeSha256 != *function.CodeSha256 {
		t.Errorf("the function is revision %s of %s, it was %s of %s", *again.RevisionId, *again.CodeSha256, *function.RevisionId, *function.CodeSha256)
	}
	_, err = s.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &s.role})
	must(t, err)
	queues = sqs.NewFromConfig(config(second.Endpoint()))
	queueURL, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: name})
	must(t, err)
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queueURL.QueueUrl})
	must(t, err)
	if len(got.Messages) != 1 || *got.Messages[0].Body != "kept" {
		t.Errorf("messages %+v", got.Messages)
	}

	s.put(t, "changed")
	// Events of log groups do not outlive the stack: the first record's would be here if it had come again.
	lines := s.records(t, 1)
	if diff := cmp.Diff(image("new"), lines[0].DynamoDB.OldImage); diff != "" {
		t.Errorf("%s, old image: %s", lines[0].EventName, diff)
	}
	s.destroy(t)
}

func stackID(t *testing.T, s *local.Stack) string {
	t.Helper()
	res, err := http.Get(s.Endpoint() + "/_streamgen/health")
	must(t, err)
	defer res.Body.Close()
	var health struct{ ID string }
	must(t, json.NewDecoder(res.Body).Decode(&health))
	return health.ID
}
