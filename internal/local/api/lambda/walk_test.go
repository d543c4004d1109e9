package lambda_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProviderWalk makes the requests that terraform's AWS provider makes from creation to destruction, in its order and with its
// bodies, and compares the whole answers.
func TestProviderWalk(t *testing.T) {
	s := start(t)
	zip, second := pack(t, "#!/bin/sh\n"), pack(t, "#!/bin/sh\nexit 1\n")
	encoded, encodedSecond := base64.StdEncoding.EncodeToString(zip), base64.StdEncoding.EncodeToString(second)
	escaped := url.PathEscape(fnARN)
	escaped = strings.ReplaceAll(escaped, ":", "%3A")

	configuration := func(change func(map[string]any)) map[string]any {
		c := map[string]any{
			"FunctionName": "fn", "FunctionArn": fnARN, "Runtime": "provided.al2023", "Role": roleARN, "Handler": "bootstrap",
			"CodeSize": float64(len(zip)), "CodeSha256": sum(zip), "Description": "", "Timeout": 30.0, "MemorySize": 256.0,
			"LastModified": "2026-11-23T04:05:06.789+0000", "Version": "$LATEST", "TracingConfig": map[string]any{"Mode": "PassThrough"},
			"State": "Active", "LastUpdateStatus": "Successful", "PackageType": "Zip", "Architectures": []any{"arm64"},
			"EphemeralStorage": map[string]any{"Size": 512.0}, "SnapStart": map[string]any{"ApplyOn": "None", "OptimizationStatus": "Off"},
			"LoggingConfig": map[string]any{"LogFormat": "Text", "LogGroup": "/aws/lambda/fn"},
			"Environment":   map[string]any{"Variables": map[string]any{"TABLE": "orders"}}, "RevisionId": "ID",
		}
		if change != nil {
			change(c)
		}
		return c
	}
	pending := func(c map[string]any) {
		c["State"], c["StateReason"], c["StateReasonCode"] = "Pending", "The function is being created.", "Creating"
	}
	listed := func(c map[string]any) {
		delete(c, "State")
		delete(c, "LastUpdateStatus")
		c["FunctionArn"] = fnARN + ":$LATEST"
	}
	updating := func(c map[string]any) {
		c["LastUpdateStatus"], c["LastUpdateStatusReason"], c["LastUpdateStatusReasonCode"] = "InProgress", "The function is being created.", "Creating"
	}
	bigger := func(c map[string]any) {
		c["MemorySize"] = 512.0
		c["Environment"] = map[string]any{"Variables": map[string]any{"TABLE": "orders", "XX": "1"}}
	}
	newCode := func(c map[string]any) {
		bigger(c)
		c["CodeSize"], c["CodeSha256"] = float64(len(second)), sum(second)
	}
	both := func(fs ...func(map[string]any)) func(map[string]any) {
		return func(c map[string]any) {
			for _, f := range fs {
				f(c)
			}
		}
	}
	function := func(tag string, change func(map[string]any)) map[string]any {
		return map[string]any{"Configuration": configuration(change), "Code": map[string]any{"RepositoryType": "S3"}, "Tags": map[string]any{"app": tag}}
	}
	mapping := func(state string, batch float64) map[string]any {
		return map[string]any{
			"UUID": "ID", "StartingPosition": "LATEST", "BatchSize": batch, "MaximumBatchingWindowInSeconds": 0.0, "ParallelizationFactor": 1.0,
			"EventSourceArn": streamARN, "EventSourceMappingArn": "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:ID", "FunctionArn": fnARN,
			"LastModified": 1795406706.789, "LastProcessingResult": "No records processed", "State": state, "StateTransitionReason": "User action",
			"DestinationConfig": map[string]any{"OnFailure": map[string]any{}}, "MaximumRecordAgeInSeconds": -1.0,
			"BisectBatchOnFunctionError": false, "MaximumRetryAttempts": -1.0, "TumblingWindowInSeconds": 0.0,
			"FunctionResponseTypes": []any{"ReportBatchItemFailures"},
		}
	}
	filtered := func(m map[string]any) map[string]any {
		m["FilterCriteria"] = map[string]any{"Filters": []any{map[string]any{"Pattern": `{"eventName": ["INSERT"] }`}}} // byte for byte
		return m
	}
	missing := func(message string) map[string]any { return map[string]any{"Type": "User", "Message": message} }

	const f, m, tags = "/2015-03-31/functions", "/2015-03-31/event-source-mappings", "/2017-03-31/tags/"
	uuid := ""
	steps := []struct {
		method, path, body string
		status             int
		want               any
	}{
		{"POST", f, `{"Architectures":["arm64"],"Code":{"ZipFile":"` + encoded + `"},"Description":"","Environment":{"Variables":{"TABLE":"orders"}},"FunctionName":"fn","Handler":"bootstrap","LoggingConfig":{"LogFormat":"Text","LogGroup":"/aws/lambda/fn"},"MemorySize":256,"PackageType":"Zip","Publish":false,"Role":"` + roleARN + `","Runtime":"provided.al2023","Tags":{"app":"x"},"Timeout":30}`, 201, configuration(pending)},
		{"GET", f + "/fn", "", 200, function("x", nil)},
		{"GET", f + "/fn/versions?MaxItems=10000", "", 200, map[string]any{"Versions": []any{configuration(listed)}}},
		{"GET", "/2020-06-30/functions/fn/code-signing-config", "", 200, map[string]any{"FunctionName": "fn"}},
		{"POST", m, `{"BatchSize":25,"Enabled":true,"EventSourceArn":"` + streamARN + `","FunctionName":"` + fnARN + `","FunctionResponseTypes":["ReportBatchItemFailures"],"StartingPosition":"LATEST","Tags":{"app":"x"}}`, 202, mapping("Creating", 25)},
		{"GET", m + "/UUID", "", 200, mapping("Enabled", 25)},
		{"GET", tags + "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Aevent-source-mapping%3AUUID", "", 200, map[string]any{"Tags": map[string]any{"app": "x"}}},

		{"POST", tags + escaped, `{"Tags":{"app":"y"}}`, 204, nil},
		{"PUT", f + "/fn/configuration", `{"Environment":{"Variables":{"TABLE":"orders","XX":"1"}},"MemorySize":512}`, 200, configuration(both(bigger, updating))},
		{"GET", f + "/fn", "", 200, function("y", bigger)},
		{"PUT", f + "/fn/code", `{"ZipFile":"` + encodedSecond + `"}`, 200, configuration(both(newCode, updating))},
		{"GET", f + "/" + escaped + "/configuration?Qualifier=%24LATEST", "", 200, configuration(both(newCode, func(c map[string]any) { c["FunctionArn"] = fnARN + ":$LATEST" }))},
		{"POST", tags + "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Aevent-source-mapping%3AUUID", `{"Tags":{"app":"y"}}`, 204, nil},
		{"PUT", m + "/UUID", `{"BatchSize":50}`, 202, mapping("Updating", 50)},
		{"GET", m + "/UUID", "", 200, mapping("Enabled", 50)},
		{"PUT", m + "/UUID", `{"FilterCriteria":{"Filters":[{"Pattern":"{\"eventName\": [\"INSERT\"] }"}]}}`, 202, filtered(mapping("Updating", 50))},
		{"PUT", m + "/UUID", `{"Enabled":false,"FilterCriteria":{}}`, 202, mapping("Disabling", 50)},
		{"GET", m + "/UUID", "", 200, mapping("Disabled", 50)},
		{"PUT", m + "/UUID", `{"Enabled":true}`, 202, mapping("Enabling", 50)},
		{"GET", m + "/UUID", "", 200, mapping("Enabled", 50)},
		{"DELETE", tags + "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Aevent-source-mapping%3AUUID?tagKeys=app", "", 204, nil},
		{"GET", tags + "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Aevent-source-mapping%3AUUID", "", 200, map[string]any{"Tags": map[string]any{}}},

		{"DELETE", m + "/UUID", "", 202, mapping("Deleting", 50)},
		{"GET", m + "/UUID", "", 404, missing("The resource you requested does not exist.")},
		{"DELETE", f + "/fn", "", 204, nil},
		{"GET", f + "/fn", "", 404, missing("Function not found: " + fnARN)},
		{"GET", f, "", 200, map[string]any{"Functions": []any{}}},
		{"GET", m, "", 200, map[string]any{"EventSourceMappings": []any{}}},
	}
	for _, step := range steps {
		path := strings.ReplaceAll(step.path, "UUID", uuid)
		status, header, body := s.send(step.method, path, step.body)
		if uuid == "" && step.path == m {
			var created struct{ UUID string }
			if err := json.Unmarshal([]byte(body), &created); err != nil {
				t.Fatal(err)
			}
			uuid = created.UUID
		}
		if status != step.status || status == 404 && header.Get("X-Amzn-Errortype") != "ResourceNotFoundException" {
			t.Fatalf("%s %s: %d %s", step.method, step.path, status, body)
		}
		if step.want == nil {
			if body != "" {
				t.Errorf("%s %s: unexpected body %s", step.method, step.path, body)
			}
			continue
		}
		var got any
		if err := json.Unmarshal([]byte(anonymous(body)), &got); err != nil {
			t.Fatalf("%s %s: %v: %s", step.method, step.path, err, body)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", step.method, step.path, diff)
		}
	}
}

var uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}`)

func anonymous(body string) string { return uuidPattern.ReplaceAllString(body, "ID") }

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(h[:])
}
