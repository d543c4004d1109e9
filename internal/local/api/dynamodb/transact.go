package dynamodb

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/expr"
	"streamgen/internal/local/wire"
)

// maxTransactItems is how many actions a transaction may have.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const maxTransactItems = 100

type transactWriteItemsInput struct {
	ClientRequestToken          string
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
	TransactItems               []transactWriteItem
}

// transactWriteItem has one of its members.
type transactWriteItem struct {
	ConditionCheck *keyedAction
	Delete         *keyedAction
	Put            *transactPut
	Update         *transactUpdate
}

type keyedAction struct {
	conditionalInput
	Key json.RawMessage
}

type transactPut struct {
	conditionalInput
	Item json.RawMessage
}

type transactUpdate struct {
	conditionalInput
	Key              json.RawMessage
	UpdateExpression *string
}

type transactWriteItemsOutput struct {
	ConsumedCapacity      []*consumedCapacity                 `json:",omitempty"`
	ItemCollectionMetrics map[string][]*itemCollectionMetrics `json:",omitempty"`
}

func (s service) transactWriteItems(in *transactWriteItemsInput) (*transactWriteItemsOutput, error) {
	x, err := in.transaction()
	if err != nil {
		return nil, invalidExpression(err)
	}
	done, err := s.engine.TransactWrite(x)
	return &transactWriteItemsOutput{
		ConsumedCapacity:      consumedByTransaction(in.ReturnConsumedCapacity, done.Consumed, done.Read),
		ItemCollectionMetrics: metricsByTable(done.Collections),
	}, err
}

// transaction makes the checks that need no table.
func (in *transactWriteItemsInput) transaction() (x engine.Transaction, err error) {
	if err := in.check(); err != nil {
		return x, err
	}
	items := make([]attr.Item, len(in.TransactItems))
	for i, item := range in.TransactItems {
		if items[i], err = item.add(&x, in.ReturnItemCollectionMetrics == "SIZE"); err != nil {
			return x, err
		}
	}
	if in.ClientRequestToken != "" {
		x.Token.Name = in.ClientRequestToken
		x.Token.Request, err = in.fingerprint(items)
	}
	return x, err
}

func (in *transactWriteItemsInput) check() error {
	constraints := []constraint{
		required("transactItems", in.TransactItems != nil),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
		oneOf("returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, "SIZE", "NONE"),
	}
	if in.TransactItems != nil {
		constraints = append(constraints, length("transactItems", fmt.Sprintf("[%d actions]", len(in.TransactItems)), len(in.TransactItems), 1, maxTransactItems))
	}
	if in.ClientRequestToken != "" {
		constraints = append(constraints, length("clientRequestToken", in.ClientRequestToken, len(in.ClientRequestToken), 1, 36))
	}
	for i, item := range in.TransactItems {
		at := fmt.Sprintf("transactItems.%d.member.", i+1)
		if a := item.ConditionCheck; a != nil {
			constraints = append(constraints, a.constraints(at+"conditionCheck.")...)
			constraints = append(constraints, required(at+"conditionCheck.conditionExpression", a.ConditionExpression != nil), required(at+"conditionCheck.key", !isNull(a.Key)))
		}
		if a := item.Delete; a != nil {
			constraints = append(append(constraints, a.constraints(at+"delete.")...), required(at+"delete.key", !isNull(a.Key)))
		}
		if a := item.Put; a != nil {
			constraints = append(append(constraints, a.constraints(at+"put.")...), required(at+"put.item", !isNull(a.Item)))
		}
		if a := item.Update; a != nil {
			constraints = append(constraints, a.constraints(at+"update.")...)
			constraints = append(constraints, required(at+"update.updateExpression", a.UpdateExpression != nil), required(at+"update.key", !isNull(a.Key)))
		}
	}
	return check(constraints...)
}

func (in *conditionalInput) constraints(at string) []constraint {
	return []constraint{
		tableAt(at+"tableName", in.TableName),
		oneOf(at+"returnValuesOnConditionCheckFailure", in.ReturnValuesOnConditionCheckFailure, "ALL_OLD", "NONE"),
	}
}

// fingerprint is the same for requests that ask for the same, however their JSON is written. items are the actions' items or keys.
func (in *transactWriteItemsInput) fingerprint(items []attr.Item) (sum [sha256.Size]byte, err error) {
	var text []byte
	for i, item := range in.TransactItems {
		switch {
		case item.ConditionCheck != nil:
			text, err = item.ConditionCheck.appendTo(append(text, 'c'), items[i], nil)
		case item.Delete != nil:
			text, err = item.Delete.appendTo(append(text, 'd'), items[i], nil)
		case item.Put != nil:
			text, err = item.Put.appendTo(append(text, 'p'), items[i], nil)
		case item.Update != nil:
			text, err = item.Update.appendTo(append(text, 'u'), items[i], item.Update.UpdateExpression)
		}
		if err != nil {
			return sum, err
		}
	}
	return sha256.Sum256(text), nil
}

// appendTo appends an action's members to text, those of maps in the order of their names. A client that sends a request again writes
// them in another one.
func (in *conditionalInput) appendTo(text []byte, item attr.Item, update *string) ([]byte, error) {
	plain, err := json.Marshal([]any{in.TableName, in.ConditionExpression, update, in.ExpressionAttributeNames, in.ReturnValuesOnConditionCheckFailure})
	if err != nil {
		return nil, err
	}
	values, err := decodeItem(in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	return values.AppendJSON(item.AppendJSON(append(text, plain...))), nil
}

// add adds the one action that there is, and gives its item or key.
func (item transactWriteItem) add(x *engine.Transaction, measure bool) (attr.Item, error) {
	given := 0
	for _, there := range []bool{item.ConditionCheck != nil, item.Delete != nil, item.Put != nil, item.Update != nil} {
		if there {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, wire.Errorf("ValidationException", "TransactItems can only contain one of Check, Put, Update or Delete")
	case item.ConditionCheck != nil:
		w, key, err := item.ConditionCheck.parse(measure)
		x.Check(engine.Check{Write: w, Key: key})
		return key, err
	case item.Delete != nil:
		w, key, err := item.Delete.parse(measure)
		x.Delete(engine.Delete{Write: w, Key: key})
		return key, err
	case item.Put != nil:
		p, err := item.Put.parse(measure)
		x.Put(p)
		return p.Item, err
	default:
		u, err := item.Update.parse(measure)
		x.Update(u)
		return u.Key, err
	}
}

func (a *keyedAction) parse(measure bool) (w engine.Write, key attr.Item, err error) {
	s, err := a.substitutionsOf("ConditionExpression is", a.ConditionExpression != nil)
	if err != nil {
		return w, nil, err
	}
	if key, err = decodeItem(a.Key); err != nil {
		return w, nil, err
	}
	w, err = a.write(s)
	w.Measure = measure
	return w, key, err
}

func (a *transactPut) parse(measure bool) (p engine.Put, err error) {
	s, err := a.substitutionsOf("ConditionExpression is", a.ConditionExpression != nil)
	if err != nil {
		return p, err
	}
	if p.Item, err = decodeItem(a.Item); err != nil {
		return p, err
	}
	if err := engine.CheckItemSize(p.Item); err != nil {
		return p, err
	}
	p.Write, err = a.write(s)
	p.Measure = measure
	return p, err
}

func (a *transactUpdate) parse(measure bool) (u engine.Update, err error) {
	s, err := a.substitutionsOf("UpdateExpression and ConditionExpression are", true)
	if err != nil {
		return u, err
	}
	if u.Key, err = decodeItem(a.Key); err != nil {
		return u, err
	}
	if u.Update, err = expr.ParseUpdate(*a.UpdateExpression, s); err != nil {
		return u, err
	}
	u.Write, err = a.write(s)
	u.Measure = measure
	return u, err
}

type transactGetItemsInput struct {
	ReturnConsumedCapacity string
	TransactItems          []struct{ Get *transactGet }
}

type transactGet struct {
	ExpressionAttributeNames map[string]string
	Key                      json.RawMessage
	ProjectionExpression     *string
	TableName                string
}

type transactGetItemsOutput struct {
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
	Responses        []itemResponse
}

type itemResponse struct {
	Item *attr.Item `json:",omitempty"`
}

func (s service) transactGetItems(in *transactGetItemsInput) (*transactGetItemsOutput, error) {
	gets, err := in.gets()
	if err != nil {
		return nil, invalidExpression(err)
	}
	got, took, err := s.engine.TransactGet(gets)
	out := &transactGetItemsOutput{ConsumedCapacity: consumedByTransaction(in.ReturnConsumedCapacity, took, true)}
	for _, g := range got {
		out.Responses = append(out.Responses, itemResponse{Item: present(g.Item)})
	}
	return out, err
}

// gets makes the checks that need no table.
func (in *transactGetItemsInput) gets() (gets []engine.Get, err error) {
	constraints := []constraint{
		required("transactItems", in.TransactItems != nil),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
	}
	if in.TransactItems != nil {
		constraints = append(constraints, length("transactItems", fmt.Sprintf("[%d actions]", len(in.TransactItems)), len(in.TransactItems), 1, maxTransactItems))
	}
	for i, item := range in.TransactItems {
		at := fmt.Sprintf("transactItems.%d.member.get", i+1)
		constraints = append(constraints, required(at, item.Get != nil))
		if g := item.Get; g != nil {
			constraints = append(constraints, tableAt(at+".tableName", g.TableName), required(at+".key", !isNull(g.Key)))
		}
	}
	if err := check(constraints...); err != nil {
		return nil, err
	}
	for _, item := range in.TransactItems {
		g := engine.Get{Table: item.Get.TableName}
		asked := projectionInput{ExpressionAttributeNames: item.Get.ExpressionAttributeNames, ProjectionExpression: item.Get.ProjectionExpression}
		if err := asked.check(); err != nil {
			return nil, err
		}
		if g.Key, err = decodeItem(item.Get.Key); err != nil {
			return nil, err
		}
		if g.Projection, err = asked.projection(); err != nil {
			return nil, err
		}
		gets = append(gets, g)
	}
	return gets, nil
}
