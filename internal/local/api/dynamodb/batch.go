package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type batchWriteItemInput struct {
	RequestItems                map[string][]writeRequest
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string // see writeInput
}

type writeRequest struct {
	PutRequest    *struct{ Item json.RawMessage }
	DeleteRequest *struct{ Key json.RawMessage }
}

type batchWriteItemOutput struct {
	// UnprocessedItems is always empty: nothing is throttled.
	UnprocessedItems struct{}
}

func (s service) batchWriteItem(in *batchWriteItemInput) (*batchWriteItemOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := noConsumedCapacity("BatchWriteItem", in.ReturnConsumedCapacity); err != nil {
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
	return &batchWriteItemOutput{}, s.engine.BatchWrite(batch)
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
		constraints = append(constraints, resourceName("requestItems.key", table))
		if len(requests) == 0 {
			constraints = append(constraints, length("requestItems."+table+".member", "[]", 0, 1, most))
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
		write.Item, err = decodeItem(r.PutRequest.Item)
	default:
		write.Key, err = decodeItem(r.DeleteRequest.Key)
	}
	return write, err
}
