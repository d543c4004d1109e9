package logs

import (
	"slices"
	"strings"

	"streamgen/internal/local/control"
)

type createLogGroupInput struct {
	LogGroupName              string            `json:"logGroupName"`
	LogGroupClass             string            `json:"logGroupClass"`
	KMSKeyID                  string            `json:"kmsKeyId"`
	DeletionProtectionEnabled bool              `json:"deletionProtectionEnabled"`
	Tags                      map[string]string `json:"tags"`
}

func (s service) createLogGroup(in *createLogGroupInput) (*none, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := checkClass(in.LogGroupClass); err != nil {
		return nil, err
	}
	if in.KMSKeyID != "" {
		if err := s.checkKey(in.KMSKeyID, in.LogGroupName); err != nil {
			return nil, err
		}
	}
	return nil, s.groups.CreateGroup(control.LogGroup{
		Name: in.LogGroupName, Class: in.LogGroupClass, KeyARN: in.KMSKeyID, Protected: in.DeletionProtectionEnabled, Tags: in.Tags})
}

type describeLogGroupsInput struct {
	LogGroupNamePrefix  string `json:"logGroupNamePrefix"`
	LogGroupNamePattern string `json:"logGroupNamePattern"`
	LogGroupClass       string `json:"logGroupClass"`
	Limit               *int   `json:"limit"`
	NextToken           string `json:"nextToken"`
}

type describeLogGroupsOutput struct {
	LogGroups []logGroup `json:"logGroups"`
	NextToken string     `json:"nextToken,omitempty"`
}

type logGroup struct {
	ARN                       string `json:"arn"` // with ":*", unlike LogGroupARN
	LogGroupName              string `json:"logGroupName"`
	CreationTime              *int64 `json:"creationTime"`
	LogGroupARN               string `json:"logGroupArn,omitempty"`
	LogGroupClass             string `json:"logGroupClass,omitempty"`
	RetentionInDays           int    `json:"retentionInDays,omitempty"`
	KMSKeyID                  string `json:"kmsKeyId,omitempty"`
	MetricFilterCount         *int   `json:"metricFilterCount,omitempty"`
	StoredBytes               *int   `json:"storedBytes,omitempty"`
	DeletionProtectionEnabled *bool  `json:"deletionProtectionEnabled,omitempty"`
}

func (s service) describeLogGroups(in *describeLogGroupsInput) (*describeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	limit, err := checkLimit(in.Limit, 50)
	if err != nil {
		return nil, err
	}
	groups := slices.DeleteFunc(s.groups.Groups(), func(g control.LogGroup) bool {
		return !strings.HasPrefix(g.Name, in.LogGroupNamePrefix) || !strings.Contains(g.Name, in.LogGroupNamePattern) ||
			in.LogGroupClass != "" && in.LogGroupClass != g.LogClass()
	})
	items, next, err := page(groups, in.NextToken, limit, func(g control.LogGroup) string { return g.Name })
	if err != nil {
		return nil, err
	}
	out := &describeLogGroupsOutput{LogGroups: []logGroup{}, NextToken: next}
	for _, g := range items {
		described := logGroup{ARN: g.ARN + ":*", LogGroupName: g.Name, CreationTime: milliseconds(g.Created)}
		if in.LogGroupNamePattern == "" { // a search by pattern gives those three members alone
			described.LogGroupARN, described.LogGroupClass, described.KMSKeyID = g.ARN, g.LogClass(), g.KeyARN
			described.RetentionInDays, described.StoredBytes = g.RetentionDays, &g.StoredBytes
			described.MetricFilterCount, described.DeletionProtectionEnabled = new(int), &g.Protected
		}
		out.LogGroups = append(out.LogGroups, described)
	}
	return out, nil
}

type groupInput struct {
	LogGroupName string `json:"logGroupName"`
}

func (s service) deleteLogGroup(in *groupInput) (*none, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	return nil, s.groups.DeleteGroup(in.LogGroupName)
}

type putRetentionPolicyInput struct {
	LogGroupName    string `json:"logGroupName"`
	RetentionInDays int    `json:"retentionInDays"`
}

func (s service) putRetentionPolicy(in *putRetentionPolicyInput) (*none, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	if err := checkRetention(in.RetentionInDays); err != nil {
		return nil, err
	}
	return nil, s.groups.UpdateGroup(in.LogGroupName, func(g *control.LogGroup) { g.RetentionDays = in.RetentionInDays })
}

func (s service) deleteRetentionPolicy(in *groupInput) (*none, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	return nil, s.groups.UpdateGroup(in.LogGroupName, func(g *control.LogGroup) { g.RetentionDays = 0 })
}
