package dynamodb_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// indexedTable is "games" (pk S, sk N): a local index of keys only, two global ones, and one whose key has five attributes.
func indexedTable() *dynamodb.CreateTableInput {
	element := func(name string, role types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: role}
	}
	keysOnly := &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	all := &types.Projection{ProjectionType: types.ProjectionTypeAll}
	return &dynamodb.CreateTableInput{
		TableName: aws.String("games"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			definition("pk", "S"), definition("sk", "N"), definition("team", "S"), definition("score", "N"), definition("round", "S"),
		},
		KeySchema:             keys("pk", "sk"),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{IndexName: aws.String("local"), KeySchema: keys("pk", "score"), Projection: keysOnly}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String("whole"), KeySchema: keys("team"), Projection: all},
			{IndexName: aws.String("part"), KeySchema: keys("team", "score"), Projection: &types.Projection{
				ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"note"}}},
			{IndexName: aws.String("multi"), Projection: all, KeySchema: []types.KeySchemaElement{
				element("team", types.KeyTypeHash), element("pk", types.KeyTypeHash),
				element("round", types.KeyTypeRange), element("score", types.KeyTypeRange), element("sk", types.KeyTypeRange),
			}},
		},
	}
}

func newIndexedTable(t *testing.T) *stack {
	t.Helper()
	s := newStack(t)
	if _, err := s.CreateTable(t.Context(), indexedTable()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stack) putGame(t *testing.T, it item) {
	t.Helper()
	if _, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("games"), Item: it}); err != nil {
		t.Fatal(err)
	}
}

// game is an item of "games": rounds are "r0" to "r2", scores 0 to 9.
func game(n int) item {
	return item{
		"pk": str(fmt.Sprintf("p%d", n%3)), "sk": num(fmt.Sprint(n)), "team": str(fmt.Sprintf("t%d", n%2)), "score": num(fmt.Sprint(n * 7 % 10)),
		"round": str(fmt.Sprintf("r%d", n%3)), "note": str("n"), "big": &types.AttributeValueMemberM{Value: item{"list": &types.AttributeValueMemberL{
			Value: []types.AttributeValue{num("1"), num("2")}}, "text": str("x")}},
	}
}

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	default:
		return fmt.Sprint(v)
	}
}

// sortKeys joins those of all items.
func sortKeys(items []map[string]types.AttributeValue) string {
	var all []string
	for _, it := range items {
		all = append(all, text(it["sk"]))
	}
	return strings.Join(all, " ")
}

func attributeNames(it item) string {
	var all []string
	for name := range it {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestReadsOfIndexes(t *testing.T) {
	s := newIndexedTable(t)
	for n := range 12 {
		s.putGame(t, game(n))
	}
	s.putGame(t, item{"pk": str("p0"), "sk": num("100"), "team": str("t0")}) // in "whole" alone
	team := item{":t": str("t0")}
	pk := item{":p": str("p0")}
	for _, c := range []struct {
		what       string
		query      dynamodb.QueryInput
		sks        string
		attributes string // of the first item
	}{
		{"the local index holds keys", dynamodb.QueryInput{IndexName: aws.String("local"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: pk}, "0 3 6 9", "pk score sk"},
		{"the local index can be read consistently and backward", dynamodb.QueryInput{IndexName: aws.String("local"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: pk,
			ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false)}, "9 6 3 0", "pk score sk"},
		{"all attributes of a local index come from the table", dynamodb.QueryInput{IndexName: aws.String("local"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: pk,
			Select: types.SelectAllAttributes}, "0 3 6 9", "big note pk round score sk team"},
		{"so do those of a projection", dynamodb.QueryInput{IndexName: aws.String("local"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: pk,
			ProjectionExpression: aws.String("sk, note")}, "0 3 6 9", "note sk"},
		{"an index that projects all", dynamodb.QueryInput{IndexName: aws.String("whole"), KeyConditionExpression: aws.String("team = :t"), ExpressionAttributeValues: team,
			FilterExpression: aws.String("attribute_not_exists(score)")}, "100", "pk sk team"},
		{"an index that projects a part", dynamodb.QueryInput{IndexName: aws.String("part"), KeyConditionExpression: aws.String("team = :t AND score > :s"),
			ExpressionAttributeValues: item{":t": str("t0"), ":s": num("5")}}, "8 4", "note pk score sk team"},
		{"projected attributes are the default", dynamodb.QueryInput{IndexName: aws.String("part"), KeyConditionExpression: aws.String("team = :t AND score = :s"),
			ExpressionAttributeValues: item{":t": str("t0"), ":s": num("8")}, Select: types.SelectAllProjectedAttributes}, "4", "note pk score sk team"},
		{"a document path", dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p AND sk < :s"), ExpressionAttributeValues: item{":p": str("p0"), ":s": num("1")},
			ProjectionExpression: aws.String("sk, big.#l[1]"), ExpressionAttributeNames: map[string]string{"#l": "list"}}, "0", "big sk"},
		{"all key attributes but the last", dynamodb.QueryInput{IndexName: aws.String("multi"), KeyConditionExpression: aws.String("score >= :s AND team = :t AND round = :r AND pk = :p"),
			ExpressionAttributeValues: item{":t": str("t0"), ":p": str("p0"), ":r": str("r0"), ":s": num("1")}}, "6", "big note pk round score sk team"},
		{"a prefix of the range key's first attribute", dynamodb.QueryInput{IndexName: aws.String("multi"), KeyConditionExpression: aws.String("team = :t AND pk = :p AND begins_with(round, :r)"),
			ExpressionAttributeValues: item{":t": str("t0"), ":p": str("p0"), ":r": str("r")}}, "0 6", "big note pk round score sk team"},
	} {
		c.query.TableName = aws.String("games")
		all := 0
		for _, limit := range []int32{0, 1, 2} {
			if c.query.Limit = nil; limit > 0 {
				c.query.Limit = &limit
			}
			var items []map[string]types.AttributeValue
			for p := dynamodb.NewQueryPaginator(s, &c.query); p.HasMorePages(); {
				page, err := p.NextPage(t.Context())
				if err != nil {
					t.Fatalf("%s: %v", c.what, err)
				}
				items = append(items, page.Items...)
				all++
			}
			if got := sortKeys(items); got != c.sks {
				t.Errorf("%s, limit %d: sk %s, want %s", c.what, limit, got, c.sks)
			} else if got := attributeNames(items[0]); got != c.attributes {
				t.Errorf("%s: attributes %s, want %s", c.what, got, c.attributes)
			}
		}
		if all < 4 {
			t.Errorf("%s: %d pages", c.what, all)
		}
	}
}

func TestFilterCounts(t *testing.T) {
	s := newIndexedTable(t)
	for n := range 12 {
		s.putGame(t, game(n))
	}
	query := &dynamodb.QueryInput{
		TableName: aws.String("games"), KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("score > :s"),
		ExpressionAttributeValues: item{":p": str("p0"), ":s": num("1")}, Limit: aws.Int32(3),
	}
	page, err := s.Query(t.Context(), query)
	if err != nil || page.Count != 1 || page.ScannedCount != 3 || sortKeys(page.Items) != "6" || text(page.LastEvaluatedKey["sk"]) != "6" {
		t.Errorf("%+v, %v", page, err)
	}
	query.ExclusiveStartKey, query.Select = page.LastEvaluatedKey, types.SelectCount
	page, err = s.Query(t.Context(), query)
	if err != nil || page.Count != 1 || page.ScannedCount != 1 || page.Items != nil || page.LastEvaluatedKey != nil {
		t.Errorf("%+v, %v", page, err)
	}
	scan, err := s.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("games"), FilterExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p1")}})
	if err != nil || scan.Count != 4 || scan.ScannedCount != 12 {
		t.Errorf("%+v, %v", scan, err)
	}
}

// A filter of a scan may ask for what the index does not hold: no item has it.
func TestScanOfIndex(t *testing.T) {
	s := newIndexedTable(t)
	for n := range 12 {
		s.putGame(t, game(n))
	}
	page, err := s.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("games"), IndexName: aws.String("part"), FilterExpression: aws.String("attribute_exists(big) OR sk = :n"),
		ExpressionAttributeValues: item{":n": num("3")}})
	if err != nil || page.ScannedCount != 12 || sortKeys(page.Items) != "3" {
		t.Errorf("%+v, %v", page, err)
	}
}

// Each item is in one segment of a scan, whatever the page size, of the table and of an index.
func TestParallelScan(t *testing.T) {
	s := newIndexedTable(t)
	const games = 60
	for n := range games {
		s.putGame(t, item{"pk": str(fmt.Sprint(n)), "sk": num("1"), "team": str(fmt.Sprint("t", n%20))})
	}
	for _, index := range []*string{nil, aws.String("whole")} {
		seen := map[string]int{}
		filled := 0
		for segment := range int32(4) {
			p := dynamodb.NewScanPaginator(s, &dynamodb.ScanInput{TableName: aws.String("games"), IndexName: index, Segment: &segment, TotalSegments: aws.Int32(4), Limit: aws.Int32(3)})
			before := len(seen)
			for p.HasMorePages() {
				page, err := p.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range page.Items {
					seen[text(it["pk"])]++
				}
			}
			if len(seen) > before {
				filled++
			}
		}
		for pk, times := range seen {
			if times != 1 {
				t.Errorf("%s came %d times", pk, times)
			}
		}
		if len(seen) != games || filled < 2 {
			t.Errorf("%d items of %d in %d segments", len(seen), games, filled)
		}
	}
}

// An index that is made later holds the items that are there, and follows them.
func TestLateIndex(t *testing.T) {
	s := newIndexedTable(t)
	for n := range 6 {
		s.putGame(t, game(n))
	}
	create := func(name string) error {
		_, err := s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("games"), AttributeDefinitions: indexedTable().AttributeDefinitions,
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: &name, KeySchema: keys("round", "score"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}}})
		return err
	}
	if err := create("late"); err != nil {
		t.Fatal(err)
	}
	sks := func() string {
		t.Helper()
		page, err := s.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("games"), IndexName: aws.String("late"), KeyConditionExpression: aws.String("round = :r"), ExpressionAttributeValues: item{":r": str("r0")}})
		if err != nil {
			t.Fatal(err)
		}
		return sortKeys(page.Items)
	}
	if got := sks(); got != "0 3" {
		t.Errorf("sk %s", got)
	}
	moved := game(3)
	moved["score"] = num("-1")
	s.putGame(t, moved)
	s.putGame(t, game(6))
	if got := sks(); got != "3 0 6" {
		t.Errorf("sk %s", got)
	}
	delete(moved, "round")
	s.putGame(t, moved)
	if got := sks(); got != "0 6" {
		t.Errorf("sk %s", got)
	}
	if _, err := s.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("games"), GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
		{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("late")}}}}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("games"), IndexName: aws.String("late")})
	expectError(t, err, "ValidationException", "The table does not have the specified index: late")
}

// What is wrong with a read, in the words and the order of the service.
func TestRefusedReads(t *testing.T) {
	s := newIndexedTable(t)
	const values = `,"ExpressionAttributeValues":{":p":{"S":"p"},":n":{"N":"2"}}`
	const pk = `"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}}`
	const team = `"KeyConditionExpression":"team = :p","ExpressionAttributeValues":{":p":{"S":"p"}}`
	key := func(condition string) string { return `"KeyConditionExpression":"` + condition + `"` + values }
	multi := func(condition string) string {
		return `"IndexName":"multi","KeyConditionExpression":"` + condition + `","ExpressionAttributeValues":{":s":{"S":"p"},":n":{"N":"2"}}`
	}
	from := func(key string) string { return `,"ExclusiveStartKey":{` + key + `}` }
	const parameters = "One or more parameter values were invalid: "
	const scalars = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
	const badStart = "The provided starting key is invalid"
	const noKey = "The provided key element does not match the schema"
	equality := func(open, last string) string {
		return "RANGE key attributes " + open + " must have equality conditions specified in the query because a condition is present on key attribute " + last
	}
	for _, c := range []struct{ operation, body, message string }{
		// Without a look at the table.
		{"Query", `"Select":"x","IndexName":"a;","ReturnConsumedCapacity":"z","Limit":0`, "5 validation errors detected: " +
			"Value 'x' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]; " +
			"Value 'a;' at 'indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " +
			"Value 'a;' at 'indexName' failed to satisfy constraint: Member must have length greater than or equal to 3; " +
			"Value 'z' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; " +
			"Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"Query", `"ExpressionAttributeNames":{"#a":"a"}`, "ExpressionAttributeNames can only be specified when using expressions"},
		{"Query", `"ProjectionExpression":"a"` + values, "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null"},
		{"Scan", `"ProjectionExpression":"a"` + values, "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
		{"Query", `"ProjectionExpression":""`, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		{"Query", pk + `,"FilterExpression":"name = :p"`, "Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: name"},
		{"Query", pk + `,"ProjectionExpression":""`, "Invalid ProjectionExpression: The expression can not be empty;"},
		{"Query", pk + `,"ProjectionExpression":"a, a.b"`, "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]"},
		{"Query", pk + `,"FilterExpression":"a = a.b","ExpressionAttributeNames":{"#a":"a"}`, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
		{"Scan", `"FilterExpression":"a = :p"` + values, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:n}"},
		{"Query", pk + `,"ProjectionExpression":"a","Select":"COUNT"`, "Cannot specify the ProjectionExpression when choosing to get only the Count"},
		{"Scan", `"ProjectionExpression":"a","Select":"ALL_ATTRIBUTES"`, "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES"},
		{"Scan", `"ProjectionExpression":"a","Select":"ALL_PROJECTED_ATTRIBUTES"`, "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES"},
		{"Query", pk + `,"Select":"SPECIFIC_ATTRIBUTES"`, "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		{"Query", pk + from(`"pk":{"S":"a"},"sk":{"N":"x"}`), "The parameter cannot be converted to a numeric value: x"},
		{"Query", pk + from(`"pk":{"S":"a"},"sk":{}`), badStart + ": Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"Scan", `"Segment":0`, "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"},
		{"Scan", `"TotalSegments":3`, "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"},
		{"Scan", `"Segment":3,"TotalSegments":3`, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 3 is not less than TotalSegments: 3"},
		{"Scan", `"Segment":-1,"TotalSegments":1000001`, "2 validation errors detected: Value '1000001' at 'totalSegments' failed to satisfy constraint: Member must have value less than or equal to 1000000; " +
			"Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater than or equal to 0"},

		// Indexes.
		{"Query", pk + `,"IndexName":"nope","ConsistentRead":true`, "The table does not have the specified index: nope"},
		{"Scan", `"IndexName":"nope"`, "The table does not have the specified index: nope"},
		{"Query", team + `,"IndexName":"whole","ConsistentRead":true`, "Consistent reads are not supported on global secondary indexes"},
		{"Scan", `"IndexName":"whole","ConsistentRead":true`, "Consistent reads are not supported on global secondary indexes"},
		{"Query", team + `,"IndexName":"part","Select":"ALL_ATTRIBUTES"`, parameters + "Select type ALL_ATTRIBUTES is not supported for global secondary index part because its projection type is not ALL"},
		{"Scan", `"IndexName":"part","Select":"ALL_ATTRIBUTES"`, parameters + "Select type ALL_ATTRIBUTES is not supported for global secondary index part because its projection type is not ALL"},
		{"Query", team + `,"IndexName":"part","ProjectionExpression":"note, big.a, round, big.b"`, parameters + "Global secondary index part does not project [big, round]"},
		{"Scan", `"IndexName":"part","ProjectionExpression":"big"`, parameters + "Global secondary index part does not project [big]"},
		{"Query", team + `,"IndexName":"part","FilterExpression":"note = a OR big.x = :p"`, parameters + "Secondary index part does not project one or more filter attributes: [a, big]"},
		{"Query", pk + `,"IndexName":"local","FilterExpression":"note = :p"`, parameters + "Secondary index local does not project one or more filter attributes: [note]"},

		// Key conditions.
		{"Query", `"IndexName":"whole",` + key("team = :p AND pk = :n"), "The number of query conditions (2) exceeds the number of key attributes defined in the schema (1)"},
		{"Query", key("pk = :p AND sk > :n AND a = :n"), "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)"},
		{"Query", key("pk = :p AND sk > :n AND sk < :n"), "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"},
		{"Query", `"IndexName":"part",` + key("pk = :p AND score = :n"), "Query condition missed key schema element: team"},
		{"Query", `"IndexName":"part",` + key("team = :p AND sk = :n"), "Query condition missed key schema element: score"},
		{"Query", `"IndexName":"part",` + key("team = :p AND score = :p AND :n = :n"), "Invalid condition in KeyConditionExpression: No key attribute specified"},
		{"Query", `"IndexName":"part",` + strings.Replace(key("team = :p AND begins_with(score, :p)"), `,":n":{"N":"2"}`, "", 1), parameters + "Condition parameter type does not match schema type"},
		{"Query", multi("team = :s AND round = :s AND score = :n"), "Query condition missed key schema element: pk"},
		{"Query", multi("team = :s AND pk > :s AND score = :n"), "Query key condition not supported"},
		{"Query", multi("team = :s AND pk = :s AND score = :n"), equality("round", "score")},
		{"Query", multi("team = :s AND pk = :s AND sk = :n"), equality("round, score", "sk")},
		{"Query", multi("team = :s AND pk = :s AND begins_with(round, :s) AND score = :n"), equality("round", "score")},
		{"Query", multi("team = :s AND pk = :s AND round = :s AND big = :n"), "Query condition missed key schema element: score"},

		// Filters and projections.
		{"Query", pk + `,"FilterExpression":"a = :p AND sk = :p"`, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		{"Query", team + `,"IndexName":"part","FilterExpression":"score = :p OR team = :p"`, "Filter Expression can only contain non-primary key attributes: Primary key attribute: team"},
		{"Query", pk + `,"FilterExpression":"team.a = :p"`, scalars + "IndexKey: team"},
		{"Query", pk + `,"ProjectionExpression":"sk[0]"`, scalars + "Key: sk"},
		{"Scan", `"FilterExpression":"pk.a = a"`, scalars + "Key: pk"},
		{"Scan", `"ProjectionExpression":"score.a"`, scalars + "IndexKey: score"},

		// Starting keys.
		{"Query", pk + from(`"pk":{"S":"a"}`), badStart},
		{"Query", pk + from(`"pk":{"S":"a"},"sk":{"S":"1"}`), noKey},
		{"Query", pk + from(`"pk":{"S":"q"},"sk":{"N":"1"}`), "The provided starting key is outside query boundaries based on provided conditions"},
		{"Query", key("pk = :p AND sk > :n") + from(`"pk":{"S":"p"},"sk":{"N":"1"}`), "The provided starting key does not match the range key predicate"},
		{"Query", key("pk = :p AND sk > :n") + from(`"pk":{"S":"q"},"sk":{"N":"3"}`), "The query can return at most one row and cannot be restarted"},
		{"Query", team + `,"IndexName":"part"` + from(`"team":{"S":"p"},"score":{"N":"1"}`), badStart},
		{"Query", team + `,"IndexName":"part"` + from(`"team":{"S":"p"},"score":{"N":"1"},"pk":{"S":"a"},"x":{"N":"1"}`), badStart + ": " + noKey},
		{"Query", team + `,"IndexName":"part"` + from(`"team":{"S":"p"},"x":{"N":"1"},"pk":{"S":"a"},"sk":{"N":"1"}`), badStart},
		{"Query", team + `,"IndexName":"part"` + from(`"team":{"S":"p"},"score":{"S":"1"},"pk":{"S":"a"},"sk":{"N":"1"}`), noKey},
		{"Scan", from(`"pk":{"S":"a"}`)[1:], badStart + ": " + noKey},
		{"Scan", from(`"pk":{"S":"a"},"sk":{"S":"1"}`)[1:], badStart + ": " + noKey},
		{"Scan", `"IndexName":"part"` + from(`"pk":{"S":"a"},"sk":{"N":"1"}`), badStart},
		{"Scan", `"Segment":0,"TotalSegments":1000000` + from(`"pk":{"S":"a"},"sk":{"N":"1"}`),
			badStart + ": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 1000000 Segment: 0"},
	} {
		status, answer := s.post(t, c.operation, `{"TableName":"games",`+c.body+`}`)
		want := fmt.Sprintf(`{"__type":"ValidationException","message":%q}`, c.message)
		if status != http.StatusBadRequest || answer != want {
			t.Errorf("%s %.300s\n got %d %s\nwant %s", c.operation, c.body, status, answer, want)
		}
	}
}

// Keys of several attributes are for global indexes, up to four of each role.
func TestRefusedIndexKeys(t *testing.T) {
	s := newStack(t)
	const list = "abcdefghij"
	create := func(kind string, roles string) string {
		var elements, definitions []string
		for i := range list {
			definitions = append(definitions, fmt.Sprintf(`{"AttributeName":"%c","AttributeType":"S"}`, list[i]))
		}
		for i, role := range roles {
			elements = append(elements, fmt.Sprintf(`{"AttributeName":"%c","KeyType":%q}`, list[i], map[rune]string{'h': "HASH", 'r': "RANGE"}[role]))
		}
		return fmt.Sprintf(`{"TableName":"abc","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[%s],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}],
			"%sSecondaryIndexes":[{"IndexName":"index","KeySchema":[%s],"Projection":{"ProjectionType":"ALL"}}]}`, strings.Join(definitions, ","), kind, strings.Join(elements, ","))
	}
	for _, c := range []struct{ kind, roles, message string }{
		{"Global", "rh", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		{"Global", "hrh", "Invalid KeySchema: The HASH key elements of index index do not come before its RANGE key elements"},
		{"Global", "hhhhh", "Invalid KeySchema: Index index has more than 4 HASH key elements or more than 4 RANGE key elements"},
		{"Global", "hrrrrr", "Invalid KeySchema: Index index has more than 4 HASH key elements or more than 4 RANGE key elements"},
		{"Local", "hh", "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"},
		{"Local", "hrr", "Invalid KeySchema: Only a global secondary index has more than two key attributes"},
	} {
		status, answer := s.post(t, "CreateTable", create(c.kind, c.roles))
		want := fmt.Sprintf(`{"__type":"ValidationException","message":%q}`, c.message)
		if status != http.StatusBadRequest || answer != want {
			t.Errorf("%s %s\n got %d %s\nwant %s", c.kind, c.roles, status, answer, want)
		}
	}
}

// A read takes capacity for what it reads, not for what it gives; each item that a local index leaves to the table costs a read.
func TestCapacityOfReads(t *testing.T) {
	s := newIndexedTable(t)
	for n := range 9 {
		s.putGame(t, game(n))
	}
	query := dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p0")}}
	for _, c := range []struct {
		what                        string
		change                      func(*dynamodb.QueryInput)
		total, table, local, global float64
	}{
		{"the table", func(*dynamodb.QueryInput) {}, 0.5, 0.5, 0, 0},
		{"consistently", func(q *dynamodb.QueryInput) { q.ConsistentRead = aws.Bool(true) }, 1, 1, 0, 0},
		{"filtered", func(q *dynamodb.QueryInput) { q.FilterExpression = aws.String("attribute_exists(nothing)") }, 0.5, 0.5, 0, 0},
		{"a local index", func(q *dynamodb.QueryInput) { q.IndexName = aws.String("local") }, 0.5, 0, 0.5, 0},
		{"a local index and three items of the table", func(q *dynamodb.QueryInput) {
			q.IndexName, q.ProjectionExpression = aws.String("local"), aws.String("note")
		}, 2, 1.5, 0.5, 0},
		{"the same consistently", func(q *dynamodb.QueryInput) {
			q.IndexName, q.Select, q.ConsistentRead = aws.String("local"), types.SelectAllAttributes, aws.Bool(true)
		}, 4, 3, 1, 0},
		{"a global index", func(q *dynamodb.QueryInput) {
			q.IndexName, q.KeyConditionExpression = aws.String("whole"), aws.String("team = :p")
		}, 0.5, 0, 0, 0.5},
	} {
		q := query
		q.TableName, q.ReturnConsumedCapacity = aws.String("games"), types.ReturnConsumedCapacityIndexes
		c.change(&q)
		page, err := s.Query(t.Context(), &q)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		units := func(ix map[string]types.Capacity, name string) float64 { return aws.ToFloat64(ix[name].CapacityUnits) }
		took := page.ConsumedCapacity
		if got := []float64{
			*took.CapacityUnits, *took.Table.CapacityUnits, units(took.LocalSecondaryIndexes, "local"), units(took.GlobalSecondaryIndexes, "whole"),
		}; !slices.Equal(got, []float64{c.total, c.table, c.local, c.global}) {
			t.Errorf("%s: %v, want %v %v %v %v", c.what, got, c.total, c.table, c.local, c.global)
		}
	}
}
