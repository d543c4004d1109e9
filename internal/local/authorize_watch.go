package local

import (
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// logsRows are what the operations of CloudWatch Logs need. A group is the ARN with what follows a group's name, as AWS's messages have
// it, so that a policy must end its ARN in ":*"; tags are on the group alone.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
var logsRows = map[string]row{
	"CreateLogGroup":        createLogGroupNeeds,
	"DescribeLogGroups":     onLogGroup("DescribeLogGroups"),
	"DeleteLogGroup":        onLogGroup("DeleteLogGroup"),
	"PutRetentionPolicy":    onLogGroup("PutRetentionPolicy"),
	"DeleteRetentionPolicy": onLogGroup("DeleteRetentionPolicy"),
	"AssociateKmsKey":       onLogGroup("AssociateKmsKey"),
	"DisassociateKmsKey":    onLogGroup("DisassociateKmsKey"),

	"PutLogGroupDeletionProtection": onLogGroup("PutLogGroupDeletionProtection"),

	"TagResource":         onLogTags("TagResource"),
	"UntagResource":       onLogTags("UntagResource"),
	"ListTagsForResource": onLogTags("ListTagsForResource"),

	"CreateLogStream":    onLogGroup("CreateLogStream"),
	"DescribeLogStreams": onLogGroup("DescribeLogStreams"),
	"DeleteLogStream":    onLogGroup("DeleteLogStream"),

	"PutLogEvents":    onLogGroup("PutLogEvents"),
	"GetLogEvents":    onLogGroup("GetLogEvents"),
	"FilterLogEvents": onLogGroup("FilterLogEvents"),
}

// logARN is a log group, or a stream of it, as policies name it.
func logARN(region, group, stream string) string {
	return "arn:aws:logs:" + region + ":" + Account + ":log-group:" + group + ":log-stream:" + stream
}

func onLogGroup(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct {
			LogGroupName       string `json:"logGroupName"`
			LogGroupIdentifier string `json:"logGroupIdentifier"`
			LogStreamName      string `json:"logStreamName"`
		}
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		group := in.LogGroupName + in.LogGroupIdentifier
		if _, name, is := strings.Cut(group, ":log-group:"); is {
			group = strings.TrimSuffix(name, ":*")
		}
		return []need{{action: "logs:" + action, resource: logARN(c.region, group, in.LogStreamName)}}, nil
	}
}

func createLogGroupNeeds(c *roleCall) ([]need, error) {
	var in struct {
		LogGroupName string            `json:"logGroupName"`
		Tags         map[string]string `json:"tags"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	needs := []need{{action: "logs:CreateLogGroup", resource: logARN(c.region, in.LogGroupName, "")}}
	if len(in.Tags) > 0 {
		needs = append(needs, need{action: "logs:TagResource", resource: c.arn("logs", "log-group:"+in.LogGroupName)})
	}
	return needs, nil
}

func onLogTags(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct {
			ResourceARN string `json:"resourceArn"`
		}
		err := c.decode(&in)
		return []need{{action: "logs:" + action, resource: strings.TrimSuffix(in.ResourceARN, ":*")}}, err
	}
}

// cloudwatchRows are what the operations of CloudWatch need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
var cloudwatchRows = map[string]row{
	"PutMetricAlarm":      onAlarms("PutMetricAlarm"),
	"DescribeAlarms":      onAlarms("DescribeAlarms"),
	"DeleteAlarms":        onAlarms("DeleteAlarms"),
	"ListTagsForResource": onAlarms("ListTagsForResource"),
	"TagResource":         onAlarms("TagResource"),
	"UntagResource":       onAlarms("UntagResource"),

	"DescribeAlarmHistory": onAlarms("DescribeAlarmHistory"),
	"SetAlarmState":        onAlarms("SetAlarmState"),
	"EnableAlarmActions":   onAlarms("EnableAlarmActions"),
	"DisableAlarmActions":  onAlarms("DisableAlarmActions"),

	"DescribeAlarmsForMetric": onMetrics("DescribeAlarmsForMetric"),
	"PutMetricData":           onMetrics("PutMetricData"),
	"GetMetricData":           onMetrics("GetMetricData"),
	"GetMetricStatistics":     onMetrics("GetMetricStatistics"),
	"ListMetrics":             onMetrics("ListMetrics"),
}

// onMetrics is about metrics, which are no resources. A policy may name their namespace where values are put.
func onMetrics(action string) row {
	return func(c *roleCall) ([]need, error) {
		n := need{action: "cloudwatch:" + action, resource: "*"}
		if action != "PutMetricData" {
			return []need{n}, nil
		}
		in, err := c.members()
		if err != nil {
			return nil, err
		}
		if namespace, ok := in["Namespace"].(cbor.String); ok {
			n.keys = map[string][]string{"cloudwatch:namespace": {string(namespace)}}
		}
		return []need{n}, nil
	}
}

func onAlarms(action string) row {
	return func(c *roleCall) ([]need, error) {
		in, err := c.members()
		if err != nil {
			return nil, err
		}
		var needs []need
		add := func(arn string) { needs = append(needs, need{action: "cloudwatch:" + action, resource: arn}) }
		if arn, is := in["ResourceARN"].(cbor.String); is {
			add(string(arn))
		}
		if name, is := in["AlarmName"].(cbor.String); is {
			add(c.arn("cloudwatch", "alarm:"+string(name)))
		}
		names, _ := in["AlarmNames"].(cbor.List)
		for _, v := range names {
			if name, is := v.(cbor.String); is {
				add(c.arn("cloudwatch", "alarm:"+string(name)))
			}
		}
		if len(needs) == 0 {
			add(c.arn("cloudwatch", "alarm:"))
		}
		if tags, _ := in["Tags"].(cbor.List); action == "PutMetricAlarm" && len(tags) > 0 {
			needs = append(needs, need{action: "cloudwatch:TagResource", resource: needs[0].resource})
		}
		return needs, nil
	}
}

// autoscalingRows are what the operations of Application Auto Scaling need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
var autoscalingRows = map[string]row{
	"RegisterScalableTarget":   onTarget("RegisterScalableTarget"),
	"DescribeScalableTargets":  onTarget("DescribeScalableTargets"),
	"DeregisterScalableTarget": onTarget("DeregisterScalableTarget"),
	"PutScalingPolicy":         onTarget("PutScalingPolicy"),
	"DescribeScalingPolicies":  onTarget("DescribeScalingPolicies"),
	"DeleteScalingPolicy":      onTarget("DeleteScalingPolicy"),
	"TagResource":              onTarget("TagResource"),
	"UntagResource":            onTarget("UntagResource"),
	"ListTagsForResource":      onTarget("ListTagsForResource"),
}

func onTarget(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct{ ResourceARN string }
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		if in.ResourceARN == "" {
			in.ResourceARN = c.arn("application-autoscaling", "scalable-target/*")
		}
		return []need{{action: "application-autoscaling:" + action, resource: in.ResourceARN}}, nil
	}
}
