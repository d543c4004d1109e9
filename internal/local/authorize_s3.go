package local

import (
	"net/http"
	"slices"
	"strings"
)

// s3Rows are what the operations of S3 need. They are named as S3's clients name them; see [s3Operation].
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var s3Rows = map[string]row{
	"ListBuckets":   func(*roleCall) ([]need, error) { return []need{{action: "s3:ListAllMyBuckets", resource: "*"}}, nil },
	"CreateBucket":  onBucket("CreateBucket"),
	"DeleteBucket":  onBucket("DeleteBucket"),
	"HeadBucket":    onBucket("ListBucket"),
	"ListObjects":   onBucket("ListBucket"),
	"ListObjectsV2": onBucket("ListBucket"),
	"DeleteObjects": onObject("DeleteObject"),
	"GetObject":     onObject("GetObject"),
	"HeadObject":    onObject("GetObject"),
	"PutObject":     onObject("PutObject"),
	"DeleteObject":  onObject("DeleteObject"),

	"GetBucketPolicy": onBucket("GetBucketPolicy"), "PutBucketPolicy": onBucket("PutBucketPolicy"), "DeleteBucketPolicy": onBucket("DeleteBucketPolicy"),
	"GetBucketAcl": onBucket("GetBucketAcl"), "GetBucketLocation": onBucket("GetBucketLocation"), "GetBucketCors": onBucket("GetBucketCORS"),
	"GetBucketWebsite": onBucket("GetBucketWebsite"), "GetBucketLogging": onBucket("GetBucketLogging"),
	"GetBucketVersioning": onBucket("GetBucketVersioning"), "PutBucketVersioning": onBucket("PutBucketVersioning"),
	"GetBucketAccelerate": onBucket("GetAccelerateConfiguration"), "GetBucketRequestPayment": onBucket("GetBucketRequestPayment"),
	"GetBucketReplication": onBucket("GetReplicationConfiguration"), "GetBucketObject-lock": onBucket("GetBucketObjectLockConfiguration"),
	"GetBucketTagging": onBucket("GetBucketTagging"), "PutBucketTagging": onBucket("PutBucketTagging"), "DeleteBucketTagging": onBucket("PutBucketTagging"),
	"GetBucketEncryption": onBucket("GetEncryptionConfiguration"), "PutBucketEncryption": onBucket("PutEncryptionConfiguration"),
	"DeleteBucketEncryption": onBucket("PutEncryptionConfiguration"),
	"GetBucketLifecycle":     onBucket("GetLifecycleConfiguration"), "PutBucketLifecycle": onBucket("PutLifecycleConfiguration"),
	"DeleteBucketLifecycle":      onBucket("PutLifecycleConfiguration"),
	"GetBucketPublicAccessBlock": onBucket("GetBucketPublicAccessBlock"), "PutBucketPublicAccessBlock": onBucket("PutBucketPublicAccessBlock"),
	"DeleteBucketPublicAccessBlock": onBucket("PutBucketPublicAccessBlock"),
	"GetBucketOwnershipControls":    onBucket("GetBucketOwnershipControls"), "PutBucketOwnershipControls": onBucket("PutBucketOwnershipControls"),
	"DeleteBucketOwnershipControls": onBucket("PutBucketOwnershipControls"),
}

// bucketParts are the parts of a bucket's configuration, as a request's query names them, with what their operations are called.
var bucketParts = map[string]string{
	"policy": "Policy", "acl": "Acl", "location": "Location", "cors": "Cors", "website": "Website", "logging": "Logging", "versioning": "Versioning",
	"accelerate": "Accelerate", "requestPayment": "RequestPayment", "replication": "Replication", "object-lock": "Object-lock", "tagging": "Tagging",
	"encryption": "Encryption", "lifecycle": "Lifecycle", "publicAccessBlock": "PublicAccessBlock", "ownershipControls": "OwnershipControls",
}

// s3Operation names the operation of a request: S3 tells them apart by method, path and query.
func s3Operation(c *roleCall) string {
	bucket, key := s3Path(c.request)
	method, query := map[string]string{"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete"}[c.request.Method], c.request.URL.Query()
	for part, name := range bucketParts {
		if query.Has(part) {
			if key != "" {
				return "" // of an object's parts none is known
			}
			return method + "Bucket" + name
		}
	}
	switch {
	case bucket == "" && method == "Get":
		return "ListBuckets"
	case c.request.Method == http.MethodPost && query.Has("delete"):
		return "DeleteObjects"
	case method == "" || query.Has("uploads") || query.Has("uploadId"):
		return ""
	case key != "":
		return method + "Object"
	case method == "Get":
		return "ListObjects"
	case method == "Put":
		return "CreateBucket"
	default:
		return method + "Bucket"
	}
}

// s3Path gives the bucket and the key of a request in the style of paths.
func s3Path(r *http.Request) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return bucket, key
}

func onBucket(action string) row {
	return func(c *roleCall) ([]need, error) {
		bucket, _ := s3Path(c.request)
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

func onObject(action string) row {
	return func(c *roleCall) ([]need, error) {
		bucket, key := s3Path(c.request)
		if key == "" { // the keys are in the body
			key = "*"
		}
		n := need{action: "s3:" + action, resource: "arn:aws:s3:::" + bucket + "/" + key, keys: map[string][]string{}}
		if acl := c.request.Header.Get("X-Amz-Acl"); acl != "" {
			n.keys["s3:x-amz-acl"] = []string{acl}
		}
		return []need{n}, nil
	}
}
