package conformance_test

import (
	"context"
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"streamgen/internal/local"
	"streamgen/internal/local/conformance/bootstrap"
)

// newFunction makes a function of a package with a role that Lambda may assume, and gives the role's name. The function runs when it returns.
func newFunction(t *testing.T, root aws.Config, in *lambda.CreateFunctionInput) (role string) {
	t.Helper()
	ctx, roles, functions := t.Context(), iam.NewFromConfig(root), lambda.NewFromConfig(root)
	role = aws.ToString(in.FunctionName) + "-role"
	made, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: aws.String(lambdaTrust)})
	must(t, err)
	in.Role, in.Runtime, in.Handler = made.Role.Arn, lambdatypes.RuntimeProvidedal2023, aws.String("bootstrap")
	in.Architectures = []lambdatypes.Architecture{lambdatypes.ArchitectureX8664}
	if runtime.GOARCH == "arm64" {
		in.Architectures[0] = lambdatypes.ArchitectureArm64
	}
	_, err = functions.CreateFunction(ctx, in)
	must(t, err)
	must(t, lambda.NewFunctionActiveV2Waiter(functions).Wait(ctx, &lambda.GetFunctionInput{FunctionName: in.FunctionName}, time.Minute))
	return role
}

// TestFunctionActsAsItsRole takes the credentials of a function's process: whoever has them is the role's session and may do what the role
// may, as may Lambda itself for the function's mapping.
func TestFunctionActsAsItsRole(t *testing.T) {
	ctx := t.Context()
	endpoint := newStack(t, local.Options{}).Endpoint()
	root := config(endpoint)
	roles, functions, tables := iam.NewFromConfig(root), lambda.NewFromConfig(root), dynamodb.NewFromConfig(root)
	code, err := bootstrap.Zip("./testdata/identity")
	must(t, err)
	name := aws.String("who")
	role := newFunction(t, root, &lambda.CreateFunctionInput{FunctionName: name, Code: &lambdatypes.FunctionCode{ZipFile: code}})
	out, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: name})
	must(t, err)
	var keys [3]string
	if err := json.Unmarshal(out.Payload, &keys); err != nil {
		t.Fatalf("the function answers %s: %v", out.Payload, err)
	}
	as := root.Copy()
	as.Credentials = credentials.NewStaticCredentialsProvider(keys[0], keys[1], keys[2])
	who, err := sts.NewFromConfig(as).GetCallerIdentity(ctx, nil)
	must(t, err)
	if got := aws.ToString(who.Arn); got != "arn:aws:sts::000000000000:assumed-role/who-role/who" {
		t.Errorf("the function is %s", got)
	}

	table, err := tables.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String("work"), BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddb.KeyTypeHash}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeKeysOnly}})
	must(t, err)
	must(t, dynamodb.NewTableExistsWaiter(tables).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("work")}, time.Minute))
	put := func(ctx context.Context) error {
		_, err := dynamodb.NewFromConfig(as).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("work"),
			Item: map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}}})
		return err
	}
	stream := aws.ToString(table.TableDescription.LatestStreamArn)
	mapIt := func(ctx context.Context) error {
		_, err := functions.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{EventSourceArn: &stream, FunctionName: name,
			StartingPosition: lambdatypes.EventSourcePositionLatest})
		return err
	}
	wantCode(t, put(ctx), "AccessDeniedException", "is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/work ")
	wantCode(t, mapIt(ctx), "InvalidParameterValueException", "Cannot access stream "+stream+". Please ensure the role can perform the GetRecords, "+
		"GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.")
	_, err = roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*"],"Resource":["arn:aws:dynamodb:*:*:table/work","arn:aws:dynamodb:*:*:table/work/stream/*"]}]}`)})
	must(t, err)
	must(t, put(ctx))
	must(t, mapIt(ctx))
}
