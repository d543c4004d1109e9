package s3

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/objects"
	"streamgen/internal/local/wire"
)

// none answers with a document of a bucket that does not have the setting.
func none(document string) func(service, *request) (*answer, error) {
	return func(service, *request) (*answer, error) {
		return &answer{xml: struct{ XMLName xml.Name }{xml.Name{Space: namespace, Local: document}}}, nil
	}
}

// missing answers with the error of a bucket that does not have the setting.
func missing(code, message string) func(service, *request) (*answer, error) {
	return func(service, *request) (*answer, error) { return nil, errorf(code, "%s", message) }
}

// update changes a bucket's settings.
func (s service) update(in *request, status int, change func(*objects.Bucket)) (*answer, error) {
	return &answer{status: status}, s.store.Update(in.bucket, change)
}

func (s service) getLocation(in *request) (*answer, error) {
	b, err := s.store.Bucket(in.bucket)
	if err != nil {
		return nil, err
	}
	out := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: b.Region}
	if b.Region == home {
		out.Region = ""
	}
	return &answer{xml: out}, nil
}

func (s service) getPolicy(in *request) (*answer, error) {
	b, err := s.store.Bucket(in.bucket)
	if err != nil {
		return nil, err
	}
	if b.Policy == "" {
		return nil, errorf("NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return &answer{header: http.Header{"Content-Type": {"application/json"}}, raw: []byte(b.Policy)}, nil
}

// maxPolicy is how large a bucket's policy may be, in bytes.
const maxPolicy = 20 << 10

func (s service) putPolicy(in *request) (*answer, error) {
	body, _, err := in.body(maxXML)
	if err != nil {
		return nil, err
	}
	if len(body) > maxPolicy {
		return nil, errorf("PolicyTooLarge", "Policy exceeds the maximum allowed document size.")
	}
	if err := s.policies.Check(string(body)); err != nil {
		return nil, errorf("MalformedPolicy", "%v", err)
	}
	return s.update(in, http.StatusNoContent, func(b *objects.Bucket) { b.Policy = string(body) })
}

func (s service) deletePolicy(in *request) (*answer, error) {
	return s.update(in, http.StatusNoContent, func(b *objects.Bucket) { b.Policy = "" })
}

type tag struct{ Key, Value string }

type tagging struct {
	XMLName xml.Name
	Tags    []tag `xml:"TagSet>Tag"`
	Other   other `xml:",any"`
}

func (d *tagging) refuse(operation string) error { return d.Other.refuse(operation) }

func tagList(tags map[string]string) []tag {
	var list []tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, tag{key, tags[key]})
	}
	return list
}

func tagMap(list []tag) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range list {
		switch _, twice := tags[t.Key]; {
		case twice:
			return nil, errorf("InvalidTag", "Cannot provide multiple Tags with the same key")
		case t.Key == "" || len([]rune(t.Key)) > 128:
			return nil, errorf("InvalidTag", "The TagKey you have provided is invalid")
		case len([]rune(t.Value)) > 256:
			return nil, errorf("InvalidTag", "The TagValue you have provided is invalid")
		case strings.HasPrefix(t.Key, "aws:"):
			return nil, errorf("InvalidTag", "System tags cannot be added/updated by requester")
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

func taggingDocument(tags map[string]string) *tagging {
	return &tagging{XMLName: xml.Name{Space: namespace, Local: "Tagging"}, Tags: tagList(tags)}
}

func (s service) getTagging(in *request) (*answer, error) {
	b, err := s.store.Bucket(in.bucket)
	if err != nil {
		return nil, err
	}
	if len(b.Tags) == 0 {
		return nil, errorf("NoSuchTagSet", "The TagSet does not exist")
	}
	return &answer{xml: taggingDocument(b.Tags)}, nil
}

func (s service) putTagging(in *request) (*answer, error) {
	var d tagging
	if err := in.document(&d); err != nil {
		return nil, err
	}
	tags, err := tagMap(d.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) > control.MaxTags {
		return nil, errorf("BadRequest", "Bucket tag count cannot be greater than %d", control.MaxTags)
	}
	return s.update(in, http.StatusNoContent, func(b *objects.Bucket) { b.Tags = tags })
}

func (s service) deleteTagging(in *request) (*answer, error) {
	return s.update(in, http.StatusNoContent, func(b *objects.Bucket) { b.Tags = nil })
}

type encryptionDefault struct {
	SSEAlgorithm   string
	KMSMasterKeyID string `xml:",omitempty"`
}

type encryptionRule struct {
	Default   encryptionDefault `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKey bool              `xml:"BucketKeyEnabled"`
	Other     other             `xml:",any"`
}

type encryptionDocument struct {
	XMLName xml.Name
	Rules   []encryptionRule `xml:"Rule"`
	Other   other            `xml:",any"`
}

func (d *encryptionDocument) refuse(operation string) error {
	for _, r := range d.Rules {
		if err := r.Other.refuse(operation); err != nil {
			return err
		}
	}
	return d.Other.refuse(operation)
}

func (s service) getEncryption(in *request) (*answer, error) {
	b, err := s.store.Bucket(in.bucket)
	if err != nil {
		return nil, err
	}
	e := b.Encryption
	return &answer{xml: &encryptionDocument{
		XMLName: xml.Name{Space: namespace, Local: "ServerSideEncryptionConfiguration"},
		Rules:   []encryptionRule{{Default: encryptionDefault{e.Algorithm, e.KeyID}, BucketKey: e.BucketKey}},
	}}, nil
}

func (s service) putEncryption(in *request) (*answer, error) {
	var d encryptionDocument
	if err := in.document(&d); err != nil {
		return nil, err
	}
	if len(d.Rules) != 1 {
		return nil, errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	r := d.Rules[0]
	e := objects.Encryption{Algorithm: r.Default.SSEAlgorithm, KeyID: r.Default.KMSMasterKeyID, BucketKey: r.BucketKey}
	if err := checkEncryption(e); err != nil {
		return nil, err
	}
	return s.update(in, http.StatusOK, func(b *objects.Bucket) { b.Encryption = e })
}

func checkEncryption(e objects.Encryption) error {
	switch e.Algorithm {
	case "AES256":
		if e.KeyID != "" {
			return errorf("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
		}
	case "aws:kms", "aws:kms:dsse":
	default:
		return errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	return nil
}

func (s service) deleteEncryption(in *request) (*answer, error) {
	return s.update(in, http.StatusNoContent, func(b *objects.Bucket) { b.Encryption = objects.Encryption{Algorithm: "AES256"} })
}

type publicAccessDocument struct {
	XMLName xml.Name
	objects.PublicAccess
	Other other `xml:",any"`
}

func (d *publicAccessDocument) refuse(operation string) error { return d.Other.refuse(operation) }

func (s service) getPublicAccess(in *request) (*answer, error) {
	b, err := s.store.Bucket(in.bucket)
	if err != nil {
		return nil, err
	}
	if b.PublicAccess == nil {
		return nil, errorf("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	return &answer{xml: &publicAccessDocument{XMLName: xml.Name{Space: namespace, Local: "PublicAccessBlockConfiguration"}, PublicAccess: *b.PublicAccess}}, nil
}

func (s service) putPublicAccess(in *request) (*answer, error) {
	var d publicAccessDocument
	if err := in.document(&d); err != nil {
		return nil, err
	}
	return s.update(in, http.StatusOK, func(b *objects.Bucket) { b.PublicAccess = &d.PublicAccess })
}

func (s service) deletePublicAccess(in *request) (*answer, error) {
	return s.update(in, http.StatusNoContent, func(b *objects.Bucket) { b.PublicAccess = nil })
}

// ownerEnforced is the ownership of buckets without ACLs.
const ownerEnforced = "BucketOwnerEnforced"

type ownershipDocument struct {
	XMLName xml.Name
	Rules   []string `xml:"Rule>ObjectOwnership"`
	Other   other    `xml:",any"`
}

func (d *ownershipDocument) refuse(operation string) error { return d.Other.refuse(operation) }

func (s service) getOwnership(in *request) (*answer, error) {
	b, err := s.store.Bucket(in.bucket)
	if err != nil {
		return nil, err
	}
	if b.Ownership == "" {
		return nil, errorf("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return &answer{xml: &ownershipDocument{XMLName: xml.Name{Space: namespace, Local: "OwnershipControls"}, Rules: []string{b.Ownership}}}, nil
}

func (s service) putOwnership(in *request) (*answer, error) {
	var d ownershipDocument
	if err := in.document(&d); err != nil {
		return nil, err
	}
	if len(d.Rules) != 1 {
		return nil, errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if d.Rules[0] != ownerEnforced {
		return nil, wire.NotEmulated("ObjectOwnership " + d.Rules[0] + " of PutBucketOwnershipControls")
	}
	return s.update(in, http.StatusOK, func(b *objects.Bucket) { b.Ownership = ownerEnforced })
}

func (s service) deleteOwnership(in *request) (*answer, error) {
	return s.update(in, http.StatusNoContent, func(b *objects.Bucket) { b.Ownership = "" })
}

type grantee struct {
	XSI  string `xml:"xmlns:xsi,attr"`
	Type string `xml:"xsi:type,attr"`
	owner
}

type grant struct {
	Grantee    grantee
	Permission string
}

func (s service) getACL(in *request) (*answer, error) {
	if _, err := s.store.Bucket(in.bucket); err != nil {
		return nil, err
	}
	return &answer{xml: struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
		Owner   owner
		Grants  []grant `xml:"AccessControlList>Grant"`
	}{
		Owner:  s.owner(),
		Grants: []grant{{grantee{"http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", s.owner()}, "FULL_CONTROL"}},
	}}, nil
}

func (s service) getRequestPayment(*request) (*answer, error) {
	return &answer{xml: struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ RequestPaymentConfiguration"`
		Payer   string
	}{Payer: "BucketOwner"}}, nil
}

func (s service) getABAC(*request) (*answer, error) {
	return &answer{xml: struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AbacStatus"`
		Status  string
	}{Status: "Disabled"}}, nil
}

// controlPath is where the tags of S3 Control begin, in which terraform's provider keeps those of buckets.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListTagsForResource.html
const controlPath = "/v20180820/tags/"

// TaggedARN is what a request of S3 Control names.
func TaggedARN(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, controlPath) }

var controlOperations = map[string]operation{
	http.MethodGet:    {name: "ListTagsForResource", headers: []string{"x-amz-account-id"}, do: service.listResourceTags},
	http.MethodPost:   {name: "TagResource", headers: []string{"x-amz-account-id"}, do: service.tagResource},
	http.MethodDelete: {name: "UntagResource", parameters: []string{"tagKeys"}, headers: []string{"x-amz-account-id"}, do: service.untagResource},
}

// resource gives the bucket of a request of S3 Control.
func (in *request) resource() (string, error) {
	arn := TaggedARN(in.Request)
	name, found := strings.CutPrefix(arn, "arn:aws:s3:::")
	if !found || strings.Contains(name, "/") {
		return "", wire.NotEmulated("tags of " + arn)
	}
	return name, nil
}

type resourceTags struct {
	XMLName xml.Name
	Tags    []tag `xml:"Tags>Tag"`
	Other   other `xml:",any"`
}

func (d *resourceTags) refuse(operation string) error { return d.Other.refuse(operation) }

const controlNamespace = "http://awss3control.amazonaws.com/doc/2018-08-20/"

func (s service) listResourceTags(in *request) (*answer, error) {
	name, err := in.resource()
	if err != nil {
		return nil, err
	}
	b, err := s.store.Bucket(name)
	if err != nil {
		return nil, err
	}
	return &answer{xml: &resourceTags{XMLName: xml.Name{Space: controlNamespace, Local: "ListTagsForResourceResult"}, Tags: tagList(b.Tags)}}, nil
}

func (s service) tagResource(in *request) (*answer, error) {
	name, err := in.resource()
	if err != nil {
		return nil, err
	}
	var d resourceTags
	if err := in.document(&d); err != nil {
		return nil, err
	}
	tags, err := tagMap(d.Tags)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusNoContent}, s.store.Update(name, func(b *objects.Bucket) {
		if b.Tags == nil {
			b.Tags = map[string]string{}
		}
		maps.Copy(b.Tags, tags)
	})
}

func (s service) untagResource(in *request) (*answer, error) {
	name, err := in.resource()
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusNoContent}, s.store.Update(name, func(b *objects.Bucket) {
		for _, key := range in.query["tagKeys"] {
			delete(b.Tags, key)
		}
	})
}
