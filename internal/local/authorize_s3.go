package local

import (
	"slices"

	"streamgen/internal/local/api/s3"
)

// s3Rows are what the operations of S3 need, by the names that [s3.Name] gives them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var s3Rows = map[string]row{
	"ListBuckets":        func(*roleCall) ([]need, error) { return []need{{action: "s3:ListAllMyBuckets", resource: "*"}}, nil },
	"CreateBucket":       onBucket("CreateBucket"),
	"DeleteBucket":       onBucket("DeleteBucket"),
	"HeadBucket":         onBucket("ListBucket"),
	"ListObjects":        onBucket("ListBucket"),
	"ListObjectsV2":      onBucket("ListBucket"),
	"ListObjectVersions": onBucket("ListBucketVersions"),

	"DeleteObjects":       onObject("DeleteObject"),
	"GetObject":           withKeys(onObject("GetObject"), getObjectKeys),
	"HeadObject":          onObject("GetObject"),
	"PutObject":           withKeys(onObject("PutObject"), putObjectKeys),
	"DeleteObject":        onObject("DeleteObject"),
	"GetObjectTagging":    onObject("GetObjectTagging"),
	"PutObjectTagging":    onObject("PutObjectTagging"),
	"DeleteObjectTagging": onObject("DeleteObjectTagging"),

	"GetBucketPolicy": onBucket("GetBucketPolicy"), "PutBucketPolicy": onBucket("PutBucketPolicy"), "DeleteBucketPolicy": onBucket("DeleteBucketPolicy"),
	"GetBucketTagging": onBucket("GetBucketTagging"), "PutBucketTagging": onBucket("PutBucketTagging"), "DeleteBucketTagging": onBucket("PutBucketTagging"),
	"GetBucketEncryption": onBucket("GetEncryptionConfiguration"), "PutBucketEncryption": onBucket("PutEncryptionConfiguration"),
	"DeleteBucketEncryption": onBucket("PutEncryptionConfiguration"),
	"GetPublicAccessBlock":   onBucket("GetBucketPublicAccessBlock"), "PutPublicAccessBlock": onBucket("PutBucketPublicAccessBlock"),
	"DeletePublicAccessBlock":    onBucket("PutBucketPublicAccessBlock"),
	"GetBucketOwnershipControls": onBucket("GetBucketOwnershipControls"), "PutBucketOwnershipControls": onBucket("PutBucketOwnershipControls"),
	"DeleteBucketOwnershipControls": onBucket("PutBucketOwnershipControls"),

	"GetBucketLocation": onBucket("GetBucketLocation"), "GetBucketAcl": onBucket("GetBucketAcl"), "GetBucketVersioning": onBucket("GetBucketVersioning"),
	"GetBucketAccelerateConfiguration": onBucket("GetAccelerateConfiguration"), "GetBucketLogging": onBucket("GetBucketLogging"),
	"GetBucketNotificationConfiguration": onBucket("GetBucketNotification"), "GetBucketRequestPayment": onBucket("GetBucketRequestPayment"),
	"GetBucketAbac": onBucket("GetBucketAbac"), "GetBucketCors": onBucket("GetBucketCORS"), "GetBucketWebsite": onBucket("GetBucketWebsite"),
	"GetBucketLifecycleConfiguration": onBucket("GetLifecycleConfiguration"), "GetBucketReplication": onBucket("GetReplicationConfiguration"),
	"GetObjectLockConfiguration": onBucket("GetBucketObjectLockConfiguration"),

	"ListTagsForResource": onResource("ListTagsForResource"), "TagResource": onResource("TagResource"), "UntagResource": onResource("UntagResource"),
}

func onBucket(action string) row {
	return func(c *roleCall) ([]need, error) {
		bucket, _ := s3.Address(c.request)
		n := need{action: "s3:" + action, resource: "arn:aws:s3:::" + bucket, keys: map[string][]string{}}
		if action == "ListBucket" {
			for key, values := range c.request.URL.Query() {
				if slices.Contains([]string{"prefix", "delimiter", "max-keys"}, key) {
					n.keys["s3:"+key] = values
				}
			}
		}
		return []need{n}, nil
	}
}

// onResource is for the tags of S3 Control, whose path names an ARN.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
func onResource(action string) row {
	return func(c *roleCall) ([]need, error) {
		return []need{{action: "s3:" + action, resource: s3.TaggedARN(c.request)}}, nil
	}
}

func onObject(action string) row {
	return func(c *roleCall) ([]need, error) {
		bucket, key := s3.Address(c.request)
		if key == "" { // the keys are in the body
			key = "*"
		}
		n := need{action: "s3:" + action, resource: "arn:aws:s3:::" + bucket + "/" + key, keys: map[string][]string{}}
		for _, header := range []string{"x-amz-acl", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"} {
			if value := c.request.Header.Get(header); value != "" {
				n.keys["s3:"+header] = []string{value}
			}
		}
		return []need{n}, nil
	}
}
