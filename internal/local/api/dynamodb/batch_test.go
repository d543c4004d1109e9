package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func (s *stack) batchGet(t *testing.T, asked types.KeysAndAttributes) *dynamodb.BatchGetItemOutput {
	t.Helper()
	out, err := s.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"orders": asked}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBatchGetItem(t *testing.T) {
	s := newTable(t)
	s.put(t, item{"pk": str("a"), "sk": num("1"), "n": num("1"), "m": str("x")})
	both := []item{key("a", "1"), key("a", "2")}
	for name, asked := range map[string]types.KeysAndAttributes{
		"expression": {Keys: both, ProjectionExpression: aws.String("#n"), ExpressionAttributeNames: map[string]string{"#n": "n"}},
		"legacy":     {Keys: both, AttributesToGet: []string{"n"}},
	} {
		out := s.batchGet(t, asked)
		if got := out.Responses["orders"]; len(got) != 1 || len(out.UnprocessedKeys) != 0 {
			t.Fatalf("%s: %v", name, out)
		}
		same(t, name, out.Responses["orders"][0], item{"n": num("1")})
	}
	if got := s.batchGet(t, types.KeysAndAttributes{Keys: both[1:]}).Responses["orders"]; got == nil || len(got) != 0 {
		t.Errorf("nothing found: %v, want an empty list", got)
	}
}

// What is too much for one answer is given back as the request that asks for the rest.
func TestBatchGetItemOfTooMuch(t *testing.T) {
	s := newTable(t)
	var asked types.KeysAndAttributes
	for i := range 50 {
		k := key("a", fmt.Sprint(i))
		asked.Keys = append(asked.Keys, k)
		s.put(t, item{"pk": k["pk"], "sk": k["sk"], "v": str(strings.Repeat("x", 400_000))})
	}
	asked.ProjectionExpression, asked.ConsistentRead = aws.String("sk"), aws.Bool(true)
	read := 0
	for rounds := 1; len(asked.Keys) > 0; rounds++ {
		out := s.batchGet(t, asked)
		read += len(out.Responses["orders"])
		asked = out.UnprocessedKeys["orders"]
		if rounds == 1 && (len(asked.Keys) != 50-read || read != 41 || aws.ToString(asked.ProjectionExpression) != "sk" || !aws.ToBool(asked.ConsistentRead)) {
			t.Fatalf("read %d, left %d: %v", read, len(asked.Keys), asked)
		}
	}
	if read != 50 {
		t.Errorf("read %d of 50", read)
	}
}

func TestRefusedBatches(t *testing.T) {
	s := newTable(t)
	const k = `{"pk":{"S":"a"},"sk":{"N":"1"}}`
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(k+",", n), ",") }
	for _, c := range []struct{ name, body, code, message string }{
		{"nothing", `{}`, "ValidationException", "'requestItems' failed to satisfy constraint: Member must not be null"},
		{"a key twice", `{"RequestItems":{"orders":{"Keys":[` + many(2) + `]}}}`, "ValidationException", "Provided list of item keys contains duplicates"},
		{"an unknown table", `{"RequestItems":{"nothing":{"Keys":[` + k + `]}}}`, "ResourceNotFoundException", "Requested resource not found"},
		{"half a key", `{"RequestItems":{"orders":{"Keys":[{"pk":{"S":"a"}}]}}}`, "ValidationException", "The provided key element does not match the schema"},
		{"too many keys", `{"RequestItems":{"orders":{"Keys":[` + many(101) + `]}}}`, "ValidationException", "Member must have length less than or equal to 100"},
		{"too many of two tables", `{"RequestItems":{"orders":{"Keys":[` + many(60) + `]},"other":{"Keys":[` + many(60) + `]}}}`,
			"ValidationException", "Too many items requested for the BatchGetItem call"},
		{"both kinds of projection", `{"RequestItems":{"orders":{"Keys":[` + k + `],"AttributesToGet":["a"],"ProjectionExpression":"a"}}}`,
			"ValidationException", "Can not use both expression and non-expression parameters in the same request"},
	} {
		status, answer := s.post(t, "BatchGetItem", c.body)
		if status != 400 || !strings.Contains(answer, c.code) || !strings.Contains(answer, c.message) {
			t.Errorf("%s: %d %s\nwant %s: %s", c.name, status, answer, c.code, c.message)
		}
	}
}
