package sum

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/examples/aggregation/generated/tables/sales"
	"streamgen/examples/aggregation/generated/tables/totals"
	"streamgen/internal/local"
	"streamgen/runtime/stream"
)

// TestWindow invokes the function as Lambda does in one window: two batches, the state handed on, and the last call without records.
func TestWindow(t *testing.T) {
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Region: "eu-central-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stack.Close(t.Context()) }()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": stack.Endpoint(), "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "streamgen", "AWS_SECRET_ACCESS_KEY": "streamgen",
	} {
		t.Setenv(name, value)
	}
	db, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(totals.Name()), BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("Store"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("Window"), KeyType: types.KeyTypeRange},
		},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("Store"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("Window"), AttributeType: types.ScalarAttributeTypeS},
		},
	}); err != nil {
		t.Fatal(err)
	}

	function := stream.Router(stream.OnWindow(sales.Name(), Handle))
	state := json.RawMessage(`{}`)
	for _, batch := range []struct {
		records string
		final   bool
	}{
		{sale(1, "north", 250) + "," + sale(2, "south", 100), false},
		{sale(3, "north", 50), false},
		{"", true},
	} {
		answer, err := function.Invoke(t.Context(), fmt.Appendf(nil, `{"window":{"start":"2026-11-24T10:00:00Z","end":"2026-11-24T10:01:00Z"},"shardId":"s1",
			"eventSourceARN":%q,"state":%s,"isFinalInvokeForWindow":%t,"isWindowTerminatedEarly":false,"Records":[%s]}`, arn, state, batch.final, batch.records))
		if err != nil {
			t.Fatal(err)
		}
		var response struct{ State json.RawMessage }
		if err := json.Unmarshal(answer, &response); err != nil {
			t.Fatal(err)
		}
		state = response.State
	}

	out, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(totals.Name())})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, item := range out.Items {
		store := item["Store"].(*types.AttributeValueMemberS).Value
		got[store] = item["Window"].(*types.AttributeValueMemberS).Value + " " + item["Sales"].(*types.AttributeValueMemberN).Value + " " + item["Cents"].(*types.AttributeValueMemberN).Value
	}
	if len(got) != 2 || got["north"] != "2026-11-24T10:00:00Z#s1 2 300" || got["south"] != "2026-11-24T10:00:00Z#s1 1 100" {
		t.Errorf("totals %v", got)
	}
}

const arn = "arn:aws:dynamodb:eu-central-1:000000000000:table/sales/stream/2026-11-24T00:00:00.000"

func sale(n int, store string, cents int) string {
	return fmt.Sprintf(`{"eventID":"%d","eventName":"INSERT","eventSourceARN":%q,"dynamodb":{"SequenceNumber":"%d","Keys":{"Id":{"S":"%d"}},
		"NewImage":{"Id":{"S":"%d"},"Store":{"S":%q},"Cents":{"N":"%d"}}}}`, n, arn, n, n, n, store, cents)
}
