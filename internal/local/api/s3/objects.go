package s3

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamgen/internal/local/objects"
	"streamgen/internal/local/wire"
)

const metaPrefix = "x-amz-meta-"

const (
	maxKey      = 1024 // bytes
	maxMetadata = 2048 // bytes
	maxTags     = 10   // of an object
)

// kept are the headers of an object that S3 gives back as they came.
var kept = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires"}

func errNotEmulatedHeader(name string, in *request) error {
	return wire.NotEmulated(fmt.Sprintf("the header %s of %s", name, in.operation.name))
}

// checkVersion refuses a version that no object here has.
func (in *request) checkVersion() error {
	if id := in.query.Get("versionId"); id != noVersion && in.query.Has("versionId") {
		e := errorf("NoSuchVersion", "The specified version does not exist.")
		e.Status = http.StatusNotFound
		return e
	}
	return nil
}

func (s service) putObject(in *request) (*answer, error) {
	o, err := in.object()
	if err != nil {
		return nil, err
	}
	if o.Body, o.Checksum, err = in.body(MaxObject); err != nil {
		return nil, err
	}
	allowed, err := in.putCondition()
	if err != nil {
		return nil, err
	}
	o, err = s.store.Put(in.bucket, o, allowed)
	if err != nil {
		return nil, err
	}
	h := http.Header{"ETag": {quote(o.ETag)}} // S3 and some of its clients write it so
	encryptionHeaders(h, o.Encryption)
	checksumHeaders(h, o.Checksum)
	return &answer{header: h}, nil
}

// object reads what the head of a request says of an object.
func (in *request) object() (objects.Object, error) {
	o := objects.Object{Key: in.key, Header: map[string]string{}, Metadata: map[string]string{}}
	if len(in.key) > maxKey {
		return o, errorf("KeyTooLongError", "Your key is too long")
	}
	for _, name := range kept {
		if value := in.Header.Get(name); value != "" {
			o.Header[name] = value
		}
	}
	if encoding := withoutChunks(o.Header["Content-Encoding"]); encoding != "" {
		o.Header["Content-Encoding"] = encoding
	} else {
		delete(o.Header, "Content-Encoding")
	}
	size := 0
	for header, values := range in.Header {
		if name, meta := strings.CutPrefix(strings.ToLower(header), metaPrefix); meta {
			o.Metadata[name] = strings.Join(values, ",")
			size += len(name) + len(o.Metadata[name])
		}
	}
	if size > maxMetadata {
		return o, errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	if class := in.Header.Get("X-Amz-Storage-Class"); class != "" && class != "STANDARD" {
		return o, wire.NotEmulated("x-amz-storage-class " + class + " of PutObject")
	}
	if acl := in.Header.Get("X-Amz-Acl"); acl != "" && acl != "private" && acl != "bucket-owner-full-control" {
		return o, errorf("AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	if err := in.encryption(&o); err != nil {
		return o, err
	}
	form, err := url.ParseQuery(in.Header.Get("X-Amz-Tagging"))
	if err != nil {
		return o, errorf("InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var tags []tag
	for key, values := range form {
		for _, value := range values {
			tags = append(tags, tag{key, value})
		}
	}
	o.Tags, err = objectTags(tags)
	return o, err
}

func (in *request) encryption(o *objects.Object) error {
	e := objects.Encryption{
		Algorithm: in.Header.Get("X-Amz-Server-Side-Encryption"), KeyID: in.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"),
		BucketKey: in.Header.Get("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled") == "true",
	}
	if e == (objects.Encryption{}) {
		return nil // the bucket's
	}
	if !slices.Contains([]string{"AES256", "aws:kms", "aws:kms:dsse"}, e.Algorithm) {
		return errorf("InvalidArgument", "The encryption method specified is not supported")
	}
	if e.Algorithm == "AES256" && e.KeyID != "" {
		return errorf("InvalidArgument", "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
	}
	o.Encryption = e
	return nil
}

// withoutChunks gives a content encoding without that of the request's body.
func withoutChunks(encoding string) string {
	var rest []string
	for part := range strings.SplitSeq(encoding, ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			rest = append(rest, part)
		}
	}
	return strings.Join(rest, ",")
}

// putCondition gives the check of what is there already.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (in *request) putCondition() (func(*objects.Object) error, error) {
	none, match := in.Header.Get("If-None-Match"), in.Header.Get("If-Match")
	switch {
	case none != "" && none != "*":
		return nil, errNotEmulatedHeader("If-None-Match other than *", in)
	case none != "" && match != "":
		return nil, errNotEmulatedHeader("If-None-Match beside If-Match", in)
	case none != "":
		return func(there *objects.Object) error {
			if there != nil {
				return failed("If-None-Match")
			}
			return nil
		}, nil
	case match != "":
		return func(there *objects.Object) error {
			if there == nil {
				return &objects.Error{Code: objects.NoSuchKey, Message: "The specified key does not exist."}
			}
			if !matches(match, there.ETag) {
				return failed("If-Match")
			}
			return nil
		}, nil
	}
	return nil, nil
}

func failed(condition string) error {
	e := errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	e.Fields = map[string]any{"Condition": condition}
	return e
}

// matches says whether a list of ETags has one.
func matches(list, etag string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.Trim(strings.TrimSpace(part), `"`); part == "*" || part == etag {
			return true
		}
	}
	return false
}

func encryptionHeaders(h http.Header, e objects.Encryption) {
	h.Set("X-Amz-Server-Side-Encryption", e.Algorithm)
	if e.KeyID != "" {
		h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", e.KeyID)
	}
	if e.BucketKey {
		h.Set("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
	}
}

func checksumHeaders(h http.Header, c objects.Checksum) {
	h.Set(checksumPrefix+c.Algorithm, c.Value)
	h.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
}

// getObject serves HEAD too: net/http leaves the body away.
func (s service) getObject(in *request) (*answer, error) {
	if err := in.checkVersion(); err != nil {
		return nil, err
	}
	o, err := s.store.Get(in.bucket, in.key)
	if err != nil {
		return nil, err
	}
	h := http.Header{"ETag": {quote(o.ETag)}, "Accept-Ranges": {"bytes"}, "Content-Type": {"binary/octet-stream"}}
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	for name, value := range o.Header {
		h.Set(name, value)
	}
	for name, value := range o.Metadata {
		h[http.CanonicalHeaderKey(metaPrefix+name)] = []string{value}
	}
	if len(o.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	encryptionHeaders(h, o.Encryption)
	if err := in.readCondition(o); err != nil {
		return nil, err
	}
	if in.notModified(o) {
		return &answer{status: http.StatusNotModified, header: h}, nil
	}
	for _, name := range kept {
		if value := in.query.Get("response-" + strings.ToLower(name)); value != "" {
			h.Set(name, value)
		}
	}
	from, to, part, err := in.byteRange(len(o.Body))
	if err != nil {
		return nil, err
	}
	if part {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(o.Body)))
		return &answer{status: http.StatusPartialContent, header: h, raw: o.Body[from:to]}, nil
	}
	switch mode := in.Header.Get("X-Amz-Checksum-Mode"); strings.ToUpper(mode) {
	case "":
	case "ENABLED":
		checksumHeaders(h, o.Checksum)
	default:
		return nil, errorf("InvalidArgument", "x-amz-checksum-mode is %s, want ENABLED", mode)
	}
	return &answer{header: h, raw: o.Body}, nil
}

// readCondition checks the conditions whose failing is an error. If-Match counts more than a date.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (in *request) readCondition(o objects.Object) error {
	if match := in.Header.Get("If-Match"); match != "" {
		if !matches(match, o.ETag) {
			return failed("If-Match")
		}
		return nil
	}
	if since, err := http.ParseTime(in.Header.Get("If-Unmodified-Since")); err == nil && o.Modified.Truncate(time.Second).After(since) {
		return failed("If-Unmodified-Since")
	}
	return nil
}

func (in *request) notModified(o objects.Object) bool {
	if match := in.Header.Get("If-None-Match"); match != "" {
		return matches(match, o.ETag)
	}
	since, err := http.ParseTime(in.Header.Get("If-Modified-Since"))
	return err == nil && !o.Modified.Truncate(time.Second).After(since)
}

// byteRange reads the part of size bytes that is wanted. A header that names none, or several, is passed over, as HTTP wants it.
func (in *request) byteRange(size int) (from, to int, part bool, err error) {
	text, found := strings.CutPrefix(in.Header.Get("Range"), "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !found || !dash || strings.Contains(text, ",") {
		return 0, size, false, nil
	}
	from, fromErr := strconv.Atoi(first)
	to, toErr := strconv.Atoi(last)
	switch {
	case first == "" && toErr == nil: // the last bytes
		from, to = max(size-to, 0), size
	case fromErr != nil || from < 0 || last != "" && (toErr != nil || to < from):
		return 0, size, false, nil //nolint:nilerr // S3 passes over a range that is none
	case last == "":
		to = size
	default:
		to = min(to+1, size)
	}
	if from >= size || to == from {
		e := errorf("InvalidRange", "The requested range is not satisfiable")
		e.Fields = map[string]any{"RangeRequested": in.Header.Get("Range"), "ActualObjectSize": size}
		return 0, 0, false, e
	}
	return from, to, true, nil
}

func objectTags(list []tag) (map[string]string, error) {
	tags, err := tagMap(list)
	if err == nil && len(tags) > maxTags {
		err = errorf("BadRequest", "Object tags cannot be greater than %d", maxTags)
	}
	return tags, err
}

func (s service) getObjectTagging(in *request) (*answer, error) {
	if err := in.checkVersion(); err != nil {
		return nil, err
	}
	o, err := s.store.Get(in.bucket, in.key)
	if err != nil {
		return nil, err
	}
	return &answer{xml: taggingDocument(maps.Clone(o.Tags))}, nil
}

func (s service) putObjectTagging(in *request) (*answer, error) {
	if err := in.checkVersion(); err != nil {
		return nil, err
	}
	var d tagging
	if err := in.document(&d); err != nil {
		return nil, err
	}
	tags, err := objectTags(d.Tags)
	if err != nil {
		return nil, err
	}
	return &answer{}, s.store.SetTags(in.bucket, in.key, tags)
}

func (s service) deleteObjectTagging(in *request) (*answer, error) {
	if err := in.checkVersion(); err != nil {
		return nil, err
	}
	return &answer{status: http.StatusNoContent}, s.store.SetTags(in.bucket, in.key, nil)
}
