package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"streamgen/internal/local/objects"
)

// number reads a parameter that is a number; most is what S3 takes a larger one for.
func (in *request) number(name string, least, most, otherwise int) (int, error) {
	text := in.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, errorf("InvalidArgument", "Provided %s not an integer or within integer range", name)
	}
	return min(n, most), nil
}

// A continuation token is what the next page comes after.
func encodeToken(after string) string {
	if after == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(after))
}

func (in *request) token() (after string, err error) {
	text := in.query.Get("continuation-token")
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || text == "" && in.query.Has("continuation-token") {
		return "", errorf("InvalidArgument", "The continuation token provided is incorrect")
	}
	return string(decoded), nil
}

// encoder gives the function that writes keys as the client wants them: it may not be able to read each character in XML.
func (in *request) encoder() (func(string) string, error) {
	switch kind := in.query.Get("encoding-type"); kind {
	case "":
		return func(key string) string { return key }, nil
	case "url":
		return func(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }, nil
	default:
		return nil, errorf("InvalidArgument", "Invalid Encoding Method specified in Request")
	}
}

type commonPrefix struct{ Prefix string }

type listedObject struct {
	Key, LastModified, ETag string
	ChecksumAlgorithm       string
	ChecksumType            string
	Size                    int
	Owner                   *owner `xml:",omitempty"`
	StorageClass            string
}

// listed is what the listings have in common.
type listed struct {
	Name, Prefix   string
	Delimiter      string `xml:",omitempty"`
	EncodingType   string `xml:",omitempty"`
	MaxKeys        int
	IsTruncated    bool
	Contents       []listedObject
	CommonPrefixes []commonPrefix
}

// list lists a page; after is where it begins.
func (s service) list(in *request, after string, owners bool) (out listed, page objects.Page, encode func(string) string, err error) {
	if encode, err = in.encoder(); err != nil {
		return out, page, nil, err
	}
	most, err := in.number("max-keys", 0, 1000, 1000)
	if err != nil {
		return out, page, nil, err
	}
	prefix, delimiter := in.query.Get("prefix"), in.query.Get("delimiter")
	page, err = s.store.List(in.bucket, objects.Query{Prefix: prefix, Delimiter: delimiter, After: after, Most: most})
	if err != nil {
		return out, page, nil, err
	}
	out = listed{
		Name: in.bucket, Prefix: encode(prefix), Delimiter: encode(delimiter), EncodingType: in.query.Get("encoding-type"), MaxKeys: most,
		IsTruncated: page.Next != "",
	}
	for _, o := range page.Objects {
		entry := listedObject{encode(o.Key), isoTime(o.Modified), quote(o.ETag), o.Checksum.Algorithm, "FULL_OBJECT", len(o.Body), nil, "STANDARD"}
		if owners {
			owner := s.owner()
			entry.Owner = &owner
		}
		out.Contents = append(out.Contents, entry)
	}
	for _, prefix := range page.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(prefix)})
	}
	return out, page, encode, nil
}

func quote(etag string) string { return `"` + etag + `"` }

func (s service) listObjects(in *request) (*answer, error) {
	out, page, encode, err := s.list(in, in.query.Get("marker"), true)
	if err != nil {
		return nil, err
	}
	next := ""
	if out.Delimiter != "" { // without one, clients take the last key
		next = encode(page.Next)
	}
	return &answer{xml: struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		listed
		Marker     string
		NextMarker string `xml:",omitempty"`
	}{listed: out, Marker: encode(in.query.Get("marker")), NextMarker: next}}, nil
}

func (s service) listObjectsV2(in *request) (*answer, error) {
	after, err := in.token()
	if err != nil {
		return nil, err
	}
	if after == "" {
		after = in.query.Get("start-after")
	}
	out, page, encode, err := s.list(in, after, in.query.Get("fetch-owner") == "true")
	if err != nil {
		return nil, err
	}
	return &answer{xml: struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		listed
		KeyCount              int
		StartAfter            string `xml:",omitempty"`
		ContinuationToken     string `xml:",omitempty"`
		NextContinuationToken string `xml:",omitempty"`
	}{
		listed: out, KeyCount: len(out.Contents) + len(out.CommonPrefixes), StartAfter: encode(in.query.Get("start-after")),
		ContinuationToken: in.query.Get("continuation-token"), NextContinuationToken: encodeToken(page.Next),
	}}, nil
}

type version struct {
	Key, VersionId     string
	IsLatest           bool
	LastModified, ETag string
	Size               int
	Owner              owner
	StorageClass       string
	ChecksumAlgorithm  string
	ChecksumType       string
}

// noVersion is the version of objects in buckets without versions.
const noVersion = "null"

func (s service) listObjectVersions(in *request) (*answer, error) {
	if in.query.Get("version-id-marker") != "" && in.query.Get("key-marker") == "" {
		return nil, errorf("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
	}
	out, page, encode, err := s.list(in, in.query.Get("key-marker"), false)
	if err != nil {
		return nil, err
	}
	result := struct {
		XMLName                                  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
		Name, Prefix, KeyMarker, VersionIdMarker string
		NextKeyMarker, NextVersionIdMarker       string `xml:",omitempty"`
		MaxKeys                                  int
		Delimiter                                string `xml:",omitempty"`
		EncodingType                             string `xml:",omitempty"`
		IsTruncated                              bool
		Version                                  []version
		CommonPrefixes                           []commonPrefix
	}{
		Name: out.Name, Prefix: out.Prefix, KeyMarker: encode(in.query.Get("key-marker")), VersionIdMarker: in.query.Get("version-id-marker"),
		MaxKeys: out.MaxKeys, Delimiter: out.Delimiter, EncodingType: out.EncodingType, IsTruncated: out.IsTruncated, CommonPrefixes: out.CommonPrefixes,
	}
	if out.IsTruncated {
		result.NextKeyMarker, result.NextVersionIdMarker = encode(page.Next), noVersion
	}
	for _, o := range out.Contents {
		result.Version = append(result.Version, version{
			o.Key, noVersion, true, o.LastModified, o.ETag, o.Size, s.owner(), o.StorageClass, o.ChecksumAlgorithm, o.ChecksumType,
		})
	}
	return &answer{xml: result}, nil
}

type deleteDocument struct {
	Quiet   bool
	Objects []struct {
		Key, VersionId string
		Other          other `xml:",any"`
	} `xml:"Object"`
	Other other `xml:",any"`
}

func (d *deleteDocument) refuse(operation string) error {
	for _, o := range d.Objects {
		if err := o.Other.refuse(operation); err != nil {
			return err
		}
	}
	return d.Other.refuse(operation)
}

type (
	deletedKey struct {
		Key       string
		VersionId string `xml:",omitempty"`
	}
	failedKey struct{ Key, VersionId, Code, Message string }
)

func (s service) deleteObjects(in *request) (*answer, error) {
	body, given, err := in.body(maxXML)
	if err != nil {
		return nil, err
	}
	if given.Algorithm == "" && in.Header.Get("Content-Md5") == "" {
		return nil, errorf("InvalidRequest", "Missing required header for this request: Content-MD5")
	}
	var d deleteDocument
	if err := decodeXML(body, in.operation.name, &d); err != nil {
		return nil, err
	}
	if n := len(d.Objects); n == 0 || n > 1000 {
		return nil, errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	out := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
		Deleted []deletedKey
		Error   []failedKey
	}{}
	for _, o := range d.Objects {
		if o.VersionId != "" && o.VersionId != noVersion {
			out.Error = append(out.Error, failedKey{o.Key, o.VersionId, "NoSuchVersion", "The specified version does not exist."})
			continue
		}
		if err := s.store.Remove(in.bucket, o.Key); err != nil {
			return nil, err
		}
		if !d.Quiet {
			out.Deleted = append(out.Deleted, deletedKey{o.Key, o.VersionId})
		}
	}
	return &answer{xml: out}, nil
}

func (s service) deleteObject(in *request) (*answer, error) {
	if err := in.checkVersion(); err != nil {
		return nil, err
	}
	for _, name := range []string{"If-Match"} {
		if in.Header.Get(name) != "" {
			return nil, errNotEmulatedHeader(name, in)
		}
	}
	return &answer{status: http.StatusNoContent}, s.store.Remove(in.bucket, in.key)
}
