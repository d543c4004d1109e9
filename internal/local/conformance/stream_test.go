package conformance_test

import (
	"context"
	"encoding/json"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
)

// handlerZip is the package of testdata/handler.
var handlerZip = sync.OnceValues(func() ([]byte, error) { return bootstrap.Zip("./testdata/handler") })

// system is a table whose stream a mapping hands to a function that logs.
type system struct {
	table, function, group, role, mapping string
	streamARN                             string
	dynamodb                              *dynamodb.Client
	lambda                                *lambda.Client
	logs                                  *cwl.Client
	iam                                   *iam.Client
}

func (s *system) clients(endpoint string) {
	s.dynamodb, s.lambda = dynamodb.NewFromConfig(config(endpoint)), lambda.NewFromConfig(config(endpoint))
	s.logs, s.iam = cwl.NewFromConfig(config(endpoint)), iam.NewFromConfig(config(endpoint))
}

// handlerPolicy is what the role of a handler may do.
const handlerPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["dynamodb:*","logs:*","sqs:*"],"Resource":"*"}}`

// build makes the system in the order in which terraform does.
func build(t *testing.T, endpoint string) *system {
	t.Helper()
	code, err := handlerZip()
	must(t, err)
	return buildOf(t, endpoint, code, nil)
}

// buildOf makes a system whose function has this code and these variables.
func buildOf(t *testing.T, endpoint string, code []byte, variables map[string]string) *system {
	t.Helper()
	ctx := t.Context()
	name := *unique("orders")
	s := &system{table: name, function: name, group: "/aws/lambda/" + name, role: name}
	s.clients(endpoint)

	_, err := s.logs.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: &s.group})
	must(t, err)
	role, err := s.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &s.role, AssumeRolePolicyDocument: aws.String(lambdaTrust)})
	must(t, err)
	_, err = s.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &s.role, PolicyName: &s.role, PolicyDocument: aws.String(handlerPolicy)})
	must(t, err)
	_, err = s.dynamodb.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: &s.table, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddb.KeyTypeHash}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeNewAndOldImages}})
	must(t, err)
	must(t, dynamodb.NewTableExistsWaiter(s.dynamodb).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &s.table}, time.Minute))
	table, err := s.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.table})
	must(t, err)
	s.streamARN = aws.ToString(table.Table.LatestStreamArn)

	architecture := lambdatypes.ArchitectureX8664
	if runtime.GOARCH == "arm64" {
		architecture = lambdatypes.ArchitectureArm64
	}
	_, err = s.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &s.function, Role: role.Role.Arn, Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Architectures: []lambdatypes.Architecture{architecture}, Timeout: aws.Int32(30), Code: &lambdatypes.FunctionCode{ZipFile: code},
		Environment: &lambdatypes.Environment{Variables: variables}})
	must(t, err)
	must(t, lambda.NewFunctionActiveV2Waiter(s.lambda).Wait(ctx, &lambda.GetFunctionInput{FunctionName: &s.function}, time.Minute))
	mapping, err := s.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{EventSourceArn: &s.streamARN, FunctionName: &s.function,
		StartingPosition: lambdatypes.EventSourcePositionLatest, FunctionResponseTypes: []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures}})
	must(t, err)
	s.mapping = aws.ToString(mapping.UUID)
	eventually(t, "the mapping is enabled", func() bool {
		got, err := s.lambda.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &s.mapping})
		must(t, err)
		return aws.ToString(got.State) == "Enabled"
	})
	return s
}

// destroy removes the system in terraform's order and checks that it is gone.
func (s *system) destroy(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	_, err := s.lambda.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: &s.mapping})
	must(t, err)
	eventually(t, "the mapping is gone", func() bool {
		got, err := s.lambda.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &s.mapping})
		if err == nil {
			if state := aws.ToString(got.State); state != "Deleting" {
				t.Fatalf("the deleted mapping is %s", state)
			}
			return false
		}
		wantCode(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
		return true
	})
	_, err = s.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &s.function})
	must(t, err)
	_, err = s.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &s.function})
	wantCode(t, err, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:")
	_, err = s.dynamodb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &s.table})
	must(t, err)
	must(t, dynamodb.NewTableNotExistsWaiter(s.dynamodb).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &s.table}, time.Minute))
	_, err = s.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &s.role, PolicyName: &s.role})
	must(t, err)
	_, err = s.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &s.role})
	must(t, err)
	_, err = s.logs.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: &s.group})
	must(t, err)
	groups, err := s.logs.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: &s.group})
	must(t, err)
	if len(groups.LogGroups) != 0 {
		t.Errorf("log groups are left: %+v", groups.LogGroups)
	}
}

// line is what the handler logs of a record.
type line struct {
	EventID, EventName string
	DynamoDB           struct {
		Keys, OldImage, NewImage map[string]map[string]string
		SequenceNumber           string
		StreamViewType           string
	}
}

// records waits until the handler has logged n records and gives them in the order of its log.
func (s *system) records(t *testing.T, n int) []line {
	t.Helper()
	var lines []line
	eventually(t, "the handler logs its records", func() bool {
		lines = nil
		for p := cwl.NewFilterLogEventsPaginator(s.logs, &cwl.FilterLogEventsInput{LogGroupName: &s.group, FilterPattern: aws.String(`"\"eventID\":"`)}); p.HasMorePages(); {
			page, err := p.NextPage(t.Context())
			must(t, err)
			for _, e := range page.Events {
				var l line
				if err := json.Unmarshal([]byte(aws.ToString(e.Message)), &l); err != nil {
					t.Fatalf("%s: %v", aws.ToString(e.Message), err)
				}
				lines = append(lines, l)
			}
		}
		return len(lines) >= n
	})
	if len(lines) != n {
		t.Errorf("%d records were logged, want %d: %+v", len(lines), n, lines)
	}
	return lines
}

// logged waits until an event of the function's log group holds the text.
func (s *system) logged(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the handler logs "+text, func() bool {
		found, err := s.logs.FilterLogEvents(t.Context(), &cwl.FilterLogEventsInput{LogGroupName: &s.group})
		must(t, err)
		return slices.ContainsFunc(found.Events, func(e logtypes.FilteredLogEvent) bool { return strings.Contains(aws.ToString(e.Message), text) })
	})
}

func (s *system) put(t *testing.T, note string) {
	t.Helper()
	_, err := s.dynamodb.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table,
		Item: map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}, "Note": &ddb.AttributeValueMemberS{Value: note}}})
	must(t, err)
}

func image(note string) map[string]map[string]string {
	return map[string]map[string]string{"Id": {"S": "1"}, "Note": {"S": note}}
}

// TestStreamReachesHandler is the whole line: an item is written, changed and deleted, and the real process of the
// function logs the three records.
func TestStreamReachesHandler(t *testing.T) {
	t.Parallel()
	s := build(t, endpoint(t))
	t.Cleanup(func() { s.destroy(t) })
	s.put(t, "new")
	s.put(t, "changed")
	s.put(t, "changed") // changes nothing and makes no record
	_, err := s.dynamodb.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}}})
	must(t, err)

	lines := s.records(t, 3)
	if len(lines) != 3 {
		t.FailNow()
	}
	for i, want := range []struct {
		name     string
		old, new map[string]map[string]string
	}{{"INSERT", nil, image("new")}, {"MODIFY", image("new"), image("changed")}, {"REMOVE", image("changed"), nil}} {
		got := lines[i]
		if got.EventName != want.name || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(got.EventID) || got.DynamoDB.StreamViewType != "NEW_AND_OLD_IMAGES" {
			t.Errorf("record %d: got %+v, want %s", i, got, want.name)
		}
		if diff := cmp.Diff(want.old, got.DynamoDB.OldImage); diff != "" {
			t.Errorf("%s, old image: %s", want.name, diff)
		}
		if diff := cmp.Diff(want.new, got.DynamoDB.NewImage); diff != "" {
			t.Errorf("%s, new image: %s", want.name, diff)
		}
		if diff := cmp.Diff(map[string]map[string]string{"Id": {"S": "1"}}, got.DynamoDB.Keys); diff != "" {
			t.Errorf("%s, keys: %s", want.name, diff)
		}
	}
}

// TestLogsReachTheOption checks what `gen local` prints.
func TestLogsReachTheOption(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []local.LogEvent
	stack := newStack(t, local.Options{Logs: func(e local.LogEvent) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, e)
	}})
	s := build(t, stack.Endpoint())
	s.put(t, "new")
	s.records(t, 1)
	mu.Lock()
	defer mu.Unlock()
	for _, e := range seen {
		if strings.Contains(e.Message, `"eventID":`) {
			if e.Region != "us-east-1" || e.Group != s.group || e.Stream == "" || e.Time.IsZero() {
				t.Errorf("got %+v", e)
			}
			return
		}
	}
	t.Errorf("among %d events is no record", len(seen))
}

// TestRegionsHaveTheirOwn checks that what is made in one region is not there in another.
func TestRegionsHaveTheirOwn(t *testing.T) {
	url := endpoint(t)
	here := dynamodb.NewFromConfig(config(url))
	there := dynamodb.NewFromConfig(config(url), func(o *dynamodb.Options) { o.Region = "eu-central-1" })
	name := unique("table")
	_, err := here.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: name, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddb.KeyTypeHash}}})
	must(t, err)
	t.Cleanup(func() { _, _ = here.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: name}) })
	_, err = there.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found: Table: "+*name+" not found")
}
