package conformance_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"streamgen/internal/local"
)

// TestBucketTagsOfS3Control asks for tags as terraform's provider does: the account is before the endpoint's host, and the stack the proxy.
func TestBucketTagsOfS3Control(t *testing.T) {
	stack := newStack(t, local.Options{})
	bucket := unique("tagged")
	_, err := s3.NewFromConfig(config(stack.Endpoint())).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})
	must(t, err)
	proxy, err := url.Parse(stack.Endpoint())
	must(t, err)
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	arn := url.PathEscape("arn:aws:s3:::" + aws.ToString(bucket))
	for _, step := range []struct{ method, query, body, want string }{
		{http.MethodPost, "", `<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>c</Key><Value>d</Value></Tag><Tag><Key>e</Key><Value>f</Value></Tag></Tags></TagResourceRequest>`, ""},
		{http.MethodDelete, "?tagKeys=a&tagKeys=c", "", ""},
		{http.MethodGet, "", "", "<Tags><Tag><Key>e</Key><Value>f</Value></Tag></Tags>"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), step.method, "http://"+local.Account+"."+proxy.Host+"/v20180820/tags/"+arn+step.query, strings.NewReader(step.body))
		must(t, err)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
		r.Header.Set("X-Amz-Account-Id", local.Account)
		res, err := client.Do(r)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode >= 300 || !strings.Contains(string(body), step.want) {
			t.Errorf("%s: %d %s", step.method, res.StatusCode, body)
		}
	}
}
