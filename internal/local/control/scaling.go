package control

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/clock"
)

// Scaled names what a scalable target scales: a capacity, such as "dynamodb:table:ReadCapacityUnits", of a resource, such as
// "table/orders".
type Scaled struct{ Namespace, Resource, Dimension string }

func (s Scaled) String() string {
	return fmt.Sprintf("service namespace: %s, resource ID: %s, scalable dimension: %s", s.Namespace, s.Resource, s.Dimension)
}

func (s Scaled) compare(other Scaled) int {
	return cmp.Or(cmp.Compare(s.Namespace, other.Namespace), cmp.Compare(s.Resource, other.Resource), cmp.Compare(s.Dimension, other.Dimension))
}

// Suspended says which kinds of scaling a target is spared.
type Suspended struct{ In, Out, Scheduled bool }

// ScalableTarget is the range in which a capacity would be scaled. Nothing is scaled here: targets are described.
type ScalableTarget struct {
	Scaled
	ARN       string
	Min, Max  int
	Role      string
	Suspended Suspended
	Created   time.Time
	Tags      map[string]string
}

// ScalingPolicy is a policy of a target, of whatever form.
type ScalingPolicy[D any] struct {
	Scaled
	Name, ARN, Type string
	Configuration   D
	Created         time.Time
}

// Scaling is the registry of one region's scalable targets and their policies. It is safe for concurrent use.
type Scaling[D any] struct {
	account, region string
	clock           clock.Clock

	mu       sync.Mutex
	targets  map[Scaled]ScalableTarget
	policies map[Scaled]map[string]ScalingPolicy[D] // by name
	journal  Journal                                // nil keeps nothing
}

// NewScaling gives an empty registry.
func NewScaling[D any](account, region string, c clock.Clock) *Scaling[D] {
	return &Scaling[D]{account: account, region: region, clock: c, targets: map[Scaled]ScalableTarget{}, policies: map[Scaled]map[string]ScalingPolicy[D]{}}
}

// keptTarget is what a journal keeps.
type keptTarget[D any] struct {
	Target   ScalableTarget
	Policies map[string]ScalingPolicy[D]
}

// key is the target's in a journal.
func (s Scaled) key() string { return s.Namespace + " " + s.Resource + " " + s.Dimension }

// Restore takes in the targets and the policies that the journal has, and tells it of every change from then on. It comes before all
// other calls.
func (s *Scaling[D]) Restore(j Journal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = j
	return each(j, func(_ string, kept keptTarget[D]) {
		of := kept.Target.Scaled
		s.targets[of] = kept.Target
		if kept.Policies != nil {
			s.policies[of] = kept.Policies
		}
	})
}

// keep tells the journal of a target that changed, or whose policies did.
func (s *Scaling[D]) keep(of Scaled) {
	if s.journal != nil {
		s.journal.Put(of.key(), keptTarget[D]{s.targets[of], s.policies[of]})
	}
}

// RegisterTarget describes a change of a target; what is nil stays.
type RegisterTarget struct {
	Scaled
	Min, Max  *int // both are needed for a new target
	Suspended *Suspended
	Tags      map[string]string // for a new target alone
}

// Register makes or changes a target.
func (s *Scaling[D]) Register(r RegisterTarget) (ScalableTarget, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	target, there := s.targets[r.Scaled]
	switch {
	case !there && (r.Min == nil || r.Max == nil):
		return target, errorf("ValidationException", "Both minimum capacity and maximum capacity must be specified when registering a new scalable target")
	case there && len(r.Tags) > 0:
		return target, errorf("ValidationException", "Tags can only be specified when registering a new scalable target; use TagResource")
	case !there:
		target = s.newTarget(r)
	}
	if r.Min != nil {
		target.Min = *r.Min
	}
	if r.Max != nil {
		target.Max = *r.Max
	}
	if target.Max < target.Min {
		return target, errorf("ValidationException", "Maximum capacity cannot be less than minimum capacity")
	}
	if r.Suspended != nil {
		target.Suspended = *r.Suspended
	}
	s.targets[r.Scaled] = target
	s.keep(r.Scaled)
	return target, nil
}

// newTarget gives a target with the role that AWS makes for DynamoDB by itself.
func (s *Scaling[D]) newTarget(r RegisterTarget) ScalableTarget {
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	t := ScalableTarget{
		Scaled: r.Scaled, Created: s.clock.Now(), Tags: map[string]string{},
		ARN:  fmt.Sprintf("arn:aws:application-autoscaling:%s:%s:scalable-target/%s", s.region, s.account, id),
		Role: fmt.Sprintf("arn:aws:iam::%s:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", s.account),
	}
	maps.Copy(t.Tags, r.Tags)
	return t
}

// Targets gives every target, in the order of resources and dimensions.
func (s *Scaling[D]) Targets() []ScalableTarget {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Collect(maps.Values(s.targets))
	for i := range all {
		all[i].Tags = maps.Clone(all[i].Tags)
	}
	slices.SortFunc(all, func(a, b ScalableTarget) int { return a.compare(b.Scaled) })
	return all
}

// Deregister removes a target with its policies.
func (s *Scaling[D]) Deregister(of Scaled) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.targets[of]; !there {
		return errorf("ObjectNotFoundException", "No scalable target found for %s", of)
	}
	delete(s.targets, of)
	delete(s.policies, of)
	if s.journal != nil {
		s.journal.Delete(of.key())
	}
	return nil
}

// PutPolicy makes a policy of a registered target or describes it anew, and gives its ARN.
func (s *Scaling[D]) PutPolicy(of Scaled, name, kind string, configuration D) (arn string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.targets[of]; !there {
		return "", errorf("ObjectNotFoundException", "No scalable target registered for %s", of)
	}
	p, there := s.policies[of][name]
	if !there {
		arn := fmt.Sprintf("arn:aws:autoscaling:%s:%s:scalingPolicy:%s:resource/%s/%s:policyName/%s", s.region, s.account, uuid.NewString(), of.Namespace, of.Resource, name)
		p = ScalingPolicy[D]{Scaled: of, Name: name, ARN: arn, Created: s.clock.Now()}
	}
	p.Type, p.Configuration = kind, configuration
	if s.policies[of] == nil {
		s.policies[of] = map[string]ScalingPolicy[D]{}
	}
	s.policies[of][name] = p
	s.keep(of)
	return p.ARN, nil
}

// Policies gives every policy, in the order of resources, dimensions and names.
func (s *Scaling[D]) Policies() []ScalingPolicy[D] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []ScalingPolicy[D]
	for _, byName := range s.policies {
		all = slices.AppendSeq(all, maps.Values(byName))
	}
	slices.SortFunc(all, func(a, b ScalingPolicy[D]) int { return cmp.Or(a.compare(b.Scaled), cmp.Compare(a.Name, b.Name)) })
	return all
}

// DeletePolicy removes a policy.
func (s *Scaling[D]) DeletePolicy(of Scaled, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.policies[of][name]; !there {
		return errorf("ObjectNotFoundException", "No scaling policy found for %s, policy name: %s", of, name)
	}
	delete(s.policies[of], name)
	s.keep(of)
	return nil
}

// UpdateTags applies change to a copy of the tags of the target with an ARN, which a target with too many of them does not take.
func (s *Scaling[D]) UpdateTags(arn string, change func(tags map[string]string)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of, target := range s.targets {
		if target.ARN != arn {
			continue
		}
		target.Tags = maps.Clone(target.Tags)
		change(target.Tags)
		if len(target.Tags) > MaxTags {
			return errorf("TooManyTagsException", "The number of tags of %s would exceed %d", arn, MaxTags)
		}
		s.targets[of] = target
		s.keep(of)
		return nil
	}
	return errorf("ResourceNotFoundException", "No scalable target found for ARN %s", arn)
}
