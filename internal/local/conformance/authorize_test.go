package conformance_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"streamgen/internal/local"
)

// actor is somebody who acts as a role, by credentials of AssumeRole.
type actor struct {
	root     *iam.Client
	role     string
	arn      string     // the role's
	asRoot   aws.Config // of the account's root
	asRole   aws.Config
	dynamodb *dynamodb.Client
	sqs      *sqs.Client
	logs     *cloudwatchlogs.Client
	lambda   *lambda.Client
	sts      *sts.Client
	iam      *iam.Client

	mu     sync.Mutex
	denied []local.Denial
}

const anybodysTrust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000","Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`

func newActor(t *testing.T, opts local.Options) *actor {
	t.Helper()
	a := &actor{role: "app"}
	opts.Denied = func(d local.Denial) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.denied = append(a.denied, d)
	}
	url := newStack(t, opts).Endpoint()
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("root", "root", ""),
		HTTPClient: local.Client(), Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	a.asRoot = config.Copy()
	a.root = iam.NewFromConfig(config)
	role, err := a.root.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &a.role, AssumeRolePolicyDocument: aws.String(anybodysTrust)})
	must(t, err)
	assumed, err := sts.NewFromConfig(config).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("me")})
	must(t, err)
	a.arn = *role.Role.Arn
	c := assumed.Credentials
	config.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	a.asRole = config
	a.dynamodb, a.sqs, a.logs = dynamodb.NewFromConfig(config), sqs.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config)
	a.lambda, a.sts, a.iam = lambda.NewFromConfig(config), sts.NewFromConfig(config), iam.NewFromConfig(config)
	return a
}

// code is the code of an API's error, "" for none.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// grant makes statements the role's only policy; none takes it away.
func (a *actor) grant(t *testing.T, statements ...string) {
	t.Helper()
	name := aws.String("grant")
	if len(statements) == 0 {
		_, err := a.root.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &a.role, PolicyName: name})
		must(t, err)
		return
	}
	_, err := a.root.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &a.role, PolicyName: name,
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)})
	must(t, err)
}

func (a *actor) takeDenials() []local.Denial {
	a.mu.Lock()
	defer a.mu.Unlock()
	denied := a.denied
	a.denied = nil
	return denied
}

// TestRolesAreHeldToTheirPolicies calls an operation of each protocol as a role: without a statement it fails as on AWS, with the statement
// that the denial names it gets past IAM.
func TestRolesAreHeldToTheirPolicies(t *testing.T) {
	a := newActor(t, local.Options{})
	ctx := t.Context()
	const who = "User: arn:aws:sts::000000000000:assumed-role/app/me is not authorized to perform: "
	key := map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}}
	for _, test := range []struct {
		name, code, message string
		call                func() error
		allowed             string // the code that comes when IAM allows, "" for none
	}{
		{"dynamodb", "AccessDeniedException", who + "dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/tab because no identity-based policy allows the dynamodb:PutItem action",
			func() error {
				_, err := a.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("tab"), Item: key})
				return err
			}, "ResourceNotFoundException"},
		{"dynamodb index", "AccessDeniedException", who + "dynamodb:Scan on resource: arn:aws:dynamodb:us-east-1:000000000000:table/tab/index/idx because no identity-based policy allows the dynamodb:Scan action",
			func() error {
				_, err := a.dynamodb.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("tab"), IndexName: aws.String("idx")})
				return err
			}, "ResourceNotFoundException"},
		{"dynamodb transaction", "AccessDeniedException", who + "dynamodb:ConditionCheckItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/tab because no identity-based policy allows the dynamodb:ConditionCheckItem action",
			func() error {
				_, err := a.dynamodb.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []ddb.TransactWriteItem{{
					ConditionCheck: &ddb.ConditionCheck{TableName: aws.String("tab"), Key: key, ConditionExpression: aws.String("attribute_exists(Id)")}}}})
				return err
			}, "ResourceNotFoundException"},
		{"sqs", "AccessDenied", who + "sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:q because no identity-based policy allows the sqs:sendmessage action",
			func() error {
				_, err := a.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String("http://x/000000000000/q"), MessageBody: aws.String("m")})
				return err
			}, "AWS.SimpleQueueService.NonExistentQueue"},
		{"logs", "AccessDeniedException", who + "logs:CreateLogStream on resource: arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s because no identity-based policy allows the logs:CreateLogStream action",
			func() error {
				_, err := a.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")})
				return err
			}, "ResourceNotFoundException"},
		{"lambda", "AccessDeniedException", who + "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:f because no identity-based policy allows the lambda:InvokeFunction action",
			func() error {
				_, err := a.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f")})
				return err
			}, "ResourceNotFoundException"},
		{"iam", "AccessDenied", who + "iam:GetRole on resource: role app because no identity-based policy allows the iam:GetRole action",
			func() error {
				_, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
				return err
			}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantCode(t, test.call(), test.code, test.message)
			denied := a.takeDenials()
			if len(denied) != 1 || !json.Valid([]byte(denied[0].Missing)) {
				t.Fatalf("denials %v, want one with the missing statement", denied)
			}
			a.grant(t, denied[0].Missing)
			defer a.grant(t)
			err := test.call()
			if code(err) != test.allowed {
				t.Errorf("with the statement: %v, want code %q", err, test.allowed)
			}
			a.grant(t, denied[0].Missing, `{"Sid":"Never","Effect":"Deny","Action":"*","Resource":"*"}`)
			if err := test.call(); code(err) != test.code || !strings.HasSuffix(err.Error(), "with an explicit deny in an identity-based policy") {
				t.Errorf("with a statement that denies: %v", err)
			}
			if denied := a.takeDenials(); len(denied) != 1 || denied[0].Missing != "" || !strings.Contains(denied[0].Reason, "statement Never of grant") {
				t.Errorf("denials %v, want one that names the statement Never", denied)
			}
		})
	}
}

func TestCallerIdentityOfARole(t *testing.T) {
	a := newActor(t, local.Options{})
	who, err := a.sts.GetCallerIdentity(t.Context(), nil)
	must(t, err)
	if got := aws.ToString(who.Arn); got != "arn:aws:sts::000000000000:assumed-role/app/me" {
		t.Errorf("got %s", got)
	}
}

func TestIgnoredPolicies(t *testing.T) {
	a := newActor(t, local.Options{IgnorePolicies: true})
	if _, err := a.dynamodb.ListTables(t.Context(), nil); err != nil {
		t.Error(err)
	}
}
