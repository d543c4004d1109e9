package autoscaling_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/smithy-go"

	api "streamgen/internal/local/api/autoscaling"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
)

var start = time.Date(2026, 11, 23, 4, 8, 31, 911_000_000, time.UTC)

// newClient is one of a front end that knows the table "orders" with the index "gsi".
func newClient(t *testing.T) *applicationautoscaling.Client {
	t.Helper()
	registry := control.NewScaling[api.Configuration]("000000000000", "eu-west-1", clock.NewManual(start))
	server := httptest.NewServer(api.New(registry, func(table, index string) bool { return table == "orders" && (index == "" || index == "gsi") }))
	t.Cleanup(server.Close)
	return applicationautoscaling.New(applicationautoscaling.Options{
		BaseEndpoint: &server.URL, Region: "eu-west-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func expectError(t *testing.T, err error, code, message string) {
	t.Helper()
	var failed smithy.APIError
	if !errors.As(err, &failed) || failed.ErrorCode() != code || failed.ErrorMessage() != message {
		t.Errorf("error %v\nwant %s: %s", err, code, message)
	}
}

const (
	reads  = types.ScalableDimensionDynamoDBTableReadCapacityUnits
	writes = types.ScalableDimensionDynamoDBTableWriteCapacityUnits
	orders = "table/orders"
)

func register(resource string, dimension types.ScalableDimension, least, most int32) *applicationautoscaling.RegisterScalableTargetInput {
	return &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: &resource, ScalableDimension: dimension, MinCapacity: &least, MaxCapacity: &most,
	}
}

func tracking(name string, metric types.MetricType) *applicationautoscaling.PutScalingPolicyInput {
	return &applicationautoscaling.PutScalingPolicyInput{
		ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: aws.String(orders), ScalableDimension: reads, PolicyName: &name, PolicyType: types.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &types.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(70), ScaleInCooldown: aws.Int32(15), PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: metric},
		},
	}
}

// The calls that terraform's AWS provider makes in the life of a target with a policy.
func TestLifeOfATarget(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	in := register(orders, reads, 5, 50)
	in.Tags = map[string]string{"a": "1"}
	made, err := c.RegisterScalableTarget(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	describe := func() []types.ScalableTarget {
		t.Helper()
		out, err := c.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{
			ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceIds: []string{orders}, ScalableDimension: reads,
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.ScalableTargets
	}
	targets := describe()
	if len(targets) != 1 {
		t.Fatalf("%+v", targets)
	}
	target := targets[0]
	if *target.MinCapacity != 5 || *target.MaxCapacity != 50 || *target.ScalableTargetARN != *made.ScalableTargetARN || !target.CreationTime.Equal(start) ||
		!strings.HasSuffix(*target.RoleARN, "/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable") || *target.SuspendedState.DynamicScalingInSuspended {
		t.Errorf("%+v", target)
	}

	changed := &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: aws.String(orders), ScalableDimension: reads, MaxCapacity: aws.Int32(60),
		SuspendedState: &types.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)},
	}
	if again, err := c.RegisterScalableTarget(ctx, changed); err != nil || *again.ScalableTargetARN != *made.ScalableTargetARN {
		t.Errorf("%+v, %v", again, err)
	}
	if target := describe()[0]; *target.MinCapacity != 5 || *target.MaxCapacity != 60 || !*target.SuspendedState.DynamicScalingInSuspended {
		t.Errorf("%+v", target)
	}

	put, err := c.PutScalingPolicy(ctx, tracking("reads", types.MetricTypeDynamoDBReadCapacityUtilization))
	if err != nil || put.Alarms == nil || len(put.Alarms) != 0 {
		t.Fatalf("%+v, %v", put, err)
	}
	policies := func() []types.ScalingPolicy {
		t.Helper()
		out, err := c.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{
			ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: aws.String(orders), ScalableDimension: reads, PolicyNames: []string{"reads"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.ScalingPolicies
	}
	found := policies()
	if len(found) != 1 {
		t.Fatalf("%+v", found)
	}
	config := found[0].TargetTrackingScalingPolicyConfiguration
	if *found[0].PolicyARN != *put.PolicyARN || *config.TargetValue != 70 || *config.ScaleInCooldown != 15 || config.ScaleOutCooldown != nil ||
		config.PredefinedMetricSpecification.PredefinedMetricType != types.MetricTypeDynamoDBReadCapacityUtilization {
		t.Errorf("%+v %+v", found[0], config)
	}
	if again, err := c.PutScalingPolicy(ctx, tracking("reads", types.MetricTypeDynamoDBReadCapacityUtilization)); err != nil || *again.PolicyARN != *put.PolicyARN {
		t.Errorf("%+v, %v", again, err)
	}

	if _, err := c.TagResource(ctx, &applicationautoscaling.TagResourceInput{ResourceARN: made.ScalableTargetARN, Tags: map[string]string{"b": "2"}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UntagResource(ctx, &applicationautoscaling.UntagResourceInput{ResourceARN: made.ScalableTargetARN, TagKeys: []string{"a"}}); err != nil {
		t.Error(err)
	}
	if tags, err := c.ListTagsForResource(ctx, &applicationautoscaling.ListTagsForResourceInput{ResourceARN: made.ScalableTargetARN}); err != nil || !maps.Equal(tags.Tags, map[string]string{"b": "2"}) {
		t.Errorf("%+v, %v", tags, err)
	}

	gone := &applicationautoscaling.DeleteScalingPolicyInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: aws.String(orders), ScalableDimension: reads, PolicyName: aws.String("reads")}
	if _, err := c.DeleteScalingPolicy(ctx, gone); err != nil || len(policies()) != 0 {
		t.Error(err, policies())
	}
	_, err = c.DeleteScalingPolicy(ctx, gone)
	const of = "service namespace: dynamodb, resource ID: table/orders, scalable dimension: dynamodb:table:ReadCapacityUnits"
	expectError(t, err, "ObjectNotFoundException", "No scaling policy found for "+of+", policy name: reads")
	deregister := &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: aws.String(orders), ScalableDimension: reads}
	if _, err := c.DeregisterScalableTarget(ctx, deregister); err != nil || len(describe()) != 0 {
		t.Error(err, describe())
	}
	_, err = c.DeregisterScalableTarget(ctx, deregister)
	expectError(t, err, "ObjectNotFoundException", "No scalable target found for "+of)
}

func TestPages(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	for _, in := range []*applicationautoscaling.RegisterScalableTargetInput{
		register("table/orders/index/gsi", types.ScalableDimensionDynamoDBIndexReadCapacityUnits, 1, 2), register(orders, writes, 1, 2), register(orders, reads, 1, 2),
	} {
		if _, err := c.RegisterScalableTarget(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	pages := applicationautoscaling.NewDescribeScalableTargetsPaginator(c, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: types.ServiceNamespaceDynamodb, MaxResults: aws.Int32(2)})
	var got []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range page.ScalableTargets {
			got = append(got, fmt.Sprintf("%s %s", *target.ResourceId, target.ScalableDimension))
		}
	}
	want := "table/orders dynamodb:table:ReadCapacityUnits, table/orders dynamodb:table:WriteCapacityUnits, table/orders/index/gsi dynamodb:index:ReadCapacityUnits"
	if strings.Join(got, ", ") != want {
		t.Errorf("%v", got)
	}
	_, err := c.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: types.ServiceNamespaceDynamodb, NextToken: aws.String("x")})
	expectError(t, err, "InvalidNextTokenException", "The specified token is invalid")
}

func TestRefused(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	for _, r := range []struct {
		change  func(*applicationautoscaling.RegisterScalableTargetInput)
		message string
	}{
		{func(in *applicationautoscaling.RegisterScalableTargetInput) { in.MinCapacity = nil }, "Both minimum capacity and maximum capacity must be specified when registering a new scalable target"},
		{func(in *applicationautoscaling.RegisterScalableTargetInput) { in.MinCapacity = aws.Int32(11) }, "Maximum capacity cannot be less than minimum capacity"},
		{func(in *applicationautoscaling.RegisterScalableTargetInput) { in.MinCapacity = aws.Int32(0) },
			"1 validation error detected: Value '0' at 'minCapacity' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{func(in *applicationautoscaling.RegisterScalableTargetInput) { in.ResourceId = aws.String("table/nope") }, "DynamoDB table does not exist: table/nope"},
		{func(in *applicationautoscaling.RegisterScalableTargetInput) {
			in.ResourceId = aws.String("dynamo/orders")
		}, "Unsupported service namespace, resource type or scalable dimension"},
		{func(in *applicationautoscaling.RegisterScalableTargetInput) {
			in.ScalableDimension = types.ScalableDimensionDynamoDBIndexReadCapacityUnits
		}, "Unsupported service namespace, resource type or scalable dimension"},
		{func(in *applicationautoscaling.RegisterScalableTargetInput) {
			in.ServiceNamespace = types.ServiceNamespaceEcs
		},
			"streamgen local does not emulate the ServiceNamespace ecs of Application Auto Scaling: it knows dynamodb"},
		{func(in *applicationautoscaling.RegisterScalableTargetInput) { in.Tags = map[string]string{"": "x"} }, `The tag key "" must have 1 to 128 characters`},
	} {
		in := register(orders, reads, 1, 10)
		r.change(in)
		_, err := c.RegisterScalableTarget(ctx, in)
		expectError(t, err, "ValidationException", r.message)
	}

	policy := tracking("p", types.MetricTypeDynamoDBReadCapacityUtilization)
	_, err := c.PutScalingPolicy(ctx, policy)
	expectError(t, err, "ObjectNotFoundException", "No scalable target registered for service namespace: dynamodb, resource ID: table/orders, scalable dimension: dynamodb:table:ReadCapacityUnits")
	if _, err := c.RegisterScalableTarget(ctx, register(orders, reads, 1, 10)); err != nil {
		t.Fatal(err)
	}
	wrong := tracking("p", types.MetricTypeDynamoDBWriteCapacityUtilization)
	_, err = c.PutScalingPolicy(ctx, wrong)
	expectError(t, err, "ValidationException", `The metric "DynamoDBWriteCapacityUtilization" does not belong to dynamodb:table:ReadCapacityUnits`)
	policy.PolicyType = types.PolicyTypeStepScaling
	_, err = c.PutScalingPolicy(ctx, policy)
	expectError(t, err, "ValidationException", "Policy type StepScaling is not supported for dynamodb:table:ReadCapacityUnits: it must be TargetTrackingScaling")
	_, err = c.PutScheduledAction(ctx, &applicationautoscaling.PutScheduledActionInput{
		ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: aws.String(orders), ScalableDimension: reads, ScheduledActionName: aws.String("x"),
	})
	expectError(t, err, "UnknownOperationException", "streamgen local does not emulate AnyScaleFrontendService.PutScheduledAction")
	_, err = c.ListTagsForResource(ctx, &applicationautoscaling.ListTagsForResourceInput{ResourceARN: aws.String("x")})
	expectError(t, err, "ResourceNotFoundException", "No scalable target found for ARN x")
}
