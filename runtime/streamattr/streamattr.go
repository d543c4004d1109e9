// Package streamattr turns items into the attribute values of the AWS SDK and back, so that a handler can write items that it has read from
// a stream, and read items of the same type from the table.
//
//	values, err := streamattr.Marshal(c.New)
//	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(orders.Name()), Item: values})
package streamattr

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/runtime/stream"
)

// Marshal gives an item's attributes. What is left out of them is said at [stream.Encoder], whose errors these are.
func Marshal[T any, P stream.Item[T]](item P) (map[string]types.AttributeValue, error) {
	image, err := stream.Marshal(item)
	if err != nil {
		return nil, err
	}
	var values map[string]value
	if err := json.Unmarshal(image, &values); err != nil {
		return nil, fmt.Errorf("decode the image of an item: %w", err)
	}
	return toAttributes(values)
}

// Unmarshal gives the item that has these attributes. Its errors are those of [stream.Decoder], and of attribute values that the SDK itself
// does not know.
func Unmarshal[T any, P stream.Image[T]](values map[string]types.AttributeValue) (*T, error) {
	image, err := fromAttributes(values)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(image)
	if err != nil {
		return nil, fmt.Errorf("encode attribute values: %w", err)
	}
	return stream.Unmarshal[T, P](text)
}

// value is an attribute value in JSON: one of these is set.
type value struct {
	S, N   *string
	B      *[]byte
	BOOL   *bool
	NULL   *bool
	M      map[string]value
	L      []value
	SS, NS []string
	BS     [][]byte
}

func (v value) attribute() (types.AttributeValue, error) {
	switch {
	case v.S != nil:
		return &types.AttributeValueMemberS{Value: *v.S}, nil
	case v.N != nil:
		return &types.AttributeValueMemberN{Value: *v.N}, nil
	case v.B != nil:
		return &types.AttributeValueMemberB{Value: *v.B}, nil
	case v.BOOL != nil:
		return &types.AttributeValueMemberBOOL{Value: *v.BOOL}, nil
	case v.NULL != nil:
		return &types.AttributeValueMemberNULL{Value: *v.NULL}, nil
	case v.SS != nil:
		return &types.AttributeValueMemberSS{Value: v.SS}, nil
	case v.NS != nil:
		return &types.AttributeValueMemberNS{Value: v.NS}, nil
	case v.BS != nil:
		return &types.AttributeValueMemberBS{Value: v.BS}, nil
	case v.M != nil:
		m, err := toAttributes(v.M)
		return &types.AttributeValueMemberM{Value: m}, err
	case v.L != nil:
		list := make([]types.AttributeValue, len(v.L))
		for i, element := range v.L {
			var err error
			if list[i], err = element.attribute(); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return &types.AttributeValueMemberL{Value: list}, nil
	}
	return nil, errors.New("an attribute value has a type of DynamoDB, this one none")
}

func toAttributes(values map[string]value) (map[string]types.AttributeValue, error) {
	attributes := make(map[string]types.AttributeValue, len(values))
	for name, v := range values {
		a, err := v.attribute()
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		attributes[name] = a
	}
	return attributes, nil
}

// object is an attribute value as it goes into JSON: one member, named like its type.
type object map[string]any

func fromAttributes(attributes map[string]types.AttributeValue) (map[string]object, error) {
	values := make(map[string]object, len(attributes))
	for name, a := range attributes {
		v, err := fromAttribute(a)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		values[name] = v
	}
	return values, nil
}

func fromAttribute(a types.AttributeValue) (object, error) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		return object{"S": a.Value}, nil
	case *types.AttributeValueMemberN:
		return object{"N": a.Value}, nil
	case *types.AttributeValueMemberB:
		return object{"B": orEmpty(a.Value)}, nil
	case *types.AttributeValueMemberBOOL:
		return object{"BOOL": a.Value}, nil
	case *types.AttributeValueMemberNULL:
		return object{"NULL": a.Value}, nil
	case *types.AttributeValueMemberSS:
		return object{"SS": orEmpty(a.Value)}, nil
	case *types.AttributeValueMemberNS:
		return object{"NS": orEmpty(a.Value)}, nil
	case *types.AttributeValueMemberBS:
		return object{"BS": orEmpty(a.Value)}, nil
	case *types.AttributeValueMemberM:
		m, err := fromAttributes(a.Value)
		return object{"M": m}, err
	case *types.AttributeValueMemberL:
		list := make([]object, len(a.Value))
		for i, element := range a.Value {
			var err error
			if list[i], err = fromAttribute(element); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return object{"L": list}, nil
	}
	return nil, fmt.Errorf("an attribute value of type %T is unknown", a)
}

// orEmpty gives what is no null in JSON.
func orEmpty[E any](list []E) []E {
	if list == nil {
		return []E{}
	}
	return list
}
