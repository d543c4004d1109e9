package s3

import (
	"encoding/xml"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"streamgen/internal/local/objects"
	"streamgen/internal/local/wire"
)

var bucketName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]|\.[a-z0-9]){1,61}[a-z0-9]$`)

// isBucketName says whether a bucket may have a name.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func isBucketName(name string) bool {
	if len(name) > 63 || !bucketName.MatchString(name) {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	_, err := netip.ParseAddr(name)
	return err != nil
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

type createBucketDocument struct {
	LocationConstraint string
	Tags               []tag `xml:"Tags>Tag"`
	Other              other `xml:",any"`
}

func (d *createBucketDocument) refuse(operation string) error { return d.Other.refuse(operation) }

// home is the region that S3 began with: a bucket there has no location constraint, and making it again is no error.
const home = "us-east-1"

func (s service) createBucket(in *request) (*answer, error) {
	if !isBucketName(in.bucket) {
		return nil, errorf("InvalidBucketName", "The specified bucket is not valid.")
	}
	if acl := in.Header.Get("X-Amz-Acl"); acl != "" && acl != "private" {
		return nil, errorf("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	if owner := in.Header.Get("X-Amz-Object-Ownership"); owner != "" && owner != ownerEnforced {
		return nil, wire.NotEmulated("x-amz-object-ownership " + owner + " of CreateBucket")
	}
	body, _, err := in.body(maxXML)
	if err != nil {
		return nil, err
	}
	var d createBucketDocument
	if len(body) > 0 {
		if err := decodeXML(body, in.operation.name, &d); err != nil {
			return nil, err
		}
	}
	switch want := d.LocationConstraint; {
	case want == "" && in.region != home:
		return nil, errorf("IllegalLocationConstraintException", "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case want == home:
		return nil, errorf("InvalidLocationConstraint", "The specified location-constraint is not valid")
	case want != "" && want != in.region:
		return nil, errorf("IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", want)
	}
	tags, err := tagMap(d.Tags)
	if err != nil {
		return nil, err
	}
	made := &answer{header: http.Header{"Location": {"/" + in.bucket}, "X-Amz-Bucket-Arn": {objects.Bucket{Name: in.bucket}.ARN()}}}
	if have, err := s.store.Bucket(in.bucket); err == nil && have.Region == home && in.region == home {
		return made, nil
	}
	return made, s.store.Create(in.bucket, in.region, tags)
}

func (s service) headBucket(in *request) (*answer, error) {
	b, err := s.store.Bucket(in.bucket)
	if err != nil {
		return nil, err
	}
	return &answer{header: http.Header{
		"X-Amz-Bucket-Region": {b.Region}, "X-Amz-Access-Point-Alias": {"false"}, "X-Amz-Bucket-Arn": {b.ARN()}, "Content-Type": {"application/xml"},
	}}, nil
}

func (s service) deleteBucket(in *request) (*answer, error) {
	return &answer{status: http.StatusNoContent}, s.store.Delete(in.bucket)
}

type owner struct{ ID, DisplayName string }

// canonicalID stands for the account where S3 has a canonical user.
func (s service) owner() owner { return owner{strings.Repeat("0", 64), s.account} }

type bucketEntry struct{ Name, CreationDate, BucketRegion, BucketArn string }

func (s service) listBuckets(in *request) (*answer, error) {
	most, err := in.number("max-buckets", 1, 10_000, 10_000)
	if err != nil {
		return nil, err
	}
	after, err := in.token()
	if err != nil {
		return nil, err
	}
	out := struct {
		XMLName           xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
		Buckets           []bucketEntry `xml:"Buckets>Bucket"`
		Owner             owner
		Prefix            string `xml:",omitempty"`
		ContinuationToken string `xml:",omitempty"`
	}{Owner: s.owner(), Prefix: in.query.Get("prefix")}
	region := in.query.Get("bucket-region")
	for _, b := range s.store.Buckets() {
		if b.Name <= after || !strings.HasPrefix(b.Name, out.Prefix) || region != "" && b.Region != region {
			continue
		}
		if len(out.Buckets) == most {
			out.ContinuationToken = encodeToken(out.Buckets[most-1].Name)
			break
		}
		out.Buckets = append(out.Buckets, bucketEntry{b.Name, isoTime(b.Created), b.Region, b.ARN()})
	}
	return &answer{xml: out}, nil
}
