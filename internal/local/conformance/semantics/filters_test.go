package semantics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"streamgen/internal/local"
)

// filterStand is a stand with a table whose stream has one record of each kind that filters tell apart.
type filterStand struct {
	*functionStand
	stream   *string
	mappings int
}

// filterRecords are the records of the stream, in its order. The last one is an expiry, an hour after the first three.
var filterRecords = []string{"INSERT a", "INSERT b", "INSERT c", "MODIFY a", "REMOVE b", "REMOVE c"}

func newFilterStand(t *testing.T) *filterStand {
	t.Helper()
	s := &filterStand{functionStand: newFunctionStand(t)}
	db, table := dynamodb.NewFromConfig(s.config), aws.String("orders")
	made, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: table, BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dbtypes.KeyTypeHash}},
		StreamSpecification:  &dbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: dbtypes.StreamViewTypeNewAndOldImages}})
	s.must(err)
	s.stream = made.TableDescription.LatestStreamArn
	_, err = db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: table,
		TimeToLiveSpecification: &dbtypes.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)}})
	s.must(err)
	text := func(v string) dbtypes.AttributeValue { return &dbtypes.AttributeValueMemberS{Value: v} }
	number := func(v string) dbtypes.AttributeValue { return &dbtypes.AttributeValueMemberN{Value: v} }
	put := func(id string, item map[string]dbtypes.AttributeValue) {
		t.Helper()
		item["id"] = text(id)
		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item})
		s.must(err)
	}
	put("a", map[string]dbtypes.AttributeValue{
		"city": text("Bonn"), "total": number("300"), "paid": &dbtypes.AttributeValueMemberBOOL{Value: true}, "file": text("photo.PNG"), "empty": text(""),
		"tags": &dbtypes.AttributeValueMemberSS{Value: []string{"x", "y"}}, "home": &dbtypes.AttributeValueMemberM{Value: map[string]dbtypes.AttributeValue{"city": text("Bonn")}},
	})
	put("b", map[string]dbtypes.AttributeValue{
		"city": text("bonn"), "total": number("101"), "paid": &dbtypes.AttributeValueMemberBOOL{Value: false}, "file": text("photo.png"),
		"parts": &dbtypes.AttributeValueMemberL{Value: []dbtypes.AttributeValue{text("wheel"), number("2")}},
	})
	put("c", map[string]dbtypes.AttributeValue{
		"city": text("Berlin"), "parts": &dbtypes.AttributeValueMemberL{Value: []dbtypes.AttributeValue{}}, "until": number(fmt.Sprint(functionBegan.Add(time.Hour - time.Second).Unix())),
	})
	s.clock.Advance(time.Hour - 2*time.Second)
	put("a", map[string]dbtypes.AttributeValue{"city": text("Cologne")})
	_, err = db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: map[string]dbtypes.AttributeValue{"id": text("b")}})
	s.must(err)
	s.clock.AwaitSleeper(time.Second) // the sweep of what is expired
	s.clock.Advance(2 * time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), functionPatience)
	defer cancel()
	s.must(s.stack.AwaitRecords(ctx, "us-east-1", "orders", len(filterRecords)))
	return s
}

// filterMapping asks for a mapping with these filters, on a function that there may not be.
func (s *filterStand) filterMapping(function string, patterns ...string) (*lambda.CreateEventSourceMappingOutput, error) {
	in := &lambda.CreateEventSourceMappingInput{EventSourceArn: s.stream, FunctionName: &function, StartingPosition: lambdatypes.EventSourcePositionTrimHorizon,
		FilterCriteria: &lambdatypes.FilterCriteria{}}
	for _, p := range patterns {
		in.FilterCriteria.Filters = append(in.FilterCriteria.Filters, lambdatypes.Filter{Pattern: &p})
	}
	return s.lambda.CreateEventSourceMapping(s.Context(), in)
}

// delivered gives the records that pass these filters, in the order of the stream.
func (s *filterStand) delivered(t *testing.T, patterns ...string) []string {
	t.Helper()
	s.mappings++
	var mu sync.Mutex
	var got []string
	function := fmt.Sprint("filtered-", s.mappings)
	_, err := s.stack.Register("us-east-1", function, time.Minute, func(_ context.Context, i local.Invocation) ([]byte, error) {
		var e struct {
			Records []struct {
				EventName string
				DynamoDB  struct {
					Keys struct{ ID struct{ S string } }
				}
			}
		}
		err := json.Unmarshal(i.Payload, &e)
		mu.Lock()
		defer mu.Unlock()
		for _, r := range e.Records {
			got = append(got, r.EventName+" "+r.DynamoDB.Keys.ID.S)
		}
		return []byte("{}"), err
	})
	s.must(err)
	made, err := s.filterMapping(function, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), functionPatience)
	defer cancel()
	s.must(s.stack.AwaitCaughtUp(ctx, "us-east-1", "orders"))
	_, err = s.lambda.DeleteEventSourceMapping(t.Context(), &lambda.DeleteEventSourceMappingInput{UUID: made.UUID})
	s.must(err)
	mu.Lock()
	defer mu.Unlock()
	// Records of different items are in different orders where the stream has several shards.
	slices.SortFunc(got, func(a, b string) int { return slices.Index(filterRecords, a) - slices.Index(filterRecords, b) })
	return got
}

// filterNew is a pattern for an attribute of the new image.
func filterNew(attribute, entries string) string {
	return `{"dynamodb":{"NewImage":{"` + attribute + `":` + entries + `}}}`
}

// TestFilterGrammar holds each form of a filter against the records: which ones it delivers.
func TestFilterGrammar(t *testing.T) {
	s := newFilterStand(t)
	created := fmt.Sprint(functionBegan.Unix())
	later := fmt.Sprint(functionBegan.Add(time.Hour).Unix())
	numeric := func(entries string) string {
		return `{"dynamodb":{"ApproximateCreationDateTime":[` + entries + `]}}`
	}
	all, none, inserts := strings.Join(filterRecords, ", "), "", "INSERT a, INSERT b, INSERT c"
	for _, row := range []struct{ name, pattern, want string }{
		{"no condition", `{}`, all},
		{"exact: a text", `{"eventName":["MODIFY"]}`, "MODIFY a"},
		{"exact: one of several", `{"eventName":["MODIFY","REMOVE"]}`, "MODIFY a, REMOVE b, REMOVE c"},
		{"exact: case counts", `{"eventName":["modify"]}`, none},
		{"exact: no part of a text", filterNew("city", `{"S":["Bon"]}`), none},
		{"exact: true", filterNew("paid", `{"BOOL":[true]}`), "INSERT a"},
		{"exact: false", filterNew("paid", `{"BOOL":[false]}`), "INSERT b"},
		{"exact: true is no text", filterNew("paid", `{"BOOL":["true"]}`), none},
		{"exact: the empty text", filterNew("empty", `{"S":[""]}`), "INSERT a"},
		{"exact: null is not what is missing", filterNew("empty", `{"S":[null]}`), none},
		{"exact: a number", numeric(created), inserts},
		{"exact: a number written otherwise", numeric(created + ".0"), inserts},
		{"exact: another number", numeric("1"), none},
		{"exact: a text is no number", numeric(`"` + created + `"`), none},
		{"prefix", filterNew("city", `{"S":[{"prefix":"B"}]}`), "INSERT a, INSERT c"},
		{"prefix: of nothing", filterNew("city", `{"S":[{"prefix":"X"}]}`), none},
		{"prefix: of texts alone", numeric(`{"prefix":"1"}`), none},
		{"suffix", filterNew("file", `{"S":[{"suffix":".png"}]}`), "INSERT b"},
		{"suffix: of nothing", filterNew("file", `{"S":[{"suffix":".jpg"}]}`), none},
		{"equals-ignore-case", filterNew("city", `{"S":[{"equals-ignore-case":"BONN"}]}`), "INSERT a, INSERT b"},
		{"equals-ignore-case: another text", filterNew("city", `{"S":[{"equals-ignore-case":"BON"}]}`), none},
		{"prefix of equals-ignore-case", filterNew("city", `{"S":[{"prefix":{"equals-ignore-case":"bo"}}]}`), "INSERT a, INSERT b"},
		{"prefix of equals-ignore-case: another", filterNew("city", `{"S":[{"prefix":{"equals-ignore-case":"on"}}]}`), none},
		{"suffix of equals-ignore-case", filterNew("file", `{"S":[{"suffix":{"equals-ignore-case":".pNg"}}]}`), "INSERT a, INSERT b"},
		{"suffix of equals-ignore-case: another", filterNew("file", `{"S":[{"suffix":{"equals-ignore-case":".jpg"}}]}`), none},
		{"anything-but: a text", filterNew("city", `{"S":[{"anything-but":"Bonn"}]}`), "INSERT b, INSERT c, MODIFY a"},
		{"anything-but: a list", filterNew("city", `{"S":[{"anything-but":["Bonn","bonn"]}]}`), "INSERT c, MODIFY a"},
		{"anything-but: a number", numeric(`{"anything-but":` + created + `}`), "MODIFY a, REMOVE b, REMOVE c"},
		{"anything-but: a list of numbers", numeric(`{"anything-but":[1,` + created + `]}`), "MODIFY a, REMOVE b, REMOVE c"},
		{"anything-but: another type passes", filterNew("paid", `{"BOOL":[{"anything-but":"true"}]}`), "INSERT a, INSERT b"},
		{"anything-but: the field must be there", filterNew("file", `{"S":[{"anything-but":"x"}]}`), "INSERT a, INSERT b"},
		{"numeric: =", numeric(`{"numeric":["=",` + created + `]}`), inserts},
		{"numeric: >", numeric(`{"numeric":[">",` + created + `]}`), "MODIFY a, REMOVE b, REMOVE c"},
		{"numeric: >=", numeric(`{"numeric":[">=",` + created + `]}`), all},
		{"numeric: <", numeric(`{"numeric":["<",` + created + `]}`), none},
		{"numeric: <=", numeric(`{"numeric":["<=",` + created + `]}`), inserts},
		{"numeric: a range", numeric(`{"numeric":[">=",` + created + `,"<",` + later + `]}`), "INSERT a, INSERT b, INSERT c, MODIFY a, REMOVE b"},
		{"numeric: the numbers of items are texts", filterNew("total", `{"N":[{"numeric":[">",100]}]}`), none},
		{"numeric: a number of an item as it is written", filterNew("total", `{"N":["101"]}`), "INSERT b"},
		{"numeric: a number of an item is no number", filterNew("total", `{"N":[101]}`), none},
		{"exists: true", filterNew("file", `{"S":[{"exists":true}]}`), "INSERT a, INSERT b"},
		{"exists: false", filterNew("city", `{"S":[{"exists":false}]}`), "REMOVE b, REMOVE c"},
		{"exists: true above a leaf", filterNew("city", `[{"exists":true}]`), none},
		{"exists: false above a leaf", filterNew("city", `[{"exists":false}]`), all},
		{"$or", `{"$or":[{"eventName":["MODIFY"]},{"dynamodb":{"NewImage":{"city":{"S":["Bonn"]}}}}]}`, "INSERT a, MODIFY a"},
		{"$or: neither", `{"$or":[{"eventName":["X"]},{"eventName":["Y"]}]}`, none},
		{"$or: beside another field", `{"$or":[{"eventName":["MODIFY"]},{"eventName":["INSERT"]}],"dynamodb":{"Keys":{"id":{"S":["a"]}}}}`, "INSERT a, MODIFY a"},
		{"$or: below a field", `{"dynamodb":{"NewImage":{"$or":[{"city":{"S":["Bonn"]}},{"file":{"S":["photo.png"]}}]}}}`, "INSERT a, INSERT b"},
		{"$or: of one is a field's name", `{"$or":["a"]}`, none},
		{"fields of an object are all asked", `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"city":{"S":["Bonn"]},"paid":{"BOOL":[true]}}}}`, "INSERT a"},
		{"fields of an object: one does not match", `{"eventName":["REMOVE"],"dynamodb":{"NewImage":{"city":{"S":["Bonn"]}}}}`, none},
		{"a field twice: the last one counts", `{"eventName":["INSERT"],"eventName":["MODIFY"]}`, "MODIFY a"},
		{"a name with dots is a path", `{"dynamodb.NewImage.city.S":["Bonn"]}`, "INSERT a"},
		{"a name with dots in part", `{"dynamodb":{"NewImage.home.M":{"city.S":["Bonn"]}}}`, "INSERT a"},
		{"a list: any element", filterNew("tags", `{"SS":["y"]}`), "INSERT a"},
		{"a list: no element", filterNew("tags", `{"SS":["z"]}`), none},
		{"a list of objects: any element", filterNew("parts", `{"L":{"S":["wheel"]}}`), "INSERT b"},
		{"an empty list has no leaf", filterNew("parts", `{"L":[{"exists":true}]}`), none},
		{"an empty list is not null", filterNew("parts", `{"L":[null]}`), none},
		{"the whole record: eventSource", `{"eventSource":["aws:dynamodb"]}`, all},
		{"the whole record: another eventSource", `{"eventSource":["aws:kinesis"]}`, none},
		{"the whole record: an expiry", `{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}`, "REMOVE c"},
		{"the whole record: no expiry", `{"eventName":["REMOVE"],"userIdentity":{"type":[{"exists":false}]}}`, "REMOVE b"},
		{"the old image", `{"dynamodb":{"OldImage":{"city":{"S":["Bonn"]}}}}`, "MODIFY a"},
		{"the keys", `{"dynamodb":{"Keys":{"id":{"S":["b"]}}}}`, "INSERT b, REMOVE b"},
		{"an unknown field", `{"colour":["red"]}`, none},
		{"4096 characters", filterNew("city", `{"S":["Bonn","`+strings.Repeat("x", 4096-len(filterNew("city", `{"S":["Bonn",""]}`)))+`"]}`), "INSERT a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := strings.Join(s.delivered(t, row.pattern), ", "); got != row.want {
				t.Errorf("%s delivers %q, want %q", row.pattern, got, row.want)
			}
		})
	}
}

// TestFilterRefusals are patterns that a mapping is refused with, in AWS's words.
func TestFilterRefusals(t *testing.T) {
	s := newFilterStand(t)
	_, err := s.stack.Register("us-east-1", functionName, time.Minute, func(context.Context, local.Invocation) ([]byte, error) { return []byte("{}"), nil })
	s.must(err)
	made, err := s.filterMapping(functionName)
	s.must(err)
	for _, row := range []struct{ name, pattern string }{
		{"no JSON", `{"eventName"`},
		{"no text at all", ``},
		{"no object", `["INSERT"]`},
		{"more after the object", `{"eventName":["INSERT"]} {}`},
		{"exact: a value without a list", `{"eventName":"INSERT"}`},
		{"exact: an empty list", `{"eventName":[]}`},
		{"exact: a list in a list", `{"eventName":[["INSERT"]]}`},
		{"an empty object", `{"dynamodb":{}}`},
		{"prefix: a number", filterNew("city", `{"S":[{"prefix":1}]}`)},
		{"suffix: a list", filterNew("city", `{"S":[{"suffix":["a"]}]}`)},
		{"equals-ignore-case: a number", filterNew("city", `{"S":[{"equals-ignore-case":1}]}`)},
		{"equals-ignore-case: a list", filterNew("city", `{"S":[{"equals-ignore-case":["a"]}]}`)},
		{"prefix of another operator", filterNew("city", `{"S":[{"prefix":{"suffix":"a"}}]}`)},
		{"suffix of equals-ignore-case of a number", filterNew("city", `{"S":[{"suffix":{"equals-ignore-case":1}}]}`)},
		{"anything-but: texts and numbers", filterNew("city", `{"S":[{"anything-but":["a",1]}]}`)},
		{"anything-but: null", filterNew("city", `{"S":[{"anything-but":null}]}`)},
		{"anything-but: an empty list", filterNew("city", `{"S":[{"anything-but":[]}]}`)},
		{"numeric: a text", filterNew("total", `{"N":[{"numeric":[">","100"]}]}`)},
		{"numeric: two lower bounds", filterNew("total", `{"N":[{"numeric":[">",1,">=",2]}]}`)},
		{"numeric: = in a range", filterNew("total", `{"N":[{"numeric":["=",1,"<",2]}]}`)},
		{"numeric: an unknown comparison", filterNew("total", `{"N":[{"numeric":["!=",1]}]}`)},
		{"numeric: no list", filterNew("total", `{"N":[{"numeric":1}]}`)},
		{"an operator in another case", filterNew("total", `{"N":[{"Numeric":[">",1]}]}`)},
		{"exists: a text", filterNew("city", `{"S":[{"exists":"true"}]}`)},
		{"two operators in one object", filterNew("city", `{"S":[{"prefix":"a","suffix":"b"}]}`)},
		{"$or: a text among the objects", `{"$or":[{"eventName":["INSERT"]},"a"]}`},
		{"$or: of one object is a field's name", `{"$or":[{"eventName":["INSERT"]}]}`},
		{"wildcard", filterNew("city", `{"S":[{"wildcard":"B*"}]}`)},
		{"cidr", filterNew("city", `{"S":[{"cidr":"10.0.0.0/24"}]}`)},
		{"anything-but of prefix", filterNew("city", `{"S":[{"anything-but":{"prefix":"B"}}]}`)},
		{"anything-but of suffix", filterNew("city", `{"S":[{"anything-but":{"suffix":"n"}}]}`)},
		{"anything-but of wildcard", filterNew("city", `{"S":[{"anything-but":{"wildcard":"B*"}}]}`)},
		{"anything-but of equals-ignore-case", filterNew("city", `{"S":[{"anything-but":{"equals-ignore-case":"bonn"}}]}`)},
	} {
		t.Run(row.name, func(t *testing.T) {
			const words = "Invalid filter pattern definition."
			_, err := s.filterMapping(functionName, `{}`, row.pattern)
			s.refused(t, err, 400, "InvalidParameterValueException", words)
			_, err = s.lambda.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: made.UUID,
				FilterCriteria: &lambdatypes.FilterCriteria{Filters: []lambdatypes.Filter{{Pattern: &row.pattern}}}})
			s.refused(t, err, 400, "InvalidParameterValueException", words)
		})
	}
	t.Run("more than 4096 characters", func(t *testing.T) {
		pattern := filterNew("city", `{"S":["`+strings.Repeat("x", 4097-len(filterNew("city", `{"S":[""]}`)))+`"]}`)
		_, err := s.filterMapping(functionName, pattern)
		s.refused(t, err, 400, "ValidationException", "at 'filterCriteria.filters.1.member.pattern' failed to satisfy constraint: Member must have length less than or equal to 4096")
	})
	t.Run("eleven filters", func(t *testing.T) {
		_, err := s.filterMapping(functionName, slices.Repeat([]string{`{}`}, 11)...)
		s.refused(t, err, 400, "InvalidParameterValueException", "A mapping has at most 10 filters.")
	})
}

// TestFilterCriteria is what several filters do together.
func TestFilterCriteria(t *testing.T) {
	s := newFilterStand(t)
	never := `{"eventName":["NEVER"]}`
	for _, row := range []struct {
		name     string
		patterns []string
		want     string
	}{
		{"no filter", nil, strings.Join(filterRecords, ", ")},
		{"one of several", []string{`{"eventName":["MODIFY"]}`, `{"dynamodb":{"Keys":{"id":{"S":["b"]}}}}`}, "INSERT b, MODIFY a, REMOVE b"},
		{"none of several", []string{never, `{"eventSource":["aws:kinesis"]}`}, ""},
		{"five filters", append(slices.Repeat([]string{never}, 4), `{"eventName":["MODIFY"]}`), "MODIFY a"},
		{"ten filters", append(slices.Repeat([]string{never}, 9), `{"eventName":["MODIFY"]}`), "MODIFY a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := strings.Join(s.delivered(t, row.patterns...), ", "); got != row.want {
				t.Errorf("delivered are %q, want %q", got, row.want)
			}
		})
	}
}
