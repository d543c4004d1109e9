package fileplan

import (
	"fmt"
	"strings"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// destination is where a mapping reports the records that it gives up.
type destination struct {
	// arn is a string or an Expression; service is sqs, sns or s3, key the customer key that encrypts the destination.
	arn     any
	service string
	key     string
}

func (m Mapping) destination() (destination, bool) {
	d := destination{service: m.OnFailure.Type, key: m.OnFailure.KMSKeyARN}
	switch m.OnFailure.Type {
	case "sqs", "sns", "s3":
		d.arn = Expression(resourceType(m.OnFailure.Type) + "." + failuresOf(m.handler.Local) + ".arn")
	case "arn":
		d.arn = m.OnFailure.ARN
		if parts := strings.SplitN(m.OnFailure.ARN, ":", 4); len(parts) == 4 { // arn:aws:sqs:…
			d.service = parts[2]
		}
	default:
		return destination{}, false
	}
	return d, true
}

// resourceType is terraform's type of a destination that gen makes.
func resourceType(service string) string {
	return map[string]string{"sqs": "aws_sqs_queue", "sns": "aws_sns_topic", "s3": "aws_s3_bucket"}[service]
}

// failuresOf is the name in terraform of what gen makes for the failures of a handler.
func failuresOf(local string) string { return local + "_failures" }

// Created is a destination that gen makes for a handler: one of a kind, which the handler's mappings share. What lies
// in a queue or a bucket is data: it goes with the destination, and a bucket that is not empty stays.
type Created struct {
	spec.OnFailure
	// Local is the resource's name in terraform, Name the name in AWS.
	Local string
	Name  any

	handler Handler
}

// Created are all destinations that gen makes for the handler.
func (h Handler) Created() []Created {
	var list []Created
	for _, c := range []*Created{h.Queue(), h.Topic(), h.Bucket()} {
		if c != nil {
			list = append(list, *c)
		}
	}
	return list
}

// Queue is the queue that gen makes, nil where there is none. It has no policy: within an account the role's
// permission is enough.
func (h Handler) Queue() *Created { return h.created("sqs") }

// Topic is the topic that gen makes, nil where there is none.
func (h Handler) Topic() *Created { return h.created("sns") }

// Bucket is the bucket that gen makes, nil where there is none. Names of buckets are global and in lower case, so
// that it carries the account's number.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func (h Handler) Bucket() *Created {
	b := h.created("s3")
	if b == nil {
		return nil
	}
	if h.PrefixVaries() {
		b.Name = Text{Expression(`lower(replace(var.name_prefix, "_", "-"))`), bucketName(h.FunctionName) + spec.FailuresSuffix + "-", account}
	} else {
		b.Name = Text{bucketName(h.NamePrefix+h.FunctionName) + spec.FailuresSuffix + "-", account}
	}
	return b
}

// FailureBucket is the name in AWS of the bucket that gen makes for a function's failures, in an environment with this prefix of names.
func FailureBucket(s *spec.Spec, prefix, functionName, accountID string) string {
	name := bucketName(prefix + functionName)
	if (scope{s}).PrefixVaries() {
		name = strings.ReplaceAll(strings.ToLower(prefix), "_", "-") + bucketName(functionName)
	}
	return name + spec.FailuresSuffix + "-" + accountID
}

// bucketName is a function's name with the characters that a bucket's may have.
func bucketName(name string) string {
	return strings.TrimLeft(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "-")
}

func (h Handler) created(kind string) *Created {
	for _, s := range h.Sources {
		if s.OnFailure.Type == kind {
			return &Created{OnFailure: s.OnFailure, Local: failuresOf(h.Local), Name: h.Prefixed(h.FunctionName + spec.FailuresSuffix), handler: h}
		}
	}
	return nil
}

// Settings are the arguments of the queue, topic or bucket.
func (c Created) Settings() []Argument {
	var list []Argument
	switch c.Type {
	case "sqs":
		list = []Argument{{"name", c.Name}, {"message_retention_seconds", c.MessageRetention}, queueEncryption(c.KMSKeyARN)}
	case "sns":
		list = []Argument{{"name", c.Name}, {"kms_master_key_id", c.KMSKeyARN}}
		if c.KMSKeyARN == "" {
			list[1].Value = "alias/aws/sns"
		}
	case "s3":
		list = []Argument{{"bucket", c.Name}}
	}
	return c.handler.tagged(list)
}

// Encryption is the rule of a bucket's encryption. A bucket key asks KMS once for many objects.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
func (c Created) Encryption() Block {
	by := Block{Name: "apply_server_side_encryption_by_default", Arguments: []Argument{{"sse_algorithm", "AES256"}}}
	rule := Block{Name: "rule"}
	if c.KMSKeyARN != "" {
		by.Arguments = []Argument{{"sse_algorithm", "aws:kms"}, {"kms_master_key_id", c.KMSKeyARN}}
		rule.Arguments = []Argument{{"bucket_key_enabled", true}}
	}
	rule.Blocks = []Block{by}
	return rule
}

// Addresses are the destination's resources in terraform.
func (c Created) Addresses() []string {
	list := []string{resourceType(c.Type) + "." + c.Local}
	if c.Type == "s3" {
		list = append(list, "aws_s3_bucket_public_access_block."+c.Local, "aws_s3_bucket_server_side_encryption_configuration."+c.Local)
	}
	return list
}

// checkDestinations finds mappings that would share a destination and set it up differently, and a bucket whose name
// is too long.
func (h Handler) checkDestinations(findings *diag.Findings) {
	first := map[string]spec.Source{}
	for _, s := range h.Sources {
		other, taken := first[s.OnFailure.Type]
		if !taken {
			first[s.OnFailure.Type] = s
			continue
		}
		if resourceType(s.OnFailure.Type) != "" && s.OnFailure != other.OnFailure {
			findings.Add("colliding-names", s.Origin.Pos,
				fmt.Sprintf("the mappings of the tables %q and %q would share the destination %s-failures and set it up differently",
					other.Table, s.Table, h.FunctionName),
				fmt.Sprintf("Write one destination_config at the handler for both; the other stands at %s. A destination_arn of your own "+
					"may differ from table to table.", other.Origin.Pos))
		}
	}
	const most, digits = 63, 12
	if h.Bucket() == nil {
		return
	}
	prefixes := []string{h.NamePrefix}
	for _, e := range h.Environments {
		prefixes = append(prefixes, e.NamePrefix)
	}
	for _, prefix := range prefixes {
		if name := bucketName(prefix + h.FunctionName); len(name)+len(spec.FailuresSuffix+"-")+digits > most {
			findings.Add("invalid-value", h.Origin.Pos,
				fmt.Sprintf("the bucket %s%s-<account> for failed records would have more than the %d characters that S3 allows", name, spec.FailuresSuffix, most),
				"Give the handler a shorter function_name, or the bucket of your own as destination_arn.")
			return
		}
	}
}
