package local

import (
	"strings"
)

// kmsRows are what the operations of KMS need. A key's own policy has the first word: see [policy.Policies].
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
var kmsRows = map[string]row{
	"CreateKey":                       onNoKey("CreateKey"),
	"ListKeys":                        onNoKey("ListKeys"),
	"ListAliases":                     onNoKey("ListAliases"),
	"CreateAlias":                     onKey("CreateAlias"),
	"UpdateAlias":                     onKey("UpdateAlias"),
	"DeleteAlias":                     onKey("DeleteAlias"),
	"DescribeKey":                     onKey("DescribeKey"),
	"EnableKey":                       onKey("EnableKey"),
	"DisableKey":                      onKey("DisableKey"),
	"UpdateKeyDescription":            onKey("UpdateKeyDescription"),
	"ScheduleKeyDeletion":             onKey("ScheduleKeyDeletion"),
	"CancelKeyDeletion":               onKey("CancelKeyDeletion"),
	"GetKeyPolicy":                    onKey("GetKeyPolicy"),
	"PutKeyPolicy":                    onKey("PutKeyPolicy"),
	"ListKeyPolicies":                 onKey("ListKeyPolicies"),
	"GetKeyRotationStatus":            onKey("GetKeyRotationStatus"),
	"EnableKeyRotation":               onKey("EnableKeyRotation"),
	"DisableKeyRotation":              onKey("DisableKeyRotation"),
	"ListResourceTags":                onKey("ListResourceTags"),
	"TagResource":                     onKey("TagResource"),
	"UntagResource":                   onKey("UntagResource"),
	"Encrypt":                         onKey("Encrypt"),
	"Decrypt":                         onKey("Decrypt"),
	"ReEncrypt":                       reEncryptNeeds,
	"GenerateDataKey":                 onKey("GenerateDataKey"),
	"GenerateDataKeyWithoutPlaintext": onKey("GenerateDataKeyWithoutPlaintext"),
	"GenerateRandom":                  onNoKey("GenerateRandom"),
}

func onNoKey(action string) row {
	return func(*roleCall) ([]need, error) { return []need{{action: "kms:" + action, resource: "*"}}, nil }
}

func onKey(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct {
			KeyId, TargetKeyId string // of CreateAlias and UpdateAlias the latter
			EncryptionContext  map[string]string
			CiphertextBlob     []byte
		}
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		return []need{c.in.keyNeed(c.region, action, in.KeyId+in.TargetKeyId, in.CiphertextBlob, in.EncryptionContext)}, nil
	}
}

// reEncryptNeeds are on the key that a ciphertext has, and on the one that it gets.
func reEncryptNeeds(c *roleCall) ([]need, error) {
	var in struct {
		SourceKeyId, DestinationKeyId                         string
		SourceEncryptionContext, DestinationEncryptionContext map[string]string
		CiphertextBlob                                        []byte
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return []need{
		c.in.keyNeed(c.region, "ReEncryptFrom", in.SourceKeyId, in.CiphertextBlob, in.SourceEncryptionContext),
		c.in.keyNeed(c.region, "ReEncryptTo", in.DestinationKeyId, nil, in.DestinationEncryptionContext),
	}, nil
}

// ssmRows are what the operations of the Parameter Store need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
var ssmRows = map[string]row{
	"PutParameter":        withKeys(onParameters("PutParameter"), parameterKeys),
	"GetParameter":        withKeys(onParameters("GetParameter"), parameterKeys),
	"GetParameters":       withKeys(onParameters("GetParameters"), parameterKeys),
	"GetParametersByPath": withKeys(onParameters("GetParametersByPath"), parameterKeys),
	"GetParameterHistory": withKeys(onParameters("GetParameterHistory"), parameterKeys),
	"DeleteParameter":     onParameters("DeleteParameter"),
	"DeleteParameters":    onParameters("DeleteParameters"),
	"DescribeParameters": func(c *roleCall) ([]need, error) {
		return []need{{action: "ssm:DescribeParameters", resource: c.arn("ssm", "*")}}, nil
	},
	"AddTagsToResource":      onParameters("AddTagsToResource"),
	"RemoveTagsFromResource": onParameters("RemoveTagsFromResource"),
	"ListTagsForResource":    onParameters("ListTagsForResource"),
}

func onParameters(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct {
			Name, Path, ResourceId string
			Names                  []string
		}
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		for _, name := range []string{in.Name, in.Path, in.ResourceId} {
			if name != "" {
				in.Names = append(in.Names, name)
			}
		}
		var needs []need
		for _, name := range in.Names {
			arn := name
			if !strings.HasPrefix(name, "arn:") {
				arn = c.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
			}
			if head, tail, ok := cutLast(arn, ":"); ok && strings.Count(arn, ":") > 5 && tail != "" {
				arn = head // a version or a label of it
			}
			needs = append(needs, need{action: "ssm:" + action, resource: arn})
		}
		if len(needs) == 0 {
			needs = []need{{action: "ssm:" + action, resource: "*"}}
		}
		return needs, nil
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// secretsmanagerRows are what the operations of Secrets Manager need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
var secretsmanagerRows = map[string]row{
	"CreateSecret":   withKeys(onSecret("CreateSecret"), secretKeys(sending...)),
	"DescribeSecret": onSecret("DescribeSecret"),
	"GetSecretValue": withKeys(onSecret("GetSecretValue"), secretKeys("Decrypt")),
	"PutSecretValue": withKeys(onSecret("PutSecretValue"), secretKeys(sending...)),
	"UpdateSecret":   withKeys(onSecret("UpdateSecret"), secretKeys(sending...)),

	"UpdateSecretVersionStage": onSecret("UpdateSecretVersionStage"),
	"DeleteSecret":             onSecret("DeleteSecret"),
	"RestoreSecret":            onSecret("RestoreSecret"),
	"ListSecrets": func(*roleCall) ([]need, error) {
		return []need{{action: "secretsmanager:ListSecrets", resource: "*"}}, nil
	},
	"ListSecretVersionIds": onSecret("ListSecretVersionIds"),
	"GetResourcePolicy":    onSecret("GetResourcePolicy"),
	"PutResourcePolicy":    onSecret("PutResourcePolicy"),
	"DeleteResourcePolicy": onSecret("DeleteResourcePolicy"),
	"TagResource":          onSecret("TagResource"),
	"UntagResource":        onSecret("UntagResource"),
}

func onSecret(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct{ SecretId, Name string }
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		arn := in.SecretId
		if found, err := c.in.secrets.Describe(arn); err == nil {
			arn = found.ARN // whose end nobody knows who names it
		} else if !strings.HasPrefix(arn, "arn:") {
			arn = c.arn("secretsmanager", "secret:"+in.SecretId+in.Name)
		}
		return []need{{action: "secretsmanager:" + action, resource: arn}}, nil
	}
}
