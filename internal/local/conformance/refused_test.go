package conformance_test

import (
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"streamgen/internal/local"
)

// notEmulated are the operations of the SDK's clients that the stack refuses by their names.
var notEmulated = []string{
	"BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction", // PartiQL
	"CreateGlobalTable", "DescribeGlobalTable", "DescribeGlobalTableSettings", "ListGlobalTables", "UpdateGlobalTable", "UpdateGlobalTableSettings",
	"DescribeTableReplicaAutoScaling", "UpdateTableReplicaAutoScaling",
	"DescribeExport", "ExportTableToPointInTime", "ListExports", "DescribeImport", "ImportTable", "ListImports", "RestoreTableToPointInTime",
	"DisableKinesisStreamingDestination", "EnableKinesisStreamingDestination", "UpdateKinesisStreamingDestination",
}

// TestEveryOperation sends an empty request for each operation that the SDK's clients know: the stack has it, or refuses it by its name.
func TestEveryOperation(t *testing.T) {
	url := newStack(t, local.Options{}).Endpoint()
	for target, client := range map[string]reflect.Type{
		"DynamoDB_20120810":        reflect.TypeFor[*dynamodb.Client](),
		"DynamoDBStreams_20120810": reflect.TypeFor[*dynamodbstreams.Client](),
	} {
		operations := 0
		for i := range client.NumMethod() {
			m := client.Method(i)
			if m.Name == "Options" {
				continue
			}
			operations++
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
			must(t, err)
			r.Header.Set("X-Amz-Target", target+"."+m.Name)
			res, err := http.DefaultClient.Do(r)
			must(t, err)
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			must(t, err)
			refused := strings.Contains(string(body), "streamgen local does not emulate "+target+"."+m.Name)
			if want := slices.Contains(notEmulated, m.Name); refused != want || res.StatusCode >= 500 {
				t.Errorf("%s: %d %s", m.Name, res.StatusCode, body)
			}
		}
		if operations == 0 {
			t.Errorf("no operations of %s", target)
		}
	}
}
