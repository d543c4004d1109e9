package adopt

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

// fakeAWS answers operations by region and name, "eu-west-1 DescribeTable"; an answer that begins with "!" is an error's code.
type fakeAWS map[string]string

var (
	signedFor = regexp.MustCompile(`Credential=[^/]+/\d+/([a-z0-9-]+)/`)
	indexName = regexp.MustCompile(`"IndexName":"([^"]+)"`)
)

func (f fakeAWS) start(t *testing.T) (aws.Config, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		question := signedFor.FindStringSubmatch(r.Header.Get("Authorization"))[1] + " " + operation
		body, _ := io.ReadAll(r.Body)
		if m := indexName.FindSubmatch(body); m != nil {
			question += " " + string(m[1])
		}
		if strings.Contains(string(body), "NextToken") {
			question += " further"
		}
		mu.Lock()
		asked = append(asked, question)
		mu.Unlock()
		answer, known := f[question]
		if !known {
			answer = "!UnknownOperationException"
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if code, failed := strings.CutPrefix(answer, "!"); failed {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"%s","message":"no"}`, code)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	settings := aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1,
	}
	return settings, func() []string { return asked }
}

const (
	described = `{"Table": {
  "TableName": "orders", "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders", "TableStatus": "ACTIVE",
  "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
  "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1"},
  "GlobalSecondaryIndexes": [{"IndexName": "by-day", "IndexStatus": "ACTIVE", "KeySchema": [{"AttributeName": "Day", "KeyType": "HASH"}]}],
  "Replicas": [{"RegionName": "eu-west-1"}, {"RegionName": "us-east-1"}, {"RegionName": "us-west-2"}]
}}`
	customerKey = `{"KeyMetadata": {"KeyId": "1", "KeyManager": "CUSTOMER"}}`
	awsKey      = `{"KeyMetadata": {"KeyId": "1", "KeyManager": "AWS"}}`
)

func TestRead(t *testing.T) {
	settings, _ := fakeAWS{
		"eu-west-1 DescribeTable":                      described,
		"eu-west-1 DescribeContinuousBackups":          `{"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 7}}}`,
		"eu-west-1 DescribeTimeToLive":                 `{"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ExpiresAt"}}`,
		"eu-west-1 ListTagsOfResource":                 `{"Tags": [{"Key": "a", "Value": "1"}], "NextToken": "x"}`,
		"eu-west-1 ListTagsOfResource further":         `{"Tags": [{"Key": "b", "Value": "2"}]}`,
		"eu-west-1 GetResourcePolicy":                  `{"Policy": "{}"}`,
		"eu-west-1 DescribeContributorInsights":        `{"ContributorInsightsStatus": "DISABLED"}`,
		"eu-west-1 DescribeContributorInsights by-day": `{"ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": "THROTTLED_KEYS"}`,
		"eu-west-1 DescribeKey":                        customerKey,
		"us-east-1 DescribeTable":                      `{"Table": {"DeletionProtectionEnabled": true, "SSEDescription": {"Status": "ENABLED", "KMSMasterKeyArn": "arn:aws:kms:us-east-1:123456789012:key/2"}}}`,
		"us-east-1 DescribeContinuousBackups":          `{"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED"}}`,
		"us-east-1 DescribeKey":                        awsKey,
		"us-west-2 DescribeTable":                      "!AccessDeniedException",
	}.start(t)
	got, err := Read(t.Context(), settings, "orders")
	if err != nil {
		t.Fatal(err)
	}
	got.Description = nil
	data, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "Description": null,
 "Backups": {
  "EarliestRestorableDateTime": null,
  "LatestRestorableDateTime": null,
  "PointInTimeRecoveryStatus": "ENABLED",
  "RecoveryPeriodInDays": 7
 },
 "TTL": {
  "AttributeName": "ExpiresAt",
  "TimeToLiveStatus": "ENABLED"
 },
 "Tags": {
  "a": "1",
  "b": "2"
 },
 "Insights": {
  "by-day": "THROTTLED_KEYS"
 },
 "Replicas": {
  "us-east-1": {
   "DeletionProtection": true,
   "PointInTimeRecovery": false,
   "KMSKeyARN": "arn:aws:kms:us-east-1:123456789012:key/2"
  },
  "us-west-2": null
 },
 "ResourcePolicy": true,
 "CustomerKeys": {
  "arn:aws:kms:eu-west-1:123456789012:key/1": true,
  "arn:aws:kms:us-east-1:123456789012:key/2": false
 },
 "Unread": [
  "the settings of its replica in us-west-2, which take dynamodb:DescribeTable and DescribeContinuousBackups there (AccessDeniedException)"
 ]
}`
	if d := cmp.Diff(want, string(data)); d != "" {
		t.Error(d)
	}
}

// What is not allowed is told with its permission, and what the service does not know is no news.
func TestReadWhatIsNotAnswered(t *testing.T) {
	denied := "!AccessDeniedException"
	settings, _ := fakeAWS{
		"eu-west-1 DescribeTable": described, "eu-west-1 DescribeContinuousBackups": denied, "eu-west-1 DescribeTimeToLive": denied,
		"eu-west-1 ListTagsOfResource": denied, "eu-west-1 GetResourcePolicy": "!PolicyNotFoundException", "eu-west-1 DescribeKey": denied,
		"eu-west-1 DescribeContributorInsights": "!ResourceNotFoundException", "eu-west-1 DescribeContributorInsights by-day": denied,
	}.start(t)
	got, err := Read(t.Context(), settings, "orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, permission := range []string{
		"dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource", "kms:DescribeKey", `by-day" are counted, which takes dynamodb:DescribeContributorInsights`,
	} {
		if !strings.Contains(strings.Join(got.Unread, "\n"), permission) {
			t.Errorf("%s is not told: %q", permission, got.Unread)
		}
	}
	if len(got.Unread) != 5 || got.ResourcePolicy || got.Tags != nil || got.TTL != nil || got.Backups != nil || len(got.CustomerKeys)+len(got.Insights) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestReadFails(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"no table":   {"!ResourceNotFoundException", "there is no table orders in eu-west-1"},
		"denied":     {"!AccessDeniedException", "reading the table orders"},
		"on its way": {strings.Replace(described, "ACTIVE", "DELETING", 1), "orders is DELETING and cannot be imported"},
		"no ARN":     {`{"Table": {"TableStatus": "ACTIVE"}}`, "reading the table orders"},
	} {
		settings, asked := fakeAWS{"eu-west-1 DescribeTable": c.answer}.start(t)
		if _, err := Read(t.Context(), settings, "orders"); err == nil || !strings.Contains(err.Error(), c.want) || len(asked()) != 1 {
			t.Errorf("%s: %v after %q", name, err, asked())
		}
	}
}
