package autoscaling

import (
	"slices"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

type suspendedState struct {
	DynamicScalingInSuspended  bool
	DynamicScalingOutSuspended bool
	ScheduledScalingSuspended  bool
}

type registerScalableTargetInput struct {
	scaled
	MinCapacity    *int
	MaxCapacity    *int
	RoleARN        string
	SuspendedState *suspendedState
	Tags           map[string]string
}

type registerScalableTargetOutput struct{ ScalableTargetARN string }

// registerScalableTarget takes AWS's own role whichever is given, as AWS does for DynamoDB.
// https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
func (s service) registerScalableTarget(in *registerScalableTargetInput) (*registerScalableTargetOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	for _, capacity := range []struct {
		member string
		value  *int
	}{{"minCapacity", in.MinCapacity}, {"maxCapacity", in.MaxCapacity}} {
		if capacity.value != nil && *capacity.value < 1 {
			return nil, invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to 1",
				*capacity.value, capacity.member)
		}
	}
	parts := resourceID.FindStringSubmatch(in.ResourceId)
	if !s.exists(parts[1], parts[3]) {
		return nil, invalid("DynamoDB table does not exist: %s", in.ResourceId)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	r := control.RegisterTarget{Scaled: in.named(), Min: in.MinCapacity, Max: in.MaxCapacity, Tags: in.Tags}
	if state := in.SuspendedState; state != nil {
		r.Suspended = &control.Suspended{In: state.DynamicScalingInSuspended, Out: state.DynamicScalingOutSuspended, Scheduled: state.ScheduledScalingSuspended}
	}
	target, err := s.registry.Register(r)
	return &registerScalableTargetOutput{target.ARN}, err
}

type describeScalableTargetsInput struct {
	pages
	ServiceNamespace  string
	ResourceIds       []string
	ScalableDimension string
}

type scalableTarget struct {
	scaled
	CreationTime      wire.EpochSeconds
	MinCapacity       int
	MaxCapacity       int
	RoleARN           string
	ScalableTargetARN string
	SuspendedState    suspendedState
}

type describeScalableTargetsOutput struct {
	ScalableTargets []scalableTarget
	NextToken       string `json:",omitempty"`
}

func (s service) describeScalableTargets(in *describeScalableTargetsInput) (*describeScalableTargetsOutput, error) {
	if err := (&scaled{ServiceNamespace: in.ServiceNamespace}).checkNamespace(); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(s.registry.Targets(), func(t control.ScalableTarget) bool {
		return len(in.ResourceIds) > 0 && !slices.Contains(in.ResourceIds, t.Resource) || in.ScalableDimension != "" && in.ScalableDimension != t.Dimension
	})
	found, next, err := page(in.pages, all, func(t control.ScalableTarget) string { return t.ARN })
	out := &describeScalableTargetsOutput{ScalableTargets: []scalableTarget{}, NextToken: next}
	for _, t := range found {
		out.ScalableTargets = append(out.ScalableTargets, scalableTarget{
			scaled: scaledOf(t.Scaled), CreationTime: wire.EpochSeconds(t.Created), MinCapacity: t.Min, MaxCapacity: t.Max, RoleARN: t.Role, ScalableTargetARN: t.ARN,
			SuspendedState: suspendedState{DynamicScalingInSuspended: t.Suspended.In, DynamicScalingOutSuspended: t.Suspended.Out, ScheduledScalingSuspended: t.Suspended.Scheduled},
		})
	}
	return out, err
}

func (s service) deregisterScalableTarget(in *scaled) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, s.registry.Deregister(in.named())
}
