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
		}
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		n := need{action: "kms:" + action, resource: in.KeyId + in.TargetKeyId, keys: map[string][]string{}}
		switch {
		case n.resource == "": // a ciphertext names its own key
			n.resource = "*"
		case !strings.HasPrefix(n.resource, "arn:") && strings.HasPrefix(n.resource, "alias/"):
			n.resource = c.arn("kms", n.resource)
		case !strings.HasPrefix(n.resource, "arn:"):
			n.resource = c.arn("kms", "key/"+n.resource)
		}
		for key, value := range in.EncryptionContext {
			n.keys["kms:encryptioncontext:"+strings.ToLower(key)] = []string{value}
		}
		return []need{n}, nil
	}
}

// ssmRows are what the operations of the Parameter Store need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
var ssmRows = map[string]row{
	"PutParameter":        onParameters("PutParameter"),
	"GetParameter":        onParameters("GetParameter"),
	"GetParameters":       onParameters("GetParameters"),
	"GetParametersByPath": onParameters("GetParametersByPath"),
	"GetParameterHistory": onParameters("GetParameterHistory"),
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
	"CreateSecret":   onSecret("CreateSecret"),
	"DescribeSecret": onSecret("DescribeSecret"),
	"GetSecretValue": onSecret("GetSecretValue"),
	"PutSecretValue": onSecret("PutSecretValue"),
	"UpdateSecret":   onSecret("UpdateSecret"),
	"DeleteSecret":   onSecret("DeleteSecret"),
	"RestoreSecret":  onSecret("RestoreSecret"),
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
		if !strings.HasPrefix(arn, "arn:") {
			arn = c.arn("secretsmanager", "secret:"+in.SecretId+in.Name)
		}
		return []need{{action: "secretsmanager:" + action, resource: arn}}, nil
	}
}
