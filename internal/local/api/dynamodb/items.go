package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

// writeInput is what the three writes of one item have in common.
type writeInput struct {
	legacyCondition
	TableName                           string
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           json.RawMessage
	ReturnConsumedCapacity              string
	ReturnItemCollectionMetrics         string // nothing to return: only tables with local secondary indexes have them
	ReturnValues                        engine.Return
	ReturnValuesOnConditionCheckFailure string
}

// itemOutput is the answer of the three writes.
type itemOutput struct {
	Attributes attr.Item `json:",omitempty"`
}

func (in *writeInput) check(member string, present bool, further ...constraint) error {
	return check(slices.Concat([]constraint{
		tableName(in.TableName),
		required(member, present),
	}, in.legacyCondition.constraints(), further, []constraint{
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
		oneOf("returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, "SIZE", "NONE"),
		oneOf("returnValues", in.ReturnValues, engine.ReturnAllNew, engine.ReturnUpdatedOld, engine.ReturnAllOld, engine.ReturnNone, engine.ReturnUpdatedNew),
		oneOf("returnValuesOnConditionCheckFailure", in.ReturnValuesOnConditionCheckFailure, "ALL_OLD", "NONE"),
	})...)
}

// write gives the engine's form of the members.
func (in *writeInput) write(operation string) (engine.Write, error) {
	if err := noConsumedCapacity(operation, in.ReturnConsumedCapacity); err != nil {
		return engine.Write{}, err
	}
	expected, err := in.expected()
	if err != nil {
		return engine.Write{}, err
	}
	values, err := decodeValues(in.ExpressionAttributeValues)
	return engine.Write{
		Table: in.TableName, Condition: in.ConditionExpression, Expected: expected, Names: in.ExpressionAttributeNames, Values: values,
		Return: in.ReturnValues, ReturnOnFailure: in.ReturnValuesOnConditionCheckFailure == "ALL_OLD",
	}, err
}

// onlyOld refuses what only an update can return.
func (in *writeInput) onlyOld() error {
	switch in.ReturnValues {
	case "", engine.ReturnNone, engine.ReturnAllOld:
		return nil
	default:
		return wire.Errorf("ValidationException", "Return values set to invalid value")
	}
}

func noConsumedCapacity(operation, value string) error {
	if value == "" || value == "NONE" {
		return nil
	}
	return wire.NotEmulated("ReturnConsumedCapacity " + value + " of " + operation)
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(raw, []byte("null"))
}

// decodeItem decodes an item or key that was kept raw, so that faults of other members are found first. Null is nil.
func decodeItem(raw json.RawMessage) (attr.Item, error) {
	if isNull(raw) {
		return nil, nil
	}
	var item attr.Item
	err := item.UnmarshalJSON(raw)
	return item, decodeError(err)
}

// decodeValues decodes ExpressionAttributeValues, whose faults name the parameter.
func decodeValues(raw json.RawMessage) (attr.Item, error) {
	if isNull(raw) {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, wire.Errorf("SerializationException", "ExpressionAttributeValues: %v", err)
	}
	values := make(attr.Item, len(fields))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		var v attr.Value
		err := v.UnmarshalJSON(fields[key])
		var invalid *attr.ValueError
		if errors.As(err, &invalid) {
			return nil, wire.Errorf("ValidationException", "ExpressionAttributeValues contains invalid value: %v for key %s", invalid, key)
		}
		if err != nil {
			return nil, decodeError(err)
		}
		values[key] = v
	}
	return values, nil
}

// decodeError gives an error of decoding a value its code.
func decodeError(err error) error {
	var invalid *attr.ValueError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return wire.Errorf("ValidationException", "%v", err)
	default:
		return wire.Errorf("SerializationException", "%v", err)
	}
}

type putItemInput struct {
	writeInput
	Item json.RawMessage
}

func (s service) putItem(in *putItemInput) (*itemOutput, error) {
	if err := in.check("item", !isNull(in.Item)); err != nil {
		return nil, err
	}
	if err := in.notMixed(nil, nil); err != nil {
		return nil, err
	}
	if err := in.onlyOld(); err != nil {
		return nil, err
	}
	item, err := decodeItem(in.Item)
	if err != nil {
		return nil, err
	}
	write, err := in.write("PutItem")
	if err != nil {
		return nil, err
	}
	old, err := s.engine.Put(engine.Put{Write: write, Item: item})
	return &itemOutput{Attributes: old}, err
}

type updateItemInput struct {
	writeInput
	Key              json.RawMessage
	AttributeUpdates map[string]attributeUpdate
	UpdateExpression *string
}

func (s service) updateItem(in *updateItemInput) (*itemOutput, error) {
	if err := in.check("key", !isNull(in.Key), updateConstraints(in.AttributeUpdates)...); err != nil {
		return nil, err
	}
	if err := in.notMixed(
		[]parameter{{"AttributeUpdates", in.AttributeUpdates != nil}}, []parameter{{"UpdateExpression", in.UpdateExpression != nil}},
	); err != nil {
		return nil, err
	}
	key, err := decodeItem(in.Key)
	if err != nil {
		return nil, err
	}
	updates, err := decodeUpdates(in.AttributeUpdates)
	if err != nil {
		return nil, err
	}
	write, err := in.write("UpdateItem")
	if err != nil {
		return nil, err
	}
	returned, err := s.engine.Update(engine.Update{Write: write, Key: key, Expression: in.UpdateExpression, Updates: updates})
	return &itemOutput{Attributes: returned}, err
}

type deleteItemInput struct {
	writeInput
	Key json.RawMessage
}

func (s service) deleteItem(in *deleteItemInput) (*itemOutput, error) {
	if err := in.check("key", !isNull(in.Key)); err != nil {
		return nil, err
	}
	if err := in.notMixed(nil, nil); err != nil {
		return nil, err
	}
	if err := in.onlyOld(); err != nil {
		return nil, err
	}
	key, err := decodeItem(in.Key)
	if err != nil {
		return nil, err
	}
	write, err := in.write("DeleteItem")
	if err != nil {
		return nil, err
	}
	old, err := s.engine.Delete(engine.Delete{Write: write, Key: key})
	return &itemOutput{Attributes: old}, err
}

type getItemInput struct {
	TableName              string
	AttributesToGet        []string
	Key                    json.RawMessage
	ConsistentRead         bool // every read is
	ReturnConsumedCapacity string
}

type getItemOutput struct {
	Item *attr.Item `json:",omitempty"` // nil when there is none; it may be empty
}

func (s service) getItem(in *getItemInput) (*getItemOutput, error) {
	if err := check(
		tableName(in.TableName),
		required("key", !isNull(in.Key)),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
		attributesToGet("attributesToGet", in.AttributesToGet),
	); err != nil {
		return nil, err
	}
	key, err := decodeItem(in.Key)
	if err != nil {
		return nil, err
	}
	if err := noConsumedCapacity("GetItem", in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	projection, err := projectAttributes(in.AttributesToGet)
	if err != nil {
		return nil, err
	}
	item, err := s.engine.Get(in.TableName, key)
	if err != nil || item == nil {
		return &getItemOutput{}, err
	}
	if projection != nil {
		item = projection.Of(item)
	}
	return &getItemOutput{Item: &item}, nil
}
