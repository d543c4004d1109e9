package conformance_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"streamgen/internal/local"
)

func newBucket(t *testing.T, c *s3.Client) *string {
	t.Helper()
	name := unique("bucket")
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: name})
	must(t, err)
	return name
}

func putObject(t *testing.T, c *s3.Client, bucket *string, key, body string) {
	t.Helper()
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(body), Metadata: map[string]string{"kind": "test"}})
	must(t, err)
}

// TestBucket puts, gets, lists and deletes objects, as the SDK does by itself and with another checksum.
func TestBucket(t *testing.T) {
	t.Parallel()
	url := endpoint(t)
	for name, endpoint := range map[string]string{"by path": url, "by host": strings.Replace(url, "127.0.0.1", "localhost", 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// A name below localhost is this machine, whether the resolver knows it or not.
			here := func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(url, "http://"))
			}
			c := s3.NewFromConfig(config(endpoint), func(o *s3.Options) { o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: here}} })
			bucket := newBucket(t, c)
			key := "a b/ü+%/c"
			putObject(t, c, bucket, key, "text")
			got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: &key})
			must(t, err)
			body, err := io.ReadAll(got.Body)
			must(t, err)
			if string(body) != "text" || got.Metadata["kind"] != "test" || *got.ETag != `"1cb251ec0d568de6a929b520c4aed8d1"` || *got.ContentLength != 4 {
				t.Errorf("got %s, %v, %s", body, got.Metadata, *got.ETag)
			}
			part, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: &key, Range: aws.String("bytes=1-2")})
			must(t, err)
			if body, _ := io.ReadAll(part.Body); string(body) != "ex" || *part.ContentRange != "bytes 1-2/4" {
				t.Errorf("a part is %s, %s", body, *part.ContentRange)
			}
			large := bytes.Repeat([]byte("0123456789"), 20_000)
			_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("large"), Body: bytes.NewReader(large), ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
			must(t, err)
			got, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("large"), ChecksumMode: types.ChecksumModeEnabled})
			must(t, err)
			if body, _ := io.ReadAll(got.Body); !bytes.Equal(body, large) || got.ChecksumSHA256 == nil {
				t.Errorf("got %d bytes back, of %d; checksum %v", len(body), len(large), got.ChecksumSHA256)
			}
			_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(""), IfNoneMatch: aws.String("*")})
			wantCode(t, err, "PreconditionFailed", "")

			for _, key := range []string{"b/1", "b/2", "c"} {
				putObject(t, c, bucket, key, key)
			}
			var keys, prefixes []string
			pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				must(t, err)
				for _, o := range page.Contents {
					keys = append(keys, *o.Key)
				}
				for _, p := range page.CommonPrefixes {
					prefixes = append(prefixes, *p.Prefix)
				}
			}
			if !slices.Equal(keys, []string{"c", "large"}) || !slices.Equal(prefixes, []string{"a b/", "b/"}) {
				t.Errorf("listed %v and %v", keys, prefixes)
			}
			_, err = c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket})
			wantCode(t, err, "BucketNotEmpty", "")
			all, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
			must(t, err)
			var gone []types.ObjectIdentifier
			for _, o := range all.Contents {
				gone = append(gone, types.ObjectIdentifier{Key: o.Key})
			}
			deleted, err := c.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: gone}})
			must(t, err)
			if len(deleted.Deleted) != 5 || len(deleted.Errors) > 0 {
				t.Errorf("deleted %v, not %v", deleted.Deleted, deleted.Errors)
			}
			_, err = c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: &key})
			wantCode(t, err, "NoSuchKey", "The specified key does not exist.")
			_, err = c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket})
			must(t, err)
			_, err = c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
			wantCode(t, err, "NoSuchBucket", "")
		})
	}
}

// TestBucketSettings: a new bucket is as AWS makes one, and what is not emulated is refused.
func TestBucketSettings(t *testing.T) {
	t.Parallel()
	c := s3.NewFromConfig(config(endpoint(t)))
	bucket := newBucket(t, c)
	access, err := c.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: bucket})
	must(t, err)
	if a := access.PublicAccessBlockConfiguration; !*a.BlockPublicAcls || !*a.BlockPublicPolicy || !*a.IgnorePublicAcls || !*a.RestrictPublicBuckets {
		t.Errorf("public access %+v", a)
	}
	_, err = c.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("key")}}},
	}})
	must(t, err)
	putObject(t, c, bucket, "a", "")
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("a")})
	must(t, err)
	if head.ServerSideEncryption != types.ServerSideEncryptionAwsKms {
		t.Errorf("the object is encrypted with %s", head.ServerSideEncryption)
	}
	_, err = c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: bucket})
	wantCode(t, err, "NoSuchBucketPolicy", "")
	_, err = c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	wantCode(t, err, "ValidationException", "does not emulate PutBucketVersioning of S3")
	_, err = c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("a")})
	wantCode(t, err, "ValidationException", "does not emulate CreateMultipartUpload of S3")
}

// TestBucketAfterARestart: buckets and objects are in the data folder.
func TestBucketAfterARestart(t *testing.T) {
	t.Parallel()
	options := local.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
	first, err := local.Start(t.Context(), options)
	must(t, err)
	c := s3.NewFromConfig(config(first.Endpoint()))
	bucket := newBucket(t, c)
	putObject(t, c, bucket, "a", "kept")
	must(t, first.Close(t.Context()))
	c = s3.NewFromConfig(config(newStack(t, options).Endpoint()))
	got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("a")})
	must(t, err)
	if body, _ := io.ReadAll(got.Body); string(body) != "kept" || got.Metadata["kind"] != "test" {
		t.Errorf("got %s, %v", body, got.Metadata)
	}
}
