package fileplan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/spec"
)

// written gives statements in a line each, as one reads them: actions, resources, conditions and when.
func written(statements []Statement) []string {
	list := []string{}
	for _, s := range statements {
		resources := make([]string, len(s.Resources))
		for i, r := range s.Resources {
			resources[i] = writtenValue(r)
		}
		line := strings.Join(s.Actions, " ") + " on " + strings.Join(resources, ", ") + string(s.ResourceList)
		if s.Deny {
			line = "not " + line
		}
		for _, c := range s.Conditions {
			values := make([]string, len(c.Values))
			for i, v := range c.Values {
				values[i] = writtenValue(v)
			}
			line += fmt.Sprintf(" if %s %s %s", c.Variable, c.Test, strings.Join(values, ", "))
		}
		if s.When != "" {
			line += " when " + string(s.When)
		}
		list = append(list, line)
	}
	return list
}

func writtenValue(v any) string {
	var b strings.Builder
	for _, part := range parts(v) {
		if e, ok := part.(Expression); ok {
			b.WriteString("${" + string(e) + "}")
		} else {
			fmt.Fprint(&b, part)
		}
	}
	return b.String()
}

const (
	logStatement    = "logs:CreateLogStream logs:PutLogEvents on ${aws_cloudwatch_log_group.ship.arn}:*"
	streamStatement = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams on ${aws_dynamodb_table.orders.stream_arn}"
	viaDynamoDB     = " if kms:ViaService StringEquals dynamodb.${data.aws_region.current.region}.amazonaws.com"
	readActions     = "dynamodb:BatchGetItem dynamodb:ConditionCheckItem dynamodb:DescribeTable dynamodb:GetItem dynamodb:Query dynamodb:Scan"
	writeActions    = "dynamodb:BatchWriteItem dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:DescribeTable dynamodb:PutItem dynamodb:UpdateItem"
)

// TestPolicies pins what a handler may do beside writing its log and reading its stream: an action or an ARN more is
// a decision, not a side effect.
func TestPolicies(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *spec.Spec, h *spec.Handler)
		want   []string
	}{
		"nothing": {func(*spec.Spec, *spec.Handler) {}, nil},
		"several streams": {
			func(_ *spec.Spec, h *spec.Handler) { h.Sources = append(h.Sources, shopSource("customers")) },
			[]string{streamStatement + ", ${aws_dynamodb_table.customers.stream_arn}"},
		},
		"stream of others": {
			func(s *spec.Spec, _ *spec.Handler) {
				s.Tables[0].Existing, s.Tables[0].StreamARN = true, "arn:aws:dynamodb:us-east-1:1:table/o/stream/x"
			},
			[]string{strings.Replace(streamStatement, "${aws_dynamodb_table.orders.stream_arn}", "arn:aws:dynamodb:us-east-1:1:table/o/stream/x", 1)},
		},
		"encrypted table": {
			func(s *spec.Spec, h *spec.Handler) {
				s.Tables[0].KMSKeyARN, s.Tables[1].KMSKeyARN = customerKey, customerKey
				h.Reads = []string{"customers"}
			},
			[]string{
				readActions + " on ${aws_dynamodb_table.customers.arn}",
				"kms:Decrypt on " + customerKey + viaDynamoDB,
			},
		},
		"table encrypted in one environment": {
			func(s *spec.Spec, _ *spec.Handler) {
				s.Environments = []spec.Environment{{Overrides: []spec.Override{{Entry: "tables.orders", Key: "server_side_encryption.kms_key_arn"}}}}
			},
			[]string{
				"kms:Decrypt on compact([var.table_orders_server_side_encryption_kms_key_arn])" + viaDynamoDB +
					" when length(compact([var.table_orders_server_side_encryption_kms_key_arn])) > 0",
			},
		},
		"reads": {
			func(s *spec.Spec, h *spec.Handler) {
				h.Reads = []string{"orders", "customers"}
				s.Tables[0].GlobalSecondaryIndexes = []spec.GlobalSecondaryIndex{{Name: "by-x"}}
				s.Tables[0].LocalSecondaryIndexes = []spec.LocalSecondaryIndex{{Name: "by-y"}}
				s.Tables[1].Existing = true
			},
			[]string{readActions + " on ${aws_dynamodb_table.orders.arn}, ${aws_dynamodb_table.orders.arn}/index/by-x, " +
				"${aws_dynamodb_table.orders.arn}/index/by-y, ${data.aws_dynamodb_table.customers.arn}, " +
				"${data.aws_dynamodb_table.customers.arn}/index/*"},
		},
		"writes": {
			func(_ *spec.Spec, h *spec.Handler) { h.Writes = []string{"customers", "orders"} },
			[]string{writeActions + " on ${aws_dynamodb_table.customers.arn}, ${aws_dynamodb_table.orders.arn}"},
		},
		"queue": {
			func(_ *spec.Spec, h *spec.Handler) { h.Sources[0].OnFailure = spec.OnFailure{Type: "sqs"} },
			[]string{"sqs:SendMessage on ${aws_sqs_queue.ship_failures.arn}"},
		},
		"topic with a customer key": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.Sources[0].OnFailure = spec.OnFailure{Type: "sns", KMSKeyARN: customerKey}
			},
			[]string{
				"sns:Publish on ${aws_sns_topic.ship_failures.arn}",
				"kms:Decrypt kms:GenerateDataKey on " + customerKey + " if kms:ViaService StringEquals sns.${data.aws_region.current.region}.amazonaws.com",
			},
		},
		"bucket": {
			func(_ *spec.Spec, h *spec.Handler) { h.Sources[0].OnFailure = spec.OnFailure{Type: "s3"} },
			[]string{"s3:PutObject on ${aws_s3_bucket.ship_failures.arn}/*", "s3:ListBucket on ${aws_s3_bucket.ship_failures.arn}"},
		},
		"bucket of others": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.Sources[0].OnFailure = spec.OnFailure{Type: "arn", ARN: "arn:aws:s3:::failures"}
			},
			[]string{"s3:PutObject on arn:aws:s3:::failures/*", "s3:ListBucket on arn:aws:s3:::failures"},
		},
		"one queue for two mappings, a topic for the third": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.Sources = append(h.Sources, shopSource("customers"), shopSource("customers"))
				h.Sources[0].OnFailure = spec.OnFailure{Type: "arn", ARN: "arn:aws:sqs:us-east-1:1:q", KMSKeyARN: customerKey}
				h.Sources[1].OnFailure = h.Sources[0].OnFailure
				h.Sources[2].OnFailure = spec.OnFailure{Type: "arn", ARN: "arn:aws:sns:us-east-1:1:t"}
			},
			[]string{
				streamStatement + ", ${aws_dynamodb_table.customers.stream_arn}, ${aws_dynamodb_table.customers.stream_arn}",
				"sqs:SendMessage on arn:aws:sqs:us-east-1:1:q", "sns:Publish on arn:aws:sns:us-east-1:1:t",
				"kms:Decrypt kms:GenerateDataKey on " + customerKey + " if kms:ViaService StringEquals sqs.${data.aws_region.current.region}.amazonaws.com",
			},
		},
		"references": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.KMSKeyARN = customerKey
				h.Environment = []spec.Variable{
					{Name: "A", SSMParameter: "/shop/a"}, {Name: "B", SSMParameter: "shop.b", KMSKeyARN: "key-b"}, {Name: "C", SSMParameter: "/shop/a"},
					{Name: "D", Secret: "secret-d", KMSKeyARN: "key-d"}, {Name: "E", Value: "e"},
				}
			},
			[]string{
				"ssm:GetParameter ssm:GetParameters on arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:" +
					"${data.aws_caller_identity.current.account_id}:parameter/shop/a, arn:${data.aws_partition.current.partition}:ssm:" +
					"${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:parameter/shop.b",
				"kms:Decrypt on key-b if kms:ViaService StringEquals ssm.${data.aws_region.current.region}.amazonaws.com",
				"secretsmanager:GetSecretValue on secret-d",
				"kms:Decrypt on key-d if kms:ViaService StringEquals secretsmanager.${data.aws_region.current.region}.amazonaws.com",
				"kms:Decrypt on " + customerKey,
			},
		},
		"tracing": {
			func(_ *spec.Spec, h *spec.Handler) { h.TracingMode = "Active" },
			[]string{"xray:PutTelemetryRecords xray:PutTraceSegments on *"},
		},
		"no tracing": {func(_ *spec.Spec, h *spec.Handler) { h.TracingMode = "PassThrough" }, nil},
		"tracing in one environment": {
			func(s *spec.Spec, _ *spec.Handler) { override(s, func(*spec.Handler) {}, "tracing_config.mode") },
			[]string{`xray:PutTelemetryRecords xray:PutTraceSegments on * when var.handler_ship_tracing_config_mode == "Active"`},
		},
		"allow": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.Allow = []spec.Statement{{
					Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"},
					Conditions: []spec.Condition{{Test: "StringEquals", Variable: "aws:x", Values: []string{"y", "z"}}},
				}}
			},
			[]string{"s3:GetObject on arn:aws:s3:::b/* if aws:x StringEquals y, z"},
		},
		"keys that Lambda and CloudWatch use as themselves": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.LogGroup.KMSKeyID, h.Sources[0].FilterKMSKeyARN = customerKey, customerKey
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := []string{logStatement}
			if !slices.ContainsFunc(c.want, func(s string) bool { return strings.HasPrefix(s, "dynamodb:DescribeStream") }) {
				want = append(want, streamStatement)
			}
			h := shopHandler(t, c.change)
			if diff := cmp.Diff(append(want, c.want...), written(h.PermissionsPolicy().Statements)); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
			if len(h.Policies()) != 2 {
				t.Errorf("%d documents, want that of trust and that of permissions", len(h.Policies()))
			}
		})
	}
}

func TestTrustPolicy(t *testing.T) {
	h := shopHandler(t, func(*spec.Spec, *spec.Handler) {})
	want := Policy{Name: "ship_trust", Statements: []Statement{
		{Actions: []string{"sts:AssumeRole"}, Services: []string{"lambda.amazonaws.com"}},
	}}
	if diff := cmp.Diff(want, h.TrustPolicy()); diff != "" {
		t.Errorf("trust (-want +got):\n%s", diff)
	}
}

func TestVPCPolicy(t *testing.T) {
	h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) { h.VPC.SubnetIDs = []string{"subnet-1"} })
	const where = "${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
	want := []string{
		"ec2:DescribeNetworkInterfaces ec2:DescribeSubnets on *",
		"ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:UnassignPrivateIpAddresses on " +
			"arn:${data.aws_partition.current.partition}:ec2:" + where + ":*/*",
		"not ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:UnassignPrivateIpAddresses " +
			"ec2:DescribeNetworkInterfaces ec2:DescribeSubnets on * if lambda:SourceFunctionArn ArnEquals " +
			"arn:${data.aws_partition.current.partition}:lambda:" + where + ":function:ship-v1",
	}
	if len(h.Policies()) != 3 {
		t.Fatalf("%d documents, want 3", len(h.Policies()))
	}
	if diff := cmp.Diff(want, written(h.Policies()[2].Statements)); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

// TestDataSources: a module asks where it works only if it needs to know.
func TestDataSources(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *spec.Spec, h *spec.Handler)
		want   []string
	}{
		"nothing":         {func(*spec.Spec, *spec.Handler) {}, nil},
		"encrypted table": {func(s *spec.Spec, _ *spec.Handler) { s.Tables[0].KMSKeyARN = customerKey }, []string{"aws_region"}},
		"bucket": {
			func(_ *spec.Spec, h *spec.Handler) { h.Sources[0].OnFailure.Type = "s3" }, []string{"aws_caller_identity"},
		},
		"VPC": {
			func(_ *spec.Spec, h *spec.Handler) { h.VPC.SubnetIDs = []string{"subnet-1"} },
			[]string{"aws_caller_identity", "aws_partition", "aws_region"},
		},
		"parameter": {
			func(_ *spec.Spec, h *spec.Handler) { h.Environment = []spec.Variable{{Name: "A", SSMParameter: "a"}} },
			[]string{"aws_caller_identity", "aws_partition", "aws_region"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newModule(shop(c.change)).DataSources(); !slices.Equal(got, c.want) {
				t.Errorf("data sources %v, want %v", got, c.want)
			}
		})
	}
}
