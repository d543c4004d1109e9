// Package s3 is the front end of Amazon S3 in the local stack: buckets and objects over REST-XML.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"streamgen/internal/local/control"
	"streamgen/internal/local/objects"
	"streamgen/internal/local/wire"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// New gives the front end of the buckets of an account.
func New(store *objects.Store, account string, policies control.ResourcePolicies) http.Handler {
	s := service{store, account, policies}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := s.read(r)
		var out *answer
		if err == nil {
			out, err = in.operation.do(s, in)
		}
		if err != nil {
			in.writeError(w, err)
			return
		}
		out.write(w)
	})
}

type service struct {
	store    *objects.Store
	account  string
	policies control.ResourcePolicies
}

// request is a request of S3's.
type request struct {
	*http.Request
	bucket, key string
	region      string // that the request was signed for
	query       url.Values
	operation   operation
}

// answer is an answer that is no error.
type answer struct {
	status int // 0 means 200
	header http.Header
	// xml is encoded as the body, in S3's namespace; nil sends raw.
	xml any
	raw []byte
}

func (a *answer) write(w http.ResponseWriter) {
	body, contentType := a.raw, ""
	if a.xml != nil {
		text, err := xml.Marshal(a.xml)
		if err != nil {
			wire.WriteRESTXMLError(w, err)
			return
		}
		body, contentType = append([]byte(xml.Header), text...), "application/xml"
	}
	maps.Copy(w.Header(), a.header)
	id := uuid.NewString()
	if a.status == http.StatusNotModified {
		w.Header().Set("X-Amz-Request-Id", id)
		w.WriteHeader(a.status)
		return
	}
	wire.WriteREST(w, id, max(a.status, http.StatusOK), contentType, body)
}

// statuses are those of errors that are no 400.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
var statuses = map[string]int{
	objects.NoSuchBucket: 404, objects.NoSuchKey: 404, objects.BucketNotEmpty: 409, objects.BucketExists: 409,
	"NoSuchBucketPolicy": 404, "NoSuchCORSConfiguration": 404, "NoSuchWebsiteConfiguration": 404, "NoSuchLifecycleConfiguration": 404,
	"ReplicationConfigurationNotFoundError": 404, "ObjectLockConfigurationNotFoundError": 404, "NoSuchTagSet": 404,
	"NoSuchPublicAccessBlockConfiguration": 404, "OwnershipControlsNotFoundError": 404,
	"AccessDenied": 403, "PermanentRedirect": 301, "PreconditionFailed": 412, "InvalidRange": 416, "MissingContentLength": 411, "MethodNotAllowed": 405,
}

func errorf(code, format string, args ...any) *wire.Error {
	return wire.StatusErrorf(statuses[code], code, format, args...)
}

// writeError answers with an error. S3 says in it what it is about.
func (in *request) writeError(w http.ResponseWriter, err error) {
	var of *objects.Error
	if errors.As(err, &of) {
		err = errorf(of.Code, "%s", of.Message)
	}
	var e *wire.Error
	if errors.As(err, &e) && in.bucket != "" {
		named := *e
		named.Fields = map[string]any{"BucketName": in.bucket}
		if in.key != "" {
			named.Fields["Key"] = in.key
		}
		maps.Copy(named.Fields, e.Fields)
		err = &named
		if region, redirected := e.Fields["Region"]; redirected {
			w.Header().Set("X-Amz-Bucket-Region", fmt.Sprint(region))
		}
	}
	wire.WriteRESTXMLError(w, err)
}

// operation is one of S3's.
type operation struct {
	name string
	// parameters are those of the query that it takes, and headers those that begin with "x-amz-".
	parameters, headers []string
	do                  func(service, *request) (*answer, error) // nil when it is not emulated
}

// common are the headers that every operation takes: those of signatures and of checksums of the request's body.
var common = []string{
	"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amz-expected-bucket-owner",
	"x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256",
	"x-amz-trailer", "x-amz-decoded-content-length",
}

// signature are the parameters of a URL that is signed in advance.
var signature = []string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token",
	"X-Amz-Content-Sha256", "X-Amz-Checksum-Mode", "x-id",
}

// read finds out which operation a request is, and refuses what it does not take.
func (s service) read(r *http.Request) (*request, error) {
	in := &request{Request: r, region: wire.CallerFrom(r.Context()).Region}
	in.bucket, in.key = Address(r)
	var err error
	if in.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return in, errorf("InvalidURI", "Couldn't parse the specified URI.")
	}
	if in.operation, err = find(r, in.bucket, in.key); err != nil {
		return in, err
	}
	op := in.operation
	if op.do == nil {
		return in, wire.NotEmulated(op.name + " of S3")
	}
	for _, name := range slices.Sorted(maps.Keys(in.query)) {
		if !slices.Contains(op.parameters, name) && !slices.Contains(signature, name) {
			return in, wire.NotEmulated(fmt.Sprintf("the parameter %s of %s", name, op.name))
		}
		if len(in.query[name]) > 1 && name != "tagKeys" {
			return in, errorf("InvalidArgument", "%s is given %d times", name, len(in.query[name]))
		}
	}
	for _, header := range slices.Sorted(maps.Keys(r.Header)) {
		name := strings.ToLower(header)
		if !strings.HasPrefix(name, "x-amz-") || slices.Contains(common, name) || slices.Contains(op.headers, name) {
			continue
		}
		if !strings.HasPrefix(name, metaPrefix) || !slices.Contains(op.headers, metaPrefix) {
			return in, wire.NotEmulated(fmt.Sprintf("the header %s of %s", name, op.name))
		}
	}
	if owner := r.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != s.account {
		return in, errorf("AccessDenied", "Access Denied")
	}
	return in, s.checkRegion(in)
}

// checkRegion sends requests for a bucket of another region away, as S3 does.
func (s service) checkRegion(in *request) error {
	if in.bucket == "" || in.operation.name == "CreateBucket" || in.region == "" {
		return nil
	}
	b, err := s.store.Bucket(in.bucket)
	if err != nil || b.Region == in.region {
		return err
	}
	e := errorf("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	e.Fields = map[string]any{"Region": b.Region, "Bucket": in.bucket}
	return e
}

// Address gives the bucket and the key that a request is about. A host such as "bucket.localhost" names the bucket, else the path does.
func Address(r *http.Request) (bucket, key string) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		return "", ""
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	host, _, _ := strings.Cut(r.Host, ":")
	if name, virtual := strings.CutSuffix(strings.ToLower(host), ".localhost"); virtual {
		return name, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// Name gives the name of the operation that a request is.
func Name(r *http.Request) string {
	bucket, key := Address(r)
	op, err := find(r, bucket, key)
	if err != nil {
		return r.Method + " " + r.URL.Path
	}
	return op.name
}

// Operations are the names of those that are emulated, sorted.
func Operations() []string {
	names := map[string]bool{}
	for _, table := range []map[string]operation{serviceOperations, bucketOperations, objectOperations, controlOperations} {
		for _, op := range table {
			if op.do != nil {
				names[op.name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// find gives the operation of a request. One that S3 has and the stack has not is found too.
func find(r *http.Request, bucket, key string) (operation, error) {
	query := r.URL.Query()
	table := objectOperations
	switch {
	case strings.HasPrefix(r.URL.Path, controlPath):
		if op, found := controlOperations[r.Method]; found {
			return op, nil
		}
	case bucket == "":
		table = serviceOperations
	case key == "":
		table = bucketOperations
	}
	sub := ""
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if slices.Contains(subresources, name) {
			sub = name
			break
		}
	}
	if query.Get("list-type") == "2" && key == "" {
		sub = "list-type"
	}
	if r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "" && sub == "" {
		return operation{name: "CopyObject"}, nil
	}
	if op, found := table[r.Method+" "+sub]; found {
		return op, nil
	}
	if sub != "" {
		return operation{name: r.Method + " ?" + sub}, nil
	}
	return operation{}, errorf("MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// subresources are the parameters that make another operation of a request.
var subresources = []string{
	"abac", "accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold",
	"lifecycle", "location", "logging", "metadataConfiguration", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy",
	"policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId",
	"uploads", "versioning", "versions", "website",
}

var (
	listing       = []string{"prefix", "delimiter", "max-keys", "encoding-type"}
	encryption    = []string{"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-bucket-key-enabled"}
	oneVersion    = []string{"versionId"}
	readParameter = []string{
		"versionId", "response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
		"response-content-type", "response-expires",
	}
)

var serviceOperations = map[string]operation{
	"GET ": {name: "ListBuckets", parameters: []string{"prefix", "max-buckets", "continuation-token", "bucket-region"}, do: service.listBuckets},
}

// bucketOperations by method and subresource.
var bucketOperations = map[string]operation{
	"PUT ":    {name: "CreateBucket", headers: []string{"x-amz-acl", "x-amz-object-ownership"}, do: service.createBucket},
	"HEAD ":   {name: "HeadBucket", do: service.headBucket},
	"DELETE ": {name: "DeleteBucket", do: service.deleteBucket},

	"GET ":          {name: "ListObjects", parameters: slices.Concat(listing, []string{"marker"}), do: service.listObjects},
	"GET list-type": {name: "ListObjectsV2", parameters: slices.Concat(listing, []string{"list-type", "continuation-token", "start-after", "fetch-owner"}), do: service.listObjectsV2},
	"GET versions":  {name: "ListObjectVersions", parameters: slices.Concat(listing, []string{"versions", "key-marker", "version-id-marker"}), do: service.listObjectVersions},
	"POST delete":   {name: "DeleteObjects", parameters: []string{"delete"}, headers: []string{"x-amz-bypass-governance-retention"}, do: service.deleteObjects},

	"GET location":             setting("GetBucketLocation", "location", service.getLocation),
	"GET policy":               setting("GetBucketPolicy", "policy", service.getPolicy),
	"PUT policy":               setting("PutBucketPolicy", "policy", service.putPolicy),
	"DELETE policy":            setting("DeleteBucketPolicy", "policy", service.deletePolicy),
	"GET tagging":              setting("GetBucketTagging", "tagging", service.getTagging),
	"PUT tagging":              setting("PutBucketTagging", "tagging", service.putTagging),
	"DELETE tagging":           setting("DeleteBucketTagging", "tagging", service.deleteTagging),
	"GET encryption":           setting("GetBucketEncryption", "encryption", service.getEncryption),
	"PUT encryption":           setting("PutBucketEncryption", "encryption", service.putEncryption),
	"DELETE encryption":        setting("DeleteBucketEncryption", "encryption", service.deleteEncryption),
	"GET publicAccessBlock":    setting("GetPublicAccessBlock", "publicAccessBlock", service.getPublicAccess),
	"PUT publicAccessBlock":    setting("PutPublicAccessBlock", "publicAccessBlock", service.putPublicAccess),
	"DELETE publicAccessBlock": setting("DeletePublicAccessBlock", "publicAccessBlock", service.deletePublicAccess),
	"GET ownershipControls":    setting("GetBucketOwnershipControls", "ownershipControls", service.getOwnership),
	"PUT ownershipControls":    setting("PutBucketOwnershipControls", "ownershipControls", service.putOwnership),
	"DELETE ownershipControls": setting("DeleteBucketOwnershipControls", "ownershipControls", service.deleteOwnership),
	"GET acl":                  setting("GetBucketAcl", "acl", service.getACL),

	// What no bucket here has.
	"GET versioning":     setting("GetBucketVersioning", "versioning", none("VersioningConfiguration")),
	"GET accelerate":     setting("GetBucketAccelerateConfiguration", "accelerate", none("AccelerateConfiguration")),
	"GET logging":        setting("GetBucketLogging", "logging", none("BucketLoggingStatus")),
	"GET notification":   setting("GetBucketNotificationConfiguration", "notification", none("NotificationConfiguration")),
	"GET requestPayment": setting("GetBucketRequestPayment", "requestPayment", service.getRequestPayment),
	"GET abac":           setting("GetBucketAbac", "abac", service.getABAC),
	"GET cors":           setting("GetBucketCors", "cors", missing("NoSuchCORSConfiguration", "The CORS configuration does not exist")),
	"GET website":        setting("GetBucketWebsite", "website", missing("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")),
	"GET lifecycle":      setting("GetBucketLifecycleConfiguration", "lifecycle", missing("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")),
	"GET replication":    setting("GetBucketReplication", "replication", missing("ReplicationConfigurationNotFoundError", "The replication configuration was not found")),
	"GET object-lock":    setting("GetObjectLockConfiguration", "object-lock", missing("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")),

	// What is refused by its name.
	"PUT acl": {name: "PutBucketAcl"}, "PUT versioning": {name: "PutBucketVersioning"}, "PUT lifecycle": {name: "PutBucketLifecycleConfiguration"},
	"PUT cors": {name: "PutBucketCors"}, "PUT website": {name: "PutBucketWebsite"}, "PUT replication": {name: "PutBucketReplication"},
	"PUT object-lock": {name: "PutObjectLockConfiguration"}, "PUT logging": {name: "PutBucketLogging"}, "PUT accelerate": {name: "PutBucketAccelerateConfiguration"},
	"PUT notification": {name: "PutBucketNotificationConfiguration"}, "PUT requestPayment": {name: "PutBucketRequestPayment"}, "PUT abac": {name: "PutBucketAbac"},
	"DELETE cors": {name: "DeleteBucketCors"}, "DELETE website": {name: "DeleteBucketWebsite"}, "DELETE lifecycle": {name: "DeleteBucketLifecycle"},
	"DELETE replication": {name: "DeleteBucketReplication"}, "GET policyStatus": {name: "GetBucketPolicyStatus"}, "GET uploads": {name: "ListMultipartUploads"},
	"POST ": {name: "PostObject"}, "GET session": {name: "CreateSession"},
}

var objectOperations = map[string]operation{
	"PUT ": {name: "PutObject", parameters: oneVersion[:0], headers: slices.Concat(encryption, []string{
		metaPrefix, "x-amz-acl", "x-amz-storage-class", "x-amz-tagging",
	}), do: service.putObject},
	"GET ":    {name: "GetObject", parameters: readParameter, headers: []string{"x-amz-checksum-mode"}, do: service.getObject},
	"HEAD ":   {name: "HeadObject", parameters: readParameter, headers: []string{"x-amz-checksum-mode"}, do: service.getObject},
	"DELETE ": {name: "DeleteObject", parameters: oneVersion, headers: []string{"x-amz-bypass-governance-retention"}, do: service.deleteObject},

	"GET tagging":    {name: "GetObjectTagging", parameters: []string{"tagging", "versionId"}, do: service.getObjectTagging},
	"PUT tagging":    {name: "PutObjectTagging", parameters: []string{"tagging", "versionId"}, do: service.putObjectTagging},
	"DELETE tagging": {name: "DeleteObjectTagging", parameters: []string{"tagging", "versionId"}, do: service.deleteObjectTagging},

	"POST uploads": {name: "CreateMultipartUpload"}, "PUT uploadId": {name: "UploadPart"}, "POST uploadId": {name: "CompleteMultipartUpload"},
	"DELETE uploadId": {name: "AbortMultipartUpload"}, "GET uploadId": {name: "ListParts"}, "GET acl": {name: "GetObjectAcl"}, "PUT acl": {name: "PutObjectAcl"},
	"GET attributes": {name: "GetObjectAttributes"}, "GET retention": {name: "GetObjectRetention"}, "PUT retention": {name: "PutObjectRetention"},
	"GET legal-hold": {name: "GetObjectLegalHold"}, "PUT legal-hold": {name: "PutObjectLegalHold"}, "POST select": {name: "SelectObjectContent"},
	"POST restore": {name: "RestoreObject"}, "GET torrent": {name: "GetObjectTorrent"}, "PUT renameObject": {name: "RenameObject"},
}

func setting(name, sub string, do func(service, *request) (*answer, error)) operation {
	return operation{name: name, parameters: []string{sub}, do: do}
}
