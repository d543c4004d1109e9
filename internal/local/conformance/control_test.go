package conformance_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	logGrant    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/a+b:*"}]}`
)

func TestSTS(t *testing.T) {
	out, err := sts.NewFromConfig(config(endpoint(t))).GetCallerIdentity(t.Context(), nil)
	must(t, err)
	if account := aws.ToString(out.Account); len(account) != 12 || !strings.HasPrefix(aws.ToString(out.Arn), "arn:aws:") ||
		!strings.Contains(aws.ToString(out.Arn), "::"+account+":") || aws.ToString(out.UserId) == "" {
		t.Errorf("got %s %s %s", aws.ToString(out.Account), aws.ToString(out.Arn), aws.ToString(out.UserId))
	}
}

func TestIAMRoleLife(t *testing.T) {
	c, ctx := iam.NewFromConfig(config(endpoint(t))), t.Context()
	name := unique("role")
	made, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(lambdaTrust), Path: aws.String("/conformance/"),
		Tags: []iamtypes.Tag{{Key: aws.String("app"), Value: aws.String("x")}}})
	must(t, err)
	t.Cleanup(func() { _, _ = c.DeleteRole(context.Background(), &iam.DeleteRoleInput{RoleName: name}) })
	if !strings.HasSuffix(aws.ToString(made.Role.Arn), ":role/conformance/"+*name) || !strings.HasPrefix(aws.ToString(made.Role.RoleId), "AROA") ||
		time.Since(aws.ToTime(made.Role.CreateDate)).Abs() > time.Hour {
		t.Errorf("got %+v", made.Role)
	}
	must(t, iam.NewRoleExistsWaiter(c).Wait(ctx, &iam.GetRoleInput{RoleName: name}, time.Minute))

	_, err = c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("logs"), PolicyDocument: aws.String(logGrant)})
	must(t, err)
	policy, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("logs")})
	must(t, err)
	if got, err := url.QueryUnescape(aws.ToString(policy.PolicyDocument)); err != nil || got != logGrant { // as the AWS provider decodes
		t.Errorf("got %s, %v", got, err)
	}
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	wantCode(t, err, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	_, err = c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("logs")})
	must(t, err)
	_, err = c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("bad"), PolicyDocument: aws.String(`{"Version"`)})
	wantCode(t, err, "MalformedPolicyDocument", "")

	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	must(t, err)
	_, err = c.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	wantCode(t, err, "NoSuchEntity", "The role with name "+*name+" cannot be found.")
}

func TestLogGroupLife(t *testing.T) {
	c, ctx := cwl.NewFromConfig(config(endpoint(t))), t.Context()
	group, stream := unique("/conformance/group"), aws.String("2026/01/02/[$LATEST]abc")
	_, err := c.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: group})
	must(t, err)
	t.Cleanup(func() { _, _ = c.DeleteLogGroup(context.Background(), &cwl.DeleteLogGroupInput{LogGroupName: group}) })
	_, err = c.CreateLogStream(ctx, &cwl.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream})
	must(t, err)
	now := time.Now().UnixMilli()
	put, err := c.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: []logtypes.InputLogEvent{
		{Timestamp: aws.Int64(now - 1000), Message: aws.String("REPORT one")}, {Timestamp: aws.Int64(now), Message: aws.String("two")}}})
	must(t, err)
	if put.RejectedLogEventsInfo != nil {
		t.Errorf("rejected %+v", put.RejectedLogEventsInfo)
	}
	eventually(t, "the events can be found", func() bool {
		found, err := c.FilterLogEvents(ctx, &cwl.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String("REPORT"), StartTime: aws.Int64(now - 1000)})
		must(t, err)
		return len(found.Events) == 1 && aws.ToString(found.Events[0].Message) == "REPORT one" && aws.ToString(found.Events[0].LogStreamName) == *stream
	})
	got, err := c.GetLogEvents(ctx, &cwl.GetLogEventsInput{LogGroupName: group, LogStreamName: stream, StartTime: aws.Int64(now)})
	must(t, err)
	if len(got.Events) != 1 || aws.ToString(got.Events[0].Message) != "two" {
		t.Errorf("got %+v", got.Events)
	}
	_, err = c.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: group})
	wantCode(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
	_, err = c.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: group})
	must(t, err)
	_, err = c.DescribeLogStreams(ctx, &cwl.DescribeLogStreamsInput{LogGroupName: group})
	wantCode(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}
