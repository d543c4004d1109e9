package conformance_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	cwltypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamstypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"streamgen/internal/local"
)

// grantedActions are all actions that the rendered policies of the cases allow or deny, sorted.
func grantedActions(t *testing.T) []string {
	t.Helper()
	lists, names := regexp.MustCompile(`(?s)\bactions\s*=\s*\[(.*?)\]`), regexp.MustCompile(`"([a-z0-9-]+:[A-Za-z*]+)"`)
	var actions []string
	err := filepath.WalkDir(filepath.Join("..", "..", "render", "testdata", "cases"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, list := range lists.FindAllStringSubmatch(string(text), -1) {
			for _, name := range names.FindAllStringSubmatch(list[1], -1) {
				actions = append(actions, name[1])
			}
		}
		return err
	})
	must(t, err)
	slices.Sort(actions)
	return slices.Compact(actions)
}

// TestGrantedActions calls, for every action of the rendered policies that has an operation here, that operation as a role: without the
// statement it is denied, with it IAM lets it through.
func TestGrantedActions(t *testing.T) {
	elsewhere := map[string]bool{"ec2": true, "kms": true, "s3": true, "secretsmanager": true, "sns": true, "ssm": true, "xray": true}
	a := newActor(t, local.Options{})
	calls := grantedCalls(t, a)
	actions := grantedActions(t)
	if len(actions) < len(calls) {
		t.Fatalf("the cases grant %q alone", actions)
	}
	for _, action := range actions {
		service, _, _ := strings.Cut(action, ":")
		if elsewhere[service] || action == "sts:AssumeRole" { // the latter is a trust policy's
			continue
		}
		t.Run(action, func(t *testing.T) {
			call := calls[action]
			if call == nil {
				t.Fatal("the cases grant it, and this test has no call that needs it")
			}
			if err := call(); !strings.HasPrefix(code(err), "AccessDenied") {
				t.Fatalf("without the statement: %v", err)
			}
			denied := a.takeDenials()
			if len(denied) != 1 || denied[0].Action != action {
				t.Fatalf("denials %v", denied)
			}
			a.grant(t, denied[0].Missing)
			defer a.grant(t)
			if err := call(); strings.HasPrefix(code(err), "AccessDenied") {
				t.Errorf("with the statement %s: %v", denied[0].Missing, err)
			}
		})
	}
}

func grantedCalls(t *testing.T, a *actor) map[string]func() error {
	ctx := t.Context()
	streams := dynamodbstreams.New(dynamodbstreams.Options{Region: "us-east-1", BaseEndpoint: a.dynamodb.Options().BaseEndpoint,
		Credentials: a.dynamodb.Options().Credentials, Retryer: aws.NopRetryer{}})
	table, group, stream := aws.String("tab"), aws.String("group"), aws.String("stream")
	arn := aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/2026-01-02T03:04:05.000")
	key := map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}}
	return map[string]func() error{
		"dynamodb:GetItem": func() error {
			_, err := a.dynamodb.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key})
			return err
		},
		"dynamodb:PutItem": func() error {
			_, err := a.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: key})
			return err
		},
		"dynamodb:UpdateItem": func() error {
			_, err := a.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: key})
			return err
		},
		"dynamodb:DeleteItem": func() error {
			_, err := a.dynamodb.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: key})
			return err
		},
		"dynamodb:Query": func() error {
			_, err := a.dynamodb.Query(ctx, &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("Id = :i"),
				ExpressionAttributeValues: map[string]ddb.AttributeValue{":i": key["Id"]}})
			return err
		},
		"dynamodb:Scan": func() error { _, err := a.dynamodb.Scan(ctx, &dynamodb.ScanInput{TableName: table}); return err },
		"dynamodb:DescribeTable": func() error {
			_, err := a.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: table})
			return err
		},
		"dynamodb:BatchGetItem": func() error {
			_, err := a.dynamodb.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{*table: {Keys: []map[string]ddb.AttributeValue{key}}}})
			return err
		},
		"dynamodb:BatchWriteItem": func() error {
			_, err := a.dynamodb.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{*table: {{PutRequest: &ddb.PutRequest{Item: key}}}}})
			return err
		},
		"dynamodb:ConditionCheckItem": func() error {
			_, err := a.dynamodb.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []ddb.TransactWriteItem{{
				ConditionCheck: &ddb.ConditionCheck{TableName: table, Key: key, ConditionExpression: aws.String("attribute_exists(Id)")}}}})
			return err
		},
		"dynamodb:ListStreams": func() error {
			_, err := streams.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: table})
			return err
		},
		"dynamodb:DescribeStream": func() error {
			_, err := streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
			return err
		},
		"dynamodb:GetShardIterator": func() error {
			_, err := streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: arn, ShardId: aws.String("shardId-00000001767323045000-00000001"),
				ShardIteratorType: streamstypes.ShardIteratorTypeLatest})
			return err
		},
		"dynamodb:GetRecords": func() error {
			_, err := streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String(*arn + "|1|x")})
			return err
		},
		"logs:CreateLogStream": func() error {
			_, err := a.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream})
			return err
		},
		"logs:PutLogEvents": func() error {
			_, err := a.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream,
				LogEvents: []cwltypes.InputLogEvent{{Message: aws.String("m"), Timestamp: aws.Int64(1)}}})
			return err
		},
		"sqs:SendMessage": func() error {
			_, err := a.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String("http://x/000000000000/q"), MessageBody: aws.String("m")})
			return err
		},
		"sqs:GetQueueUrl": func() error {
			_, err := a.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
			return err
		},
	}
}
