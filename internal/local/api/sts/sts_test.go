package sts_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"streamgen/internal/local/api/sts"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
)

func client(t *testing.T) *awssts.Client {
	server := httptest.NewServer(sts.New("000000000000", control.NewRoles("000000000000", clock.System(), true)))
	t.Cleanup(server.Close)
	return awssts.New(awssts.Options{Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

func TestGetCallerIdentity(t *testing.T) {
	out, err := client(t).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(out.Account) != "000000000000" || aws.ToString(out.UserId) != "000000000000" || aws.ToString(out.Arn) != "arn:aws:iam::000000000000:root" {
		t.Errorf("got %s %s %s", aws.ToString(out.Account), aws.ToString(out.UserId), aws.ToString(out.Arn))
	}
}

func TestOtherActionsAreRefused(t *testing.T) {
	_, err := client(t).GetSessionToken(t.Context(), nil)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidAction" {
		t.Errorf("got %v, want InvalidAction", err)
	}
}
