package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type batchWriteItemInput struct {
	RequestItems                map[string][]writeRequest
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
}

type writeRequest struct {
	PutRequest    *struct{ Item json.RawMessage }
	DeleteRequest *struct{ Key json.RawMessage }
}

type batchWriteItemOutput struct {
	ConsumedCapacity      []*consumedCapacity                 `json:",omitempty"`
	ItemCollectionMetrics map[string][]*itemCollectionMetrics `json:",omitempty"`
	// UnprocessedItems is always empty: nothing is throttled.
	UnprocessedItems struct{}
}

func (s service) batchWriteItem(in *batchWriteItemInput) (*batchWriteItemOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	batch := map[string][]engine.BatchItem{}
	for _, table := range slices.Sorted(maps.Keys(in.RequestItems)) {
		for _, request := range in.RequestItems[table] {
			write, err := request.item()
			if err != nil {
				return nil, err
			}
			batch[table] = append(batch[table], write)
		}
	}
	done, err := s.engine.BatchWrite(batch, in.ReturnItemCollectionMetrics == "SIZE")
	return &batchWriteItemOutput{
		ConsumedCapacity:      consumedByTable(in.ReturnConsumedCapacity, done.Consumed),
		ItemCollectionMetrics: metricsByTable(done.Collections),
	}, err
}

func (in *batchWriteItemInput) check() error {
	const most = 25 // writes in a request
	tables := slices.Sorted(maps.Keys(in.RequestItems))
	constraints := []constraint{
		required("requestItems", in.RequestItems != nil),
		length("requestItems", tables, len(tables), 1, most),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
		oneOf("returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, "SIZE", "NONE"),
	}
	if in.RequestItems == nil {
		constraints = constraints[:1]
	}
	count := 0
	for _, table := range tables {
		requests := in.RequestItems[table]
		count += len(requests)
		constraints = append(constraints, tableAt("requestItems.key", table))
		if len(requests) == 0 || len(requests) > most {
			constraints = append(constraints, func() string {
				return fault(fmt.Sprintf("{%s=[%d requests]}", table, len(requests)), "requestItems",
					"Map value must satisfy constraint: [Member must have length less than or equal to %d, Member must have length greater than or equal to 1]", most)
			})
		}
		for i, r := range requests {
			at := fmt.Sprintf("requestItems.%s.member.%d.member.", table, i+1)
			if r.PutRequest != nil {
				constraints = append(constraints, required(at+"putRequest.item", !isNull(r.PutRequest.Item)))
			}
			if r.DeleteRequest != nil {
				constraints = append(constraints, required(at+"deleteRequest.key", !isNull(r.DeleteRequest.Key)))
			}
		}
	}
	if err := check(constraints...); err != nil {
		return err
	}
	if count > most {
		return wire.Errorf("ValidationException", "Too many items requested for the BatchWriteItem call")
	}
	return nil
}

func (r writeRequest) item() (write engine.BatchItem, err error) {
	switch {
	case (r.PutRequest != nil) == (r.DeleteRequest != nil):
		return write, wire.Errorf("ValidationException", "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case r.PutRequest != nil:
		if write.Item, err = decodeItem(r.PutRequest.Item); err == nil {
			err = engine.CheckItemSize(write.Item)
		}
	default:
		write.Key, err = decodeItem(r.DeleteRequest.Key)
	}
	return write, err
}

// maxBatchKeys is how many keys one BatchGetItem may have.
const maxBatchKeys = 100

type batchGetItemInput struct {
	RequestItems           map[string]keysAndAttributes
	ReturnConsumedCapacity string
}

type keysAndAttributes struct {
	projectionInput
	ConsistentRead bool
	Keys           []json.RawMessage
}

type batchGetItemOutput struct {
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
	Responses        map[string][]attr.Item
	UnprocessedKeys  map[string]unprocessedKeys
}

// unprocessedKeys is a part of the request, to be sent again as it is.
type unprocessedKeys struct {
	AttributesToGet          []string          `json:",omitempty"`
	ConsistentRead           bool              `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
	Keys                     []attr.Item
	ProjectionExpression     *string `json:",omitempty"`
}

func (s service) batchGetItem(in *batchGetItemInput) (*batchGetItemOutput, error) {
	batch, keys, err := in.batch()
	if err != nil {
		return nil, invalidExpression(err)
	}
	got, err := s.engine.BatchGet(batch, keys)
	if err != nil {
		return nil, err
	}
	out := &batchGetItemOutput{
		ConsumedCapacity: consumedByTable(in.ReturnConsumedCapacity, got.Consumed), Responses: got.Items,
		UnprocessedKeys: map[string]unprocessedKeys{},
	}
	for table, rest := range got.Unread {
		asked := in.RequestItems[table]
		out.UnprocessedKeys[table] = unprocessedKeys{
			AttributesToGet: asked.AttributesToGet, ConsistentRead: asked.ConsistentRead,
			ExpressionAttributeNames: asked.ExpressionAttributeNames, Keys: rest, ProjectionExpression: asked.ProjectionExpression,
		}
	}
	return out, nil
}

// batch makes the checks that need no table.
func (in *batchGetItemInput) batch() (batch map[string]engine.Get, keys map[string][]attr.Item, err error) {
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	batch, keys = map[string]engine.Get{}, map[string][]attr.Item{}
	for _, table := range slices.Sorted(maps.Keys(in.RequestItems)) {
		asked := in.RequestItems[table]
		if err := asked.check(); err != nil {
			return nil, nil, err
		}
		for _, raw := range asked.Keys {
			key, err := decodeItem(raw)
			if err != nil {
				return nil, nil, err
			}
			if slices.ContainsFunc(keys[table], key.Equal) {
				return nil, nil, wire.Errorf("ValidationException", "Provided list of item keys contains duplicates")
			}
			keys[table] = append(keys[table], key)
		}
		g := engine.Get{Table: table, Consistent: asked.ConsistentRead}
		if g.Projection, err = asked.projection(); err != nil {
			return nil, nil, err
		}
		batch[table] = g
	}
	return batch, keys, nil
}

func (in *batchGetItemInput) check() error {
	tables := slices.Sorted(maps.Keys(in.RequestItems))
	if in.RequestItems == nil {
		return check(required("requestItems", false))
	}
	constraints := []constraint{
		length("requestItems", tables, len(tables), 1, maxBatchKeys),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
	}
	count := 0
	for _, table := range tables {
		asked := in.RequestItems[table]
		count += len(asked.Keys)
		at := "requestItems." + table + ".member."
		constraints = append(constraints, tableAt("requestItems.key", table), required(at+"keys", asked.Keys != nil))
		if asked.Keys != nil {
			value := "[]"
			if len(asked.Keys) > 0 {
				value = fmt.Sprintf("[%d keys]", len(asked.Keys))
			}
			constraints = append(constraints, length(at+"keys", value, len(asked.Keys), 1, maxBatchKeys))
		}
		constraints = append(constraints, attributesToGet(at+"attributesToGet", asked.AttributesToGet))
	}
	if err := check(constraints...); err != nil {
		return err
	}
	if count > maxBatchKeys {
		return wire.Errorf("ValidationException", "Too many items requested for the BatchGetItem call")
	}
	return nil
}
