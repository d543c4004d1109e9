package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"streamgen/internal/local/policy"
)

const (
	writeLogs = "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents"
	ownENIs   = "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:DeleteNetworkInterface " +
		"ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses"
	readStreams = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams"
)

// managedPolicies are the policies of AWS that may be attached, with the actions that they allow on every resource, as far as the local
// stack has them.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
var managedPolicies = map[string]string{
	awsManaged("AdministratorAccess"): "*",

	awsManaged("service-role/AWSLambdaBasicExecutionRole"):     writeLogs,
	awsManaged("service-role/AWSLambdaDynamoDBExecutionRole"):  readStreams + " " + writeLogs,
	awsManaged("service-role/AWSLambdaSQSQueueExecutionRole"):  "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes " + writeLogs,
	awsManaged("service-role/AWSLambdaVPCAccessExecutionRole"): writeLogs + " " + ownENIs,
	awsManaged("service-role/AWSLambdaRole"):                   "lambda:InvokeFunction",
	awsManaged("AWSXRayDaemonWriteAccess"): "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules " +
		"xray:GetSamplingTargets xray:GetSamplingStatisticSummaries",

	awsManaged("AmazonDynamoDBFullAccess"): "dynamodb:* dax:* " + scaleTables + " " + watchTables +
		" cloudwatch:DeleteAlarms cloudwatch:PutMetricAlarm application-autoscaling:DeleteScalingPolicy" +
		" application-autoscaling:DeregisterScalableTarget application-autoscaling:PutScalingPolicy" +
		" application-autoscaling:RegisterScalableTarget sns:CreateTopic sns:DeleteTopic sns:Subscribe sns:Unsubscribe" +
		" sns:SetTopicAttributes lambda:CreateFunction lambda:CreateEventSourceMapping lambda:DeleteEventSourceMapping lambda:DeleteFunction",
	awsManaged("AmazonDynamoDBReadOnlyAccess"): "dynamodb:BatchGetItem dynamodb:Describe* dynamodb:List* dynamodb:GetItem " +
		"dynamodb:GetResourcePolicy dynamodb:Query dynamodb:Scan dynamodb:PartiQLSelect " + scaleTables + " " + watchTables,

	awsManaged("CloudWatchLogsFullAccess"):     "logs:*",
	awsManaged("CloudWatchLogsReadOnlyAccess"): "logs:Describe* logs:Get* logs:List* logs:StartQuery logs:StopQuery logs:TestMetricFilter logs:FilterLogEvents",
	awsManaged("AmazonSQSFullAccess"):          "sqs:*",
	awsManaged("AmazonSQSReadOnlyAccess"):      "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ListDeadLetterSourceQueues sqs:ListQueues sqs:ListMessageMoveTasks sqs:ListQueueTags",
	awsManaged("AmazonSNSFullAccess"):          "sns:*",
	awsManaged("AmazonS3FullAccess"):           "s3:*",
	awsManaged("AmazonS3ReadOnlyAccess"):       "s3:Get* s3:List* s3:Describe*",
	awsManaged("AmazonSSMReadOnlyAccess"):      "ssm:Describe* ssm:Get* ssm:List*",
}

// What the policies for DynamoDB allow beside DynamoDB itself.
const (
	scaleTables = "application-autoscaling:DescribeScalableTargets application-autoscaling:DescribeScalingActivities " +
		"application-autoscaling:DescribeScalingPolicies iam:GetRole iam:ListRoles kms:DescribeKey kms:ListAliases"
	watchTables = "cloudwatch:DescribeAlarmHistory cloudwatch:DescribeAlarms cloudwatch:DescribeAlarmsForMetric " +
		"cloudwatch:GetMetricStatistics cloudwatch:ListMetrics cloudwatch:GetMetricData sns:ListSubscriptionsByTopic sns:ListTopics " +
		"lambda:ListFunctions lambda:ListEventSourceMappings lambda:GetFunctionConfiguration"
)

func awsManaged(name string) string { return "arn:aws:iam::aws:policy/" + name }

// managedPolicy gives a policy of AWS as a decision takes it.
func managedPolicy(arn string) (*policy.Policy, error) {
	actions, known := managedPolicies[arn]
	if !known {
		return nil, errors.New("streamgen local does not know its statements; --iam off enforces none")
	}
	text, err := json.Marshal(strings.Fields(actions))
	if err != nil {
		return nil, err
	}
	return policy.Parse(arn, fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":%s,"Resource":"*"}}`, text), policy.Identity)
}
