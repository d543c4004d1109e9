package wire_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"streamgen/internal/local/wire"
)

// The tests of this file hold the codecs against the clients that must read them: the AWS SDK's.

func config(t *testing.T, h http.Handler) aws.Config {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: aws.String(server.URL),
		HTTPClient:   server.Client(),
	}
}

// once fails the test when an answer is one that clients try again.
func once(t *testing.T, h http.Handler) http.Handler {
	calls := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls > 1 {
			t.Error("the client tried again")
		}
		h.ServeHTTP(w, r)
	})
}

func wantError[T error](t *testing.T, err error, code, message string) {
	t.Helper()
	var typed T
	if !errors.As(err, &typed) {
		t.Fatalf("got %v, want a %T", err, typed)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || api.ErrorMessage() != message {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func TestSTSReadsQuery(t *testing.T) {
	service := &wire.Query{Namespace: "https://sts.amazonaws.com/doc/2011-06-15/", Version: "2011-06-15", Operations: map[string]wire.QueryOperation{
		"GetCallerIdentity": {Do: func(context.Context, url.Values) (any, error) {
			return struct{ Account, Arn, UserId string }{"1", "a", "u"}, nil
		}},
	}}
	out, err := sts.NewFromConfig(config(t, once(t, service))).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(out.Account) != "1" || aws.ToString(out.Arn) != "a" || aws.ToString(out.UserId) != "u" {
		t.Errorf("got %+v", out)
	}
}

func TestIAMReadsQueryErrors(t *testing.T) {
	service := &wire.Query{Namespace: "https://iam.amazonaws.com/doc/2010-05-08/", Version: "2010-05-08", Operations: map[string]wire.QueryOperation{
		"GetRole": {Parameters: []string{"RoleName"}, Do: func(context.Context, url.Values) (any, error) {
			return nil, wire.StatusErrorf(http.StatusNotFound, "NoSuchEntity", "The role with name <r> cannot be found.")
		}},
	}}
	_, err := iam.NewFromConfig(config(t, once(t, service))).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("r")})
	wantError[*iamtypes.NoSuchEntityException](t, err, "NoSuchEntity", "The role with name <r> cannot be found.")

	_, err = iam.NewFromConfig(config(t, once(t, service))).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("u")})
	wantError[*smithy.GenericAPIError](t, err, "InvalidAction", "streamgen local does not emulate CreateUser of https://iam.amazonaws.com/doc/2010-05-08/")
}

func TestLogsReadsJSON(t *testing.T) {
	service := &wire.JSON{Version: "1.1", Target: "Logs_20140328", Operations: map[string]wire.Operation{
		"DeleteLogGroup": func(context.Context, []byte) (any, error) { return nil, nil },
		"CreateLogGroup": func(context.Context, []byte) (any, error) {
			return nil, wire.Errorf("ResourceAlreadyExistsException", "The specified log group already exists")
		},
	}}
	if _, err := cloudwatchlogs.NewFromConfig(config(t, once(t, service))).DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("g")}); err != nil {
		t.Error(err)
	}
	_, err := cloudwatchlogs.NewFromConfig(config(t, once(t, service))).CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")})
	wantError[*logtypes.ResourceAlreadyExistsException](t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
}

func TestDynamoDBReadsJSONWithChecksum(t *testing.T) {
	service := &wire.JSON{Version: "1.0", Target: "DynamoDB_20120810", Checksum: true, Operations: map[string]wire.Operation{
		"DescribeTable": func(context.Context, []byte) (any, error) {
			return nil, wire.Errorf("ResourceNotFoundException", "Requested resource not found: Table: t not found")
		},
	}}
	_, err := dynamodb.NewFromConfig(config(t, once(t, service))).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("t")})
	wantError[*ddbtypes.ResourceNotFoundException](t, err, "ResourceNotFoundException", "Requested resource not found: Table: t not found")
}

func TestLambdaReadsREST(t *testing.T) {
	failing := func(e error) http.Handler {
		return wire.REST(func(*http.Request) (wire.Response, error) { return wire.Response{}, e })
	}
	get := func(h http.Handler) error {
		_, err := lambda.NewFromConfig(config(t, h)).GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("f")})
		return err
	}
	err := get(once(t, failing(wire.StatusErrorf(http.StatusNotFound, "ResourceNotFoundException", "Function not found: f"))))
	wantError[*lambdatypes.ResourceNotFoundException](t, err, "ResourceNotFoundException", "Function not found: f")

	err = get(once(t, failing(errors.New("unforeseen"))))
	wantError[*smithy.GenericAPIError](t, err, "InternalFailure", "unforeseen")

	deleted := wire.REST(func(*http.Request) (wire.Response, error) { return wire.Response{Status: http.StatusNoContent}, nil })
	if _, err := lambda.NewFromConfig(config(t, once(t, deleted))).DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Error(err)
	}
}
