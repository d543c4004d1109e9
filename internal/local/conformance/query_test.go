package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestPages reads by pages: of a limit, of 1 MB, forwards and backwards, with a filter that hides some items, and counting only.
func TestPages(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	for i := range 25 { // 100 KB each: ten reach 1 MB, and the eleventh exceeds it
		_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: item{"id": str("a"), "sort": num(fmt.Sprint(i)), "even": num(fmt.Sprint(i % 2)), "v": str(strings.Repeat("v", 100<<10))}})
		must(t, err)
	}
	for name, c := range map[string]struct {
		in    dynamodb.QueryInput
		pages []int32 // the scanned items of each
		found int32
	}{
		"1 MB":      {dynamodb.QueryInput{}, []int32{11, 11, 3}, 25},
		"backwards": {dynamodb.QueryInput{ScanIndexForward: aws.Bool(false)}, []int32{11, 11, 3}, 25},
		"a limit":   {dynamodb.QueryInput{Limit: aws.Int32(8)}, []int32{8, 8, 8, 1}, 25},
		"even":      {dynamodb.QueryInput{Limit: aws.Int32(10), FilterExpression: aws.String("even = :zero")}, []int32{10, 10, 5}, 13},
		"counted":   {dynamodb.QueryInput{Select: ddb.SelectCount}, []int32{11, 11, 3}, 25},
		"part":      {dynamodb.QueryInput{ProjectionExpression: aws.String("sort")}, []int32{11, 11, 3}, 25},
	} {
		c.in.TableName, c.in.KeyConditionExpression = d.table, aws.String("id = :a")
		c.in.ExpressionAttributeValues = item{":a": str("a")}
		if c.in.FilterExpression != nil {
			c.in.ExpressionAttributeValues[":zero"] = num("0")
		}
		var pages []int32
		var found int32
		var read []item
		for p := dynamodb.NewQueryPaginator(d, &c.in); p.HasMorePages(); {
			page, err := p.NextPage(t.Context())
			must(t, err)
			pages, found, read = append(pages, page.ScannedCount), found+page.Count, append(read, page.Items...)
		}
		if !slices.Equal(pages, c.pages) || found != c.found {
			t.Errorf("%s: pages of %v with %d items, want %v with %d", name, pages, found, c.pages, c.found)
		}
		if name == "counted" {
			if len(read) != 0 {
				t.Errorf("counted: %d items", len(read))
			}
			continue
		}
		var want []string
		for i := range 25 {
			if name != "even" || i%2 == 0 {
				want = append(want, fmt.Sprint(i))
			}
		}
		if name == "backwards" {
			slices.Reverse(want)
		}
		if got := values(read, "sort"); got != strings.Join(want, " ") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestSegments scans a table in segments, each item in one of them.
func TestSegments(t *testing.T) {
	d := newDatabase(t, "id:S")
	var all []string
	for i := range 60 {
		all = append(all, fmt.Sprintf("item-%02d", i))
		d.put(fmt.Sprintf(`{"id":{"S":%q}}`, all[i]))
	}
	for _, segments := range []int32{1, 2, 7} {
		var got []string
		for segment := range segments {
			for p := dynamodb.NewScanPaginator(d, &dynamodb.ScanInput{TableName: d.table, Segment: &segment, TotalSegments: &segments, Limit: aws.Int32(5)}); p.HasMorePages(); {
				page, err := p.NextPage(t.Context())
				must(t, err)
				got = append(got, strings.Fields(values(page.Items, "id"))...)
			}
		}
		if slices.Sort(got); !slices.Equal(got, all) {
			t.Errorf("%d segments: %v", segments, got)
		}
	}
}

// TestIndexes reads local and global indexes, also of keys of several attributes, while their items come, change and go.
func TestIndexes(t *testing.T) {
	d := newDatabase(t, "id:S sort:N; local byscore score:N; global byteam team:S score:N; global bymatch league:S+season:N round:N+team:S")
	game := func(sort, score int, team, more string) string {
		return fmt.Sprintf(`{"id":{"S":"a"},"sort":{"N":"%d"},"score":{"N":"%d"},"team":{"S":%q}%s}`, sort, score, team, more)
	}
	match := func(round int) string {
		return fmt.Sprintf(`,"league":{"S":"north"},"season":{"N":"1"},"round":{"N":"%d"}`, round)
	}
	d.put(game(1, 30, "red", match(2)), game(2, 10, "blue", match(1)), game(3, 20, "red", match(2)), game(4, 40, "red", `,"league":{"S":"north"}`), `{"id":{"S":"a"},"sort":{"N":"5"}}`)
	given := item{":a": str("a"), ":red": str("red"), ":blue": str("blue"), ":20": num("20"), ":1": num("1"), ":2": num("2"), ":north": str("north")}
	query := func(index, condition, want string) {
		t.Helper()
		named := item{}
		for _, token := range placeholder.FindAllString(condition, -1) {
			named[token] = given[token]
		}
		eventually(t, index+" is up to date: "+condition, func() bool { // on AWS global indexes follow the table
			out, err := d.Query(t.Context(), &dynamodb.QueryInput{TableName: d.table, IndexName: &index, KeyConditionExpression: &condition, ExpressionAttributeValues: named})
			must(t, err)
			return values(out.Items, "sort") == want
		})
	}
	query("byscore", "id = :a", "2 3 1 4")
	query("byscore", "id = :a AND score > :20", "1 4")
	query("byteam", "team = :red", "3 1 4")
	query("byteam", "team = :red AND score BETWEEN :2 AND :20", "3")
	query("bymatch", "league = :north AND season = :1", "2 1 3")
	query("bymatch", "league = :north AND season = :1 AND round = :2", "1 3")
	query("bymatch", "league = :north AND season = :1 AND round = :2 AND team = :red", "1 3")
	query("bymatch", "league = :north AND season = :1 AND round < :2", "2")

	must(t, d.transact(ddb.TransactWriteItem{Update: &ddb.Update{TableName: d.table, Key: itemOf(t, `{"id":{"S":"a"},"sort":{"N":"1"}}`),
		UpdateExpression: aws.String("SET team = :blue REMOVE score"), ExpressionAttributeValues: item{":blue": str("blue")}}}))
	query("byscore", "id = :a", "2 3 4")
	query("byteam", "team = :blue", "2") // an item without one of the key's attributes is not in the index
	query("byteam", "team = :red", "3 4")
	query("bymatch", "league = :north AND season = :1 AND round = :2 AND team = :blue", "1")
	_, err := d.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: d.table, Key: itemOf(t, `{"id":{"S":"a"},"sort":{"N":"3"}}`)})
	must(t, err)
	query("byteam", "team = :red", "4")
	query("byscore", "id = :a AND score > :2", "2 4")

	scanned, err := d.Scan(t.Context(), &dynamodb.ScanInput{TableName: d.table, IndexName: aws.String("bymatch")})
	must(t, err)
	if scanned.Count != 2 {
		t.Errorf("a scan of bymatch: %d items", scanned.Count)
	}
	consistent, err := d.Query(t.Context(), &dynamodb.QueryInput{TableName: d.table, IndexName: aws.String("byscore"), ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("id = :a"), ExpressionAttributeValues: item{":a": str("a")}, Limit: aws.Int32(1)})
	must(t, err)
	d.want("where the page ended", jsonOf(t, consistent.LastEvaluatedKey), `{"id":{"S":"a"},"sort":{"N":"2"},"score":{"N":"10"}}`)
}

// TestRefusedReads has what is wrong with a query or scan named as the service does.
func TestRefusedReads(t *testing.T) {
	d := newDatabase(t, "id:S sort:N; global byteam team:S")
	id := func(in dynamodb.QueryInput) dynamodb.QueryInput {
		in.KeyConditionExpression, in.ExpressionAttributeValues = aws.String("id = :a"), item{":a": str("a")}
		return in
	}
	key := func(condition string) dynamodb.QueryInput {
		all := item{":a": str("a"), ":1": num("1")}
		named := item{}
		for _, token := range placeholder.FindAllString(condition, -1) {
			named[token] = all[token]
		}
		return dynamodb.QueryInput{KeyConditionExpression: &condition, ExpressionAttributeValues: named}
	}
	for name, c := range map[string]struct {
		in      dynamodb.QueryInput
		message string
	}{
		"no condition":        {dynamodb.QueryInput{}, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		"no hash key":         {key("sort = :1"), "Query condition missed key schema element: id"},
		"not a key":           {key("id = :a AND v = :1"), "Query condition missed key schema element: sort"},
		"a range of hashes":   {key("id > :a"), "Query key condition not supported"},
		"OR":                  {key("id = :a OR sort = :1"), "Invalid operator used in KeyConditionExpression: OR"},
		"NOT":                 {key("NOT id = :a"), "Invalid operator used in KeyConditionExpression: NOT"},
		"contains":            {key("contains(id, :a)"), "Invalid operator used in KeyConditionExpression: contains"},
		"another type":        {key("id = :1"), "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		"a prefix of numbers": {key("id = :a AND begins_with(sort, :1)"), "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		"a filter of keys":    {id(dynamodb.QueryInput{FilterExpression: aws.String("sort = :a")}), "Filter Expression can only contain non-primary key attributes: Primary key attribute: sort"},
		"an absent index":     {id(dynamodb.QueryInput{IndexName: aws.String("absent")}), "The table does not have the specified index: absent"},
		"a consistent index": {dynamodb.QueryInput{IndexName: aws.String("byteam"), ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("team = :a"),
			ExpressionAttributeValues: item{":a": str("a")}}, "Consistent reads are not supported on global secondary indexes"},
		"a limit of 0":      {id(dynamodb.QueryInput{Limit: aws.Int32(0)}), "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"a start elsewhere": {id(dynamodb.QueryInput{ExclusiveStartKey: itemOf(t, `{"id":{"S":"b"},"sort":{"N":"1"}}`)}), "The provided starting key is outside query boundaries based on provided conditions"},
		"half a start":      {id(dynamodb.QueryInput{ExclusiveStartKey: itemOf(t, `{"id":{"S":"a"}}`)}), "The provided starting key is invalid"},
		"a count of parts":  {id(dynamodb.QueryInput{Select: ddb.SelectCount, ProjectionExpression: aws.String("v")}), "Cannot specify the ProjectionExpression when choosing to get only the Count"},
		"both languages":    {id(dynamodb.QueryInput{AttributesToGet: []string{"v"}}), "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {KeyConditionExpression}"},
	} {
		c.in.TableName = d.table
		if _, err := d.Query(t.Context(), &c.in); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			wantCode(t, err, "ValidationException", c.message)
		}
	}
	for message, in := range map[string]dynamodb.ScanInput{
		"The Segment parameter is required but was not present in the request when parameter TotalSegments is present":                    {TotalSegments: aws.Int32(2)},
		"The TotalSegments parameter is required but was not present in the request when Segment parameter is present":                    {Segment: aws.Int32(0)},
		"The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2": {Segment: aws.Int32(2), TotalSegments: aws.Int32(2)},
		"Value '1000001' at 'totalSegments' failed to satisfy constraint: Member must have value less than or equal to 1000000":           {Segment: aws.Int32(0), TotalSegments: aws.Int32(1000001)},
		"The provided starting key is invalid": {ExclusiveStartKey: item{"id": str("a")}},
	} {
		in.TableName = d.table
		_, err := d.Scan(t.Context(), &in)
		wantCode(t, err, "ValidationException", message)
	}
}

// TestProjectionsOfIndexes reads what each kind of projection has of an item.
func TestProjectionsOfIndexes(t *testing.T) {
	in := tableOf("id:S sort:N; global keys team:S; global some team:S; global all team:S; local mine score:N")
	in.GlobalSecondaryIndexes[0].Projection = &ddb.Projection{ProjectionType: ddb.ProjectionTypeKeysOnly}
	in.GlobalSecondaryIndexes[1].Projection = &ddb.Projection{ProjectionType: ddb.ProjectionTypeInclude, NonKeyAttributes: []string{"note"}}
	in.LocalSecondaryIndexes[0].Projection = &ddb.Projection{ProjectionType: ddb.ProjectionTypeKeysOnly}
	d := newDatabaseOf(t, endpoint(t), in)
	const keys, whole = `"id":{"S":"a"},"sort":{"N":"1"},"team":{"S":"red"}`, `"note":{"S":"x"},"more":{"M":{"k":{"S":"v"}}},"score":{"N":"7"}`
	d.put("{" + keys + "," + whole + "}")
	for name, want := range map[string]string{"keys": "{" + keys + "}", "some": "{" + keys + `,"note":{"S":"x"}}`, "all": "{" + keys + "," + whole + "}",
		"mine": `{"id":{"S":"a"},"sort":{"N":"1"},"score":{"N":"7"}}`} {
		eventually(t, name+" has the item", func() bool {
			out, err := d.Scan(t.Context(), &dynamodb.ScanInput{TableName: d.table, IndexName: &name})
			must(t, err)
			if len(out.Items) == 1 {
				d.want(name, jsonOf(t, out.Items[0]), want)
			}
			return len(out.Items) == 1
		})
	}
	// A local index fetches from the table what it does not have; a global one cannot.
	query := dynamodb.QueryInput{TableName: d.table, IndexName: aws.String("mine"), Select: ddb.SelectAllAttributes, KeyConditionExpression: aws.String("id = :a"),
		ExpressionAttributeValues: item{":a": str("a")}, ReturnConsumedCapacity: ddb.ReturnConsumedCapacityIndexes}
	out, err := d.Query(t.Context(), &query)
	must(t, err)
	d.want("all attributes of mine", jsonOf(t, out.Items[0]), "{"+keys+","+whole+"}")
	if c := out.ConsumedCapacity; *c.CapacityUnits != 1 || *c.Table.CapacityUnits != 0.5 || *c.LocalSecondaryIndexes["mine"].CapacityUnits != 0.5 {
		t.Errorf("all attributes of mine took %s", capacityText(c))
	}
	query.IndexName, query.KeyConditionExpression = aws.String("some"), aws.String("team = :a")
	_, err = d.Query(t.Context(), &query)
	wantCode(t, err, "ValidationException", "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index some because its projection type is not ALL")
}
