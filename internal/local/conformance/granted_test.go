package conformance_test

import (
	"encoding/json"
	"io/fs"
	"maps"
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
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"streamgen/internal/local"
)

// grantedActions are all actions that the rendered policies of the cases and the examples allow or deny, sorted, those on keys each with
// the service that uses the key: "kms:Decrypt sqs".
func grantedActions(t *testing.T) []string {
	t.Helper()
	statements := regexp.MustCompile(`(?s)\bactions\s*=\s*\[(.*?)\](.*?)\n  (?:  )?\}`)
	names, via := regexp.MustCompile(`"([a-z0-9-]+:[A-Za-z*]+)"`), regexp.MustCompile(`(?s)kms:ViaService.*?"([a-z0-9]+)\.`)
	var actions []string
	for _, root := range []string{filepath.Join("..", "..", "render", "testdata", "cases"), filepath.Join("..", "..", "..", "examples")} {
		must(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".tf" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, statement := range statements.FindAllStringSubmatch(string(text), -1) {
				for _, name := range names.FindAllStringSubmatch(statement[1], -1) {
					action := name[1]
					if strings.HasPrefix(action, "kms:") {
						service := "lambda" // which decrypts a function's environment without a condition
						if used := via.FindStringSubmatch(statement[2]); used != nil {
							service = used[1]
						}
						action += " " + service
					}
					actions = append(actions, action)
				}
			}
			return err
		}))
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// TestGrantedActions makes, for every action of the rendered policies, a call that needs it, as a role that may do everything else: it fails
// with AWS's error, and with the statement that the denial names as missing it does not.
func TestGrantedActions(t *testing.T) {
	a := newActor(t, local.Options{})
	calls := grantedCalls(t, a)
	lambdas := lambdaCalls(t, a)
	actions := grantedActions(t)
	if len(actions) < 35 || !slices.Contains(actions, "kms:Decrypt lambda") || !slices.Contains(actions, "kms:GenerateDataKey sqs") {
		t.Fatalf("the cases grant %q alone", actions)
	}
	for _, what := range actions {
		if what == "sts:AssumeRole" { // of the trust policies; see TestRoleThatLambdaMayNotAssume
			continue
		}
		t.Run(what, func(t *testing.T) {
			action, via, _ := strings.Cut(what, " ")
			call, refusal := calls[what], "is not authorized to perform: "
			if call == nil {
				call, refusal = lambdas[what].call, lambdas[what].refusal
			}
			if call == nil {
				t.Fatal("it is granted, and this test has no call that needs it")
			}
			others := `{"Effect":"Allow","NotAction":"` + action + `","Resource":"*"}`
			a.grant(t, others)
			defer a.grant(t)
			a.takeDenials()
			if err := call(); err == nil || !strings.Contains(err.Error(), refusal) {
				t.Fatalf("without the statement: %v, want %s", err, refusal)
			}
			denied := a.takeDenials()
			if len(denied) != 1 || denied[0].Action != action || !json.Valid([]byte(denied[0].Missing)) {
				t.Fatalf("denials %v", denied)
			}
			missing := []string{others, denied[0].Missing}
			if via != "" {
				missing[1] = `{"Effect":"Allow","Action":"` + action + `","Resource":"` + denied[0].Resource + `","Condition":{"StringEquals":{"kms:ViaService":"` +
					via + `.us-east-1.amazonaws.com"}}}`
			}
			for range 3 { // one for each resource of the action: a subnet, a group, an interface
				a.grant(t, missing...)
				err := call()
				if denied = a.takeDenials(); len(denied) == 0 {
					if err != nil && strings.Contains(err.Error(), refusal) {
						t.Errorf("with the statements %q: %v", missing, err)
					}
					return
				}
				missing = append(missing, denied[0].Missing)
			}
			t.Errorf("with the statements %q: %v", missing, denied)
		})
	}
}

// TestRoleThatLambdaMayNotAssume makes a function with a role that trusts nobody else than its account.
func TestRoleThatLambdaMayNotAssume(t *testing.T) {
	a := newActor(t, local.Options{})
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}}`
	_, err := a.root.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &a.role, PolicyDocument: &trust})
	must(t, err)
	functions := lambda.NewFromConfig(a.asRoot)
	make := func() error {
		_, err := functions.CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: &a.arn, Runtime: lambdatypes.RuntimeProvidedal2023,
			Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\n"})}})
		return err
	}
	wantCode(t, make(), "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
	_, err = a.root.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &a.role, PolicyDocument: aws.String(lambdaTrust)})
	must(t, err)
	must(t, make())
}

// lambdaCall is what Lambda does with a role, and how it words that it may not.
type lambdaCall struct {
	call    func() error
	refusal string
}

// lambdaCalls configure a function of the actor's role, as the account's root, and run it.
func lambdaCalls(t *testing.T, a *actor) map[string]lambdaCall {
	t.Helper()
	ctx, functions, name := t.Context(), lambda.NewFromConfig(a.asRoot), aws.String("f")
	_, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: name, Role: &a.arn, Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: zipOf(t, entry{"bootstrap", 0o755, "#!/bin/sh\n"})},
		Environment: &lambdatypes.Environment{Variables: map[string]string{"TABLE": "tab"}}, KMSKeyArn: newKey(t, a)})
	must(t, err)
	const role = "The provided execution role does not have permissions to call "
	calls := map[string]lambdaCall{
		"kms:Decrypt lambda": {func() error {
			_, err := functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: name}) // which answers that the bootstrap ended
			return err
		}, "KMSAccessDeniedException: Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the function's KMS key settings. " +
			"KMS Exception: AccessDeniedException KMS Message: User: arn:aws:sts::000000000000:assumed-role/app/f is not authorized to perform: kms:Decrypt"},
	}
	for _, action := range []string{"AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets",
		"UnassignPrivateIpAddresses"} {
		calls["ec2:"+action] = lambdaCall{func() error {
			_, err := functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, VpcConfig: &lambdatypes.VpcConfig{
				SubnetIds: []string{}, SecurityGroupIds: []string{}}})
			must(t, err)
			_, err = functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, VpcConfig: &lambdatypes.VpcConfig{
				SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}})
			return err
		}, "InvalidParameterValueException: " + role + action + " on EC2"}
	}
	for _, action := range []string{"PutTelemetryRecords", "PutTraceSegments"} {
		trace := func(mode lambdatypes.TracingMode) error {
			_, err := functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, TracingConfig: &lambdatypes.TracingConfig{Mode: mode}})
			return err
		}
		calls["xray:"+action] = lambdaCall{func() error {
			must(t, trace(lambdatypes.TracingModePassThrough))
			return trace(lambdatypes.TracingModeActive)
		}, "InvalidParameterValueException: " + role + action + " on XRAY"}
	}
	return calls
}

// newKey makes a key of KMS and gives its ARN.
func newKey(t *testing.T, a *actor) *string {
	t.Helper()
	made, err := kms.NewFromConfig(a.asRoot).CreateKey(t.Context(), nil)
	must(t, err)
	return made.KeyMetadata.Arn
}

// sealedCalls read and write what is encrypted with a customer's key.
func sealedCalls(t *testing.T, a *actor) map[string]func() error {
	t.Helper()
	ctx, key := t.Context(), newKey(t, a)
	table, queue, topic, bucket, name := aws.String("sealed"), aws.String("sealed"), aws.String("sealed"), aws.String("sealed-bucket"), aws.String("sealed")
	_, err := dynamodb.NewFromConfig(a.asRoot).CreateTable(ctx, &dynamodb.CreateTableInput{TableName: table, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddb.KeyTypeHash}},
		SSESpecification:     &ddb.SSESpecification{Enabled: aws.Bool(true), SSEType: ddb.SSETypeKms, KMSMasterKeyId: key}})
	must(t, err)
	made, err := sqs.NewFromConfig(a.asRoot).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: queue, Attributes: map[string]string{"KmsMasterKeyId": *key}})
	must(t, err)
	created, err := sns.NewFromConfig(a.asRoot).CreateTopic(ctx, &sns.CreateTopicInput{Name: topic, Attributes: map[string]string{"KmsMasterKeyId": *key}})
	must(t, err)
	pathStyle := func(o *s3.Options) { o.UsePathStyle = true }
	buckets := s3.NewFromConfig(a.asRoot, pathStyle)
	_, err = buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	must(t, err)
	_, err = buckets.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: key}}}}})
	must(t, err)
	put := func(c *s3.Client) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: name, Body: strings.NewReader("x")})
		return err
	}
	must(t, put(buckets))
	_, err = ssm.NewFromConfig(a.asRoot).PutParameter(ctx, &ssm.PutParameterInput{Name: name, Type: ssmtypes.ParameterTypeSecureString, Value: aws.String("x"), KeyId: key})
	must(t, err)
	_, err = secretsmanager.NewFromConfig(a.asRoot).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, SecretString: aws.String("x"), KmsKeyId: key})
	must(t, err)
	send := func() error {
		_, err := a.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String("m")})
		return err
	}
	publish := func() error {
		_, err := sns.NewFromConfig(a.asRole).Publish(ctx, &sns.PublishInput{TopicArn: created.TopicArn, Message: aws.String("m")})
		return err
	}
	return map[string]func() error{
		"kms:Decrypt dynamodb": func() error {
			_, err := a.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}}})
			return err
		},
		"kms:Decrypt sqs": send, "kms:GenerateDataKey sqs": send, "kms:Decrypt sns": publish, "kms:GenerateDataKey sns": publish,
		"kms:Decrypt s3": func() error {
			_, err := s3.NewFromConfig(a.asRole, pathStyle).GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: name})
			return err
		},
		"kms:GenerateDataKey s3": func() error { return put(s3.NewFromConfig(a.asRole, pathStyle)) },
		"kms:Decrypt ssm": func() error {
			_, err := ssm.NewFromConfig(a.asRole).GetParameter(ctx, &ssm.GetParameterInput{Name: name, WithDecryption: aws.Bool(true)})
			return err
		},
		"kms:Decrypt secretsmanager": func() error {
			_, err := secretsmanager.NewFromConfig(a.asRole).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: name})
			return err
		},
	}
}

func grantedCalls(t *testing.T, a *actor) map[string]func() error {
	ctx := t.Context()
	streams := dynamodbstreams.New(dynamodbstreams.Options{Region: "us-east-1", BaseEndpoint: a.dynamodb.Options().BaseEndpoint,
		Credentials: a.dynamodb.Options().Credentials, Retryer: aws.NopRetryer{}})
	table, group, stream := aws.String("tab"), aws.String("group"), aws.String("stream")
	arn := aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/2026-01-02T03:04:05.000")
	key := map[string]ddb.AttributeValue{"Id": &ddb.AttributeValueMemberS{Value: "1"}}
	topics, buckets := sns.NewFromConfig(a.asRole), s3.NewFromConfig(a.asRole, func(o *s3.Options) { o.UsePathStyle = true })
	parameters, topic := ssm.NewFromConfig(a.asRole), aws.String("arn:aws:sns:us-east-1:000000000000:topic")
	calls := map[string]func() error{
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
		"sns:Publish": func() error {
			_, err := topics.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: aws.String("m")})
			return err
		},
		"sns:GetTopicAttributes": func() error {
			_, err := topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: topic})
			return err
		},
		"s3:PutObject": func() error {
			_, err := buckets.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key"), Body: strings.NewReader("x")})
			return err
		},
		"s3:ListBucket": func() error {
			_, err := buckets.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bucket")})
			return err
		},
		"ssm:GetParameter": func() error {
			_, err := parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("p")})
			return err
		},
		"ssm:GetParameters": func() error {
			_, err := parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{"p"}})
			return err
		},
		"secretsmanager:GetSecretValue": func() error {
			_, err := secretsmanager.NewFromConfig(a.asRole).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
			return err
		},
	}
	maps.Copy(calls, sealedCalls(t, a))
	return calls
}
