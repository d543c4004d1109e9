package conformance_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"streamgen/internal/local"
	"streamgen/internal/local/clock"
)

// notes is what a stack logs.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) add(text string) { _, _ = n.Write([]byte(text)) }

// TestSecretsOutliveTheStack keeps keys, parameters and secrets in a data folder. No value of theirs is told by logs, requests or the
// dump, nor do secure ones lie readable in the folder.
func TestSecretsOutliveTheStack(t *testing.T) {
	t.Parallel()
	ctx, told := t.Context(), new(notes)
	options := local.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(told, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Requests: func(r local.Request) { told.add(fmt.Sprintf("%+v", r)) }}
	first, err := local.Start(ctx, options)
	must(t, err)
	c := config(first.Endpoint())
	key, err := kms.NewFromConfig(c).CreateKey(ctx, &kms.CreateKeyInput{})
	must(t, err)
	_, err = kms.NewFromConfig(c).CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/mine"), TargetKeyId: key.KeyMetadata.KeyId})
	must(t, err)
	sealed, err := kms.NewFromConfig(c).Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String("alias/mine"), Plaintext: []byte("hidden-1")})
	must(t, err)
	_, err = ssm.NewFromConfig(c).PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/p"), Value: aws.String("hidden-2"), Type: ssmtypes.ParameterTypeSecureString, KeyId: aws.String("alias/mine")})
	must(t, err)
	_, err = ssm.NewFromConfig(c).PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/p"), Value: aws.String("hidden-x"), Type: ssmtypes.ParameterTypeString})
	if err == nil || strings.Contains(err.Error(), "hidden-") {
		t.Errorf("got %v", err)
	}
	_, err = secretsmanager.NewFromConfig(c).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String("hidden-3")})
	must(t, err)
	_, err = cloudwatch.NewFromConfig(c).PutMetricAlarm(ctx, queueAlarm("q"))
	must(t, err)
	res, err := http.Get(first.Endpoint() + "/_streamgen/dump")
	must(t, err)
	defer res.Body.Close()
	dump, err := io.ReadAll(res.Body)
	must(t, err)
	told.add(string(dump))
	must(t, first.Close(ctx))
	if text := told.text.String(); strings.Contains(text, "hidden-") || !strings.Contains(text, "PutParameter") {
		t.Errorf("told %s", text)
	}

	c = config(newStack(t, options).Endpoint())
	opened, err := kms.NewFromConfig(c).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, KeyId: aws.String("alias/mine")})
	must(t, err)
	parameter, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/p"), WithDecryption: aws.Bool(true)})
	must(t, err)
	secret, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
	must(t, err)
	if string(opened.Plaintext) != "hidden-1" || *parameter.Parameter.Value != "hidden-2" || *secret.SecretString != "hidden-3" {
		t.Errorf("got %q, %q, %q", opened.Plaintext, *parameter.Parameter.Value, *secret.SecretString)
	}
	alarms, err := cloudwatch.NewFromConfig(c).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	must(t, err)
	if len(alarms.MetricAlarms) != 1 || *alarms.MetricAlarms[0].MetricName != "ApproximateNumberOfMessagesVisible" {
		t.Errorf("got %+v", alarms.MetricAlarms)
	}
}

// queueAlarm is the alarm that specs have for a queue of failures.
func queueAlarm(queue string) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("failures"), Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateNumberOfMessagesVisible"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: &queue}}, Statistic: cwtypes.StatisticMaximum, Period: aws.Int32(300),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
	}
}

// TestQueueAlarm takes the alarm of a queue through its states.
func TestQueueAlarm(t *testing.T) {
	t.Parallel()
	ctx, time0 := t.Context(), clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	c := config(newStack(t, local.Options{Listen: "127.0.0.1:0", Clock: time0}).Endpoint())
	queues, watch := sqs.NewFromConfig(c), cloudwatch.NewFromConfig(c)
	queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})
	must(t, err)
	_, err = watch.PutMetricAlarm(ctx, queueAlarm("q"))
	must(t, err)
	after := func(d time.Duration, want cwtypes.StateValue) {
		t.Helper()
		time0.AwaitSleepers(1)
		time0.Advance(d)
		time0.AwaitSleepers(1)
		out, err := watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"failures"}})
		must(t, err)
		if got := out.MetricAlarms[0]; got.StateValue != want {
			t.Fatalf("the state is %s (%s), want %s", got.StateValue, *got.StateReason, want)
		}
	}
	after(time.Minute, cwtypes.StateValueOk)
	_, err = queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("a failure")})
	must(t, err)
	after(time.Minute, cwtypes.StateValueAlarm)
	_, err = queues.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: queue.QueueUrl})
	must(t, err)
	after(4*time.Minute, cwtypes.StateValueAlarm) // the maximum of five minutes
	after(time.Minute, cwtypes.StateValueOk)
}
