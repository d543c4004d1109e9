package dynamodb_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sized is an item of "orders" with so many bytes: 7 are its key's and 1 is the name of its text.
func sized(bytes int) item {
	it := key("a", "1")
	it["v"] = str(strings.Repeat("x", bytes-8))
	return it
}

func TestCapacityOfSizes(t *testing.T) {
	s := newTable(t)
	orders, total := aws.String("orders"), types.ReturnConsumedCapacityTotal
	for _, c := range []struct {
		bytes             int
		write, consistent float64
	}{{1024, 1, 1}, {1025, 2, 1}, {4096, 4, 1}, {4097, 5, 2}, {400 << 10, 400, 100}} {
		put, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: orders, Item: sized(c.bytes), ReturnConsumedCapacity: total})
		if err != nil {
			t.Fatal(err)
		}
		strong, err := s.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: orders, Key: key("a", "1"), ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: total})
		if err != nil {
			t.Fatal(err)
		}
		weak, err := s.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: orders, Key: key("a", "1"), ReturnConsumedCapacity: total, ProjectionExpression: aws.String("pk")})
		if err != nil {
			t.Fatal(err)
		}
		gone, err := s.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: orders, Key: key("a", "1"), ReturnConsumedCapacity: total})
		if err != nil {
			t.Fatal(err)
		}
		for what, got := range map[string]struct {
			capacity *types.ConsumedCapacity
			want     float64
		}{
			"put": {put.ConsumedCapacity, c.write}, "consistent get": {strong.ConsumedCapacity, c.consistent},
			"get": {weak.ConsumedCapacity, c.consistent / 2}, "delete": {gone.ConsumedCapacity, c.write},
		} {
			if units := aws.ToFloat64(got.capacity.CapacityUnits); units != got.want || got.capacity.Table != nil {
				t.Errorf("%s of %d bytes took %v, want %v; table %v", what, c.bytes, units, got.want, got.capacity.Table)
			}
		}
	}
	none, err := s.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: orders, Key: key("a", "1"), ReturnConsumedCapacity: total})
	if err != nil || aws.ToFloat64(none.ConsumedCapacity.CapacityUnits) != 0.5 {
		t.Errorf("a get of nothing took %+v, %v", none.ConsumedCapacity, err)
	}
}

// units writes capacity as "total: table, index units...".
func unitsOf(c *types.ConsumedCapacity) string {
	text := fmt.Sprintf("%v: %v", aws.ToFloat64(c.CapacityUnits), aws.ToFloat64(c.Table.CapacityUnits))
	for _, indexes := range []map[string]types.Capacity{c.LocalSecondaryIndexes, c.GlobalSecondaryIndexes} {
		for _, name := range slices.Sorted(maps.Keys(indexes)) {
			text += fmt.Sprintf(", %s %v", name, aws.ToFloat64(indexes[name].CapacityUnits))
		}
	}
	return text
}

// An index takes nothing where it holds the same as before, one write where an item comes, goes or changes, and two where it moves.
func TestCapacityOfIndexes(t *testing.T) {
	s := newIndexedTable(t)
	games, indexes := aws.String("games"), types.ReturnConsumedCapacityIndexes
	put := func(change func(item)) *types.ConsumedCapacity {
		t.Helper()
		it := game(1)
		change(it)
		out, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: games, Item: it, ReturnConsumedCapacity: indexes, ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize})
		if err != nil {
			t.Fatal(err)
		}
		if m := out.ItemCollectionMetrics; m == nil || text(m.ItemCollectionKey["pk"]) != "p1" || !slices.Equal(m.SizeEstimateRangeGB, []float64{0, 1}) {
			t.Errorf("metrics %+v", m)
		}
		return out.ConsumedCapacity
	}
	for _, c := range []struct {
		name   string
		change func(item)
		want   string
	}{
		{"comes without its keys", func(it item) { delete(it, "team"); delete(it, "score") }, "1: 1"},
		{"comes into all", func(item) {}, "5: 1, local 1, multi 1, part 1, whole 1"},
		{"stays", func(item) {}, "1: 1"},
		{"changes what two hold", func(it item) { it["big"] = str("other") }, "3: 1, multi 1, whole 1"},
		{"moves in three", func(it item) { it["big"] = str("other"); it["score"] = num("1") }, "8: 1, local 2, multi 2, part 2, whole 1"},
		{"leaves three", func(it item) { delete(it, "team"); it["score"] = num("1") }, "4: 1, multi 1, part 1, whole 1"},
	} {
		if got := unitsOf(put(c.change)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for n := range 4 {
		s.putGame(t, game(3*n+1))
	}
	query := func(in dynamodb.QueryInput, want string) {
		t.Helper()
		in.TableName, in.ReturnConsumedCapacity, in.ExpressionAttributeValues = games, indexes, item{":v": str("p1")}
		in.KeyConditionExpression = aws.String("pk = :v")
		out, err := s.Query(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		if got := unitsOf(out.ConsumedCapacity); got != want {
			t.Errorf("query: %s, want %s", got, want)
		}
	}
	query(dynamodb.QueryInput{}, "0.5: 0.5")
	query(dynamodb.QueryInput{ConsistentRead: aws.Bool(true)}, "1: 1")
	query(dynamodb.QueryInput{IndexName: aws.String("local")}, "0.5: 0, local 0.5")
	query(dynamodb.QueryInput{IndexName: aws.String("local"), ProjectionExpression: aws.String("note")}, "2.5: 2, local 0.5")
	query(dynamodb.QueryInput{IndexName: aws.String("local"), Select: types.SelectAllAttributes, ConsistentRead: aws.Bool(true)}, "5: 4, local 1")

	out, err := s.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		ReturnConsumedCapacity: indexes, ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize,
		TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: games, Item: game(2)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := unitsOf(&out.ConsumedCapacity[0]), "10: 2, local 2, multi 2, part 2, whole 2"; got != want {
		t.Errorf("transaction: %s, want %s", got, want)
	}
	if len(out.ItemCollectionMetrics["games"]) != 1 {
		t.Errorf("metrics %v", out.ItemCollectionMetrics)
	}
}
