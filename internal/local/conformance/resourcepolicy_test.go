package conformance_test

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"streamgen/internal/local"
)

// resource is something that has a policy of its own.
type resource struct {
	arn string
	// put sets its policy, use is an action on it by the role.
	put, use func() error
	document string
	action   string
}

// resources makes one of each kind. document is what their put puts.
func resources(t *testing.T, a *actor) map[string]*resource {
	t.Helper()
	ctx, name := t.Context(), aws.String("own")
	tables := dynamodb.NewFromConfig(a.asRoot)
	table, err := tables.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: name, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddb.KeyTypeHash}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeKeysOnly}})
	must(t, err)
	queue, err := sqs.NewFromConfig(a.asRoot).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name})
	must(t, err)
	topic, err := sns.NewFromConfig(a.asRoot).CreateTopic(ctx, &sns.CreateTopicInput{Name: name})
	must(t, err)
	pathStyle := func(o *s3.Options) { o.UsePathStyle = true }
	bucket := aws.String("own-bucket")
	_, err = s3.NewFromConfig(a.asRoot, pathStyle).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	must(t, err)
	secret, err := secretsmanager.NewFromConfig(a.asRoot).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, SecretString: aws.String("x")})
	must(t, err)
	all := map[string]*resource{
		"a table":  {arn: *table.TableDescription.TableArn, action: "dynamodb:GetItem"},
		"a stream": {arn: *table.TableDescription.LatestStreamArn, action: "dynamodb:DescribeStream"},
		"a queue":  {arn: "arn:aws:sqs:us-east-1:000000000000:own", action: "sqs:SendMessage"},
		"a topic":  {arn: *topic.TopicArn, action: "sns:Publish"},
		"a bucket": {arn: "arn:aws:s3:::own-bucket", action: "s3:ListBucket"},
		"a secret": {arn: *secret.ARN, action: "secretsmanager:GetSecretValue"},
		"a key":    {arn: *newKey(t, a), action: "kms:DescribeKey"},
	}
	ofDynamoDB := func(r *resource) func() error {
		return func() error {
			_, err := tables.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: &r.arn, Policy: &r.document})
			return err
		}
	}
	all["a table"].put, all["a stream"].put = ofDynamoDB(all["a table"]), ofDynamoDB(all["a stream"])
	all["a table"].use = func() error {
		_, err := a.dynamodb.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}}})
		return err
	}
	all["a stream"].use = func() error {
		_, err := dynamodbstreams.NewFromConfig(a.asRole).DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &all["a stream"].arn})
		return err
	}
	all["a queue"].put = func() error {
		_, err := sqs.NewFromConfig(a.asRoot).SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue.QueueUrl, Attributes: map[string]string{"Policy": all["a queue"].document}})
		return err
	}
	all["a queue"].use = func() error {
		_, err := a.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("m")})
		return err
	}
	all["a topic"].put = func() error {
		_, err := sns.NewFromConfig(a.asRoot).SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: &all["a topic"].document})
		return err
	}
	all["a topic"].use = func() error {
		_, err := sns.NewFromConfig(a.asRole).Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("m")})
		return err
	}
	all["a bucket"].put = func() error {
		_, err := s3.NewFromConfig(a.asRoot, pathStyle).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &all["a bucket"].document})
		return err
	}
	all["a bucket"].use = func() error {
		_, err := s3.NewFromConfig(a.asRole, pathStyle).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
		return err
	}
	all["a secret"].put = func() error {
		_, err := secretsmanager.NewFromConfig(a.asRoot).PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: name, ResourcePolicy: &all["a secret"].document})
		return err
	}
	all["a secret"].use = func() error {
		_, err := secretsmanager.NewFromConfig(a.asRole).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: name})
		return err
	}
	all["a key"].put = func() error {
		_, err := kms.NewFromConfig(a.asRoot).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &all["a key"].arn, Policy: &all["a key"].document})
		return err
	}
	all["a key"].use = func() error {
		_, err := kms.NewFromConfig(a.asRole).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &all["a key"].arn})
		return err
	}
	return all
}

// TestPoliciesOfResources lets a role without a policy of its own do something by the policy of what it does it with, forbids it there, and
// puts policies that no decision could be made by.
func TestPoliciesOfResources(t *testing.T) {
	a := newActor(t, local.Options{})
	for what, r := range resources(t, a) {
		t.Run(what, func(t *testing.T) {
			denied := func(want string) {
				t.Helper()
				if err := r.use(); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			}
			statement := func(effect, principal, condition string) string {
				return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + r.action + `","Resource":"` + r.arn + `"` + condition + `}`
			}
			put := func(statements ...string) {
				t.Helper()
				r.document = `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
				must(t, r.put())
			}
			role, other := `{"AWS":"`+a.arn+`"}`, `{"AWS":"`+a.arn+`2"}`
			denied("is not authorized to perform")
			put(statement("Allow", role, ""))
			must(t, r.use())
			put(statement("Allow", other, ""))
			denied("-based policy allows the ")
			put(statement("Allow", role, `,"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`))
			denied("-based policy allows the ")
			put(statement("Allow", role, ""), statement("Deny", `"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalArn":"`+a.arn+`"}}`))
			denied("with an explicit deny in a resource-based policy")

			for _, wrong := range []string{`{}`, `{`, `{"Statement":[]}`, `{"Statement":{"Effect":"Allow","Action":"` + r.action + `","Resource":"*"}}`,
				`{"Statement":` + statement("Allow", role, `,"Condition":{"StringEquals":{"aws:Other":"x"}}`) + `}`,
				`{"Statement":` + statement("Allow", role, `,"Condition":{"StringResembles":{"aws:SourceIp":"x"}}`) + `}`,
				`{"Statement":` + statement("Allow", `{"Planet":"Mars"}`, "") + `}`} {
				r.document = wrong
				if err := r.put(); err == nil {
					t.Errorf("%s is taken", wrong)
				}
			}
			denied("with an explicit deny in a resource-based policy") // what was refused changed nothing
		})
	}
}

// TestPoliciesThatNobodyAsks: with --iam off a policy is taken that decisions do not know, and one that is none is not.
func TestPoliciesThatNobodyAsks(t *testing.T) {
	a := newActor(t, local.Options{IgnorePolicies: true})
	for what, r := range resources(t, a) {
		r.document = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"` + r.action + `","Resource":"` + r.arn +
			`","Condition":{"StringEquals":{"aws:Other":"x"}}}}`
		if err := r.put(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if err := r.use(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		r.document = `{"Statement":[]}`
		if err := r.put(); err == nil {
			t.Errorf("%s takes %s", what, r.document)
		}
	}
}

// TestTagsOfABucketByItsARN are those of S3 Control, whose path names the bucket's ARN.
func TestTagsOfABucketByItsARN(t *testing.T) {
	a := newActor(t, local.Options{})
	buckets := s3.NewFromConfig(a.asRoot, func(o *s3.Options) { o.UsePathStyle = true })
	for _, name := range []string{"bucket", "other"} {
		_, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
		must(t, err)
	}
	held, err := a.asRole.Credentials.Retrieve(t.Context())
	must(t, err)
	send := func(method, query, body string) func(arn string) error {
		return func(arn string) error { // by hand: there is no need for another SDK
			req, err := http.NewRequestWithContext(t.Context(), method, *a.asRole.BaseEndpoint+"/v20180820/tags/"+url.PathEscape(arn)+query, strings.NewReader(body))
			must(t, err)
			req.Header.Set("X-Amz-Account-Id", "000000000000")
			req.Header.Set("X-Amz-Security-Token", held.SessionToken)
			req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+held.AccessKeyID+"/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
			res, err := http.DefaultClient.Do(req)
			must(t, err)
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			must(t, err)
			if res.StatusCode < 300 {
				return nil
			}
			var out struct{ Code, Message string }
			must(t, xml.Unmarshal(text, &out))
			return &smithy.GenericAPIError{Code: out.Code, Message: out.Message}
		}
	}
	calls := map[string]func(arn string) error{
		"s3:ListTagsForResource": send(http.MethodGet, "", ""),
		"s3:TagResource":         send(http.MethodPost, "", `<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags><Tag><Key>app</Key><Value>x</Value></Tag></Tags></TagResourceRequest>`),
		"s3:UntagResource":       send(http.MethodDelete, "?tagKeys=app", ""),
	}
	for action, call := range calls {
		const bucket = "arn:aws:s3:::bucket"
		a.takeDenials()
		wantCode(t, call(bucket), "AccessDenied", "is not authorized to perform: "+action+` on resource: "`+bucket+`" because`)
		denied := a.takeDenials()
		if len(denied) != 1 || denied[0].Resource != bucket {
			t.Fatalf("%s: denials %v", action, denied)
		}
		a.grant(t, denied[0].Missing)
		must(t, call(bucket))
		wantCode(t, call("arn:aws:s3:::other"), "AccessDenied", action)
		a.grant(t)
	}
}

// TestKeyOfAFunction has an environment that is encrypted with a key that is not there, is disabled, or is deleted, and a role that gives it one.
func TestKeyOfAFunction(t *testing.T) {
	a := newActor(t, local.Options{})
	ctx, name, functions, k := t.Context(), aws.String("f"), lambda.NewFromConfig(a.asRoot), kms.NewFromConfig(a.asRoot)
	key := newKey(t, a)
	_, err := k.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/app"), TargetKeyId: key})
	must(t, err)
	in := func(key string) *lambda.CreateFunctionInput {
		return &lambda.CreateFunctionInput{FunctionName: name, Role: &a.arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), KMSKeyArn: &key,
			Code:        &lambdatypes.FunctionCode{ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\n"})},
			Environment: &lambdatypes.Environment{Variables: map[string]string{"TABLE": "tab"}}}
	}
	const invalid = "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: "
	for key, want := range map[string]string{
		"arn:aws:kms:us-east-1:000000000000:key/none":      "NotFoundException KMS Message: Key 'arn:aws:kms:us-east-1:000000000000:key/none' does not exist",
		"arn:aws:kms:us-east-1:000000000000:alias/app":     "InvalidArnException KMS Message: Key Aliases are not supported for this operation.",
		"arn:aws:kms:us-east-1:000000000000:alias/nothing": "NotFoundException",
	} {
		_, err := functions.CreateFunction(ctx, in(key))
		wantCode(t, err, "InvalidParameterValueException", invalid+want)
	}
	// The role makes the function itself: it encrypts the environment.
	everything := `{"Effect":"Allow","NotAction":["kms:Encrypt","kms:CreateGrant"],"Resource":"*"}`
	a.grant(t, everything)
	for _, action := range []string{"kms:Encrypt", "kms:CreateGrant"} {
		_, err := a.lambda.CreateFunction(ctx, in(*key))
		wantCode(t, err, "AccessDeniedException", "is not authorized to perform: "+action+" on resource: "+*key)
		everything += `,{"Effect":"Allow","Action":"` + action + `","Resource":"` + *key + `","Condition":{"StringEquals":{"kms:EncryptionContext:aws:lambda:FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f"}}}`
		a.grant(t, everything)
	}
	_, err = a.lambda.CreateFunction(ctx, in(*key))
	must(t, err)
	invoke := func() error {
		_, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: name})
		return err
	}
	must(t, invoke())
	a.grant(t, `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}`)
	wantCode(t, invoke(), "KMSAccessDeniedException", "is not authorized to perform: kms:Decrypt on resource: "+*key+" with an explicit deny in an identity-based policy")
	_, err = k.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key, Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + a.arn + `"},"Action":"kms:Decrypt","Resource":"*"}]}`)})
	must(t, err)
	a.grant(t)
	must(t, invoke()) // by the key's policy alone
	const unable = "Lambda was unable to decrypt the environment variables because "
	_, err = k.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key})
	must(t, err)
	wantCode(t, invoke(), "KMSDisabledException", unable+"the KMS key used is disabled. Please check the function's KMS key settings.")
	_, err = k.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key})
	must(t, err)
	wantCode(t, invoke(), "KMSInvalidStateException", unable+"the KMS key used is in an invalid state for Decrypt.")
	_, err = functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, KMSKeyArn: aws.String("")})
	must(t, err)
	must(t, invoke())
	// A key of another account is not here: the role's policies have the only word.
	foreign := "arn:aws:kms:us-east-1:123456789012:key/theirs"
	_, err = functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, KMSKeyArn: &foreign})
	must(t, err)
	wantCode(t, invoke(), "KMSAccessDeniedException", "is not authorized to perform: kms:Decrypt on resource: "+foreign)
	a.grant(t, `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+foreign+`"}`)
	must(t, invoke())
}

// TestRightsToSend are asked when destinations are given, and those to their keys when something is sent.
func TestRightsToSend(t *testing.T) {
	a := newActor(t, local.Options{})
	ctx, name, functions := t.Context(), aws.String("f"), lambda.NewFromConfig(a.asRoot)
	key := newKey(t, a)
	queue, err := sqs.NewFromConfig(a.asRoot).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"KmsMasterKeyId": *key}})
	must(t, err)
	const arn = "arn:aws:sqs:us-east-1:000000000000:q"
	_, err = functions.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: name, Role: &a.arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\nexit 1\n"})}})
	must(t, err)
	const refusal = "The provided execution role does not have permissions to call SendMessage on SQS"
	deadLetters := func() error {
		_, err := functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String(arn)}})
		return err
	}
	destination := func() error {
		_, err := functions.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(0),
			DestinationConfig: &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: aws.String(arn)}}})
		return err
	}
	wantCode(t, deadLetters(), "InvalidParameterValueException", refusal)
	wantCode(t, destination(), "InvalidParameterValueException", "The function's execution role does not have permissions to call SendMessage on "+arn)
	denied := a.takeDenials()
	if len(denied) != 2 {
		t.Fatalf("denials %v", denied)
	}
	a.grant(t, denied[0].Missing)
	must(t, deadLetters())
	_, err = functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String("")}})
	must(t, err)
	must(t, destination())

	// The event fails, and the report may not be encrypted.
	invoke := func() {
		_, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, InvocationType: lambdatypes.InvocationTypeEvent})
		must(t, err)
	}
	invoke()
	var missing []string
	eventually(t, "it is told that the role may not use the key", func() bool {
		for _, d := range a.takeDenials() {
			if d.Action == "kms:GenerateDataKey" && d.Resource == *key {
				missing = append(missing, d.Missing)
			}
		}
		return len(missing) > 0
	})
	a.grant(t, denied[0].Missing, missing[0], strings.Replace(missing[0], "GenerateDataKey", "Decrypt", 1))
	invoke()
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	eventually(t, "the report arrives", func() bool {
		out, err := sqs.NewFromConfig(a.asRoot).ReceiveMessage(wait, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 1})
		must(t, err)
		return len(out.Messages) == 1 && strings.Contains(*out.Messages[0].Body, "RetriesExhausted")
	})
}

// TestKeyOfFilters is used by Lambda itself, which the key's policy must let.
func TestKeyOfFilters(t *testing.T) {
	a := newActor(t, local.Options{})
	ctx, name, functions := t.Context(), aws.String("f"), lambda.NewFromConfig(a.asRoot)
	_, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: name, Role: &a.arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\n"})}})
	must(t, err)
	a.grant(t, `{"Effect":"Allow","Action":["dynamodb:*","logs:*"],"Resource":"*"}`)
	key, stream := newKey(t, a), resources(t, a)["a stream"].arn
	create := func(key *string) error {
		_, err := functions.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: name, EventSourceArn: &stream, KMSKeyArn: key,
			StartingPosition: lambdatypes.EventSourcePositionLatest, FilterCriteria: &lambdatypes.FilterCriteria{Filters: []lambdatypes.Filter{{Pattern: aws.String(`{"eventName":["INSERT"]}`)}}}})
		return err
	}
	const denied = "Lambda was unable to decrypt your filter criteria because the KMS access was denied. Please check your KMS permissions."
	wantCode(t, create(key), "InvalidParameterValueException", denied)
	wantCode(t, create(aws.String("arn:aws:kms:us-east-1:000000000000:key/none")), "InvalidParameterValueException", "does not exist")
	_, err = kms.NewFromConfig(a.asRoot).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: key, Policy: aws.String(`{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"}}}]}`)})
	must(t, err)
	must(t, create(key))
}

// TestRolePutsCompressedMetrics: clients compress what is large, and it must be read to be decided on.
func TestRolePutsCompressedMetrics(t *testing.T) {
	a := newActor(t, local.Options{})
	var data []cwtypes.MetricDatum
	for range 1000 {
		data = append(data, cwtypes.MetricDatum{MetricName: aws.String(strings.Repeat("m", 100)), Value: aws.Float64(1)})
	}
	put := func(namespace string) error {
		_, err := cloudwatch.NewFromConfig(a.asRole).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: data})
		return err
	}
	a.grant(t, `{"Effect":"Allow","Action":"cloudwatch:PutMetricData","Resource":"*","Condition":{"StringEquals":{"cloudwatch:namespace":"shop"}}}`)
	must(t, put("shop"))
	wantCode(t, put("other"), "AccessDenied", "cloudwatch:PutMetricData")
}
