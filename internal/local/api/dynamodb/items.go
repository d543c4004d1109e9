package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/expr"
	"streamgen/internal/local/wire"
)

// placeholders are what the expressions of a request stand for.
type placeholders struct {
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues json.RawMessage
}

// allow refuses placeholders in a request without expressions. parameters names the expressions that could use values.
func (p *placeholders) allow(parameters string, usesNames, usesValues bool) error {
	switch {
	case p.ExpressionAttributeNames != nil && !usesNames:
		return wire.Errorf("ValidationException", "ExpressionAttributeNames can only be specified when using expressions")
	case !isNull(p.ExpressionAttributeValues) && !usesValues:
		return wire.Errorf("ValidationException", "ExpressionAttributeValues can only be specified when using expressions: %s null", parameters)
	default:
		return nil
	}
}

func (p *placeholders) substitutions() (*expr.Substitutions, error) {
	values, err := decodeValues(p.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	return expr.NewSubstitutions(p.ExpressionAttributeNames, values)
}

// conditionalInput is what every write of one item has, alone or in a transaction.
type conditionalInput struct {
	placeholders
	TableName                           string
	ConditionExpression                 *string
	ReturnValuesOnConditionCheckFailure string
}

// substitutionsOf checks the placeholders. parameters names the expressions that could use them, used says whether there is one.
func (in *conditionalInput) substitutionsOf(parameters string, used bool) (*expr.Substitutions, error) {
	if err := in.allow(parameters, used, used); err != nil {
		return nil, err
	}
	return in.substitutions()
}

// write gives the engine's form of the members. It reads the last expression of the request.
func (in *conditionalInput) write(s *expr.Substitutions) (w engine.Write, err error) {
	w = engine.Write{Table: in.TableName, ReturnOnFailure: in.ReturnValuesOnConditionCheckFailure == "ALL_OLD"}
	if in.ConditionExpression != nil {
		if w.Condition, err = expr.ParseCondition(*in.ConditionExpression, s); err != nil {
			return w, err
		}
	}
	return w, s.CheckUsed()
}

// writeInput is what the three writes of one item have in common.
type writeInput struct {
	conditionalInput
	legacyCondition
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
	ReturnValues                engine.Return
}

// itemOutput is the answer of the three writes.
type itemOutput struct {
	Attributes            attr.Item              `json:",omitempty"`
	ConsumedCapacity      *consumedCapacity      `json:",omitempty"`
	ItemCollectionMetrics *itemCollectionMetrics `json:",omitempty"`
}

func (in *writeInput) check(member string, present bool, further ...constraint) error {
	return check(append(append([]constraint{
		tableName(in.TableName),
		required(member, present),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
		oneOf("returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, "SIZE", "NONE"),
		oneOf("returnValues", in.ReturnValues, engine.ReturnAllNew, engine.ReturnUpdatedOld, engine.ReturnAllOld, engine.ReturnNone, engine.ReturnUpdatedNew),
		oneOf("returnValuesOnConditionCheckFailure", in.ReturnValuesOnConditionCheckFailure, "ALL_OLD", "NONE"),
	}, in.legacyCondition.constraints()...), further...)...)
}

// notMixed refuses legacy parameters beside expressions; updates and update say whether the request has AttributeUpdates and an
// UpdateExpression.
func (in *writeInput) notMixed(updates, update bool) error {
	return notMixed(
		[]parameter{{"AttributeUpdates", updates}, {"Expected", in.Expected != nil}, {"ConditionalOperator", in.ConditionalOperator != ""}},
		[]parameter{{"UpdateExpression", update}, {"ConditionExpression", in.ConditionExpression != nil}})
}

// write is that of conditionalInput, with what only requests of their own have.
func (in *writeInput) write(s *expr.Substitutions) (w engine.Write, err error) {
	expected, err := in.expected()
	if err != nil {
		return w, err
	}
	legacy, err := expected.Condition()
	if err != nil {
		return w, err
	}
	w, err = in.conditionalInput.write(s)
	if legacy != nil {
		w.Condition = legacy
	}
	w.Return, w.Measure = in.ReturnValues, in.ReturnItemCollectionMetrics == "SIZE"
	return w, err
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

func (in *writeInput) output(w engine.Written) *itemOutput {
	return &itemOutput{
		Attributes: w.Attributes, ConsumedCapacity: consumed(in.ReturnConsumedCapacity, w.Consumed),
		ItemCollectionMetrics: metricsOf(w.Collection),
	}
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
	p, err := in.put()
	if err != nil {
		return nil, invalidExpression(err)
	}
	done, err := s.engine.Put(p)
	return in.output(done), err
}

// put makes the checks that need no table.
func (in *putItemInput) put() (p engine.Put, err error) {
	if err := in.check("item", !isNull(in.Item)); err != nil {
		return p, err
	}
	if err := in.notMixed(false, false); err != nil {
		return p, err
	}
	s, err := in.substitutionsOf("ConditionExpression is", in.ConditionExpression != nil)
	if err != nil {
		return p, err
	}
	if p.Item, err = decodeItem(in.Item); err != nil {
		return p, err
	}
	if err := in.onlyOld(); err != nil {
		return p, err
	}
	if err := engine.CheckItemSize(p.Item); err != nil {
		return p, err
	}
	p.Write, err = in.write(s)
	return p, err
}

type updateItemInput struct {
	writeInput
	AttributeUpdates map[string]attributeUpdate
	Key              json.RawMessage
	UpdateExpression *string
}

func (s service) updateItem(in *updateItemInput) (*itemOutput, error) {
	u, err := in.update()
	if err != nil {
		return nil, invalidExpression(err)
	}
	done, err := s.engine.Update(u)
	return in.output(done), err
}

// update makes the checks that need no table.
func (in *updateItemInput) update() (u engine.Update, err error) {
	if err := in.check("key", !isNull(in.Key), updateConstraints(in.AttributeUpdates)...); err != nil {
		return u, err
	}
	if err := in.notMixed(in.AttributeUpdates != nil, in.UpdateExpression != nil); err != nil {
		return u, err
	}
	s, err := in.substitutionsOf("UpdateExpression and ConditionExpression are", in.UpdateExpression != nil || in.ConditionExpression != nil)
	if err != nil {
		return u, err
	}
	if u.Key, err = decodeItem(in.Key); err != nil {
		return u, err
	}
	updates, err := decodeUpdates(in.AttributeUpdates)
	if err != nil {
		return u, err
	}
	if u.Update, err = updates.Update(); err != nil {
		return u, err
	}
	if in.UpdateExpression != nil {
		if u.Update, err = expr.ParseUpdate(*in.UpdateExpression, s); err != nil {
			return u, err
		}
	}
	u.Write, err = in.write(s)
	return u, err
}

type deleteItemInput struct {
	writeInput
	Key json.RawMessage
}

func (s service) deleteItem(in *deleteItemInput) (*itemOutput, error) {
	d, err := in.delete()
	if err != nil {
		return nil, invalidExpression(err)
	}
	done, err := s.engine.Delete(d)
	return in.output(done), err
}

// delete makes the checks that need no table.
func (in *deleteItemInput) delete() (d engine.Delete, err error) {
	if err := in.check("key", !isNull(in.Key)); err != nil {
		return d, err
	}
	if err := in.notMixed(false, false); err != nil {
		return d, err
	}
	s, err := in.substitutionsOf("ConditionExpression is", in.ConditionExpression != nil)
	if err != nil {
		return d, err
	}
	if d.Key, err = decodeItem(in.Key); err != nil {
		return d, err
	}
	if err := in.onlyOld(); err != nil {
		return d, err
	}
	d.Write, err = in.write(s)
	return d, err
}

// projectionInput is what reads of items by their keys have of projections.
type projectionInput struct {
	AttributesToGet          []string
	ExpressionAttributeNames map[string]string
	ProjectionExpression     *string
}

// projection gives what the request asks for of the items, nil for all.
func (in *projectionInput) projection() (*expr.Projection, error) {
	if in.ProjectionExpression == nil {
		return projectAttributes(in.AttributesToGet)
	}
	s, err := expr.NewSubstitutions(in.ExpressionAttributeNames, nil)
	if err != nil {
		return nil, err
	}
	p, err := expr.ParseProjection(*in.ProjectionExpression, s)
	if err != nil {
		return nil, err
	}
	return p, s.CheckUsed()
}

func (in *projectionInput) check() error {
	if err := notMixed([]parameter{{"AttributesToGet", in.AttributesToGet != nil}}, []parameter{{"ProjectionExpression", in.ProjectionExpression != nil}}); err != nil {
		return err
	}
	names := placeholders{ExpressionAttributeNames: in.ExpressionAttributeNames}
	if err := names.allow("", in.ProjectionExpression != nil, false); err != nil {
		return err
	}
	_, err := names.substitutions()
	return err
}

type getItemInput struct {
	projectionInput
	TableName              string
	Key                    json.RawMessage
	ConsistentRead         bool
	ReturnConsumedCapacity string
}

type getItemOutput struct {
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
	Item             *attr.Item        `json:",omitempty"` // nil when there is none
}

func (s service) getItem(in *getItemInput) (*getItemOutput, error) {
	g, err := in.get()
	if err != nil {
		return nil, invalidExpression(err)
	}
	got, err := s.engine.Get(g)
	return &getItemOutput{ConsumedCapacity: consumed(in.ReturnConsumedCapacity, got.Consumed), Item: present(got.Item)}, err
}

// get makes the checks that need no table.
func (in *getItemInput) get() (g engine.Get, err error) {
	if err := check(
		tableName(in.TableName),
		required("key", !isNull(in.Key)),
		attributesToGet("attributesToGet", in.AttributesToGet),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
	); err != nil {
		return g, err
	}
	if err := in.check(); err != nil {
		return g, err
	}
	g = engine.Get{Table: in.TableName, Consistent: in.ConsistentRead}
	if g.Key, err = decodeItem(in.Key); err != nil {
		return g, err
	}
	g.Projection, err = in.projection()
	return g, err
}

// present tells an item that has nothing of what is asked for, {}, from none.
func present(item attr.Item) *attr.Item {
	if item == nil {
		return nil
	}
	return &item
}
