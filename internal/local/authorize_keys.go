package local

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"streamgen/internal/local/keys"
	"streamgen/internal/local/objects"
	"streamgen/internal/local/parameters"
	"streamgen/internal/local/wire"
)

// What is encrypted with a customer's key of KMS needs the rights to that key of who uses it, in the service's name: the condition key
// kms:ViaService. AWS's own keys leave it to the services, and so does what names no key.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service

// sealed is something that is encrypted.
type sealed struct {
	service string // which uses the key
	key     string // an id, an ARN or an alias; "" is none
	context map[string]string
}

// keyNeeds are what using something that is encrypted needs. in is nil while the region is being restored.
func (in *regional) keyNeeds(region string, of sealed, actions ...string) []need {
	if in == nil || of.key == "" || strings.Contains(of.key, keys.ManagedPrefix) || of.key == in.engine.ManagedKey() {
		return nil
	}
	if key, err := in.keys.Get(of.key); err == nil && key.Managed {
		return nil
	}
	var needs []need
	for _, action := range actions {
		n := in.keyNeed(region, action, of.key, nil, of.context)
		n.keys["kms:viaservice"] = []string{of.service + "." + region + ".amazonaws.com"}
		n.via = of.service
		needs = append(needs, n)
	}
	return needs
}

// keyNeed is on a key by its id, ARN or alias, or on the one that a ciphertext names. One that there is not is as it is named.
func (in *regional) keyNeed(region, action, name string, ciphertext []byte, context map[string]string) need {
	n := need{action: "kms:" + action, resource: "*", keys: map[string][]string{}}
	if arn, known := in.keys.Of(ciphertext); known && name == "" {
		name = arn
	}
	own := "arn:aws:kms:" + region + ":" + Account + ":"
	key, err := in.keys.Get(name)
	switch {
	case err == nil:
		n.resource = key.ARN
	case strings.HasPrefix(name, "arn:"):
		n.resource = name
	case strings.HasPrefix(name, keys.AliasPrefix):
		n.resource = own + name
	case name != "":
		n.resource = own + "key/" + name
	}
	if strings.HasPrefix(name, keys.AliasPrefix) {
		n.keys["kms:requestalias"] = []string{name}
	}
	for key, value := range context {
		n.keys["kms:encryptioncontext:"+strings.ToLower(key)] = []string{value}
	}
	if len(context) > 0 {
		n.keys["kms:encryptioncontextkeys"] = slices.Sorted(maps.Keys(context))
	}
	return n
}

// refuseKey words as a service does that KMS let it not use a key for who asked.
func refuseKey(service, why string) error {
	switch service {
	case "dynamodb":
		return wire.Errorf("AccessDeniedException", "KMS key access denied error: %s", why)
	case "secretsmanager":
		return wire.Errorf("AccessDeniedException", "Access to KMS is not allowed: %s", why)
	case "sns":
		return wire.Errorf("KMSAccessDenied", "%s", why)
	case "sqs":
		return wire.Errorf("KmsAccessDenied", "%s", why)
	case "s3":
		return wire.StatusErrorf(http.StatusForbidden, "AccessDenied", "%s", why)
	}
	return wire.Errorf("AccessDeniedException", "%s", why)
}

// withKeys adds to a row's needs those on the keys of what they are about.
func withKeys(of row, sealedBy func(*roleCall, []need) []need) row {
	return func(c *roleCall) ([]need, error) {
		needs, err := of(c)
		if err != nil {
			return nil, err
		}
		return append(needs, sealedBy(c, needs)...), nil
	}
}

// tableKeys: of an encrypted table the key is decrypted, for reads and writes alike.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
func tableKeys(c *roleCall, needs []need) (all []need) {
	seen := map[string]bool{}
	for _, n := range needs {
		table, _, _ := strings.Cut(n.resource, "/index/")
		if seen[table] {
			continue
		}
		seen[table] = true
		d, err := c.in.engine.DescribeTable(table)
		if err != nil {
			continue // which the front end refuses
		}
		all = append(all, c.in.keyNeeds(c.region, sealed{"dynamodb", d.Settings.Encryption.Key,
			map[string]string{"aws:dynamodb:tableName": d.Name, "aws:dynamodb:subscriberId": Account}}, "Decrypt")...)
	}
	return all
}

// queueSeal is how the messages of a queue are encrypted.
func (in *regional) queueSeal(arn string) sealed {
	if in == nil {
		return sealed{}
	}
	queue, err := in.queues.Get(arn[strings.LastIndex(arn, ":")+1:])
	if err != nil || queue.ARN != arn {
		return sealed{}
	}
	return sealed{"sqs", queue.Attributes["KmsMasterKeyId"], map[string]string{"aws:sqs:arn": arn}}
}

// queueKeys: what sends makes a key for the data, what receives opens it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
func queueKeys(actions ...string) func(*roleCall, []need) []need {
	return func(c *roleCall, needs []need) []need {
		return c.in.keyNeeds(c.region, c.in.queueSeal(needs[0].resource), actions...)
	}
}

// topicSeal is how the messages of a topic are encrypted.
func (in *regional) topicSeal(arn string) sealed {
	if in == nil {
		return sealed{}
	}
	topic, _, err := in.topics.Get(arn)
	if err != nil {
		return sealed{}
	}
	return sealed{"sns", topic.Attributes["KmsMasterKeyId"], map[string]string{"aws:sns:topicArn": arn}}
}

// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
func topicKeys(c *roleCall, needs []need) []need {
	return c.in.keyNeeds(c.region, c.in.topicSeal(needs[0].resource), sending...)
}

// sending are the rights to a key of who sends to something that is encrypted with it.
var sending = []string{"GenerateDataKey", "Decrypt"}

// objectSeal is how an object is encrypted.
func objectSeal(e objects.Encryption, arn string) sealed {
	if !strings.HasPrefix(e.Algorithm, "aws:kms") {
		return sealed{}
	}
	return sealed{"s3", e.KeyID, map[string]string{"aws:s3:arn": arn}}
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
func putObjectKeys(c *roleCall, needs []need) []need {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(needs[0].resource, "arn:aws:s3:::"), "/")
	e := objects.Encryption{Algorithm: c.request.Header.Get("X-Amz-Server-Side-Encryption"),
		KeyID: c.request.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")}
	if e.Algorithm == "" {
		found, err := c.objects.Bucket(bucket)
		if err != nil {
			return nil
		}
		e = found.Encryption
	}
	return c.in.keyNeeds(c.region, objectSeal(e, needs[0].resource), "GenerateDataKey")
}

func getObjectKeys(c *roleCall, needs []need) []need {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(needs[0].resource, "arn:aws:s3:::"), "/")
	found, err := c.objects.Get(bucket, key)
	if err != nil {
		return nil
	}
	return c.in.keyNeeds(c.region, objectSeal(found.Encryption, needs[0].resource), "Decrypt")
}

// parameterKeys: a secure parameter is opened for who asks for its value, and sealed for who puts it.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
func parameterKeys(c *roleCall, needs []need) (all []need) {
	var in struct {
		WithDecryption    bool
		Path, Type, KeyId string
	}
	if err := c.decode(&in); err != nil {
		return nil
	}
	add := func(key, arn, action string) {
		all = append(all, c.in.keyNeeds(c.region, sealed{"ssm", key, map[string]string{"PARAMETER_ARN": arn}}, action)...)
	}
	if in.Type == parameters.SecureString {
		add(in.KeyId, needs[0].resource, "Encrypt")
	}
	if !in.WithDecryption {
		return all
	}
	for _, p := range c.in.parameters.List() {
		asked := in.Path != "" && strings.HasPrefix(p.Name, strings.TrimSuffix(in.Path, "/")+"/") ||
			slices.ContainsFunc(needs, func(n need) bool { return n.resource == p.ARN })
		if asked && p.Type == parameters.SecureString {
			add(p.KeyID, p.ARN, "Decrypt")
		}
	}
	return all
}

// secretKeys: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func secretKeys(actions ...string) func(*roleCall, []need) []need {
	return func(c *roleCall, needs []need) []need {
		var in struct{ KmsKeyId, SecretString, SecretBinary string }
		if err := c.decode(&in); err != nil {
			return nil
		}
		key := in.KmsKeyId
		if found, err := c.in.secrets.Describe(needs[0].resource); err == nil && key == "" {
			key = found.KeyID
		}
		return c.in.keyNeeds(c.region, sealed{"secretsmanager", key, map[string]string{"SecretARN": needs[0].resource}}, actions...)
	}
}

// functionSeal is how a function's environment is encrypted. Without variables there is nothing to encrypt.
func functionSeal(key, arn string, environment map[string]string) sealed {
	if len(environment) == 0 {
		return sealed{}
	}
	return sealed{"lambda", key, map[string]string{"aws:lambda:FunctionArn": arn}}
}
