package conformance_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
)

// TestFunctionThatMayNotLog runs all the same, and its lines do not arrive. It is told once.
func TestFunctionThatMayNotLog(t *testing.T) {
	a := newActor(t, local.Options{})
	ctx, name, functions := t.Context(), aws.String("f"), lambda.NewFromConfig(a.asRoot)
	_, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: name, Role: &a.arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\necho hello\n"})}})
	must(t, err)
	logs := cloudwatchlogs.NewFromConfig(a.asRoot)
	lines := func() (all []string) {
		t.Helper()
		out, err := logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/f")})
		if code(err) == "ResourceNotFoundException" {
			return nil
		}
		must(t, err)
		for _, e := range out.Events {
			all = append(all, *e.Message)
		}
		return all
	}
	invoke := func() {
		t.Helper()
		_, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: name})
		must(t, err)
	}
	invoke()
	invoke()
	if got := lines(); len(got) > 0 {
		t.Errorf("without the right there are the lines %q", got)
	}
	denied := a.takeDenials()
	if len(denied) != 1 || denied[0].Action != "logs:CreateLogGroup" {
		t.Errorf("denials %v", denied)
	}
	a.grant(t, `{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/f:*"}`)
	invoke()
	if got := strings.Join(lines(), ""); !strings.Contains(got, "hello") {
		t.Errorf("with the right there are the lines %q", got)
	}
}

// TestMappingWaitsForItsRole takes from a role what it needs of a stream and gives it back: the record that was written meanwhile arrives.
func TestMappingWaitsForItsRole(t *testing.T) {
	a := newActor(t, local.Options{})
	ctx, name, functions := t.Context(), aws.String("f"), lambda.NewFromConfig(a.asRoot)
	code, err := bootstrap.Zip("./testdata/surroundings") // which takes everything
	must(t, err)
	in := &lambda.CreateFunctionInput{FunctionName: name, Code: &lambdatypes.FunctionCode{ZipFile: code}}
	role := newFunction(t, a.asRoot, in)
	a.role = role
	const read = `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`
	a.grant(t, read)
	stream := resources(t, a)["a stream"].arn
	made, err := functions.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: name, EventSourceArn: &stream, StartingPosition: lambdatypes.EventSourcePositionTrimHorizon})
	must(t, err)
	result := func(want string) {
		t.Helper()
		eventually(t, "the mapping's last result is "+want, func() bool {
			m, err := functions.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: made.UUID})
			must(t, err)
			return strings.Contains(aws.ToString(m.LastProcessingResult), want)
		})
	}
	put := func(id string) {
		t.Helper()
		_, err := dynamodb.NewFromConfig(a.asRoot).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("own"), Item: map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: id}}})
		must(t, err)
	}
	put("1")
	result("OK")
	a.grant(t)
	put("2")
	result("Cannot access stream " + stream)
	a.grant(t, read)
	result("OK")
}
