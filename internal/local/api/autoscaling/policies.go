package autoscaling

import (
	"slices"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// targetTracking is the one type of policy that DynamoDB's capacities have.
const targetTracking = "TargetTrackingScaling"

// Configuration is that of a target tracking policy.
type Configuration struct {
	TargetValue                   *float64
	PredefinedMetricSpecification *struct{ PredefinedMetricType string }
	ScaleInCooldown               *int  `json:",omitempty"` // seconds
	ScaleOutCooldown              *int  `json:",omitempty"` // seconds
	DisableScaleIn                *bool `json:",omitempty"`
}

type putScalingPolicyInput struct {
	scaled
	PolicyName                               string
	PolicyType                               string
	TargetTrackingScalingPolicyConfiguration *Configuration
}

type alarm struct{ AlarmARN, AlarmName string }

type putScalingPolicyOutput struct {
	PolicyARN string
	Alarms    []alarm // none: nothing is measured
}

func (s service) putScalingPolicy(in *putScalingPolicyInput) (*putScalingPolicyOutput, error) {
	if err := required("policyName", in.PolicyName); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	c := in.TargetTrackingScalingPolicyConfiguration
	switch {
	case in.PolicyType != targetTracking:
		return nil, invalid("Policy type %s is not supported for %s: it must be %s", in.PolicyType, in.ScalableDimension, targetTracking)
	case c == nil:
		return nil, invalid("TargetTrackingScalingPolicyConfiguration must be specified for policy type %s", targetTracking)
	case c.TargetValue == nil:
		return nil, required("targetTrackingScalingPolicyConfiguration.targetValue", "")
	case c.PredefinedMetricSpecification == nil:
		return nil, invalid("A target tracking policy needs a PredefinedMetricSpecification")
	}
	if metric := c.PredefinedMetricSpecification.PredefinedMetricType; metric != metricOf(in.ScalableDimension) {
		return nil, invalid("The metric %q does not belong to %s", metric, in.ScalableDimension)
	}
	arn, err := s.registry.PutPolicy(in.named(), in.PolicyName, in.PolicyType, *c)
	return &putScalingPolicyOutput{PolicyARN: arn, Alarms: []alarm{}}, err
}

// metricOf is the metric by which a dimension of DynamoDB's is scaled.
func metricOf(dimension string) string {
	if strings.HasSuffix(dimension, ":ReadCapacityUnits") {
		return "DynamoDBReadCapacityUtilization"
	}
	return "DynamoDBWriteCapacityUtilization"
}

type describeScalingPoliciesInput struct {
	pages
	scaled
	PolicyNames []string
}

type scalingPolicy struct {
	scaled
	Alarms                                   []alarm
	CreationTime                             wire.EpochSeconds
	PolicyARN                                string
	PolicyName                               string
	PolicyType                               string
	TargetTrackingScalingPolicyConfiguration Configuration
}

type describeScalingPoliciesOutput struct {
	ScalingPolicies []scalingPolicy
	NextToken       string `json:",omitempty"`
}

func (s service) describeScalingPolicies(in *describeScalingPoliciesInput) (*describeScalingPoliciesOutput, error) {
	if err := in.checkNamespace(); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(s.registry.Policies(), func(p control.ScalingPolicy[Configuration]) bool {
		return in.ResourceId != "" && in.ResourceId != p.Resource || in.ScalableDimension != "" && in.ScalableDimension != p.Dimension ||
			len(in.PolicyNames) > 0 && !slices.Contains(in.PolicyNames, p.Name) && !slices.Contains(in.PolicyNames, p.ARN)
	})
	found, next, err := page(in.pages, all, func(p control.ScalingPolicy[Configuration]) string { return p.ARN })
	out := &describeScalingPoliciesOutput{ScalingPolicies: []scalingPolicy{}, NextToken: next}
	for _, p := range found {
		out.ScalingPolicies = append(out.ScalingPolicies, scalingPolicy{
			scaled: scaledOf(p.Scaled), Alarms: []alarm{}, CreationTime: wire.EpochSeconds(p.Created), PolicyARN: p.ARN, PolicyName: p.Name, PolicyType: p.Type,
			TargetTrackingScalingPolicyConfiguration: p.Configuration,
		})
	}
	return out, err
}

type deleteScalingPolicyInput struct {
	scaled
	PolicyName string
}

func (s service) deleteScalingPolicy(in *deleteScalingPolicyInput) (*none, error) {
	if err := required("policyName", in.PolicyName); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, s.registry.DeletePolicy(in.named(), in.PolicyName)
}
